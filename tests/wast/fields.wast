;; Fields and elements of every type keep their values next to one another, in supertypes and subtypes,
;; and through collections.

(module
  (type $base (sub (struct (field $a (mut i8)) (field $b (mut i64)) (field $c (mut i16)))))
  (type $more (sub $base (struct
    (field $a (mut i8)) (field $b (mut i64)) (field $c (mut i16))
    (field $d (mut f32)) (field $e (mut v128)) (field $f (mut i8)) (field $g (mut f64)) (field $h (mut anyref)))))
  (type $v128s (array (mut v128)))
  (type $i16s (array (mut i16)))
  (type $f64s (array (mut f64)))

  (func $make (result (ref $more))
    (struct.new $more
      (i32.const 0x181) (i64.const 0x1122334455667788) (i32.const 0x18001) (f32.const 1.25)
      (v128.const i32x4 1 2 3 4) (i32.const -1) (f64.const -0.5) (ref.i31 (i32.const 77))))

  (func (export "a-s") (result i32) (struct.get_s $base $a (call $make)))
  (func (export "a-u") (result i32) (struct.get_u $base $a (call $make)))
  (func (export "b") (result i64) (struct.get $base $b (call $make)))
  (func (export "c-s") (result i32) (struct.get_s $base $c (call $make)))
  (func (export "c-u") (result i32) (struct.get_u $base $c (call $make)))
  (func (export "d") (result f32) (struct.get $more $d (call $make)))
  (func (export "e") (result v128) (struct.get $more $e (call $make)))
  (func (export "f") (result i32) (struct.get_s $more $f (call $make)))
  (func (export "g") (result f64) (struct.get $more $g (call $make)))
  (func (export "h") (result i32) (i31.get_u (ref.cast (ref i31) (struct.get $more $h (call $make)))))

  ;; Writing one field leaves its neighbours alone.
  (func (export "neighbours") (result i32 i64 i32 f32 v128 i32 f64)
    (local $m (ref $more))
    (local.set $m (call $make))
    (struct.set $base $a (local.get $m) (i32.const 0))
    (struct.set $base $c (local.get $m) (i32.const 5))
    (struct.set $more $f (local.get $m) (i32.const 6))
    (struct.set $more $h (local.get $m) (call $make))
    (struct.get_u $more $a (local.get $m))
    (struct.get $more $b (local.get $m))
    (struct.get_u $more $c (local.get $m))
    (struct.get $more $d (local.get $m))
    (struct.get $more $e (local.get $m))
    (struct.get_u $more $f (local.get $m))
    (struct.get $more $g (local.get $m)))

  (func (export "defaults") (result i32 i64 v128 f64 anyref)
    (local $m (ref $more))
    (local.set $m (struct.new_default $more))
    (struct.get_u $more $a (local.get $m))
    (struct.get $more $b (local.get $m))
    (struct.get $more $e (local.get $m))
    (struct.get $more $g (local.get $m))
    (struct.get $more $h (local.get $m)))

  (func (export "v128s") (param i32) (result v128)
    (array.get $v128s
      (array.new_fixed $v128s 2 (v128.const i64x2 1 2) (v128.const i64x2 3 4)) (local.get 0)))
  (func (export "i16s") (param i32) (result i32)
    (local $a (ref $i16s))
    (local.set $a (array.new $i16s (i32.const 0xfffe) (i32.const 3)))
    (array.set $i16s (local.get $a) (i32.const 1) (i32.const 0x12345))
    (array.get_s $i16s (local.get $a) (local.get 0)))

  ;; Larger than any nursery.
  (func (export "large") (param $n i32) (result f64)
    (local $a (ref $f64s))
    (local.set $a (array.new $f64s (f64.const 0.5) (local.get $n)))
    (drop (call $make))
    (array.set $f64s (local.get $a) (i32.const 0) (f64.const 2))
    (drop (array.new_default $f64s (local.get $n)))
    (f64.add
      (array.get $f64s (local.get $a) (i32.const 0))
      (array.get $f64s (local.get $a) (i32.sub (array.len (local.get $a)) (i32.const 1)))))
  (func (export "too-large") (drop (array.new_default $v128s (i32.const 0x10000000))))
  (func (export "overflow") (drop (array.new_default $v128s (i32.const -1)))))

(assert_return (invoke "a-s") (i32.const -127))
(assert_return (invoke "a-u") (i32.const 129))
(assert_return (invoke "b") (i64.const 0x1122334455667788))
(assert_return (invoke "c-s") (i32.const -32767))
(assert_return (invoke "c-u") (i32.const 32769))
(assert_return (invoke "d") (f32.const 1.25))
(assert_return (invoke "e") (v128.const i32x4 1 2 3 4))
(assert_return (invoke "f") (i32.const -1))
(assert_return (invoke "g") (f64.const -0.5))
(assert_return (invoke "h") (i32.const 77))
(assert_return (invoke "neighbours")
  (i32.const 0) (i64.const 0x1122334455667788) (i32.const 5) (f32.const 1.25) (v128.const i32x4 1 2 3 4)
  (i32.const 6) (f64.const -0.5))
(assert_return (invoke "defaults")
  (i32.const 0) (i64.const 0) (v128.const i32x4 0 0 0 0) (f64.const 0) (ref.null any))
(assert_return (invoke "v128s" (i32.const 1)) (v128.const i64x2 3 4))
(assert_return (invoke "i16s" (i32.const 0)) (i32.const -2))
(assert_return (invoke "i16s" (i32.const 1)) (i32.const 0x2345))
(assert_return (invoke "i16s" (i32.const 2)) (i32.const -2))
(assert_return (invoke "large" (i32.const 1000000)) (f64.const 2.5))
(assert_trap (invoke "too-large") "allocation size too large")
(assert_trap (invoke "overflow") "allocation size too large")
;; The store is none the worse for it.
(assert_return (invoke "large" (i32.const 1000)) (f64.const 2.5))

;; Code generators sink a load into the instruction that uses it, whose place is then where the trap
;; seems to be. It is still that of the load.
(module
  (type $box (struct (field i32)))
  (type $boxes (struct (field i64) (field (ref null $box))))
  (func $field (param (ref null $box)) (result i32) (struct.get $box 0 (local.get 0)))
  (func (export "add") (param i32) (result i32)
    (local $b (ref null $box))
    (i32.add (struct.get $box 0 (local.get $b)) (local.get 0)))
  (func (export "compare") (param i32) (result i32)
    (if (result i32) (i32.lt_u (call $field (ref.null $box)) (local.get 0)) (then (i32.const 1)) (else (i32.const 0))))
  (func (export "second") (result i32)
    (i32.xor (i32.const 7)
      (struct.get $box 0 (struct.get $boxes 1 (struct.new $boxes (i64.const 3) (ref.null $box)))))))
(assert_trap (invoke "add" (i32.const 1)) "null structure reference")
(assert_trap (invoke "compare" (i32.const 1)) "null structure reference")
(assert_trap (invoke "second") "null structure reference")

;; An access out of the bounds of a memory of the module's own is no null reference.
(module
  (type $box (struct (field i32)))
  (memory 1)
  (func (export "memory") (param i32) (result i32)
    (i32.add
      (struct.get $box 0 (struct.new $box (i32.const 1)))
      (i32.load offset=7 (local.get 0)))))
(assert_trap (invoke "memory" (i32.const -1)) "out of bounds memory access")
