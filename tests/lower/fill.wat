;; `array.fill` of several elements a store, and of bytes that are all the same.
(module
  (type $i16s (array (mut i16)))
  (type $f64s (array (mut f64)))
  (type $refs (array (mut anyref)))
  (func (export "i16s") (param (ref $i16s) i32 i32 i32)
    (array.fill $i16s (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "f64s") (param (ref $f64s) i32 f64 i32)
    (array.fill $f64s (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "nulls") (param (ref $refs) i32 i32)
    (array.fill $refs (local.get 0) (local.get 1) (ref.null any) (local.get 2))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i32 i32 i32)))
;;     (type (;1;) (func (param (ref 1) funcref (ref func) (ref func) funcref (ref func) (ref 1) (ref 1) (ref func) (ref 1) (ref null 1) funcref (ref null 1) (ref func) (ref func) funcref (ref 1) funcref (ref func) (ref 1) funcref (ref null 1) (ref 1) (ref null 1) (ref null 1) (ref func) (ref 1) (ref func) funcref (ref func) (ref func) (ref 1) (ref 1) (ref 1) (ref null 1) (ref null 1) (ref func) (ref 1) funcref (ref func) (ref func) (ref null 1) (ref 1) funcref (ref null 1) (ref 1) (ref null 1) (ref null 1) (ref 1) (ref func) funcref (ref func) funcref (ref func) (ref null 1) (ref null 1) (ref null 1) funcref (ref func) funcref funcref (ref func) (ref func) funcref)))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i32 f64 i32)))
;;     (type (;3;) (func (param (ref func) (ref null 3) (ref null 3) funcref (ref 3) funcref (ref null 3) (ref null 3) (ref null 3) (ref func) (ref func) (ref 3) (ref null 3) (ref 3) (ref null 3) funcref (ref 3) funcref (ref 3) (ref null 3) (ref 3) (ref null 3) (ref null 3) funcref funcref (ref null 3) funcref funcref (ref func) funcref funcref (ref func) (ref func) (ref func) (ref func) (ref null 3) (ref null 3) (ref func) (ref func) funcref funcref (ref func) (ref null 3) (ref 3) (ref null 3) (ref null 3) (ref func) (ref 3) (ref 3) (ref 3) (ref 3) (ref func) (ref null 3) (ref 3) (ref 3) (ref func) (ref func) (ref func) funcref (ref null 3) (ref 3) (ref 3) (ref null 3) (ref func))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32 i32 i32)))
;;     (type (;5;) (func (param (ref func) (ref null 5) (ref null 5) (ref func) (ref 5) funcref (ref 5) (ref func) funcref (ref func) funcref (ref 5) (ref func) (ref 5) (ref func) (ref null 5) (ref null 5) funcref funcref (ref func) funcref funcref (ref 5) funcref funcref (ref func) (ref null 5) funcref (ref 5) (ref 5) (ref 5) funcref funcref funcref funcref funcref (ref func) (ref func) funcref funcref (ref null 5) funcref (ref null 5) (ref func) (ref null 5) (ref 5) (ref 5) funcref (ref func) (ref func) (ref func) (ref 5) (ref func) (ref 5) funcref (ref func) (ref func) (ref 5) (ref func) funcref (ref func) (ref null 5) (ref func) (ref 5))))
;;   )
;;   (type (;6;) (func (param i32)))
;;   (type (;7;) (func))
;;   (type (;8;) (func (param i32 i32 i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "i16s" (func 0))
;;   (export "f64s" (func 1))
;;   (export "nulls" (func 2))
;;   (func (;0;) (type 0) (param i32 i32 i32 i32)
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
;;     local.get 1
;;     i32.const 1
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 3
;;     i32.const 1
;;     i32.shl
;;     local.set 1
;;     local.get 0
;;     local.get 1
;;     i32.add
;;     local.set 3
;;     local.get 2
;;     i32.const 65535
;;     i32.and
;;     i64.extend_i32_u
;;     i64.const 281479271743489
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
;;           i32.store16 offset=11 align=1
;;           local.get 0
;;           i32.const 2
;;           i32.add
;;           local.set 0
;;           br 1 (;@2;)
;;         end
;;       end
;;     end
;;   )
;;   (func (;1;) (type 2) (param i32 i32 f64 i32)
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
;;     local.get 1
;;     i32.const 3
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 3
;;     i32.const 3
;;     i32.shl
;;     local.set 1
;;     local.get 0
;;     local.get 1
;;     i32.add
;;     local.set 3
;;     local.get 2
;;     i64.reinterpret_f64
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
;;           f64.store offset=11 align=1
;;           local.get 0
;;           i32.const 8
;;           i32.add
;;           local.set 0
;;           br 1 (;@2;)
;;         end
;;       end
;;     end
;;   )
;;   (func (;2;) (type 4) (param i32 i32 i32)
;;     (local i32 i64)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 3
;;     local.get 1
;;     i64.extend_i32_u
;;     local.get 2
;;     i64.extend_i32_u
;;     local.get 3
;;     i64.extend_i32_u
;;     local.set 4
;;     i64.add
;;     local.get 4
;;     i64.gt_u
;;     if ;; label = @1
;;       unreachable
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
;;     i32.const 2
;;     i32.shl
;;     local.tee 1
;;     i32.const 64
;;     i32.le_u
;;     if ;; label = @1
;;       local.get 0
;;       i32.const 255
;;       local.get 1
;;       call $"wasmtime-gc helper 13"
;;     else
;;       local.get 0
;;       i32.const 255
;;       local.get 1
;;       memory.fill
;;     end
;;   )
;;   (func $"wasmtime-gc helper 13" (;3;) (type 8) (param i32 i32 i32)
;;     (local i32 i64)
;;     local.get 2
;;     i32.const 8
;;     i32.ge_u
;;     if ;; label = @1
;;       local.get 1
;;       i32.const 255
;;       i32.and
;;       i64.extend_i32_u
;;       i64.const 72340172838076673
;;       i64.mul
;;       local.set 4
;;       local.get 2
;;       i32.const 33
;;       i32.ge_u
;;       if ;; label = @2
;;         local.get 0
;;         local.get 2
;;         i32.add
;;         i32.const 32
;;         i32.sub
;;         local.set 3
;;         local.get 0
;;         local.get 4
;;         i64.store align=1
;;         local.get 3
;;         local.get 4
;;         i64.store align=1
;;         local.get 0
;;         local.get 4
;;         i64.store offset=8 align=1
;;         local.get 3
;;         local.get 4
;;         i64.store offset=8 align=1
;;         local.get 0
;;         local.get 4
;;         i64.store offset=16 align=1
;;         local.get 3
;;         local.get 4
;;         i64.store offset=16 align=1
;;         local.get 0
;;         local.get 4
;;         i64.store offset=24 align=1
;;         local.get 3
;;         local.get 4
;;         i64.store offset=24 align=1
;;       else
;;         local.get 2
;;         i32.const 17
;;         i32.ge_u
;;         if ;; label = @3
;;           local.get 0
;;           local.get 2
;;           i32.add
;;           i32.const 16
;;           i32.sub
;;           local.set 3
;;           local.get 0
;;           local.get 4
;;           i64.store align=1
;;           local.get 3
;;           local.get 4
;;           i64.store align=1
;;           local.get 0
;;           local.get 4
;;           i64.store offset=8 align=1
;;           local.get 3
;;           local.get 4
;;           i64.store offset=8 align=1
;;         else
;;           local.get 0
;;           local.get 2
;;           i32.add
;;           i32.const 8
;;           i32.sub
;;           local.get 0
;;           local.get 4
;;           i64.store align=1
;;           local.get 4
;;           i64.store align=1
;;         end
;;       end
;;     else
;;       local.get 2
;;       i32.const 4
;;       i32.ge_u
;;       if ;; label = @2
;;         local.get 1
;;         i32.const 255
;;         i32.and
;;         i64.extend_i32_u
;;         i64.const 72340172838076673
;;         i64.mul
;;         i32.wrap_i64
;;         local.set 3
;;         local.get 0
;;         local.get 2
;;         i32.add
;;         i32.const 4
;;         i32.sub
;;         local.get 0
;;         local.get 3
;;         i32.store align=1
;;         local.get 3
;;         i32.store align=1
;;       else
;;         local.get 2
;;         i32.const 1
;;         i32.ge_u
;;         if ;; label = @3
;;           local.get 0
;;           local.get 2
;;           i32.const 1
;;           i32.shr_u
;;           i32.add
;;           local.set 3
;;           local.get 0
;;           local.get 2
;;           i32.add
;;           i32.const 1
;;           i32.sub
;;           local.get 0
;;           local.get 1
;;           i32.store8
;;           local.get 3
;;           local.get 1
;;           i32.store8
;;           local.get 1
;;           i32.store8
;;         end
;;       end
;;     end
;;   )
;; )
