;; A small table that never grows, and that nobody sees, is words of the root area: no barrier, and a constant size.
(module
  (type $box (struct (field i32)))
  (table $t 4 anyref)
  (table $full 2 (ref $box) (struct.new $box (i32.const 7)))
  (table $grows 4 anyref)
  (elem $some anyref (ref.i31 (i32.const 1)) (ref.i31 (i32.const 2)))
  (func (export "swap") (param i32 i32)
    (local $held anyref)
    (local.set $held (table.get $t (local.get 0)))
    (table.set $t (local.get 0) (table.get $t (local.get 1)))
    (table.set $t (local.get 1) (local.get $held)))
  (func (export "size") (result i32) (table.size $t))
  (func (export "fill") (param i32 anyref i32) (table.fill $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "from") (param i32) (table.copy $t $grows (i32.const 0) (local.get 0) (i32.const 2)))
  (func (export "to") (param i32) (table.copy $grows $t (i32.const 0) (local.get 0) (i32.const 2)))
  (func (export "init") (param i32) (table.init $t $some (local.get 0) (i32.const 0) (i32.const 2)))
  (func (export "grow") (param i32) (result i32) (table.grow $grows (ref.null any) (local.get 0))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32 i32)))
;;   (type (;1;) (func (result i32)))
;;   (rec
;;     (type (;2;) (func (param i32 i32 i32)))
;;     (type (;3;) (func (param (ref null 3) (ref func) funcref (ref null 3) (ref 3) (ref func) (ref null 3) (ref func) (ref func) (ref func) funcref (ref 3) (ref func) (ref null 3) (ref func) (ref null 3) (ref func) (ref func) funcref (ref null 3) (ref 3) (ref 3) (ref func) (ref func) (ref null 3) (ref func) (ref null 3) funcref (ref null 3) (ref func) (ref func) (ref 3) funcref (ref null 3) (ref 3) (ref null 3) (ref func) funcref (ref func) (ref func) (ref 3) (ref 3) (ref func) (ref func) (ref null 3) (ref 3) (ref 3) (ref 3) funcref (ref null 3) (ref func) (ref null 3) funcref funcref funcref (ref null 3) funcref funcref (ref null 3) (ref 3) funcref funcref funcref (ref null 3))))
;;   )
;;   (type (;4;) (func (param i32)))
;;   (type (;5;) (func (param i32) (result i32)))
;;   (type (;6;) (func (param i32) (result i32)))
;;   (type (;7;) (func (param i32 i32 i32)))
;;   (type (;8;) (func (param i32 i32 i32) (result i32)))
;;   (type (;9;) (func (param i32)))
;;   (type (;10;) (func))
;;   (type (;11;) (func (param i32) (result i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 6)))
;;   (import "wasmtime-gc" "remember_elements" (func (;1;) (type 7)))
;;   (import "wasmtime-gc" "table_grow" (func (;2;) (type 8)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (export "swap" (func 3))
;;   (export "size" (func 4))
;;   (export "fill" (func 5))
;;   (export "from" (func 6))
;;   (export "to" (func 7))
;;   (export "init" (func 8))
;;   (export "grow" (func 9))
;;   (start $"wasmtime-gc helper 7")
;;   (func (;3;) (type 0) (param i32 i32)
;;     (local i32 i32 i32)
;;     local.get 0
;;     i32.const 4
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     global.get 0
;;     local.tee 2
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load align=1
;;     local.set 3
;;     local.get 1
;;     i32.const 4
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 2
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load align=1
;;     local.set 4
;;     local.get 0
;;     i32.const 4
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 2
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.get 4
;;     i32.store align=1
;;     local.get 1
;;     i32.const 4
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 2
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.get 3
;;     i32.store align=1
;;   )
;;   (func (;4;) (type 1) (result i32)
;;     i32.const 4
;;   )
;;   (func (;5;) (type 2) (param i32 i32 i32)
;;     (local i32 i32 i64)
;;     local.get 0
;;     i64.extend_i32_u
;;     local.get 2
;;     i64.extend_i32_u
;;     i32.const 4
;;     i64.extend_i32_u
;;     local.set 5
;;     i64.add
;;     local.get 5
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     global.get 0
;;     i32.const -11
;;     i32.add
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 2
;;     i32.const 2
;;     i32.shl
;;     local.set 2
;;     local.get 0
;;     local.get 2
;;     i32.add
;;     local.set 3
;;     local.get 1
;;     i64.extend_i32_u
;;     i64.const 4294967297
;;     i64.mul
;;     local.set 5
;;     local.get 2
;;     i32.const 16
;;     i32.ge_u
;;     if ;; label = @1
;;       local.get 3
;;       i32.const 16
;;       i32.sub
;;       local.set 2
;;       local.get 0
;;       local.set 4
;;       loop ;; label = @2
;;         local.get 4
;;         local.get 5
;;         i64.store offset=11 align=1
;;         local.get 4
;;         local.get 5
;;         i64.store offset=19 align=1
;;         local.get 4
;;         i32.const 16
;;         i32.add
;;         local.tee 4
;;         local.get 2
;;         i32.lt_u
;;         br_if 0 (;@2;)
;;       end
;;       local.get 2
;;       local.get 5
;;       i64.store offset=11 align=1
;;       local.get 2
;;       local.get 5
;;       i64.store offset=19 align=1
;;     else
;;       loop ;; label = @2
;;         local.get 0
;;         local.get 3
;;         i32.ne
;;         if ;; label = @3
;;           local.get 0
;;           local.get 1
;;           i32.store offset=11 align=1
;;           local.get 0
;;           i32.const 4
;;           i32.add
;;           local.set 0
;;           br 1 (;@2;)
;;         end
;;       end
;;     end
;;   )
;;   (func (;6;) (type 4) (param i32)
;;     (local i32 i32 i64)
;;     global.get 0
;;     local.tee 1
;;     i32.load offset=28 align=1
;;     i32.const 1
;;     i32.shr_u
;;     local.set 2
;;     i32.const 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     i32.const 4
;;     i64.extend_i32_u
;;     local.set 3
;;     i64.add
;;     local.get 3
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     local.get 2
;;     i64.extend_i32_u
;;     local.set 3
;;     i64.add
;;     local.get 3
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.load offset=24 align=1
;;     local.set 2
;;     local.get 1
;;     i32.const -11
;;     i32.add
;;     local.set 1
;;     i32.const 2
;;     if ;; label = @1
;;       local.get 1
;;       i32.const 11
;;       i32.add
;;       local.get 2
;;       local.get 0
;;       i32.const 2
;;       i32.shl
;;       i32.add
;;       i32.const 11
;;       i32.add
;;       i32.const 8
;;       memory.copy
;;     end
;;   )
;;   (func (;7;) (type 4) (param i32)
;;     (local i32 i32 i64)
;;     global.get 0
;;     local.tee 1
;;     i32.load offset=28 align=1
;;     i32.const 1
;;     i32.shr_u
;;     local.set 2
;;     i32.const 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     local.get 2
;;     i64.extend_i32_u
;;     local.set 3
;;     i64.add
;;     local.get 3
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     i32.const 4
;;     i64.extend_i32_u
;;     local.set 3
;;     i64.add
;;     local.get 3
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.const -11
;;     i32.add
;;     local.set 2
;;     local.get 1
;;     i32.load offset=24 align=1
;;     local.set 1
;;     i32.const 2
;;     if ;; label = @1
;;       local.get 1
;;       i32.const 5308413
;;       i32.ge_u
;;       local.get 1
;;       i32.const 0
;;       i32.load offset=1048608 align=1
;;       i32.ne
;;       i32.and
;;       if ;; label = @2
;;         local.get 1
;;         i32.const 0
;;         i32.const 2
;;         call 1
;;       end
;;       local.get 1
;;       i32.const 0
;;       i32.add
;;       i32.const 11
;;       i32.add
;;       local.get 2
;;       local.get 0
;;       i32.const 2
;;       i32.shl
;;       i32.add
;;       i32.const 11
;;       i32.add
;;       i32.const 8
;;       memory.copy
;;     end
;;   )
;;   (func (;8;) (type 4) (param i32)
;;     (local i32 i32 i64)
;;     local.get 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     i32.const 4
;;     i64.extend_i32_u
;;     local.set 3
;;     i64.add
;;     local.get 3
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     global.get 0
;;     local.tee 1
;;     i32.load offset=36 align=1
;;     i32.const 1
;;     i32.shr_u
;;     local.set 2
;;     i32.const 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     local.get 2
;;     i64.extend_i32_u
;;     local.set 3
;;     i64.add
;;     local.get 3
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.load offset=32 align=1
;;     local.set 2
;;     local.get 1
;;     i32.const -11
;;     i32.add
;;     local.set 1
;;     i32.const 2
;;     if ;; label = @1
;;       local.get 1
;;       local.get 0
;;       i32.const 2
;;       i32.shl
;;       i32.add
;;       i32.const 11
;;       i32.add
;;       local.get 2
;;       i32.const 0
;;       i32.add
;;       i32.const 11
;;       i32.add
;;       i32.const 8
;;       memory.copy
;;     end
;;   )
;;   (func (;9;) (type 5) (param i32) (result i32)
;;     global.get 0
;;     i32.const 24
;;     i32.add
;;     local.get 0
;;     i32.const -1
;;     call 2
;;   )
;;   (func $"wasmtime-gc helper 7" (;10;) (type 10)
;;     call $"wasmtime-gc helper 40"
;;   )
;;   (func $"wasmtime-gc helper 40" (;11;) (type 10)
;;     (local i32 i32 i32 i32 i32 i32 i64)
;;     i32.const 8
;;     call $"wasmtime-gc helper 9"
;;     local.tee 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     i32.const 7
;;     i32.store offset=7 align=1
;;     i32.const 0
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     i32.const 2
;;     i64.extend_i32_u
;;     local.set 6
;;     i64.add
;;     local.get 6
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     global.get 0
;;     local.tee 1
;;     i32.const 5
;;     i32.add
;;     local.tee 2
;;     i32.const 8
;;     i32.add
;;     local.set 3
;;     local.get 0
;;     i64.extend_i32_u
;;     i64.const 4294967297
;;     i64.mul
;;     local.set 6
;;     i32.const 0
;;     if ;; label = @1
;;       local.get 3
;;       i32.const 16
;;       i32.sub
;;       local.set 4
;;       local.get 2
;;       local.set 5
;;       loop ;; label = @2
;;         local.get 5
;;         local.get 6
;;         i64.store offset=11 align=1
;;         local.get 5
;;         local.get 6
;;         i64.store offset=19 align=1
;;         local.get 5
;;         i32.const 16
;;         i32.add
;;         local.tee 5
;;         local.get 4
;;         i32.lt_u
;;         br_if 0 (;@2;)
;;       end
;;       local.get 4
;;       local.get 6
;;       i64.store offset=11 align=1
;;       local.get 4
;;       local.get 6
;;       i64.store offset=19 align=1
;;     else
;;       loop ;; label = @2
;;         local.get 2
;;         local.get 3
;;         i32.ne
;;         if ;; label = @3
;;           local.get 2
;;           local.get 0
;;           i32.store offset=11 align=1
;;           local.get 2
;;           i32.const 4
;;           i32.add
;;           local.set 2
;;           br 1 (;@2;)
;;         end
;;       end
;;     end
;;     local.get 1
;;     i32.const 24
;;     i32.add
;;     i32.const 4
;;     i32.const -1
;;     call 2
;;     i32.const -1
;;     i32.eq
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.const 32
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
;;     i32.load offset=36 align=1
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
;;     i32.load offset=32 align=1
;;     local.tee 1
;;     i32.const 0
;;     i32.add
;;     local.get 0
;;     i32.store offset=11 align=1
;;     i32.const 2
;;     i32.const 1
;;     i32.shl
;;     local.set 0
;;     i32.const 1
;;     local.get 2
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.const 4
;;     i32.add
;;     local.get 0
;;     i32.store offset=11 align=1
;;   )
;;   (func $"wasmtime-gc helper 9" (;12;) (type 11) (param i32) (result i32)
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
