;; Function references in objects are handles, and calls through them need no reference.
(module
  (type $f (func (param i32) (result i32)))
  (type $vt (struct (field (ref $f))))
  (func $inc (type $f) (i32.add (local.get 0) (i32.const 1)))
  (elem declare func $inc)
  (func (export "new") (result (ref $vt)) (struct.new $vt (ref.func $inc)))
  (func (export "call") (param (ref $vt)) (result i32)
    (call_ref $f (i32.const 1) (struct.get $vt 0 (local.get 0)))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32) (result i32)))
;;   (rec
;;     (type (;1;) (func (result i32)))
;;     (type (;2;) (func (param (ref 2) (ref 2) (ref func) (ref func) funcref (ref 2) (ref null 2) (ref func) (ref 2) (ref func) funcref funcref funcref funcref (ref func) (ref 2) (ref func) (ref null 2) funcref funcref (ref null 2) (ref func) (ref func) (ref func) (ref 2) (ref 2) (ref func) (ref 2) funcref funcref funcref funcref (ref 2) (ref func) funcref (ref 2) funcref funcref funcref (ref null 2) (ref func) (ref null 2) funcref funcref funcref (ref null 2) funcref (ref 2) funcref (ref func) (ref 2) (ref func) (ref func) (ref 2) funcref (ref null 2) (ref 2) (ref null 2) funcref (ref null 2) (ref null 2) (ref null 2) (ref null 2) (ref null 2))))
;;   )
;;   (rec
;;     (type (;3;) (func (param i32) (result i32)))
;;     (type (;4;) (func (param (ref func) (ref 4) funcref (ref 4) (ref null 4) (ref null 4) (ref func) funcref (ref null 4) funcref (ref 4) (ref null 4) (ref func) (ref 4) funcref (ref null 4) (ref 4) (ref null 4) funcref (ref null 4) (ref func) (ref 4) funcref (ref null 4) (ref func) (ref null 4) (ref null 4) (ref null 4) (ref null 4) (ref func) (ref null 4) (ref null 4) (ref 4) (ref func) (ref func) (ref func) (ref 4) (ref func) funcref (ref func) (ref func) (ref 4) (ref null 4) (ref func) (ref func) (ref func) funcref funcref (ref null 4) (ref func) funcref (ref func) (ref 4) (ref 4) funcref funcref (ref null 4) (ref func) (ref null 4) (ref null 4) (ref null 4) (ref func) (ref 4) funcref)))
;;   )
;;   (type (;5;) (func (param i32) (result i32)))
;;   (type (;6;) (func (param i32)))
;;   (type (;7;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 5)))
;;   (import "wasmtime-gc" "functions" (table (;0;) 0 funcref))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (import "wasmtime-gc" "function_base" (global (;1;) i32))
;;   (export "new" (func 2))
;;   (export "call" (func 3))
;;   (elem (;0;) declare func $inc)
;;   (elem (;1;) (table 0) (global.get 1) func $inc 2 3)
;;   (func $inc (;1;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.add
;;   )
;;   (func (;2;) (type 1) (result i32)
;;     (local i32 i32 i32 i32)
;;     global.get 1
;;     local.set 0
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 1
;;     i32.const 8
;;     i32.add
;;     local.tee 3
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 8
;;       call 0
;;       local.set 1
;;     else
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048580
;;       local.get 1
;;       i32.const 3
;;       i32.sub
;;       local.set 1
;;     end
;;     local.get 1
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store offset=7 align=1
;;     local.get 1
;;   )
;;   (func (;3;) (type 3) (param i32) (result i32)
;;     block ;; label = @1
;;       i32.const 1
;;       local.get 0
;;       i32.load offset=7 align=1
;;       call_indirect (type 0)
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       return
;;     end
;;     i32.const 0
;;   )
;; )
