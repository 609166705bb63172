;; A call writes what its callee writes: what was read of other fields is known behind it. A call of an import may do
;; anything.
;;! passes: none+calls+redundant_loads+dce
(module
  (import "host" "call" (func $host))
  (type $pair (struct (field $a (mut i32)) (field $b (mut i32))))
  (func $set_a (param $p (ref $pair)) (struct.set $pair $a (local.get $p) (i32.const 1)))
  (func $indirectly (param $p (ref $pair)) (call $set_a (local.get $p)))

  (func (export "other") (param $p (ref $pair)) (result i32)
    (drop (struct.get $pair $b (local.get $p)))
    (i32.add
      (struct.get $pair $b (local.get $p))
      (block (result i32) (call $indirectly (local.get $p)) (struct.get $pair $b (local.get $p)))))
  (func (export "same") (param $p (ref $pair)) (result i32)
    (i32.add
      (struct.get $pair $a (local.get $p))
      (block (result i32) (call $indirectly (local.get $p)) (struct.get $pair $a (local.get $p)))))
  (func (export "anything") (param $p (ref $pair)) (result i32)
    (i32.add
      (struct.get $pair $b (local.get $p))
      (block (result i32) (call $host) (struct.get $pair $b (local.get $p))))))
;; lowered:
;; (module
;;   (type (;0;) (func))
;;   (rec
;;     (type (;1;) (func (param i32)))
;;     (type (;2;) (func (param funcref (ref func) (ref null 2) (ref null 2) funcref (ref 2) (ref func) (ref func) (ref 2) funcref (ref func) (ref func) (ref 2) (ref func) (ref null 2) (ref 2) (ref null 2) (ref func) (ref func) (ref null 2) (ref func) (ref func) (ref null 2) (ref func) (ref 2) (ref func) (ref 2) (ref null 2) (ref func) (ref func) (ref null 2) (ref func) funcref (ref 2) (ref null 2) (ref null 2) (ref null 2) (ref null 2) (ref 2) funcref (ref 2) (ref func) (ref null 2) (ref null 2) (ref null 2) (ref func) (ref 2) (ref func) funcref funcref (ref null 2) (ref null 2) (ref null 2) (ref func) funcref (ref null 2) (ref null 2) funcref (ref func) (ref 2) (ref null 2) (ref 2) funcref funcref)))
;;   )
;;   (rec
;;     (type (;3;) (func (param i32) (result i32)))
;;     (type (;4;) (func (param (ref null 4) (ref null 4) funcref funcref (ref 4) (ref null 4) (ref 4) (ref 4) (ref null 4) (ref 4) (ref null 4) (ref func) (ref func) funcref funcref (ref null 4) funcref (ref null 4) (ref 4) (ref func) (ref func) (ref null 4) (ref null 4) (ref null 4) (ref func) (ref null 4) funcref (ref null 4) funcref (ref null 4) funcref funcref (ref 4) funcref (ref func) (ref func) (ref null 4) funcref (ref 4) (ref func) (ref func) (ref null 4) (ref 4) (ref null 4) (ref null 4) (ref func) (ref 4) funcref funcref funcref (ref func) funcref (ref func) (ref func) (ref func) funcref (ref 4) (ref 4) funcref (ref func) (ref func) funcref funcref (ref null 4))))
;;   )
;;   (type (;5;) (func (param i32)))
;;   (type (;6;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "host" "call" (func $host (;0;) (type 0)))
;;   (export "other" (func 3))
;;   (export "same" (func 4))
;;   (export "anything" (func 5))
;;   (func $set_a (;1;) (type 1) (param i32)
;;     local.get 0
;;     i32.const 1
;;     i32.store offset=7 align=1
;;   )
;;   (func $indirectly (;2;) (type 1) (param i32)
;;     local.get 0
;;     call $set_a
;;   )
;;   (func (;3;) (type 3) (param i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.set 1
;;     local.get 0
;;     call $indirectly
;;     local.get 1
;;     local.get 1
;;     i32.add
;;   )
;;   (func (;4;) (type 3) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.get 0
;;     call $indirectly
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.add
;;   )
;;   (func (;5;) (type 3) (param i32) (result i32)
;;     (local i32)
;;     block ;; label = @1
;;       local.get 0
;;       i32.load offset=11 align=1
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 1
;;       local.get 0
;;       i32.store
;;       i32.const 0
;;       local.get 1
;;       i32.store offset=1048576
;;       call $host
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         i32.const 0
;;         local.get 1
;;         i32.const 4
;;         i32.add
;;         i32.store offset=1048576
;;         br 1 (;@1;)
;;       end
;;       local.get 1
;;       i32.load
;;       i32.load offset=11 align=1
;;       i32.add
;;       i32.const 0
;;       local.get 1
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;       return
;;     end
;;     i32.const 0
;;   )
;; )
