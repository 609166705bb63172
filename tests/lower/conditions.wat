;; Choices between constants are arithmetic on conditions, and the lesser or greater of two numbers is a `select`. Where an
;; arm may trap or does much, and where what is chosen is no condition, the branch stays.
;;! passes: none+conditions+dce
(module
  (type $pair (struct (field $a i32) (field $b i32)))

  (func (export "or") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (i32.eq (local.get $x) (i32.const 3))
      (then (i32.const 1))
      (else (i32.lt_s (local.get $x) (i32.const 0)))))
  (func (export "and") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x)
      (then (ref.is_null (local.get $p)))
      (else (i32.const 0))))
  (func (export "not") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x) (then (i32.const 0)) (else (i32.const 1))))
  (func (export "loads") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x)
      (then (i32.eqz (struct.get $pair $a (local.get $p))))
      (else (i32.const 0))))
  (func (export "number") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x) (then (local.get $x)) (else (i32.const 0))))
  (func (export "least") (param $p (ref $pair)) (param $x i64) (param $y i64) (result i64)
    (if (result i64) (i64.lt_s (local.get $x) (local.get $y)) (then (local.get $x)) (else (local.get $y))))
  (func (export "positive") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (i32.le_s (local.get $x) (i32.const 0)) (then (i32.const 0)) (else (local.get $x)))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i32) (result i32)))
;;     (type (;1;) (func (param (ref func) (ref 1) (ref null 1) (ref func) funcref (ref func) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref null 1) funcref (ref func) (ref 1) (ref null 1) (ref func) funcref (ref func) (ref 1) (ref null 1) (ref null 1) (ref func) (ref 1) (ref 1) funcref (ref null 1) (ref 1) (ref null 1) (ref null 1) (ref 1) (ref null 1) funcref funcref (ref null 1) (ref 1) (ref null 1) (ref func) (ref 1) (ref 1) (ref func) (ref null 1) (ref func) funcref funcref funcref (ref 1) (ref func) (ref 1) (ref null 1) (ref func) (ref func) (ref 1) (ref 1) funcref (ref func) funcref (ref 1) (ref null 1) (ref null 1) (ref 1) (ref 1) funcref)))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i64 i64) (result i64)))
;;     (type (;3;) (func (param (ref func) (ref func) funcref (ref func) funcref (ref 3) funcref (ref 3) (ref func) (ref null 3) funcref funcref (ref null 3) (ref func) (ref 3) (ref func) funcref (ref func) (ref 3) funcref (ref func) funcref (ref func) funcref (ref null 3) (ref null 3) funcref (ref func) (ref null 3) (ref null 3) funcref (ref null 3) funcref funcref funcref (ref null 3) (ref 3) funcref (ref 3) (ref 3) (ref null 3) (ref null 3) (ref 3) (ref 3) (ref func) (ref func) (ref null 3) (ref null 3) (ref func) (ref null 3) funcref (ref null 3) funcref (ref func) (ref null 3) funcref funcref (ref 3) (ref 3) (ref func) (ref 3) funcref (ref 3) funcref)))
;;   )
;;   (type (;4;) (func (param i32)))
;;   (type (;5;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "or" (func 0))
;;   (export "and" (func 1))
;;   (export "not" (func 2))
;;   (export "loads" (func 3))
;;   (export "number" (func 4))
;;   (export "least" (func 5))
;;   (export "positive" (func 6))
;;   (func (;0;) (type 0) (param i32 i32) (result i32)
;;     local.get 1
;;     i32.const 3
;;     i32.eq
;;     local.get 1
;;     i32.const 0
;;     i32.lt_s
;;     i32.or
;;   )
;;   (func (;1;) (type 0) (param i32 i32) (result i32)
;;     local.get 0
;;     i32.const -1
;;     i32.eq
;;     local.set 0
;;     local.get 1
;;     i32.eqz
;;     i32.eqz
;;     local.get 0
;;     i32.and
;;   )
;;   (func (;2;) (type 0) (param i32 i32) (result i32)
;;     local.get 1
;;     i32.eqz
;;   )
;;   (func (;3;) (type 0) (param i32 i32) (result i32)
;;     local.get 1
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=7 align=1
;;       i32.eqz
;;       local.set 0
;;     else
;;       i32.const 0
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;;   (func (;4;) (type 0) (param i32 i32) (result i32)
;;     local.get 1
;;     i32.eqz
;;     if ;; label = @1
;;       i32.const 0
;;       local.set 1
;;     end
;;     local.get 1
;;   )
;;   (func (;5;) (type 2) (param i32 i64 i64) (result i64)
;;     local.get 1
;;     local.get 2
;;     local.get 1
;;     local.get 2
;;     i64.lt_s
;;     select
;;   )
;;   (func (;6;) (type 0) (param i32 i32) (result i32)
;;     i32.const 0
;;     local.get 1
;;     local.get 1
;;     i32.const 0
;;     i32.le_s
;;     select
;;   )
;; )
