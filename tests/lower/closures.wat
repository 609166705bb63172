;; A closure that is made here calls its function directly, also out of another closure's field, and that function is put
;; there. The field is declared mutable, as compilers do, but nobody writes it.
;;! optimize
(module
  (rec
    (type $code (func (param (ref $closure) i32) (result i32)))
    (type $closure (sub (struct (field $code (mut (ref null $code)))))))
  (type $adds (sub $closure (struct (field $code (mut (ref null $code))) (field $by (mut i32)))))
  (type $twice (sub $closure (struct (field $code (mut (ref null $code))) (field $of (mut (ref null $closure))))))
  (elem declare func $add $two)
  (func $call (param $f (ref $closure)) (param $x i32) (result i32)
    (call_ref $code (local.get $f) (local.get $x) (struct.get $closure $code (local.get $f))))
  (func $add (type $code)
    (i32.add (struct.get $adds $by (ref.cast (ref $adds) (local.get 0))) (local.get 1)))
  (func $two (type $code)
    (local $f (ref $closure))
    (local.set $f (ref.as_non_null (struct.get $twice $of (ref.cast (ref $twice) (local.get 0)))))
    (call $call (local.get $f) (call $call (local.get $f) (local.get 1))))
  (func (export "run") (param $n i32) (result i32)
    (local $f (ref $closure)) (local $sum i32)
    (local.set $f (struct.new $twice (ref.func $two) (struct.new $adds (ref.func $add) (local.get $n))))
    (loop $next
      (local.set $sum (call $call (local.get $f) (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32 i32) (result i32)))
;;   (type (;1;) (func (param i32 i32) (result i32)))
;;   (type (;2;) (func (param i32) (result i32)))
;;   (type (;3;) (func (param i32) (result i32)))
;;   (type (;4;) (func (param i32)))
;;   (type (;5;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 3)))
;;   (import "wasmtime-gc" "functions" (table (;0;) 0 funcref))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (import "wasmtime-gc" "function_base" (global (;1;) i32))
;;   (export "run" (func 4))
;;   (elem (;0;) declare func $add $two)
;;   (elem (;1;) (table 0) (global.get 1) func $add $two 4)
;;   (func $call (;1;) (type 1) (param i32 i32) (result i32)
;;     unreachable
;;   )
;;   (func $add (;2;) (type 0) (param i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 5308576
;;     i32.eq
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.get 1
;;     i32.add
;;   )
;;   (func $two (;3;) (type 0) (param i32 i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 5308616
;;     i32.eq
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.tee 0
;;     i32.const -1
;;     i32.eq
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 5308576
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       local.get 1
;;       call $add
;;       local.set 1
;;     else
;;       local.get 0
;;       i32.load offset=11 align=1
;;       local.tee 2
;;       i32.const -1
;;       i32.eq
;;       if ;; label = @2
;;         unreachable
;;       end
;;       local.get 2
;;       i32.load offset=3 align=1
;;       i32.const 5308576
;;       i32.eq
;;       if ;; label = @2
;;         local.get 2
;;         local.get 1
;;         call $add
;;         local.set 1
;;       else
;;         local.get 2
;;         local.get 1
;;         call $two
;;         local.set 1
;;       end
;;       local.get 2
;;       i32.load offset=3 align=1
;;       i32.const 5308576
;;       i32.eq
;;       if ;; label = @2
;;         local.get 2
;;         local.get 1
;;         call $add
;;         local.set 1
;;       else
;;         local.get 2
;;         local.get 1
;;         call $two
;;         local.set 1
;;       end
;;     end
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 5308576
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       local.get 1
;;       call $add
;;       local.set 0
;;     else
;;       local.get 0
;;       i32.load offset=11 align=1
;;       local.tee 0
;;       i32.const -1
;;       i32.eq
;;       if ;; label = @2
;;         unreachable
;;       end
;;       local.get 0
;;       i32.load offset=3 align=1
;;       i32.const 5308576
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         local.get 1
;;         call $add
;;         local.set 1
;;       else
;;         local.get 0
;;         local.get 1
;;         call $two
;;         local.set 1
;;       end
;;       local.get 0
;;       i32.load offset=3 align=1
;;       i32.const 5308576
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         local.get 1
;;         call $add
;;         local.set 0
;;       else
;;         local.get 0
;;         local.get 1
;;         call $two
;;         local.set 0
;;       end
;;     end
;;     local.get 0
;;   )
;;   (func (;4;) (type 2) (param i32) (result i32)
;;     (local i32 i32 i32 i32 i32 i32)
;;     global.get 1
;;     local.set 1
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 2
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
;;       local.set 2
;;     else
;;       i32.const 0
;;       local.get 6
;;       i32.store offset=1048580
;;       local.get 2
;;       i32.const 3
;;       i32.sub
;;       local.set 2
;;     end
;;     local.get 2
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 2
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 2
;;     local.get 0
;;     i32.store offset=11 align=1
;;     local.get 1
;;     i32.const 1
;;     i32.add
;;     local.set 1
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
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 4
;;       local.get 2
;;       i32.store
;;       i32.const 0
;;       local.get 4
;;       i32.store offset=1048576
;;       i32.const 12
;;       call 0
;;       local.set 3
;;       local.get 4
;;       i32.load
;;       local.set 2
;;       i32.const 0
;;       local.get 4
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
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
;;     i32.const 5308616
;;     i32.store offset=3 align=1
;;     local.get 3
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 3
;;     local.get 2
;;     i32.store offset=11 align=1
;;     local.get 0
;;     i32.const 0
;;     local.set 2
;;     local.set 1
;;     loop ;; label = @1
;;       local.get 0
;;       local.get 0
;;       local.get 2
;;       i32.add
;;       i32.add
;;       local.set 2
;;       local.get 1
;;       i32.const 1
;;       i32.sub
;;       local.tee 1
;;       br_if 0 (;@1;)
;;     end
;;     local.get 2
;;   )
;; )
