;; Hints tell how often calls are made: one that is never made stays, one that is made often is not a call any more.
;;! optimize
(module
  (type $pair (struct (field $a (mut i32)) (field $b (mut i32))))
  ;; Too large for a call outside of loops that nothing is known of.
  (func $sum (param $p (ref $pair)) (result i32) (local $n i32)
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 3)) (struct.get $pair $a (local.get $p))))
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 5)) (struct.get $pair $b (local.get $p))))
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 7)) (struct.get $pair $a (local.get $p))))
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 9)) (struct.get $pair $b (local.get $p))))
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 11)) (struct.get $pair $a (local.get $p))))
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 13)) (struct.get $pair $b (local.get $p))))
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 15)) (struct.get $pair $a (local.get $p))))
    (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 17)) (struct.get $pair $b (local.get $p))))
    (local.get $n))
  (func $first (param $p (ref $pair)) (result i32) (struct.get $pair $a (local.get $p)))
  ;; Both calls stand 3 bytes behind the start of their functions.
  (func (export "often") (param $p (ref $pair)) (result i32) (call $sum (local.get $p)))
  (func (export "never") (param $p (ref $pair)) (result i32) (call $first (local.get $p)))
  (@custom "metadata.code.instr_freq" "\02\02\01\03\01\28\03\01\03\01\00"))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref null 1) (ref null 1) funcref funcref (ref 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref 1) (ref null 1) (ref func) (ref func) funcref funcref (ref null 1) funcref (ref null 1) (ref 1) (ref func) (ref func) (ref null 1) (ref null 1) (ref null 1) (ref func) (ref null 1) funcref (ref null 1) funcref (ref null 1) funcref funcref (ref 1) funcref (ref func) (ref func) (ref null 1) funcref (ref 1) (ref func) (ref func) (ref null 1) (ref 1) (ref null 1) (ref null 1) (ref func) (ref 1) funcref funcref funcref (ref func) funcref (ref func) (ref func) (ref func) funcref (ref 1) (ref 1) funcref (ref func) (ref func) funcref funcref (ref null 1))))
;;   )
;;   (type (;2;) (func (param i32)))
;;   (type (;3;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "often" (func 2))
;;   (export "never" (func 3))
;;   (func $sum (;0;) (type 0) (param i32) (result i32)
;;     unreachable
;;   )
;;   (func $first (;1;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;   )
;;   (func (;2;) (type 0) (param i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 1
;;     i32.const 0
;;     local.get 1
;;     i32.add
;;     i32.const 5
;;     i32.mul
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.tee 0
;;     i32.add
;;     i32.const 7
;;     i32.mul
;;     local.get 1
;;     i32.add
;;     i32.const 9
;;     i32.mul
;;     local.get 0
;;     i32.add
;;     i32.const 11
;;     i32.mul
;;     local.get 1
;;     i32.add
;;     i32.const 13
;;     i32.mul
;;     local.get 0
;;     i32.add
;;     i32.const 15
;;     i32.mul
;;     local.get 1
;;     i32.add
;;     i32.const 17
;;     i32.mul
;;     local.get 0
;;     i32.add
;;   )
;;   (func (;3;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     call $first
;;   )
;; )
