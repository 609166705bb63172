;;! relocatable
;; Code for other engines: the addresses of RTT records are imports. Only those that are used.
(module
  (type $unused (struct))
  (type $open (sub (struct (field i32))))
  (type $final (struct (field i64)))
  (type $array (array i32))
  (func (export "make") (param i32) (result (ref $final))
    (struct.new $final (i64.const 1)))
  (func (export "test") (param anyref) (result i32)
    (ref.test (ref $open) (local.get 0)))
  (func (export "array") (param i32) (result (ref $array))
    (array.new_default $array (local.get 0)))
)
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param funcref (ref null 1) funcref (ref 1) funcref (ref 1) (ref null 1) funcref funcref funcref (ref 1) funcref (ref 1) (ref func) (ref func) (ref func) (ref 1) (ref func) (ref func) (ref func) (ref 1) (ref func) (ref 1) (ref func) (ref func) (ref func) (ref null 1) (ref null 1) funcref (ref null 1) funcref (ref null 1) funcref funcref (ref null 1) funcref (ref 1) (ref null 1) (ref func) (ref null 1) funcref funcref (ref null 1) (ref 1) funcref funcref (ref null 1) (ref null 1) (ref 1) (ref func) funcref (ref null 1) (ref func) (ref null 1) (ref func) (ref 1) (ref null 1) (ref func) (ref func) (ref func) (ref func) (ref null 1) (ref func) (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32) (result i32)))
;;     (type (;3;) (func (param funcref (ref 3) funcref (ref null 3) (ref 3) funcref (ref 3) funcref (ref null 3) (ref 3) (ref 3) (ref null 3) funcref (ref null 3) (ref func) (ref 3) (ref null 3) funcref (ref 3) (ref 3) (ref 3) funcref (ref 3) (ref func) (ref 3) (ref 3) (ref null 3) (ref null 3) (ref null 3) (ref null 3) funcref (ref 3) (ref 3) (ref func) funcref funcref (ref null 3) funcref (ref 3) (ref 3) funcref (ref null 3) (ref func) funcref funcref (ref func) (ref 3) funcref (ref func) (ref 3) funcref (ref null 3) (ref func) (ref func) (ref null 3) (ref null 3) (ref func) funcref (ref null 3) (ref null 3) (ref null 3) (ref func) (ref func) (ref null 3))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param (ref func) funcref (ref null 5) (ref 5) (ref func) (ref func) funcref funcref (ref 5) (ref func) (ref null 5) funcref funcref funcref (ref func) (ref null 5) (ref null 5) (ref null 5) (ref func) (ref null 5) funcref funcref (ref func) (ref 5) (ref func) (ref null 5) funcref (ref 5) (ref func) (ref 5) (ref null 5) (ref 5) (ref null 5) (ref func) funcref (ref func) (ref func) funcref (ref 5) (ref func) funcref funcref (ref func) (ref func) (ref func) (ref func) (ref 5) funcref (ref 5) funcref (ref func) (ref 5) (ref func) (ref null 5) (ref func) (ref func) (ref null 5) (ref null 5) (ref func) funcref (ref null 5) (ref func) funcref funcref)))
;;   )
;;   (type (;6;) (func (param i32) (result i32)))
;;   (type (;7;) (func (param i32)))
;;   (type (;8;) (func))
;;   (type (;9;) (func (param i32 i32 i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 6)))
;;   (import "wasmtime-gc" "rtt:1" (global (;0;) i32))
;;   (import "wasmtime-gc" "rtt:2" (global (;1;) i32))
;;   (import "wasmtime-gc" "rtt:3" (global (;2;) i32))
;;   (export "make" (func 1))
;;   (export "test" (func 2))
;;   (export "array" (func 3))
;;   (func (;1;) (type 0) (param i32) (result i32)
;;     (local i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 0
;;     i32.const 12
;;     i32.add
;;     local.tee 2
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 12
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
;;     global.get 1
;;     i32.store offset=3 align=1
;;     local.get 0
;;     i64.const 1
;;     i64.store offset=7 align=1
;;     local.get 0
;;   )
;;   (func (;2;) (type 2) (param i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.const 3
;;     i32.and
;;     i32.const 1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       local.set 0
;;     else
;;       i32.const 5308456
;;       local.set 0
;;     end
;;     global.get 0
;;     local.set 1
;;     local.get 0
;;     i32.load offset=16 align=1
;;     local.get 1
;;     i32.eq
;;   )
;;   (func (;3;) (type 4) (param i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     local.get 0
;;     i32.const 1069547504
;;     i32.gt_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.const 8
;;     i32.add
;;     local.set 1
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 2
;;     local.get 1
;;     i32.add
;;     local.tee 4
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     local.get 1
;;     i32.const 8192
;;     i32.ge_u
;;     i32.or
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 1
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
;;     global.get 2
;;     i32.store offset=3 align=1
;;     local.get 2
;;     local.get 0
;;     i32.store offset=7 align=1
;;     local.get 2
;;     i32.const 0
;;     i32.add
;;     i32.const 11
;;     i32.add
;;     local.set 1
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     local.tee 0
;;     i32.const 64
;;     i32.le_u
;;     if ;; label = @1
;;       local.get 1
;;       i32.const 0
;;       local.get 0
;;       call $"wasmtime-gc helper 13"
;;     else
;;       local.get 1
;;       i32.const 0
;;       local.get 0
;;       memory.fill
;;     end
;;     local.get 2
;;   )
;;   (func $"wasmtime-gc helper 13" (;4;) (type 9) (param i32 i32 i32)
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
