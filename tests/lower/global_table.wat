;; Globals, tables and segments of references live in the instance's root area.
(module
  (type $box (struct (field i32)))
  (global $c (ref $box) (struct.new $box (i32.const 7)))
  (global $g (mut (ref null $box)) (global.get $c))
  (table $t 2 10 anyref)
  (elem (table $t) (i32.const 0) anyref (ref.i31 (i32.const 1)) (global.get $c))
  (func (export "get") (result (ref null $box)) (global.get $g))
  (func (export "set") (param (ref null $box)) (global.set $g (local.get 0)))
  (func (export "at") (param i32) (result anyref) (table.get $t (local.get 0)))
  (func (export "put") (param i32 anyref) (table.set $t (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null any) (local.get 0))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (result i32)))
;;     (type (;1;) (func (param funcref (ref 1) funcref (ref 1) funcref funcref (ref null 1) (ref 1) (ref func) (ref 1) (ref 1) funcref (ref func) (ref 1) funcref (ref func) (ref null 1) (ref 1) (ref 1) (ref 1) (ref 1) (ref null 1) (ref 1) funcref (ref null 1) (ref null 1) (ref func) (ref null 1) (ref func) funcref funcref (ref 1) (ref func) (ref func) (ref 1) (ref func) (ref null 1) (ref func) (ref 1) funcref (ref 1) (ref null 1) (ref func) funcref (ref null 1) (ref func) (ref func) (ref 1) (ref 1) (ref null 1) (ref null 1) funcref (ref func) funcref funcref (ref 1) (ref 1) funcref (ref 1) funcref (ref 1) funcref (ref null 1) funcref)))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32)))
;;     (type (;3;) (func (param (ref func) (ref null 3) (ref func) (ref null 3) funcref (ref func) (ref null 3) (ref func) (ref func) (ref func) (ref func) (ref func) funcref (ref func) (ref 3) funcref (ref null 3) (ref func) (ref func) funcref (ref func) (ref func) funcref (ref null 3) (ref null 3) (ref func) (ref 3) (ref null 3) (ref func) funcref (ref func) (ref 3) (ref 3) funcref (ref func) (ref func) (ref func) funcref (ref null 3) (ref null 3) (ref func) funcref (ref 3) (ref null 3) funcref funcref (ref 3) (ref null 3) (ref func) funcref (ref func) (ref 3) funcref (ref null 3) funcref (ref func) (ref func) (ref 3) (ref 3) (ref null 3) funcref funcref (ref func) (ref func))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param (ref func) (ref null 5) (ref func) (ref func) funcref funcref funcref (ref func) funcref funcref funcref (ref 5) (ref 5) (ref 5) (ref null 5) (ref 5) (ref null 5) funcref (ref func) (ref 5) (ref func) (ref 5) funcref (ref null 5) (ref func) (ref null 5) (ref func) funcref funcref (ref 5) (ref null 5) (ref null 5) (ref null 5) (ref null 5) (ref func) (ref null 5) (ref null 5) funcref funcref funcref (ref 5) (ref func) (ref 5) (ref func) (ref func) funcref (ref func) (ref func) (ref null 5) (ref 5) (ref func) (ref 5) (ref func) (ref 5) (ref null 5) (ref 5) (ref func) (ref null 5) funcref (ref func) (ref 5) (ref func) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;6;) (func (param i32 i32)))
;;     (type (;7;) (func (param (ref null 7) (ref 7) (ref func) (ref null 7) funcref funcref (ref 7) (ref func) (ref func) (ref 7) (ref null 7) (ref func) (ref null 7) (ref 7) (ref func) (ref func) funcref (ref null 7) funcref (ref func) (ref 7) (ref func) funcref (ref null 7) funcref (ref func) funcref (ref 7) funcref (ref func) (ref 7) (ref func) (ref null 7) (ref func) (ref null 7) (ref 7) (ref 7) (ref 7) funcref (ref null 7) funcref funcref (ref null 7) (ref func) funcref (ref null 7) funcref (ref 7) funcref funcref (ref func) (ref func) (ref 7) funcref (ref null 7) funcref (ref null 7) (ref 7) funcref funcref (ref func) (ref 7) (ref func) funcref)))
;;   )
;;   (type (;8;) (func (param i32) (result i32)))
;;   (type (;9;) (func (param i32) (result i32)))
;;   (type (;10;) (func (param i32 i32 i32)))
;;   (type (;11;) (func (param i32 i32 i32) (result i32)))
;;   (type (;12;) (func (param i32)))
;;   (type (;13;) (func))
;;   (type (;14;) (func (param i32) (result i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 9)))
;;   (import "wasmtime-gc" "remember_elements" (func (;1;) (type 10)))
;;   (import "wasmtime-gc" "table_grow" (func (;2;) (type 11)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (export "get" (func 3))
;;   (export "set" (func 4))
;;   (export "at" (func 5))
;;   (export "put" (func 6))
;;   (export "grow" (func 7))
;;   (start $"wasmtime-gc helper 7")
;;   (func (;3;) (type 0) (result i32)
;;     global.get 0
;;     i32.load offset=4 align=1
;;   )
;;   (func (;4;) (type 2) (param i32)
;;     global.get 0
;;     local.get 0
;;     i32.store offset=4 align=1
;;   )
;;   (func (;5;) (type 4) (param i32) (result i32)
;;     (local i32)
;;     global.get 0
;;     local.set 1
;;     local.get 0
;;     local.get 1
;;     i32.load offset=12 align=1
;;     i32.const 1
;;     i32.shr_u
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.load offset=8 align=1
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load offset=11 align=1
;;   )
;;   (func (;6;) (type 6) (param i32 i32)
;;     (local i32 i32)
;;     global.get 0
;;     local.set 2
;;     local.get 0
;;     local.get 2
;;     i32.load offset=12 align=1
;;     i32.const 1
;;     i32.shr_u
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 2
;;     i32.load offset=8 align=1
;;     local.tee 2
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 2
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
;;       i32.load offset=11 align=1
;;       local.tee 2
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 2
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 11
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
;;     i32.store offset=11 align=1
;;   )
;;   (func (;7;) (type 8) (param i32) (result i32)
;;     global.get 0
;;     i32.const 8
;;     i32.add
;;     local.get 0
;;     i32.const -1
;;     call 2
;;   )
;;   (func $"wasmtime-gc helper 7" (;8;) (type 13)
;;     call $"wasmtime-gc helper 40"
;;   )
;;   (func $"wasmtime-gc helper 40" (;9;) (type 13)
;;     (local i32 i32 i32 i32 i32 i32 i64)
;;     i32.const 8
;;     call $"wasmtime-gc helper 9"
;;     local.tee 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     i32.const 7
;;     i32.store offset=7 align=1
;;     global.get 0
;;     local.tee 1
;;     local.get 0
;;     i32.store align=1
;;     local.get 1
;;     local.get 1
;;     i32.load align=1
;;     i32.store offset=4 align=1
;;     local.get 1
;;     i32.const 8
;;     i32.add
;;     i32.const 2
;;     i32.const -1
;;     call 2
;;     i32.const -1
;;     i32.eq
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.const 16
;;     i32.add
;;     i32.const 2
;;     i32.const -1
;;     call 2
;;     i32.const -1
;;     i32.eq
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       unreachable
;;     end
;;     i32.const 1
;;     i32.const 1
;;     i32.shl
;;     local.set 0
;;     local.get 1
;;     i32.load offset=20 align=1
;;     i32.const 1
;;     i32.shr_u
;;     local.set 2
;;     i32.const 0
;;     local.get 2
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.load offset=16 align=1
;;     local.tee 3
;;     i32.const 0
;;     i32.add
;;     local.get 0
;;     i32.store offset=11 align=1
;;     local.get 1
;;     i32.load align=1
;;     local.set 0
;;     i32.const 1
;;     local.get 2
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 3
;;     i32.const 4
;;     i32.add
;;     local.set 4
;;     local.get 3
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 0
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 4
;;       i32.load offset=11 align=1
;;       local.tee 5
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 5
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 4
;;         i32.const 11
;;         i32.add
;;         call $"wasmtime-gc helper 6"
;;       end
;;     end
;;     local.get 4
;;     local.get 0
;;     i32.store offset=11 align=1
;;     local.get 1
;;     i32.load offset=12 align=1
;;     i32.const 1
;;     i32.shr_u
;;     local.set 0
;;     i32.const 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     local.get 0
;;     i64.extend_i32_u
;;     local.set 6
;;     i64.add
;;     local.get 6
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     i32.const 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     local.get 2
;;     i64.extend_i32_u
;;     local.set 6
;;     i64.add
;;     local.get 6
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.load offset=8 align=1
;;     local.set 0
;;     i32.const 2
;;     if ;; label = @1
;;       local.get 0
;;       i32.const 5308413
;;       i32.ge_u
;;       local.get 0
;;       i32.const 0
;;       i32.load offset=1048608 align=1
;;       i32.ne
;;       i32.and
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 0
;;         i32.const 2
;;         call 1
;;       end
;;       local.get 0
;;       i32.const 0
;;       i32.add
;;       i32.const 11
;;       i32.add
;;       local.get 3
;;       i32.const 0
;;       i32.add
;;       i32.const 11
;;       i32.add
;;       i32.const 8
;;       memory.copy
;;     end
;;     local.get 1
;;     i32.const -1
;;     i32.store offset=16 align=1
;;     local.get 1
;;     i32.const 0
;;     i32.store offset=20 align=1
;;   )
;;   (func $"wasmtime-gc helper 6" (;10;) (type 12) (param i32)
;;     (local i32)
;;     i32.const 0
;;     i32.load offset=1048588 align=1
;;     local.tee 1
;;     local.get 0
;;     i32.store align=1
;;     i32.const 0
;;     local.get 1
;;     local.get 1
;;     i32.const 0
;;     i32.load offset=1048600 align=1
;;     i32.lt_u
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.store offset=1048588 align=1
;;   )
;;   (func $"wasmtime-gc helper 9" (;11;) (type 14) (param i32) (result i32)
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
