;; Tail calls with references: the frame of root slots is gone before the callee runs, so that neither stack grows.
(module
  (type $n (struct (field i32) (field (mut (ref null $n)))))
  (type $f (func (param (ref null $n) i32) (result (ref null $n))))
  (table $t 1 funcref)
  (elem declare func $build)

  ;; A loop by tail calls that allocates: the list is spilled only where the collector may run.
  (func $build (export "build") (type $f) (param $list (ref null $n)) (param $count i32) (result (ref null $n))
    (if (i32.eqz (local.get $count)) (then (return (local.get $list))))
    (return_call $build
      (struct.new $n (local.get $count) (local.get $list))
      (i32.sub (local.get $count) (i32.const 1))))

  (func (export "by_ref") (param $g (ref $f)) (param $list (ref null $n)) (result (ref null $n))
    (return_call_ref $f (local.get $list) (i32.const 3) (local.get $g)))

  (func (export "by_table") (param $list (ref null $n)) (result (ref null $n))
    (return_call_indirect $t (type $f) (local.get $list) (i32.const 3) (i32.const 0))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i32) (result i32)))
;;     (type (;1;) (func (param (ref null 1) (ref func) (ref 1) (ref 1) (ref func) (ref func) (ref 1) (ref func) (ref 1) (ref 1) (ref null 1) funcref (ref 1) (ref 1) (ref func) (ref null 1) (ref func) funcref (ref func) (ref 1) (ref null 1) funcref (ref func) funcref (ref null 1) (ref func) (ref null 1) (ref 1) (ref 1) funcref (ref 1) (ref null 1) (ref 1) (ref null 1) (ref func) (ref 1) (ref null 1) (ref func) funcref (ref func) (ref 1) (ref null 1) (ref null 1) funcref funcref (ref null 1) (ref 1) (ref null 1) (ref func) (ref func) (ref 1) (ref func) funcref (ref func) funcref (ref null 1) (ref func) (ref 1) (ref null 1) (ref func) (ref func) (ref 1) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;2;) (func (param (ref 0) i32) (result i32)))
;;     (type (;3;) (func (param (ref 3) funcref (ref 3) (ref func) (ref func) funcref (ref func) (ref 3) (ref null 3) (ref func) (ref func) (ref func) (ref 3) funcref funcref (ref func) (ref 3) (ref func) funcref funcref (ref func) (ref 3) (ref null 3) funcref (ref func) (ref func) funcref funcref (ref null 3) funcref (ref 3) (ref func) (ref func) (ref func) (ref 3) (ref null 3) (ref 3) (ref null 3) funcref (ref func) (ref null 3) (ref null 3) (ref null 3) (ref null 3) (ref 3) (ref null 3) (ref 3) (ref null 3) (ref null 3) funcref (ref null 3) (ref null 3) (ref 3) (ref null 3) (ref 3) (ref 3) funcref (ref 3) (ref func) (ref func) (ref null 3) (ref func) (ref null 3) (ref null 3))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param funcref (ref func) (ref 5) (ref 5) (ref func) (ref 5) (ref 5) (ref null 5) (ref null 5) funcref (ref func) (ref func) (ref null 5) (ref func) (ref func) (ref null 5) (ref null 5) (ref func) (ref null 5) (ref 5) (ref func) (ref 5) funcref (ref 5) (ref 5) (ref null 5) (ref 5) (ref func) funcref funcref funcref (ref null 5) (ref 5) (ref null 5) (ref null 5) (ref func) funcref (ref null 5) (ref null 5) (ref func) funcref (ref null 5) funcref (ref null 5) (ref 5) funcref (ref null 5) (ref 5) (ref null 5) (ref null 5) (ref func) (ref null 5) (ref null 5) (ref null 5) (ref func) funcref (ref null 5) (ref func) (ref func) (ref func) (ref null 5) (ref 5) funcref (ref null 5))))
;;   )
;;   (type (;6;) (func (param i32) (result i32)))
;;   (type (;7;) (func (param i32)))
;;   (type (;8;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 6)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (table (;0;) 1 funcref)
;;   (export "build" (func $build))
;;   (export "by_ref" (func 2))
;;   (export "by_table" (func 3))
;;   (elem (;0;) declare func $build)
;;   (func $build (;1;) (type 0) (param i32 i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     local.get 1
;;     i32.eqz
;;     if ;; label = @1
;;       local.get 0
;;       return
;;     end
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
;;       local.get 0
;;       i32.store
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048576
;;       i32.const 12
;;       call 0
;;       local.set 2
;;       local.get 3
;;       i32.load
;;       local.set 0
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
;;     local.get 1
;;     i32.const 1
;;     i32.sub
;;     return_call $build
;;   )
;;   (func (;2;) (type 2) (param (ref 0) i32) (result i32)
;;     local.get 1
;;     i32.const 3
;;     local.get 0
;;     return_call_ref 0
;;   )
;;   (func (;3;) (type 4) (param i32) (result i32)
;;     local.get 0
;;     i32.const 3
;;     i32.const 0
;;     return_call_indirect (type 0)
;;   )
;; )
