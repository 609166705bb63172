;; A boxed number that a loop carries, and one that two arms make, are numbers. A box that is stored somewhere is a box.
;;! optimize
(module
  (type $float (struct (field $value f64)))
  (global $last (mut eqref) (ref.null eq))
  (func $box (param f64) (result eqref) (struct.new $float (local.get 0)))
  (func $unbox (param eqref) (result f64) (struct.get $float $value (ref.cast (ref $float) (local.get 0))))
  (func (export "carried") (param $x f64) (param $n i32) (result f64)
    (local $product eqref)
    (local.set $product (call $box (f64.const 1)))
    (loop $again
      (local.set $product (call $box (f64.mul (call $unbox (local.get $product)) (local.get $x))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $unbox (local.get $product)))
  (func (export "arms") (param $x f64) (param $n i32) (result f64)
    (call $unbox
      (if (result eqref) (local.get $n)
        (then (call $box (local.get $x)))
        (else (call $box (f64.neg (local.get $x)))))))
  (func (export "stored") (param $x f64) (param $n i32)
    (local $product eqref)
    (local.set $product (call $box (f64.const 1)))
    (loop $again
      (global.set $last (local.get $product))
      (local.set $product (call $box (f64.mul (call $unbox (local.get $product)) (local.get $x))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
;; lowered:
;; (module
;;   (type (;0;) (func (param f64) (result i32)))
;;   (type (;1;) (func (param i32) (result f64)))
;;   (type (;2;) (func (param f64 i32) (result f64)))
;;   (type (;3;) (func (param f64 i32)))
;;   (type (;4;) (func (param i32) (result i32)))
;;   (type (;5;) (func (param i32)))
;;   (type (;6;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 4)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (export "carried" (func 3))
;;   (export "arms" (func 4))
;;   (export "stored" (func 5))
;;   (start $"wasmtime-gc helper 7")
;;   (func $box (;1;) (type 0) (param f64) (result i32)
;;     unreachable
;;   )
;;   (func $unbox (;2;) (type 1) (param i32) (result f64)
;;     unreachable
;;   )
;;   (func (;3;) (type 2) (param f64 i32) (result f64)
;;     (local f64)
;;     f64.const 0x1p+0 (;=1;)
;;     local.set 2
;;     loop ;; label = @1
;;       local.get 2
;;       local.get 0
;;       f64.mul
;;       local.set 2
;;       local.get 1
;;       i32.const 1
;;       i32.sub
;;       local.tee 1
;;       br_if 0 (;@1;)
;;     end
;;     local.get 2
;;   )
;;   (func (;4;) (type 2) (param f64 i32) (result f64)
;;     local.get 1
;;     i32.eqz
;;     if ;; label = @1
;;       local.get 0
;;       f64.neg
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;;   (func (;5;) (type 3) (param f64 i32)
;;     (local i32 i32 i32 i32 i32 f64)
;;     global.get 0
;;     local.set 2
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 3
;;     i32.const 12
;;     i32.add
;;     local.tee 6
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 12
;;       call 0
;;       local.set 3
;;     else
;;       i32.const 0
;;       local.get 6
;;       i32.store offset=1048580
;;       local.get 3
;;       i32.const 3
;;       i32.sub
;;       local.set 3
;;     end
;;     local.get 3
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 3
;;     f64.const 0x1p+0 (;=1;)
;;     f64.store offset=7 align=1
;;     loop ;; label = @1
;;       local.get 2
;;       local.get 3
;;       i32.store align=1
;;       local.get 3
;;       i32.const 3
;;       i32.and
;;       i32.const 1
;;       i32.eq
;;       if ;; label = @2
;;         local.get 3
;;         i32.load offset=3 align=1
;;         local.set 4
;;       else
;;         i32.const 5308456
;;         local.set 4
;;       end
;;       local.get 4
;;       i32.const 5308536
;;       i32.eq
;;       i32.eqz
;;       if ;; label = @2
;;         unreachable
;;       end
;;       local.get 3
;;       f64.load offset=7 align=1
;;       local.get 0
;;       f64.mul
;;       local.set 7
;;       i32.const 0
;;       i32.load offset=1048580
;;       local.tee 3
;;       i32.const 12
;;       i32.add
;;       local.tee 6
;;       i32.const 0
;;       i32.load offset=1048584
;;       i32.gt_u
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         i32.const 12
;;         call 0
;;         local.set 3
;;       else
;;         i32.const 0
;;         local.get 6
;;         i32.store offset=1048580
;;         local.get 3
;;         i32.const 3
;;         i32.sub
;;         local.set 3
;;       end
;;       local.get 3
;;       i32.const 5308536
;;       i32.store offset=3 align=1
;;       local.get 3
;;       local.get 7
;;       f64.store offset=7 align=1
;;       local.get 1
;;       i32.const 1
;;       i32.sub
;;       local.tee 1
;;       br_if 0 (;@1;)
;;     end
;;   )
;;   (func $"wasmtime-gc helper 7" (;6;) (type 6)
;;     call $"wasmtime-gc helper 36"
;;   )
;;   (func $"wasmtime-gc helper 36" (;7;) (type 6)
;;     global.get 0
;;     i32.const -1
;;     i32.store align=1
;;   )
;; )
