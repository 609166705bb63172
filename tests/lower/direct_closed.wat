;; Calls through fields where no reference comes in from outside. The type of the closure tells the function; of the
;; last one no question is left. `$twice` is stored in one field only, and nothing else is.
;;! optimize
(module
  (rec
    (type $closure (sub (struct (field (ref $code)))))
    (type $code (func (param (ref $closure) i32) (result i32))))
  (type $adder (sub $closure (struct (field (ref $code)) (field i32))))
  (type $unary (func (param i32) (result i32)))
  (type $single (struct (field (ref $unary))))
  (rec (type $scaler2 (sub $closure (struct (field (ref $code)) (field i32) (field i32)))))
  (elem declare func $add $scale $twice)
  (memory 1)

  (func $add (type $code)
    (i32.add (local.get 1) (struct.get $adder 1 (ref.cast (ref $adder) (local.get 0)))))
  (func $scale (type $code)
    (i32.mul (local.get 1) (struct.get $scaler2 1 (ref.cast (ref $scaler2) (local.get 0)))))
  (func $twice (type $unary) (i32.shl (local.get 0) (i32.const 1)))

  (func $make (param i32) (result (ref $closure))
    (if (result (ref $closure)) (local.get 0)
      (then (struct.new $adder (ref.func $add) (local.get 0)))
      (else (struct.new $scaler2 (ref.func $scale) (i32.const 3) (i32.const 0)))))

  (func (export "two") (param i32 i32) (result i32)
    (local $f (ref $closure))
    (local.set $f (call $make (local.get 0)))
    (call_ref $code (local.get $f) (local.get 1) (struct.get $closure 0 (local.get $f))))
  (func (export "one") (param i32) (result i32)
    (call_ref $unary (local.get 0) (struct.get $single 0 (struct.new $single (ref.func $twice)))))
  (func (export "tail") (param i32 i32) (result i32)
    (local $f (ref $closure))
    (local.set $f (call $make (local.get 0)))
    (return_call_ref $code (local.get $f) (local.get 1) (struct.get $closure 0 (local.get $f)))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32 i32) (result i32)))
;;   (type (;1;) (func (param i32) (result i32)))
;;   (type (;2;) (func (param i32) (result i32)))
;;   (type (;3;) (func (param i32 i32) (result i32)))
;;   (type (;4;) (func (param i32) (result i32)))
;;   (type (;5;) (func (param i32)))
;;   (type (;6;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 4)))
;;   (import "wasmtime-gc" "functions" (table (;0;) 0 funcref))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (import "wasmtime-gc" "function_base" (global (;1;) i32))
;;   (memory (;1;) 1)
;;   (export "two" (func 5))
;;   (export "one" (func 6))
;;   (export "tail" (func 7))
;;   (elem (;0;) declare func $add $scale $twice)
;;   (elem (;1;) (table 0) (global.get 1) func $add $scale $twice 6 5 7)
;;   (func $add (;1;) (type 0) (param i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 5308576
;;     i32.eq
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     local.get 0
;;     i32.load offset=11 align=1
;;     i32.add
;;   )
;;   (func $scale (;2;) (type 0) (param i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 5308656
;;     i32.eq
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     local.get 0
;;     i32.load offset=11 align=1
;;     i32.mul
;;   )
;;   (func $twice (;3;) (type 1) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.shl
;;   )
;;   (func $make (;4;) (type 2) (param i32) (result i32)
;;     unreachable
;;   )
;;   (func (;5;) (type 3) (param i32 i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     local.get 0
;;     if ;; label = @1
;;       global.get 1
;;       local.set 2
;;       i32.const 0
;;       i32.load offset=1048580
;;       local.tee 3
;;       i32.const 12
;;       i32.add
;;       local.tee 5
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
;;         local.get 5
;;         i32.store offset=1048580
;;         local.get 3
;;         i32.const 3
;;         i32.sub
;;         local.set 3
;;       end
;;       local.get 3
;;       i32.const 5308576
;;       i32.store offset=3 align=1
;;       local.get 3
;;       local.get 2
;;       i32.store offset=7 align=1
;;       local.get 3
;;       local.get 0
;;       i32.store offset=11 align=1
;;     else
;;       global.get 1
;;       i32.const 1
;;       i32.add
;;       local.set 0
;;       i32.const 0
;;       i32.load offset=1048580
;;       local.tee 3
;;       i32.const 16
;;       i32.add
;;       local.tee 5
;;       i32.const 0
;;       i32.load offset=1048584
;;       i32.gt_u
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         i32.const 16
;;         call 0
;;         local.set 3
;;       else
;;         i32.const 0
;;         local.get 5
;;         i32.store offset=1048580
;;         local.get 3
;;         i32.const 3
;;         i32.sub
;;         local.set 3
;;       end
;;       local.get 3
;;       i32.const 5308656
;;       i32.store offset=3 align=1
;;       local.get 3
;;       local.get 0
;;       i32.store offset=7 align=1
;;       local.get 3
;;       i32.const 3
;;       i32.store offset=11 align=1
;;       local.get 3
;;       i32.const 0
;;       i32.store offset=15 align=1
;;     end
;;     local.get 3
;;     i32.load offset=3 align=1
;;     i32.const 5308576
;;     i32.eq
;;     if ;; label = @1
;;       local.get 1
;;       local.get 3
;;       i32.load offset=11 align=1
;;       i32.add
;;       local.set 0
;;     else
;;       local.get 1
;;       local.get 3
;;       i32.load offset=11 align=1
;;       i32.mul
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;;   (func (;6;) (type 1) (param i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     global.get 1
;;     i32.const 2
;;     i32.add
;;     local.set 1
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 2
;;     i32.const 8
;;     i32.add
;;     local.tee 4
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 8
;;       call 0
;;       local.set 2
;;     else
;;       i32.const 0
;;       local.get 4
;;       i32.store offset=1048580
;;       local.get 2
;;       i32.const 3
;;       i32.sub
;;       local.set 2
;;     end
;;     local.get 2
;;     i32.const 5308616
;;     i32.store offset=3 align=1
;;     local.get 2
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 0
;;     i32.const 1
;;     i32.shl
;;   )
;;   (func (;7;) (type 3) (param i32 i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     local.get 0
;;     if ;; label = @1
;;       global.get 1
;;       local.set 2
;;       i32.const 0
;;       i32.load offset=1048580
;;       local.tee 3
;;       i32.const 12
;;       i32.add
;;       local.tee 5
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
;;         local.get 5
;;         i32.store offset=1048580
;;         local.get 3
;;         i32.const 3
;;         i32.sub
;;         local.set 3
;;       end
;;       local.get 3
;;       i32.const 5308576
;;       i32.store offset=3 align=1
;;       local.get 3
;;       local.get 2
;;       i32.store offset=7 align=1
;;       local.get 3
;;       local.get 0
;;       i32.store offset=11 align=1
;;     else
;;       global.get 1
;;       i32.const 1
;;       i32.add
;;       local.set 0
;;       i32.const 0
;;       i32.load offset=1048580
;;       local.tee 3
;;       i32.const 16
;;       i32.add
;;       local.tee 5
;;       i32.const 0
;;       i32.load offset=1048584
;;       i32.gt_u
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         i32.const 16
;;         call 0
;;         local.set 3
;;       else
;;         i32.const 0
;;         local.get 5
;;         i32.store offset=1048580
;;         local.get 3
;;         i32.const 3
;;         i32.sub
;;         local.set 3
;;       end
;;       local.get 3
;;       i32.const 5308656
;;       i32.store offset=3 align=1
;;       local.get 3
;;       local.get 0
;;       i32.store offset=7 align=1
;;       local.get 3
;;       i32.const 3
;;       i32.store offset=11 align=1
;;       local.get 3
;;       i32.const 0
;;       i32.store offset=15 align=1
;;     end
;;     local.get 3
;;     i32.load offset=3 align=1
;;     i32.const 5308576
;;     i32.eq
;;     if ;; label = @1
;;       local.get 3
;;       local.get 1
;;       return_call $add
;;     end
;;     local.get 3
;;     local.get 1
;;     return_call $scale
;;   )
;; )
