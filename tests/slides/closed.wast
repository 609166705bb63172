;; A module that no reference enters knows all its RTTs: a test may then compare less (`bound_rtts` in
;; src/rtt/check/module.rs). What it answers must not change.

;; Nothing is below an RTT of $b: headers are compared, and still by the chain and not by the type.
(module
  (type $a (struct))
  (type $b (struct (field i32)))
  (func $test (param $o (ref null data)) (param $r (rtt $b)) (result i32) (ref.test (local.get $o) (local.get $r)))
  (func $canon (result (rtt $b)) (rtt.canon $b))
  (func $sub (result (rtt $b)) (rtt.sub $b (rtt.canon $a)))
  (func (export "lowest") (result i32 i32 i32 i32 i32)
    (call $test (struct.new_default_with_rtt $b (call $canon)) (call $canon))
    (call $test (struct.new_default_with_rtt $b (call $canon)) (call $sub))
    (call $test (struct.new_default_with_rtt $b (call $sub)) (call $sub))
    (call $test (struct.new_default_with_rtt $a (rtt.canon $a)) (call $sub))
    (call $test (ref.null data) (call $canon)))
  (func (export "cast") (param $which i32) (result i32)
    (struct.get $b 0
      (ref.cast
        (struct.new_with_rtt $b (i32.const 7)
          (if (result (rtt $b)) (local.get $which) (then (call $canon)) (else (call $sub))))
        (call $canon)))))
(assert_return (invoke "lowest") (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0))
(assert_return (invoke "cast" (i32.const 1)) (i32.const 7))
(assert_trap (invoke "cast" (i32.const 0)) "cast failure")

;; All RTTs of $b are at depth 1, and there are some below.
(module
  (type $a (struct))
  (type $b (struct (field i32)))
  (type $c (struct (field i32) (field i32)))
  (func $b (result (rtt $b)) (rtt.sub $b (rtt.canon $a)))
  (func $other (result (rtt $b)) (rtt.sub $b (rtt.canon $a')))
  (type $a' (struct (field i32)))
  (func $test (param $o (ref null data)) (param $r (rtt $b)) (result i32) (ref.test (local.get $o) (local.get $r)))
  (func (export "at_one_depth") (result i32 i32 i32 i32)
    (call $test (struct.new_default_with_rtt $b (call $b)) (call $b))
    (call $test (struct.new_default_with_rtt $c (rtt.sub $c (call $b))) (call $b))
    (call $test (struct.new_default_with_rtt $c (rtt.canon $c)) (call $b))
    (call $test (struct.new_default_with_rtt $b (call $b)) (call $other))))
(assert_return (invoke "at_one_depth") (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0))

;; RTTs of $b are at two depths: none of them may be taken for all.
(module
  (type $a (struct))
  (type $b (struct (field i32)))
  (type $c (struct (field i32) (field i32)))
  (func $deep (result (rtt $b)) (rtt.sub $b (rtt.sub $a (rtt.canon $a))))
  (func $flat (result (rtt $b)) (rtt.canon $b))
  (func $test (param $o (ref null data)) (param $r (rtt $b)) (result i32) (ref.test (local.get $o) (local.get $r)))
  (func (export "at_two_depths") (result i32 i32 i32 i32)
    (call $test (struct.new_default_with_rtt $c (rtt.sub $c (call $deep))) (call $deep))
    (call $test (struct.new_default_with_rtt $c (rtt.sub $c (call $flat))) (call $flat))
    (call $test (struct.new_default_with_rtt $c (rtt.sub $c (call $flat))) (call $deep))
    (call $test (struct.new_default_with_rtt $c (rtt.sub $c (call $deep))) (call $flat))))
(assert_return (invoke "at_two_depths") (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0))

;; Another module makes an RTT below, and an object of it comes in: this one is not closed.
(module $tests
  (type $b (struct (field i32)))
  (func (export "test") (param $o (ref null data)) (result i32) (ref.test (local.get $o) (rtt.canon $b))))
(register "tests" $tests)
(module
  (type $b (struct (field i32)))
  (type $c (struct (field i32) (field i32)))
  (import "tests" "test" (func $test (param (ref null data)) (result i32)))
  (func (export "from_outside") (result i32 i32)
    (call $test (struct.new_default_with_rtt $c (rtt.sub $c (rtt.canon $b))))
    (call $test (struct.new_default_with_rtt $c (rtt.canon $c)))))
(assert_return (invoke "from_outside") (i32.const 1) (i32.const 0))

;; Casts in an open module, where an RTT can be at any depth: in every display, behind the end of some, and deeper than
;; the object's own.
(module
  (type $a (struct (field i32)))
  (func (export "open") (param (ref null $a)))
  (func $deep (param $n i32) (param $r (rtt $a)) (result (rtt $a))
    (if (result (rtt $a)) (local.get $n)
      (then (call $deep (i32.sub (local.get $n) (i32.const 1)) (rtt.sub $a (local.get $r))))
      (else (local.get $r))))
  (func $object (param $n i32) (result (ref $a))
    (struct.new_with_rtt $a (local.get $n) (call $deep (local.get $n) (rtt.canon $a))))
  (func (export "cast") (param $object i32) (param $asked i32) (result i32)
    (struct.get $a 0 (ref.cast (call $object (local.get $object)) (call $deep (local.get $asked) (rtt.canon $a)))))
  (func (export "cast_any") (param $object i32) (param $asked i32) (result i32)
    (local $x (ref null any))
    (local.set $x (call $object (local.get $object)))
    (struct.get $a 0
      (ref.cast (ref.as_non_null (local.get $x)) (call $deep (local.get $asked) (rtt.canon $a)))))
  (func (export "cast_i31") (result i32)
    (local $x (ref null any))
    (local.set $x (ref.i31 (i32.const 1)))
    (struct.get $a 0 (ref.cast (ref.as_non_null (local.get $x)) (call $deep (i32.const 1) (rtt.canon $a))))))
(assert_return (invoke "cast" (i32.const 0) (i32.const 0)) (i32.const 0))
(assert_return (invoke "cast" (i32.const 3) (i32.const 2)) (i32.const 3))
(assert_return (invoke "cast" (i32.const 9) (i32.const 2)) (i32.const 9))
(assert_return (invoke "cast" (i32.const 9) (i32.const 9)) (i32.const 9))
(assert_return (invoke "cast" (i32.const 9) (i32.const 7)) (i32.const 9))
(assert_return (invoke "cast_any" (i32.const 9) (i32.const 7)) (i32.const 9))
(assert_trap (invoke "cast" (i32.const 2) (i32.const 3)) "cast failure")
(assert_trap (invoke "cast" (i32.const 2) (i32.const 9)) "cast failure")
(assert_trap (invoke "cast" (i32.const 7) (i32.const 9)) "cast failure")
(assert_trap (invoke "cast_any" (i32.const 7) (i32.const 9)) "cast failure")
(assert_trap (invoke "cast_i31") "cast failure")
