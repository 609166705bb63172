;; Structs: allocation, packed fields, the write barrier.
(module
  (type $pair (struct (field (mut i8)) (field (mut i64)) (field (mut (ref null $pair)))))
  (func (export "new") (param i32 i64 (ref null $pair)) (result (ref $pair))
    (struct.new $pair (local.get 0) (local.get 1) (local.get 2)))
  (func (export "default") (result (ref $pair)) (struct.new_default $pair))
  (func (export "get") (param (ref $pair)) (result i32) (struct.get_s $pair 0 (local.get 0)))
  (func (export "set") (param (ref $pair) (ref null $pair))
    (struct.set $pair 2 (local.get 0) (local.get 1)))
  (func (export "set_null") (param (ref $pair)) (struct.set $pair 2 (local.get 0) (ref.null none))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i64 i32) (result i32)))
;;     (type (;1;) (func (param funcref (ref 1) (ref 1) (ref 1) (ref null 1) (ref null 1) (ref 1) (ref null 1) (ref func) funcref (ref null 1) (ref 1) (ref func) funcref funcref funcref (ref func) funcref funcref (ref null 1) (ref func) funcref funcref (ref null 1) (ref func) (ref func) (ref null 1) (ref func) funcref (ref null 1) (ref 1) (ref 1) (ref 1) (ref func) funcref (ref null 1) funcref (ref 1) funcref (ref func) (ref null 1) (ref func) (ref func) (ref func) funcref funcref (ref null 1) (ref func) (ref 1) funcref (ref func) funcref (ref 1) (ref func) (ref null 1) (ref func) (ref func) funcref (ref func) funcref funcref (ref 1) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;2;) (func (result i32)))
;;     (type (;3;) (func (param (ref null 3) (ref null 3) (ref null 3) (ref func) (ref 3) (ref func) funcref funcref funcref funcref (ref func) (ref 3) (ref func) (ref 3) (ref null 3) (ref func) funcref (ref 3) (ref null 3) funcref (ref 3) funcref (ref func) (ref func) funcref funcref (ref null 3) (ref null 3) funcref (ref 3) (ref 3) (ref null 3) (ref func) (ref func) (ref func) (ref 3) funcref funcref funcref (ref null 3) (ref 3) (ref 3) (ref null 3) (ref 3) (ref null 3) funcref (ref 3) (ref func) funcref funcref (ref null 3) (ref 3) (ref null 3) (ref null 3) (ref 3) (ref 3) (ref func) (ref 3) (ref func) (ref null 3) (ref func) (ref 3) funcref (ref null 3))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param (ref func) (ref null 5) (ref null 5) (ref 5) funcref (ref null 5) (ref 5) (ref 5) funcref funcref (ref 5) funcref (ref func) (ref null 5) (ref func) (ref func) (ref func) (ref null 5) (ref null 5) funcref (ref 5) (ref null 5) (ref null 5) funcref (ref func) funcref (ref null 5) (ref null 5) (ref null 5) funcref funcref (ref func) (ref null 5) funcref funcref funcref (ref null 5) (ref 5) (ref null 5) (ref null 5) (ref func) (ref null 5) funcref (ref null 5) (ref func) (ref null 5) (ref func) (ref 5) (ref null 5) (ref func) (ref 5) funcref (ref null 5) (ref func) (ref null 5) (ref func) (ref null 5) (ref func) (ref null 5) funcref (ref func) funcref (ref 5) funcref)))
;;   )
;;   (rec
;;     (type (;6;) (func (param i32 i32)))
;;     (type (;7;) (func (param (ref null 7) (ref null 7) (ref func) (ref func) funcref funcref (ref 7) (ref null 7) (ref func) (ref null 7) (ref func) (ref null 7) (ref 7) funcref (ref null 7) (ref null 7) funcref (ref 7) (ref null 7) (ref func) funcref (ref 7) (ref null 7) funcref (ref null 7) (ref func) (ref 7) funcref (ref null 7) (ref null 7) (ref null 7) funcref funcref (ref func) (ref 7) (ref 7) (ref func) (ref null 7) funcref (ref null 7) funcref (ref null 7) (ref 7) (ref 7) (ref null 7) (ref null 7) (ref func) (ref func) (ref 7) (ref func) (ref null 7) (ref 7) funcref funcref funcref funcref (ref 7) (ref 7) (ref null 7) (ref func) funcref (ref 7) (ref null 7) (ref 7))))
;;   )
;;   (rec
;;     (type (;8;) (func (param i32)))
;;     (type (;9;) (func (param (ref 9) (ref null 9) funcref (ref null 9) (ref func) (ref 9) funcref (ref 9) funcref (ref func) funcref funcref funcref (ref 9) (ref null 9) funcref (ref func) (ref null 9) (ref 9) (ref 9) (ref func) (ref 9) funcref (ref func) (ref func) (ref func) (ref 9) funcref (ref 9) (ref func) (ref 9) (ref func) (ref 9) (ref 9) (ref 9) (ref 9) (ref func) (ref 9) (ref null 9) funcref (ref 9) (ref 9) (ref null 9) (ref func) (ref null 9) funcref (ref 9) (ref func) (ref null 9) (ref null 9) (ref func) (ref 9) (ref func) (ref 9) funcref (ref func) (ref 9) (ref 9) (ref null 9) (ref func) funcref (ref func) (ref func) (ref null 9))))
;;   )
;;   (type (;10;) (func (param i32) (result i32)))
;;   (type (;11;) (func (param i32)))
;;   (type (;12;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 10)))
;;   (export "new" (func 1))
;;   (export "default" (func 2))
;;   (export "get" (func 3))
;;   (export "set" (func 4))
;;   (export "set_null" (func 5))
;;   (func (;1;) (type 0) (param i32 i64 i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 3
;;     i32.const 20
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
;;       i32.const 20
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
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 3
;;     local.get 0
;;     i32.store8 offset=7
;;     local.get 3
;;     local.get 1
;;     i64.store offset=11 align=1
;;     local.get 3
;;     local.get 2
;;     i32.store offset=19 align=1
;;     local.get 3
;;   )
;;   (func (;2;) (type 2) (result i32)
;;     (local i32 i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 0
;;     i32.const 20
;;     i32.add
;;     local.tee 2
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 20
;;       call 0
;;       local.set 0
;;     else
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048580
;;       local.get 0
;;       i32.const 3
;;       i32.sub
;;       local.set 0
;;     end
;;     local.get 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     i32.const 0
;;     i32.store8 offset=7
;;     local.get 0
;;     i64.const 0
;;     i64.store offset=11 align=1
;;     local.get 0
;;     i32.const -1
;;     i32.store offset=19 align=1
;;     local.get 0
;;   )
;;   (func (;3;) (type 4) (param i32) (result i32)
;;     local.get 0
;;     i32.load8_s offset=7
;;   )
;;   (func (;4;) (type 6) (param i32 i32)
;;     (local i32 i32)
;;     local.get 0
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 1
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=19 align=1
;;       local.tee 2
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 2
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 19
;;         i32.add
;;         local.set 2
;;         i32.const 0
;;         i32.load offset=1048588 align=1
;;         local.tee 3
;;         local.get 2
;;         i32.store align=1
;;         i32.const 0
;;         local.get 3
;;         local.get 3
;;         i32.const 0
;;         i32.load offset=1048600 align=1
;;         i32.lt_u
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.store offset=1048588 align=1
;;       end
;;     end
;;     local.get 0
;;     local.get 1
;;     i32.store offset=19 align=1
;;   )
;;   (func (;5;) (type 8) (param i32)
;;     local.get 0
;;     i32.const -1
;;     i32.store offset=19 align=1
;;   )
;; )
