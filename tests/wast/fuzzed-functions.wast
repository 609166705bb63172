;; Found by fuzzing lowered modules for validity.

;; A branch that a null function reference takes: behind it, the null has the type that the branch has
;; found, not the one that it was written with.
(module
  (type $f (func (result i32)))
  (elem declare func $seven)
  (func $seven (type $f) (i32.const 7))
  (func (export "null") (result i32)
    (call_ref $f
      (block $out (result (ref $f))
        (block $fail (result funcref)
          (br $out (br_on_cast_fail $fail funcref (ref $f) (ref.null func))))
        (drop)
        (ref.func $seven))))
  (func (export "as-non-null") (result i32)
    (call_ref $f (ref.as_non_null (ref.null $f))))
)
(assert_return (invoke "null") (i32.const 7))
(assert_trap (invoke "as-non-null") "null reference")

;; A branch that a known function can not take: its type is final and another.
(module
  (type $a (sub (func (result i32))))
  (type $b (sub (func (param i32) (result i32))))
  (elem declare func $one $two)
  (func $one (type $a) (i32.const 1))
  (func $two (type $b) (i32.add (local.get 0) (i32.const 2)))
  (func (export "other") (result i32)
    (call_ref $b (i32.const 40)
      (block $l (result (ref $b))
        (drop (br_on_cast $l funcref (ref $b) (ref.func $one)))
        (ref.func $two))))
)
(assert_return (invoke "other") (i32.const 42))

;; A group of function types that is written twice is the same types, also when it refers to itself.
(module
  (type $a (sub (func (param (ref null $a)) (result i32))))
  (type $b (sub (func (param (ref null $b)) (result i32))))
  (elem declare func $f)
  (func $f (type $a) (ref.is_null (local.get 0)))
  (func (export "both") (result i32)
    (call_ref $b (ref.cast (ref null $b) (ref.func $f)) (ref.func $f)))
)
(assert_return (invoke "both") (i32.const 0))

;; A null of the bottom type comes from a global into a segment of a narrower type.
(module
  (type $f (func))
  (global $g (ref null nofunc) (ref.null nofunc))
  (table $t 2 funcref)
  (elem $e (ref null $f) (item (global.get $g)) (item (ref.func $nothing)))
  (func $nothing (type $f))
  (func (export "init") (result i32)
    (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))
    (i32.sub (ref.is_null (table.get $t (i32.const 0))) (ref.is_null (table.get $t (i32.const 1)))))
)
(assert_return (invoke "init") (i32.const 1))

;; An active segment of nulls of the bottom type, for a table of a narrower type.
(module
  (type $f (func))
  (table $t 2 (ref null $f) (ref.func $nothing))
  (elem (table $t) (i32.const 1) (ref null nofunc) (item (ref.null nofunc)))
  (func $nothing (type $f))
  (func (export "is-null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0))))
)
(assert_return (invoke "is-null" (i32.const 0)) (i32.const 0))
(assert_return (invoke "is-null" (i32.const 1)) (i32.const 1))

;; Near a bug, which only the whole input (seed 3000053182 of `lower_valid`) shows: a choice that is known handed a null
;; of `nofunc` on, with its own type, to where a function type was expected.
(module
  (type $t (func))
  (func (export "folded") (result i32) (local $null (ref null nofunc))
    (ref.is_null
      (block $l (result (ref null $t))
        (drop
          (br_on_cast $l (ref null func) (ref null $t)
            (if (result (ref null func)) (i32.const 0) (then (unreachable)) (else (local.get $null)))))
        (ref.null $t)))))
(assert_return (invoke "folded") (i32.const 1))
