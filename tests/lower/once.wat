;; Hints tell that functions run once: the call in one that is straight stays, that in a loop of the other does not.
;;! optimize
(module
  (type $pair (struct (field $a (mut i32)) (field $b (mut i32))))
  (func $first (param $p (ref $pair)) (result i32) (struct.get $pair $a (local.get $p)))
  (func (export "straight") (param $p (ref $pair)) (result i32) (call $first (local.get $p)))
  (func (export "loop") (param $p (ref $pair)) (param $n i32)
    (loop $again
      (struct.set $pair $b (local.get $p) (i32.add (struct.get $pair $b (local.get $p)) (call $first (local.get $p))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (@custom "metadata.code.compilation_priority" "\02\01\01\00\02\00\7f\02\01\00\02\00\7f"))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref null 1) (ref null 1) funcref funcref (ref 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref 1) (ref null 1) (ref func) (ref func) funcref funcref (ref null 1) funcref (ref null 1) (ref 1) (ref func) (ref func) (ref null 1) (ref null 1) (ref null 1) (ref func) (ref null 1) funcref (ref null 1) funcref (ref null 1) funcref funcref (ref 1) funcref (ref func) (ref func) (ref null 1) funcref (ref 1) (ref func) (ref func) (ref null 1) (ref 1) (ref null 1) (ref null 1) (ref func) (ref 1) funcref funcref funcref (ref func) funcref (ref func) (ref func) (ref func) funcref (ref 1) (ref 1) funcref (ref func) (ref func) funcref funcref (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i32)))
;;     (type (;3;) (func (param funcref (ref null 3) (ref null 3) (ref null 3) (ref null 3) (ref null 3) funcref (ref func) (ref func) (ref null 3) (ref 3) (ref 3) (ref 3) (ref func) funcref funcref (ref null 3) (ref null 3) (ref 3) (ref null 3) (ref null 3) funcref (ref 3) (ref null 3) (ref func) (ref 3) funcref (ref 3) (ref func) (ref func) (ref 3) (ref func) (ref 3) (ref func) (ref 3) (ref 3) funcref (ref func) (ref null 3) (ref 3) (ref func) (ref func) (ref 3) (ref null 3) funcref (ref func) (ref null 3) (ref null 3) (ref 3) (ref func) (ref null 3) (ref null 3) (ref null 3) (ref 3) funcref (ref null 3) funcref funcref (ref func) (ref 3) funcref (ref 3) (ref null 3) (ref null 3))))
;;   )
;;   (type (;4;) (func (param i32)))
;;   (type (;5;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "straight" (func 1))
;;   (export "loop" (func 2))
;;   (func $first (;0;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;   )
;;   (func (;1;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     call $first
;;   )
;;   (func (;2;) (type 2) (param i32 i32)
;;     (local i32 i32)
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 2
;;     local.set 3
;;     loop ;; label = @1
;;       local.get 3
;;       local.get 2
;;       i32.add
;;       local.set 3
;;       local.get 0
;;       local.get 3
;;       i32.store offset=11 align=1
;;       local.get 1
;;       i32.const 1
;;       i32.sub
;;       local.tee 1
;;       br_if 0 (;@1;)
;;     end
;;   )
;; )
