;; Calls through fields where references come in from outside: the handle is compared with those of the functions that
;; are known, and what is none of them is called through the table.
;;! optimize
(module
  (rec
    (type $object (sub (struct (field (ref $vtable)) (field i32))))
    (type $vtable (struct (field (ref $method))))
    (type $method (func (param (ref $object)) (result i32))))
  (elem declare func $get $negated)
  (global $plain (ref $vtable) (struct.new $vtable (ref.func $get)))
  (global $minus (ref $vtable) (struct.new $vtable (ref.func $negated)))

  (func $get (type $method) (struct.get $object 1 (local.get 0)))
  (func $negated (type $method) (i32.sub (i32.const 0) (struct.get $object 1 (local.get 0))))

  (func (export "make") (param i32) (result (ref $object))
    (struct.new $object
      (select (result (ref $vtable)) (global.get $plain) (global.get $minus) (i32.lt_s (local.get 0) (i32.const 0)))
      (local.get 0)))
  (func (export "call") (param (ref $object)) (result i32)
    (call_ref $method (local.get 0) (struct.get $vtable 0 (struct.get $object 0 (local.get 0))))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param funcref (ref func) funcref (ref null 1) (ref 1) (ref null 1) (ref func) (ref func) (ref null 1) (ref func) funcref (ref func) (ref 1) (ref func) (ref null 1) (ref func) (ref 1) funcref funcref (ref null 1) (ref func) (ref func) (ref func) (ref null 1) funcref (ref 1) (ref 1) (ref null 1) (ref func) funcref (ref 1) (ref func) (ref func) (ref 1) (ref null 1) (ref 1) funcref (ref 1) (ref null 1) (ref func) (ref func) (ref 1) (ref null 1) (ref 1) (ref null 1) funcref (ref 1) (ref func) funcref funcref (ref null 1) (ref null 1) (ref 1) (ref null 1) (ref 1) funcref funcref funcref (ref null 1) (ref func) funcref (ref null 1) (ref null 1) (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32) (result i32)))
;;     (type (;3;) (func (param (ref func) (ref func) funcref (ref func) (ref func) funcref (ref null 3) funcref (ref null 3) (ref null 3) (ref 3) funcref (ref 3) funcref (ref func) (ref func) funcref (ref 3) (ref func) funcref (ref null 3) funcref funcref (ref func) funcref (ref 3) (ref func) (ref 3) (ref null 3) funcref (ref func) (ref 3) funcref (ref 3) (ref func) (ref func) funcref (ref func) (ref null 3) (ref func) (ref func) (ref 3) (ref null 3) (ref null 3) (ref null 3) (ref func) (ref null 3) funcref (ref 3) (ref func) (ref func) (ref 3) (ref func) (ref null 3) (ref func) (ref func) (ref 3) (ref func) funcref (ref null 3) (ref 3) funcref funcref (ref null 3))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param (ref 5) (ref 5) (ref 5) (ref func) funcref (ref null 5) (ref func) (ref null 5) (ref func) (ref func) (ref null 5) funcref (ref 5) (ref 5) (ref null 5) (ref func) funcref (ref null 5) (ref 5) (ref 5) funcref funcref (ref null 5) (ref 5) (ref 5) (ref 5) (ref null 5) (ref 5) funcref (ref 5) (ref func) (ref func) (ref 5) funcref funcref (ref func) (ref null 5) (ref null 5) (ref func) (ref 5) funcref (ref func) funcref (ref null 5) (ref func) (ref 5) (ref func) (ref func) (ref null 5) (ref null 5) funcref (ref func) (ref null 5) (ref 5) (ref 5) (ref func) (ref func) funcref funcref (ref 5) (ref 5) (ref 5) (ref null 5) (ref null 5))))
;;   )
;;   (type (;6;) (func (param i32) (result i32)))
;;   (type (;7;) (func (param i32)))
;;   (type (;8;) (func))
;;   (type (;9;) (func (param i32) (result i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 6)))
;;   (import "wasmtime-gc" "functions" (table (;0;) 0 funcref))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (import "wasmtime-gc" "function_base" (global (;1;) i32))
;;   (export "make" (func 3))
;;   (export "call" (func 4))
;;   (start $"wasmtime-gc helper 7")
;;   (elem (;0;) declare func $get $negated)
;;   (elem (;1;) (table 0) (global.get 1) func $get $negated 3 4)
;;   (func $get (;1;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=11 align=1
;;   )
;;   (func $negated (;2;) (type 0) (param i32) (result i32)
;;     i32.const 0
;;     local.get 0
;;     i32.load offset=11 align=1
;;     i32.sub
;;   )
;;   (func (;3;) (type 2) (param i32) (result i32)
;;     (local i32 i32 i32 i32 i32)
;;     global.get 0
;;     local.tee 1
;;     i32.load align=1
;;     local.get 1
;;     i32.load offset=4 align=1
;;     local.get 0
;;     i32.const 0
;;     i32.lt_s
;;     select
;;     local.set 1
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 2
;;     i32.const 12
;;     i32.add
;;     local.tee 5
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 3
;;       local.get 1
;;       i32.store
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048576
;;       i32.const 12
;;       call 0
;;       local.set 2
;;       local.get 3
;;       i32.load
;;       local.set 1
;;       i32.const 0
;;       local.get 3
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;     else
;;       i32.const 0
;;       local.get 5
;;       i32.store offset=1048580
;;       local.get 2
;;       i32.const 3
;;       i32.sub
;;       local.set 2
;;     end
;;     local.get 2
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 2
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 2
;;     local.get 0
;;     i32.store offset=11 align=1
;;     local.get 2
;;   )
;;   (func (;4;) (type 4) (param i32) (result i32)
;;     (local i32 i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.load offset=7 align=1
;;     local.set 1
;;     block ;; label = @1
;;       global.get 1
;;       local.set 2
;;       local.get 1
;;       local.get 2
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         i32.load offset=11 align=1
;;         local.set 0
;;       else
;;         local.get 1
;;         local.get 2
;;         i32.const 1
;;         i32.add
;;         i32.eq
;;         if ;; label = @3
;;           i32.const 0
;;           local.get 0
;;           i32.load offset=11 align=1
;;           i32.sub
;;           local.set 0
;;         else
;;           local.get 0
;;           local.get 1
;;           call_indirect (type 0)
;;           local.set 0
;;         end
;;       end
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       local.get 0
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func $"wasmtime-gc helper 7" (;5;) (type 8)
;;     call $"wasmtime-gc helper 36"
;;   )
;;   (func $"wasmtime-gc helper 36" (;6;) (type 8)
;;     (local i32 i32 i32)
;;     global.get 1
;;     local.set 0
;;     i32.const 8
;;     call $"wasmtime-gc helper 9"
;;     local.tee 1
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store offset=7 align=1
;;     global.get 0
;;     local.tee 2
;;     local.get 1
;;     i32.store align=1
;;     local.get 0
;;     i32.const 1
;;     i32.add
;;     local.set 0
;;     i32.const 8
;;     call $"wasmtime-gc helper 9"
;;     local.tee 1
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store offset=7 align=1
;;     local.get 2
;;     local.get 1
;;     i32.store offset=4 align=1
;;   )
;;   (func $"wasmtime-gc helper 9" (;7;) (type 9) (param i32) (result i32)
;;     (local i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 1
;;     local.get 0
;;     i32.add
;;     local.tee 2
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     local.get 0
;;     i32.const 8192
;;     i32.ge_u
;;     i32.or
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 0
;;       call 0
;;       local.set 1
;;     else
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048580
;;       local.get 1
;;       i32.const 3
;;       i32.sub
;;       local.set 1
;;     end
;;     local.get 1
;;   )
;; )
