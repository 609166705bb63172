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
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  ;; What comes from outside of the loop is read before it.
  (type $point (struct (field f64) (field f64)))
  (func (export "walk") (param $p (ref $point)) (param $n i32) (result f64)
    (loop $again
      (local.set $p
        (struct.new $point
          (f64.add (struct.get $point 0 (local.get $p)) (f64.const 1))
          (f64.mul (struct.get $point 1 (local.get $p)) (f64.const 2))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f64.add (struct.get $point 0 (local.get $p)) (struct.get $point 1 (local.get $p)))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param f64) (result i32)))
;;     (type (;1;) (func (param (ref func) funcref (ref func) funcref (ref func) (ref 1) funcref (ref func) (ref func) (ref func) (ref null 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref null 1) (ref func) (ref func) funcref (ref 1) funcref (ref null 1) (ref 1) funcref funcref funcref funcref (ref 1) (ref 1) (ref func) funcref funcref (ref func) (ref func) (ref func) funcref (ref 1) (ref null 1) (ref null 1) funcref (ref 1) funcref (ref func) (ref func) (ref 1) (ref null 1) (ref func) (ref func) (ref func) (ref 1) (ref 1) funcref (ref func) (ref null 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref 1) funcref (ref 1) (ref 1) (ref func) (ref func))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32) (result f64)))
;;     (type (;3;) (func (param (ref null 3) (ref 3) (ref 3) funcref (ref null 3) (ref func) (ref func) funcref (ref 3) (ref null 3) (ref null 3) (ref 3) (ref 3) (ref 3) funcref (ref func) (ref 3) funcref funcref (ref func) (ref func) (ref null 3) (ref null 3) (ref 3) (ref 3) (ref func) funcref (ref func) funcref (ref null 3) (ref 3) (ref 3) (ref null 3) (ref 3) (ref 3) (ref func) (ref null 3) (ref func) (ref null 3) (ref 3) (ref func) (ref null 3) funcref (ref null 3) (ref func) (ref null 3) (ref 3) (ref null 3) (ref 3) (ref func) (ref func) (ref 3) (ref null 3) (ref null 3) (ref 3) (ref null 3) funcref (ref 3) funcref funcref funcref funcref funcref funcref)))
;;   )
;;   (type (;4;) (func (param f64 i32) (result f64)))
;;   (type (;5;) (func (param f64 i32)))
;;   (rec
;;     (type (;6;) (func (param i32 i32) (result f64)))
;;     (type (;7;) (func (param funcref (ref 7) (ref null 7) funcref (ref 7) (ref 7) (ref 7) (ref 7) (ref func) funcref (ref func) (ref null 7) (ref 7) (ref null 7) (ref func) (ref null 7) (ref func) (ref null 7) funcref (ref null 7) (ref null 7) funcref (ref func) (ref null 7) (ref null 7) (ref func) (ref 7) (ref 7) (ref func) (ref func) funcref funcref (ref 7) (ref null 7) (ref func) (ref func) (ref 7) (ref null 7) funcref funcref funcref funcref (ref 7) (ref func) (ref null 7) (ref 7) (ref func) funcref funcref funcref (ref func) (ref func) (ref 7) (ref null 7) funcref (ref func) (ref 7) (ref null 7) (ref 7) (ref null 7) (ref null 7) (ref null 7) (ref null 7) (ref 7))))
;;   )
;;   (type (;8;) (func (param i32) (result i32)))
;;   (type (;9;) (func (param i32)))
;;   (type (;10;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 8)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (export "carried" (func 3))
;;   (export "arms" (func 4))
;;   (export "stored" (func 5))
;;   (export "walk" (func 6))
;;   (start $"wasmtime-gc helper 7")
;;   (func $box (;1;) (type 0) (param f64) (result i32)
;;     unreachable
;;   )
;;   (func $unbox (;2;) (type 2) (param i32) (result f64)
;;     unreachable
;;   )
;;   (func (;3;) (type 4) (param f64 i32) (result f64)
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
;;   (func (;4;) (type 4) (param f64 i32) (result f64)
;;     local.get 1
;;     i32.eqz
;;     if ;; label = @1
;;       local.get 0
;;       f64.neg
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;;   (func (;5;) (type 5) (param f64 i32)
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
;;   (func (;6;) (type 6) (param i32 i32) (result f64)
;;     (local f64 f64)
;;     local.get 0
;;     f64.load offset=7 align=1
;;     local.get 0
;;     f64.load offset=15 align=1
;;     local.set 3
;;     local.set 2
;;     loop ;; label = @1
;;       local.get 2
;;       f64.const 0x1p+0 (;=1;)
;;       f64.add
;;       local.set 2
;;       local.get 3
;;       f64.const 0x1p+1 (;=2;)
;;       f64.mul
;;       local.set 3
;;       local.get 1
;;       i32.const 1
;;       i32.sub
;;       local.tee 1
;;       br_if 0 (;@1;)
;;     end
;;     local.get 2
;;     local.get 3
;;     f64.add
;;   )
;;   (func $"wasmtime-gc helper 7" (;7;) (type 10)
;;     call $"wasmtime-gc helper 44"
;;   )
;;   (func $"wasmtime-gc helper 44" (;8;) (type 10)
;;     global.get 0
;;     i32.const -1
;;     i32.store align=1
;;   )
;; )
