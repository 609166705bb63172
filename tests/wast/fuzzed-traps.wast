;; Found by running modules on the engine's own collector, too: traps had another name.

;; Cranelift makes the load of a field an operand of the instruction that uses it. The fault of the load
;; is found there, where no trap was expected, or another one.
(module
  (type $s (struct (field (mut i32)) (field (mut i64)) (field i32)))
  (type $a (array i32))
  (memory 1)
  (func (export "and") (param (ref null $s)) (result i64)
    (i64.load (i32.and (struct.get $s 2 (local.get 0)) (i32.const 0xFFF8))))
  (func (export "and-null") (result i64)
    (i64.load (i32.and (struct.get $s 2 (ref.null $s)) (i32.const 0xFFF8))))
  (func (export "if-null") (param $s (ref null $s)) (result i32)
    (if (result i32) (i32.lt_u (struct.get $s 2 (local.get $s)) (i32.const 3))
      (then (unreachable)) (else (i32.const 1))))
  (func (export "index") (param $a (ref null $a)) (result i32)
    (array.get $a (local.get $a) (i32.const 3)))
  (func (export "length") (param $a (ref null $a)) (result i32)
    (i32.add (i32.const 1) (array.len (local.get $a))))
)
(assert_trap (invoke "and" (ref.null none)) "null reference")
(assert_trap (invoke "and-null") "null reference")
(assert_trap (invoke "if-null" (ref.null none)) "null reference")
(assert_trap (invoke "index" (ref.null none)) "null reference")
(assert_trap (invoke "length" (ref.null none)) "null reference")

;; ... or becomes the address of the next load, and its fault has the place of that one: the null under a
;; cast is none that the cast has found.
(module
  (type $s (sub (struct (field (ref null $s)) (field i32))))
  (type $t (sub $s (struct (field (ref null $s)) (field i32) (field i64))))
  (memory 1)
  (func (export "cast") (param (ref null $s)) (result i32)
    (struct.get $t 1 (ref.cast (ref $t) (local.get 0))))
  (func (export "cast-of-field") (param (ref null $s)) (result i32)
    (struct.get $t 1 (ref.cast (ref $t) (struct.get $s 0 (local.get 0)))))
  (func (export "null-in-field") (result i32)
    (struct.get $t 1 (ref.cast (ref $t) (struct.get $s 0 (struct.new_default $s)))))
  (func (export "address") (param (ref null $s)) (result i32)
    (i32.load (struct.get $s 1 (local.get 0))))
  (func (export "address-of-memory") (param (ref null $s)) (result i32)
    (i32.load (struct.get $s 1 (struct.new $s (local.get 0) (i32.const -100)))))
)
(assert_trap (invoke "cast" (ref.null none)) "cast failure")
(assert_trap (invoke "cast-of-field" (ref.null none)) "null reference")
(assert_trap (invoke "null-in-field") "cast failure")
(assert_trap (invoke "address" (ref.null none)) "null reference")
(assert_trap (invoke "address-of-memory" (ref.null none)) "out of bounds memory access")

;; An access through a constant null: the engine knows the address of the load, moves it out of the loop, and the fault
;; then has no place in the module, so that it was an access out of bounds of nobody knew which memory. Found by the
;; differential harness.
(module
  (type $t (struct (field f64) (field i32)))
  (memory 1)
  (func $tick (result i32) (i32.const 0))
  (func (export "run") (param i32) (result i64)
    (local i64)
    (block $x
      (loop $outer
        (block $b
          (loop $l
            (local.set 1 (i64.load (i32.and (struct.get $t 1 (ref.null $t)) (i32.const 0xFFF8))))
            (br_if $l
              (if (result i32) (i32.gt_s (call $tick) (i32.const 0))
                (then (struct.get $t 1 (ref.null $t)))
                (else (i32.const 0))))))
        (br_if $outer (local.get 0))))
    (local.get 1)))
(assert_trap (invoke "run" (i32.const 1)) "null structure reference")

;; ... or the user is a sum behind a loop, which has no place at all in the code that the engine makes.
(module
  (type $s (struct (field (mut i64))))
  (table $t 4 funcref)
  (global $ticks (mut i32) (i32.const 0))
  (global $g (mut i64) (i64.const 0))
  (func $tick (result i32)
    (global.set $ticks (i32.sub (global.get $ticks) (i32.const 1)))
    (global.get $ticks))
  (func (export "sum") (local $null (ref null $s))
    (table.copy (i32.const 0) (i32.const 0) (i32.const 4))
    (global.set $g
      (i64.add
        (i64.const 16)
        (struct.get $s 0
          (struct.new $s (i64.const 1))
          (loop $l (param (ref null $s)) (result (ref null $s))
            (drop)
            (local.get $null)
            (br_if $l (i32.gt_s (call $tick) (i32.const 0)))))))))
(assert_trap (invoke "sum") "null reference")
