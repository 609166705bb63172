;; Functions in fields, arrays, tables and globals: identity, types and tail calls survive the detour
;; through handles.

(module $m
  (type $unary (func (param i32) (result i32)))
  (type $box (struct (field i32)))
  (rec
    (type $vtable (sub (struct (field $run (ref $method)))))
    (type $object (sub (struct (field $vt (ref $vtable)) (field $n i32))))
    (type $method (func (param (ref $object) i32) (result i32))))
  (rec (type $sub-object (sub $object (struct (field $vt (ref $vtable)) (field $n i32) (field $more i32)))))
  (type $fun-array (array (mut (ref null $unary))))
  (type $holder (struct (field (mut funcref))))

  (elem declare func $double $triple $add $count $walk)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $triple (type $unary) (i32.mul (local.get 0) (i32.const 3)))
  (func $add (type $method) (i32.add (struct.get $object $n (local.get 0)) (local.get 1)))
  (func $count (type $method)
    (i32.mul (struct.get $sub-object $more (ref.cast (ref $sub-object) (local.get 0))) (local.get 1)))

  (global $vt1 (ref $vtable) (struct.new $vtable (ref.func $add)))
  (global $vt2 (ref $vtable) (struct.new $vtable (ref.func $count)))

  (func $send (param $o (ref $object)) (param $x i32) (result i32)
    (call_ref $method (local.get $o) (local.get $x)
      (struct.get $vtable $run (struct.get $object $vt (local.get $o)))))
  (func (export "virtual") (param i32) (result i32)
    (i32.add
      (call $send (struct.new $object (global.get $vt1) (i32.const 100)) (local.get 0))
      (call $send (struct.new $sub-object (global.get $vt2) (i32.const 0) (i32.const 7)) (local.get 0))))
  (func (export "wrong-receiver") (result i32)
    (call $send (struct.new $object (global.get $vt2) (i32.const 0)) (i32.const 1)))

  (func (export "array") (param $at i32) (param $x i32) (result i32)
    (call_ref $unary (local.get $x)
      (array.get $fun-array
        (array.new_fixed $fun-array 3 (ref.func $double) (ref.func $triple) (ref.null $unary))
        (local.get $at))))

  (func (export "holder-test") (result i32)
    (local $h (ref $holder))
    (local.set $h (struct.new $holder (ref.func $double)))
    (struct.set $holder 0 (local.get $h) (ref.func $add))
    (i32.add
      (ref.test (ref $unary) (struct.get $holder 0 (local.get $h)))
      (i32.mul (i32.const 2) (ref.test (ref $method) (struct.get $holder 0 (local.get $h))))))
  (func (export "holder") (result funcref)
    (struct.get $holder 0 (struct.new $holder (ref.func $double))))
  (func (export "holder-null") (result funcref)
    (struct.get $holder 0 (struct.new_default $holder)))

  ;; A tail call through a reference, with a reference as argument, deeper than any stack.
  (type $walker (func (param (ref null $box) i32) (result i32)))
  (func $walk (export "walk") (type $walker)
    (if (result i32) (local.get 1)
      (then
        (return_call_ref $walker
          (struct.new $box (i32.add (struct.get $box 0 (local.get 0)) (i32.const 2)))
          (i32.sub (local.get 1) (i32.const 1))
          (ref.func $walk)))
      (else (struct.get $box 0 (local.get 0)))))
  (func (export "walk-from") (param i32) (result i32)
    (return_call $walk (struct.new $box (i32.const 1)) (local.get 0))))

(assert_return (invoke "virtual" (i32.const 5)) (i32.const 140))
(assert_trap (invoke "wrong-receiver") "cast failure")
(assert_return (invoke "array" (i32.const 0) (i32.const 21)) (i32.const 42))
(assert_return (invoke "array" (i32.const 1) (i32.const 14)) (i32.const 42))
(assert_trap (invoke "array" (i32.const 2) (i32.const 14)) "null function reference")
(assert_trap (invoke "array" (i32.const 3) (i32.const 14)) "out of bounds array access")
(assert_return (invoke "holder-test") (i32.const 2))
(assert_return (invoke "holder") (ref.func))
(assert_return (invoke "holder-null") (ref.null func))
(assert_return (invoke "walk-from" (i32.const 30000)) (i32.const 60001))
(assert_trap (invoke "walk" (ref.null none) (i32.const 1)) "null structure reference")

;; Signatures that would be one after lowering are still told apart.
(module
  (type $s (struct (field i32)))
  (type $t (struct (field i64)))
  (type $of-s (func (param (ref null $s)) (result i32)))
  (type $of-t (func (param (ref null $t)) (result i32)))
  (type $of-i32 (func (param i32) (result i32)))
  (table $functions 3 funcref)
  (elem (table $functions) (i32.const 0) func $s $t $i)
  (func $s (type $of-s) (i32.const 1))
  (func $t (type $of-t) (i32.const 2))
  (func $i (type $of-i32) (i32.const 3))
  (func (export "as-s") (param i32) (result i32)
    (call_indirect $functions (type $of-s) (struct.new $s (i32.const 0)) (local.get 0)))
  (func (export "as-i32") (param i32) (result i32)
    (call_indirect $functions (type $of-i32) (i32.const 0) (local.get 0))))

(assert_return (invoke "as-s" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "as-s" (i32.const 1)) "indirect call type mismatch")
(assert_trap (invoke "as-s" (i32.const 2)) "indirect call type mismatch")
(assert_return (invoke "as-i32" (i32.const 2)) (i32.const 3))
(assert_trap (invoke "as-i32" (i32.const 0)) "indirect call type mismatch")
