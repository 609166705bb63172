;; Cells of globals and tables that are known already are not read again.
;;! optimize
(module
  (type $node (struct (field $next (mut (ref null $node)))))
  (global $head (mut (ref null $node)) (ref.null none))
  (global $last (mut (ref null $node)) (ref.null none))
  (table $t 2 anyref)
  (func (export "step")
    (global.set $last (global.get $head))
    (struct.set $node $next (global.get $head) (global.get $last))
    (global.set $head (struct.get $node $next (global.get $last))))
  (func (export "swap") (param i32 i32)
    (local $held anyref)
    (local.set $held (table.get $t (local.get 0)))
    (table.set $t (local.get 0) (table.get $t (local.get 1)))
    (table.set $t (local.get 1) (local.get $held)))
  (func (export "grown") (param i32) (result anyref)
    (drop (table.get $t (local.get 0)))
    (drop (table.grow $t (ref.null any) (i32.const 4)))
    (table.get $t (local.get 0))))
;; lowered:
;; (module
;;   (type (;0;) (func))
;;   (type (;1;) (func (param i32 i32)))
;;   (rec
;;     (type (;2;) (func (param i32) (result i32)))
;;     (type (;3;) (func (param (ref func) (ref null 3) (ref func) (ref func) funcref funcref funcref (ref func) funcref funcref funcref (ref 3) (ref 3) (ref 3) (ref null 3) (ref 3) (ref null 3) funcref (ref func) (ref 3) (ref func) (ref 3) funcref (ref null 3) (ref func) (ref null 3) (ref func) funcref funcref (ref 3) (ref null 3) (ref null 3) (ref null 3) (ref null 3) (ref func) (ref null 3) (ref null 3) funcref funcref funcref (ref 3) (ref func) (ref 3) (ref func) (ref func) funcref (ref func) (ref func) (ref null 3) (ref 3) (ref func) (ref 3) (ref func) (ref 3) (ref null 3) (ref 3) (ref func) (ref null 3) funcref (ref func) (ref 3) (ref func) funcref (ref func))))
;;   )
;;   (type (;4;) (func (param i32 i32 i32) (result i32)))
;;   (type (;5;) (func (param i32)))
;;   (type (;6;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "table_grow" (func (;0;) (type 4)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (export "step" (func 1))
;;   (export "swap" (func 2))
;;   (export "grown" (func 3))
;;   (start $"wasmtime-gc helper 7")
;;   (func (;1;) (type 0)
;;     (local i32 i32 i32 i32)
;;     global.get 0
;;     local.tee 0
;;     i32.load align=1
;;     local.set 1
;;     local.get 0
;;     local.get 1
;;     i32.store offset=4 align=1
;;     local.get 1
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 1
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 1
;;       i32.load offset=7 align=1
;;       local.tee 2
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 2
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 1
;;         i32.const 7
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
;;     local.get 1
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 0
;;     local.get 1
;;     i32.store align=1
;;   )
;;   (func (;2;) (type 1) (param i32 i32)
;;     (local i32 i32 i32 i32 i32)
;;     global.get 0
;;     local.tee 2
;;     i32.load offset=12 align=1
;;     i32.const 1
;;     i32.shr_u
;;     local.set 3
;;     local.get 0
;;     local.get 3
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
;;     i32.load offset=11 align=1
;;     local.set 4
;;     local.get 1
;;     local.get 3
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 2
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load offset=11 align=1
;;     local.set 3
;;     local.get 2
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 2
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 3
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=11 align=1
;;       local.tee 5
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 5
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 11
;;         i32.add
;;         local.set 5
;;         i32.const 0
;;         i32.load offset=1048588 align=1
;;         local.tee 6
;;         local.get 5
;;         i32.store align=1
;;         i32.const 0
;;         local.get 6
;;         local.get 6
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
;;     local.get 3
;;     i32.store offset=11 align=1
;;     local.get 2
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 2
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 4
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=11 align=1
;;       local.tee 1
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 1
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 11
;;         i32.add
;;         local.set 1
;;         i32.const 0
;;         i32.load offset=1048588 align=1
;;         local.tee 2
;;         local.get 1
;;         i32.store align=1
;;         i32.const 0
;;         local.get 2
;;         local.get 2
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
;;     local.get 4
;;     i32.store offset=11 align=1
;;   )
;;   (func (;3;) (type 2) (param i32) (result i32)
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
;;     drop
;;     local.get 1
;;     i32.const 8
;;     i32.add
;;     i32.const 4
;;     i32.const -1
;;     call 0
;;     drop
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
;;   (func $"wasmtime-gc helper 7" (;4;) (type 6)
;;     call $"wasmtime-gc helper 32"
;;   )
;;   (func $"wasmtime-gc helper 32" (;5;) (type 6)
;;     (local i32)
;;     global.get 0
;;     local.tee 0
;;     i32.const -1
;;     i32.store align=1
;;     local.get 0
;;     i32.const -1
;;     i32.store offset=4 align=1
;;     local.get 0
;;     i32.const 8
;;     i32.add
;;     i32.const 2
;;     i32.const -1
;;     call 0
;;     i32.const -1
;;     i32.eq
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       unreachable
;;     end
;;   )
;; )
