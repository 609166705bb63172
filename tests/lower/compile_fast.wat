;; At the lowest level of optimisation code is to be compiled soon: allocations are calls of one function.
;;! compile-fast
(module
  (type $pair (struct (field (ref null $pair)) (field i32)))
  (type $ints (array (mut i32)))
  (func (export "pair") (param $p (ref null $pair)) (result (ref $pair))
    (struct.new $pair (struct.new $pair (local.get $p) (i32.const 1)) (i32.const 2)))
  (func (export "ints") (param $n i32) (result (ref $ints))
    (array.new_default $ints (local.get $n))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref null 1) (ref null 1) (ref func) (ref func) funcref (ref null 1) funcref (ref 1) (ref null 1) (ref 1) funcref (ref null 1) (ref func) (ref 1) (ref null 1) (ref 1) (ref null 1) (ref func) (ref null 1) (ref null 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref null 1) funcref funcref (ref null 1) (ref 1) (ref null 1) (ref null 1) (ref func) funcref (ref 1) (ref func) (ref 1) (ref func) (ref 1) (ref null 1) (ref func) (ref func) funcref (ref func) (ref 1) (ref null 1) (ref func) funcref (ref 1) (ref 1) (ref 1) funcref (ref func) (ref 1) funcref funcref (ref null 1) funcref (ref 1) (ref 1) funcref (ref func) (ref null 1) (ref func) (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32) (result i32)))
;;     (type (;3;) (func (param (ref func) funcref (ref null 3) (ref null 3) (ref null 3) funcref (ref 3) funcref (ref func) (ref 3) (ref null 3) (ref 3) (ref 3) funcref funcref (ref null 3) (ref null 3) funcref funcref (ref null 3) (ref 3) (ref null 3) (ref func) (ref null 3) (ref func) (ref 3) (ref null 3) (ref func) funcref funcref (ref 3) (ref func) funcref (ref null 3) funcref funcref (ref func) funcref (ref null 3) (ref null 3) (ref null 3) funcref (ref 3) (ref func) (ref func) (ref 3) (ref func) funcref (ref null 3) (ref null 3) (ref func) (ref null 3) funcref (ref 3) (ref func) (ref null 3) (ref null 3) (ref null 3) (ref null 3) (ref null 3) (ref func) funcref (ref 3) (ref func))))
;;   )
;;   (type (;4;) (func (param i32) (result i32)))
;;   (type (;5;) (func (param i32)))
;;   (type (;6;) (func))
;;   (type (;7;) (func (param i32) (result i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 4)))
;;   (export "pair" (func 1))
;;   (export "ints" (func 2))
;;   (func (;1;) (type 0) (param i32) (result i32)
;;     (local i32)
;;     i32.const 0
;;     i32.load offset=1048576
;;     i32.const 4
;;     i32.sub
;;     local.tee 1
;;     local.get 0
;;     i32.store
;;     i32.const 0
;;     local.get 1
;;     i32.store offset=1048576
;;     i32.const 12
;;     call $"wasmtime-gc helper 9"
;;     local.tee 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     local.get 1
;;     i32.load
;;     i32.store offset=7 align=1
;;     local.get 0
;;     i32.const 1
;;     i32.store offset=11 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store
;;     i32.const 12
;;     call $"wasmtime-gc helper 9"
;;     local.tee 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     local.get 1
;;     i32.load
;;     i32.store offset=7 align=1
;;     local.get 0
;;     i32.const 2
;;     i32.store offset=11 align=1
;;     local.get 0
;;     i32.const 0
;;     local.get 1
;;     i32.const 4
;;     i32.add
;;     i32.store offset=1048576
;;   )
;;   (func (;2;) (type 2) (param i32) (result i32)
;;     (local i32)
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
;;     call $"wasmtime-gc helper 9"
;;     local.tee 1
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store offset=7 align=1
;;     local.get 1
;;     i32.const 0
;;     i32.add
;;     i32.const 11
;;     i32.add
;;     i32.const 0
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     memory.fill
;;     local.get 1
;;   )
;;   (func $"wasmtime-gc helper 9" (;3;) (type 7) (param i32) (result i32)
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
