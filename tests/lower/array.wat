;; Arrays: element access, allocation, ranges.
(module
  (type $bytes (array (mut i8)))
  (type $refs (array (mut anyref)))
  (data $d "hello")
  (func (export "get") (param (ref $bytes) i32) (result i32) (array.get_u $bytes (local.get 0) (local.get 1)))
  (func (export "set") (param (ref $refs) i32 anyref) (array.set $refs (local.get 0) (local.get 1) (local.get 2)))
  (func (export "new") (param anyref i32) (result (ref $refs)) (array.new $refs (local.get 0) (local.get 1)))
  (func (export "fixed") (param anyref) (result (ref $refs))
    (array.new_fixed $refs 2 (local.get 0) (ref.null none)))
  (func (export "data") (param i32 i32) (result (ref $bytes)) (array.new_data $bytes $d (local.get 0) (local.get 1)))
  (func (export "copy") (param (ref $refs) i32 (ref $refs) i32 i32)
    (array.copy $refs $refs (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
  (func (export "fill") (param (ref $refs) i32 anyref i32)
    (array.fill $refs (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i32) (result i32)))
;;     (type (;1;) (func (param (ref func) funcref funcref (ref null 1) funcref funcref funcref (ref null 1) (ref null 1) funcref funcref (ref func) (ref func) (ref null 1) funcref (ref null 1) funcref (ref 1) (ref null 1) (ref null 1) (ref 1) (ref null 1) (ref func) (ref null 1) (ref null 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref 1) (ref null 1) funcref (ref null 1) (ref 1) funcref (ref null 1) (ref null 1) (ref null 1) funcref (ref null 1) (ref func) (ref null 1) (ref null 1) (ref 1) funcref funcref (ref 1) (ref 1) (ref func) (ref 1) (ref func) (ref 1) (ref null 1) (ref 1) (ref null 1) (ref func) (ref null 1) (ref func) (ref 1) (ref null 1) (ref null 1) (ref func) (ref func) (ref 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i32 i32)))
;;     (type (;3;) (func (param (ref null 3) (ref 3) (ref 3) (ref func) (ref func) (ref 3) funcref (ref func) (ref null 3) (ref 3) funcref funcref (ref null 3) funcref (ref func) (ref null 3) (ref 3) (ref func) (ref null 3) (ref null 3) (ref func) (ref 3) (ref 3) (ref func) (ref 3) (ref func) funcref (ref 3) (ref func) (ref func) (ref func) (ref null 3) (ref null 3) funcref (ref func) (ref null 3) (ref func) funcref (ref 3) (ref null 3) (ref 3) (ref func) (ref null 3) (ref 3) (ref func) (ref func) (ref func) (ref func) funcref (ref null 3) (ref func) (ref 3) (ref 3) (ref 3) funcref (ref 3) funcref (ref func) (ref null 3) (ref 3) (ref null 3) (ref 3) funcref funcref)))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32 i32) (result i32)))
;;     (type (;5;) (func (param (ref 5) (ref 5) (ref 5) funcref (ref null 5) (ref null 5) (ref 5) funcref funcref funcref (ref 5) (ref func) (ref null 5) (ref func) funcref (ref func) (ref 5) (ref func) (ref null 5) (ref null 5) (ref 5) (ref null 5) (ref 5) (ref null 5) (ref null 5) funcref (ref func) (ref func) (ref func) funcref (ref 5) (ref null 5) (ref func) (ref func) (ref 5) funcref (ref func) funcref (ref func) (ref func) funcref (ref 5) (ref 5) (ref func) (ref func) funcref (ref 5) funcref funcref (ref func) (ref null 5) funcref funcref funcref funcref (ref 5) (ref 5) (ref null 5) (ref func) (ref func) (ref func) (ref null 5) (ref func) (ref 5))))
;;   )
;;   (rec
;;     (type (;6;) (func (param i32) (result i32)))
;;     (type (;7;) (func (param (ref null 7) funcref (ref null 7) funcref (ref null 7) (ref func) (ref 7) (ref func) (ref null 7) (ref 7) funcref (ref 7) (ref func) (ref 7) (ref null 7) (ref 7) (ref func) (ref null 7) funcref funcref (ref 7) funcref (ref func) (ref 7) funcref (ref func) funcref (ref null 7) funcref (ref func) (ref 7) (ref 7) (ref 7) (ref 7) funcref funcref (ref func) (ref func) (ref 7) funcref funcref funcref (ref null 7) funcref (ref func) funcref funcref (ref 7) (ref null 7) (ref 7) (ref func) (ref 7) (ref func) (ref 7) (ref 7) (ref 7) funcref funcref (ref func) (ref null 7) (ref null 7) (ref 7) funcref (ref 7))))
;;   )
;;   (rec
;;     (type (;8;) (func (param i32 i32) (result i32)))
;;     (type (;9;) (func (param (ref func) (ref null 9) (ref 9) funcref (ref 9) (ref null 9) (ref null 9) funcref (ref func) (ref null 9) (ref func) (ref func) funcref funcref (ref func) (ref 9) (ref 9) (ref func) (ref null 9) (ref 9) (ref null 9) (ref null 9) (ref null 9) (ref null 9) (ref func) (ref 9) (ref func) (ref 9) (ref 9) (ref func) (ref func) (ref 9) funcref (ref 9) (ref 9) (ref null 9) funcref funcref (ref null 9) (ref func) (ref func) (ref 9) funcref (ref 9) (ref func) funcref (ref 9) funcref funcref (ref func) (ref null 9) (ref null 9) (ref 9) (ref null 9) funcref (ref 9) (ref 9) (ref func) (ref null 9) (ref 9) (ref func) (ref null 9) (ref null 9) (ref func))))
;;   )
;;   (rec
;;     (type (;10;) (func (param i32 i32 i32 i32 i32)))
;;     (type (;11;) (func (param (ref 11) (ref 11) (ref null 11) funcref funcref (ref null 11) (ref func) (ref null 11) (ref 11) (ref func) (ref null 11) (ref null 11) (ref null 11) (ref 11) funcref (ref 11) (ref 11) (ref func) (ref 11) (ref func) (ref func) (ref null 11) (ref func) (ref null 11) (ref null 11) (ref null 11) funcref (ref func) funcref funcref (ref func) (ref func) (ref func) (ref 11) (ref 11) funcref (ref null 11) (ref func) (ref null 11) (ref 11) (ref 11) (ref 11) (ref func) (ref 11) (ref null 11) (ref null 11) (ref func) (ref null 11) funcref (ref func) (ref 11) (ref null 11) (ref func) funcref (ref func) (ref func) (ref func) funcref (ref null 11) (ref null 11) (ref 11) funcref (ref func) (ref func))))
;;   )
;;   (rec
;;     (type (;12;) (func (param i32 i32 i32 i32)))
;;     (type (;13;) (func (param (ref func) (ref null 13) funcref (ref null 13) funcref (ref func) (ref null 13) (ref func) funcref (ref 13) (ref 13) (ref 13) (ref func) (ref func) (ref null 13) funcref (ref null 13) (ref func) funcref (ref null 13) funcref funcref (ref func) (ref 13) (ref func) funcref funcref (ref null 13) (ref 13) funcref (ref null 13) funcref (ref null 13) funcref funcref (ref null 13) (ref func) (ref func) (ref null 13) funcref funcref (ref func) funcref funcref (ref null 13) (ref null 13) (ref 13) funcref (ref 13) funcref (ref null 13) (ref null 13) funcref (ref null 13) funcref (ref 13) funcref (ref 13) (ref 13) (ref func) (ref 13) funcref (ref func) (ref null 13))))
;;   )
;;   (type (;14;) (func (param i32) (result i32)))
;;   (type (;15;) (func (param i32 i32 i32)))
;;   (type (;16;) (func (param i32)))
;;   (type (;17;) (func))
;;   (type (;18;) (func (param i32 i32 i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 14)))
;;   (import "wasmtime-gc" "remember_elements" (func (;1;) (type 15)))
;;   (export "get" (func 2))
;;   (export "set" (func 3))
;;   (export "new" (func 4))
;;   (export "fixed" (func 5))
;;   (export "data" (func 6))
;;   (export "copy" (func 7))
;;   (export "fill" (func 8))
;;   (func (;2;) (type 0) (param i32 i32) (result i32)
;;     local.get 1
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     local.get 1
;;     i32.add
;;     i32.load8_u offset=11
;;   )
;;   (func (;3;) (type 2) (param i32 i32 i32)
;;     (local i32)
;;     local.get 1
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 1
;;     local.get 0
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 2
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 1
;;       i32.load offset=11 align=1
;;       local.tee 0
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 0
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 1
;;         i32.const 11
;;         i32.add
;;         local.set 0
;;         i32.const 0
;;         i32.load offset=1048588 align=1
;;         local.tee 3
;;         local.get 0
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
;;     local.get 2
;;     i32.store offset=11 align=1
;;   )
;;   (func (;4;) (type 4) (param i32 i32) (result i32)
;;     (local i32 i32 i32 i32 i32 i32 i32 i64)
;;     local.get 1
;;     i32.const 1069547504
;;     i32.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.const 8
;;     i32.add
;;     local.set 2
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 3
;;     local.get 2
;;     i32.add
;;     local.tee 8
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     local.get 2
;;     i32.const 8192
;;     i32.ge_u
;;     i32.or
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 6
;;       local.get 0
;;       i32.store
;;       i32.const 0
;;       local.get 6
;;       i32.store offset=1048576
;;       local.get 2
;;       call 0
;;       local.set 3
;;       local.get 6
;;       i32.load
;;       local.set 0
;;       i32.const 0
;;       local.get 6
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;     else
;;       i32.const 0
;;       local.get 8
;;       i32.store offset=1048580
;;       local.get 3
;;       i32.const 3
;;       i32.sub
;;       local.set 3
;;     end
;;     local.get 3
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 3
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 3
;;     i32.const 0
;;     i32.add
;;     local.set 2
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     local.set 1
;;     local.get 2
;;     local.get 1
;;     i32.add
;;     local.set 4
;;     local.get 0
;;     i64.extend_i32_u
;;     i64.const 4294967297
;;     i64.mul
;;     local.set 9
;;     local.get 1
;;     i32.const 16
;;     i32.ge_u
;;     if ;; label = @1
;;       local.get 4
;;       i32.const 16
;;       i32.sub
;;       local.set 1
;;       local.get 2
;;       local.set 5
;;       loop ;; label = @2
;;         local.get 5
;;         local.get 9
;;         i64.store offset=11 align=1
;;         local.get 5
;;         local.get 9
;;         i64.store offset=19 align=1
;;         local.get 5
;;         i32.const 16
;;         i32.add
;;         local.tee 5
;;         local.get 1
;;         i32.lt_u
;;         br_if 0 (;@2;)
;;       end
;;       local.get 1
;;       local.get 9
;;       i64.store offset=11 align=1
;;       local.get 1
;;       local.get 9
;;       i64.store offset=19 align=1
;;     else
;;       loop ;; label = @2
;;         local.get 2
;;         local.get 4
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
;;     local.get 3
;;   )
;;   (func (;5;) (type 6) (param i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 1
;;     i32.const 16
;;     i32.add
;;     local.tee 4
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 2
;;       local.get 0
;;       i32.store
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048576
;;       i32.const 16
;;       call 0
;;       local.set 1
;;       local.get 2
;;       i32.load
;;       local.set 0
;;       i32.const 0
;;       local.get 2
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;     else
;;       i32.const 0
;;       local.get 4
;;       i32.store offset=1048580
;;       local.get 1
;;       i32.const 3
;;       i32.sub
;;       local.set 1
;;     end
;;     local.get 1
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 1
;;     i32.const 2
;;     i32.store offset=7 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store offset=11 align=1
;;     local.get 1
;;     i32.const -1
;;     i32.store offset=15 align=1
;;     local.get 1
;;   )
;;   (func (;6;) (type 8) (param i32 i32) (result i32)
;;     (local i32 i32 i32 i32 i64)
;;     local.get 0
;;     i64.extend_i32_u
;;     local.get 1
;;     i64.extend_i32_u
;;     i64.const 0
;;     i64.shl
;;     i64.add
;;     local.tee 6
;;     i64.const 4294967295
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     i32.const 0
;;     local.get 6
;;     i32.wrap_i64
;;     i32.const 0
;;     memory.init 0
;;     local.get 1
;;     i32.const -16777280
;;     i32.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 1
;;     i32.const 11
;;     i32.add
;;     i32.const -4
;;     i32.and
;;     local.set 2
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 3
;;     local.get 2
;;     i32.add
;;     local.tee 5
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     local.get 2
;;     i32.const 8192
;;     i32.ge_u
;;     i32.or
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 2
;;       call 0
;;       local.set 3
;;     else
;;       i32.const 0
;;       local.get 5
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
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 3
;;     i32.const 0
;;     i32.add
;;     i32.const 11
;;     i32.add
;;     local.get 0
;;     local.get 1
;;     memory.init 0
;;     local.get 3
;;   )
;;   (func (;7;) (type 10) (param i32 i32 i32 i32 i32)
;;     (local i32 i32 i64)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 5
;;     local.get 2
;;     i32.load offset=7 align=1
;;     local.set 6
;;     local.get 1
;;     i64.extend_i32_u
;;     local.get 4
;;     i64.extend_i32_u
;;     local.get 5
;;     i64.extend_i32_u
;;     local.set 7
;;     i64.add
;;     local.get 7
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 3
;;     i64.extend_i32_u
;;     local.get 4
;;     i64.extend_i32_u
;;     local.get 6
;;     i64.extend_i32_u
;;     local.set 7
;;     i64.add
;;     local.get 7
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 0
;;     i32.const 0
;;     i32.load offset=1048608 align=1
;;     i32.ne
;;     i32.and
;;     if ;; label = @1
;;       local.get 0
;;       local.get 1
;;       local.get 4
;;       call 1
;;     end
;;     local.get 0
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.const 11
;;     i32.add
;;     local.set 0
;;     local.get 2
;;     local.get 3
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.const 11
;;     i32.add
;;     local.set 1
;;     local.get 4
;;     i32.const 2
;;     i32.shl
;;     local.tee 2
;;     i32.const 64
;;     i32.le_u
;;     if ;; label = @1
;;       local.get 0
;;       local.get 1
;;       local.get 2
;;       call $"wasmtime-gc helper 12"
;;     else
;;       local.get 0
;;       local.get 1
;;       local.get 2
;;       memory.copy
;;     end
;;   )
;;   (func (;8;) (type 12) (param i32 i32 i32 i32)
;;     (local i32 i64)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 4
;;     local.get 1
;;     i64.extend_i32_u
;;     local.get 3
;;     i64.extend_i32_u
;;     local.get 4
;;     i64.extend_i32_u
;;     local.set 5
;;     i64.add
;;     local.get 5
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 0
;;     i32.const 0
;;     i32.load offset=1048608 align=1
;;     i32.ne
;;     i32.and
;;     if ;; label = @1
;;       local.get 0
;;       local.get 1
;;       local.get 3
;;       call 1
;;     end
;;     local.get 0
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 3
;;     i32.const 2
;;     i32.shl
;;     local.set 1
;;     local.get 0
;;     local.get 1
;;     i32.add
;;     local.set 3
;;     local.get 2
;;     i64.extend_i32_u
;;     i64.const 4294967297
;;     i64.mul
;;     local.set 5
;;     local.get 1
;;     i32.const 16
;;     i32.ge_u
;;     if ;; label = @1
;;       local.get 3
;;       i32.const 16
;;       i32.sub
;;       local.set 1
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
;;         local.get 1
;;         i32.lt_u
;;         br_if 0 (;@2;)
;;       end
;;       local.get 1
;;       local.get 5
;;       i64.store offset=11 align=1
;;       local.get 1
;;       local.get 5
;;       i64.store offset=19 align=1
;;     else
;;       loop ;; label = @2
;;         local.get 0
;;         local.get 3
;;         i32.ne
;;         if ;; label = @3
;;           local.get 0
;;           local.get 2
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
;;   (func $"wasmtime-gc helper 12" (;9;) (type 18) (param i32 i32 i32)
;;     (local i32 i32 i32 i64 i64 i64 i64 i64 i64 i64)
;;     local.get 2
;;     i32.const 8
;;     i32.ge_u
;;     if ;; label = @1
;;       local.get 2
;;       i32.const 17
;;       i32.ge_u
;;       if ;; label = @2
;;         local.get 2
;;         i32.const 33
;;         i32.ge_u
;;         if ;; label = @3
;;           local.get 1
;;           local.get 2
;;           i32.add
;;           i32.const 32
;;           i32.sub
;;           local.set 3
;;           local.get 0
;;           local.get 2
;;           i32.add
;;           i32.const 32
;;           i32.sub
;;           local.set 4
;;           local.get 1
;;           i64.load align=1
;;           local.set 6
;;           local.get 3
;;           i64.load align=1
;;           local.set 7
;;           local.get 1
;;           i64.load offset=8 align=1
;;           local.set 8
;;           local.get 3
;;           i64.load offset=8 align=1
;;           local.set 9
;;           local.get 1
;;           i64.load offset=16 align=1
;;           local.set 10
;;           local.get 3
;;           i64.load offset=16 align=1
;;           local.set 11
;;           local.get 1
;;           i64.load offset=24 align=1
;;           local.set 12
;;           local.get 4
;;           local.get 3
;;           i64.load offset=24 align=1
;;           local.get 0
;;           local.get 6
;;           i64.store align=1
;;           local.get 4
;;           local.get 7
;;           i64.store align=1
;;           local.get 0
;;           local.get 8
;;           i64.store offset=8 align=1
;;           local.get 4
;;           local.get 9
;;           i64.store offset=8 align=1
;;           local.get 0
;;           local.get 10
;;           i64.store offset=16 align=1
;;           local.get 4
;;           local.get 11
;;           i64.store offset=16 align=1
;;           local.get 0
;;           local.get 12
;;           i64.store offset=24 align=1
;;           i64.store offset=24 align=1
;;         else
;;           local.get 1
;;           local.get 2
;;           i32.add
;;           i32.const 16
;;           i32.sub
;;           local.set 3
;;           local.get 0
;;           local.get 2
;;           i32.add
;;           i32.const 16
;;           i32.sub
;;           local.set 4
;;           local.get 1
;;           i64.load align=1
;;           local.set 6
;;           local.get 3
;;           i64.load align=1
;;           local.set 7
;;           local.get 1
;;           i64.load offset=8 align=1
;;           local.set 8
;;           local.get 4
;;           local.get 3
;;           i64.load offset=8 align=1
;;           local.get 0
;;           local.get 6
;;           i64.store align=1
;;           local.get 4
;;           local.get 7
;;           i64.store align=1
;;           local.get 0
;;           local.get 8
;;           i64.store offset=8 align=1
;;           i64.store offset=8 align=1
;;         end
;;       else
;;         local.get 1
;;         local.get 2
;;         i32.add
;;         i32.const 8
;;         i32.sub
;;         local.set 3
;;         local.get 0
;;         local.get 2
;;         i32.add
;;         i32.const 8
;;         i32.sub
;;         local.get 1
;;         i64.load align=1
;;         local.set 6
;;         local.get 3
;;         i64.load align=1
;;         local.get 0
;;         local.get 6
;;         i64.store align=1
;;         i64.store align=1
;;       end
;;     else
;;       local.get 2
;;       i32.const 4
;;       i32.ge_u
;;       if ;; label = @2
;;         local.get 1
;;         local.get 2
;;         i32.add
;;         i32.const 4
;;         i32.sub
;;         local.set 3
;;         local.get 0
;;         local.get 2
;;         i32.add
;;         i32.const 4
;;         i32.sub
;;         local.get 1
;;         i32.load align=1
;;         local.set 4
;;         local.get 3
;;         i32.load align=1
;;         local.get 0
;;         local.get 4
;;         i32.store align=1
;;         i32.store align=1
;;       else
;;         local.get 2
;;         i32.const 1
;;         i32.ge_u
;;         if ;; label = @3
;;           local.get 2
;;           i32.const 1
;;           i32.shr_u
;;           local.set 3
;;           local.get 1
;;           local.get 3
;;           i32.add
;;           local.set 4
;;           local.get 0
;;           local.get 3
;;           i32.add
;;           local.set 3
;;           local.get 1
;;           local.get 2
;;           i32.add
;;           i32.const 1
;;           i32.sub
;;           local.set 5
;;           local.get 0
;;           local.get 2
;;           i32.add
;;           i32.const 1
;;           i32.sub
;;           local.get 1
;;           i32.load8_u
;;           local.set 1
;;           local.get 4
;;           i32.load8_u
;;           local.set 2
;;           local.get 5
;;           i32.load8_u
;;           local.get 0
;;           local.get 1
;;           i32.store8
;;           local.get 3
;;           local.get 2
;;           i32.store8
;;           i32.store8
;;         end
;;       end
;;     end
;;   )
;;   (data (;0;) "hello")
;; )
