;; Copies and fills of few bytes have code of their own, by length: every length from none to more than that code does, at
;; distances where the ranges overlap, against element by element.

(module
  (type $i8 (array (mut i8)))
  (func $same-i8 (param $a (ref $i8)) (param $b (ref $i8)) (result i32)
    (local $i i32)
    (loop $next
      (if (i32.ne (array.get_u $i8 (local.get $a) (local.get $i)) (array.get_u $i8 (local.get $b) (local.get $i)))
        (then (return (i32.const 0))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $a)))))
    (i32.const 1))
  (func $ramp-i8 (result (ref $i8))
    (local $a (ref $i8)) (local $i i32)
    (local.set $a (array.new_default $i8 (i32.const 96)))
    (loop $next
      (array.set $i8 (local.get $a) (local.get $i) (i32.add (i32.mul (local.get $i) (i32.const 7)) (i32.const 3)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 96))))
    (local.get $a))
  ;; Element by element, by way of another array.
  (func $slowly-i8 (param $a (ref $i8)) (param $to i32) (param $from i32) (param $len i32)
    (local $b (ref $i8)) (local $i i32)
    (local.set $b (call $ramp-i8))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
        (array.set $i8 (local.get $a) (i32.add (local.get $to) (local.get $i))
          (array.get_u $i8 (local.get $b) (i32.add (local.get $from) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))
  ;; How many of the copies within an array, of all lengths up to 72 and at distances of -9 to 9, go wrong.
  (func (export "copy-i8") (result i32)
    (local $len i32) (local $to i32) (local $a (ref $i8)) (local $b (ref $i8)) (local $wrong i32)
    (loop $lengths
      (local.set $to (i32.const 0))
      (loop $places
        (local.set $a (call $ramp-i8))
        (local.set $b (call $ramp-i8))
        (array.copy $i8 $i8 (local.get $a) (local.get $to) (local.get $a) (i32.const 9) (local.get $len))
        (call $slowly-i8 (local.get $b) (local.get $to) (i32.const 9) (local.get $len))
        (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i8 (local.get $a) (local.get $b)))))
        (br_if $places (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 1))) (i32.const 19))))
      (br_if $lengths (i32.le_u (local.tee $len (i32.add (local.get $len) (i32.const 1))) (i32.const 72))))
    (local.get $wrong))
  ;; The same of fills, with a value whose bytes are the same and one whose bytes differ, and of new arrays.
  (func (export "fill-i8") (param $value i32) (result i32)
    (local $len i32) (local $i i32) (local $a (ref $i8)) (local $b (ref $i8)) (local $wrong i32)
    (loop $lengths
      (local.set $a (call $ramp-i8))
      (local.set $b (call $ramp-i8))
      (array.fill $i8 (local.get $a) (i32.const 5) (local.get $value) (local.get $len))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (array.set $i8 (local.get $b) (i32.add (local.get $i) (i32.const 5)) (local.get $value))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i8 (local.get $a) (local.get $b)))))
      (local.set $a (call $ramp-i8))
      (local.set $b (call $ramp-i8))
      (array.fill $i8 (local.get $a) (i32.const 5) (i32.const 0x55) (local.get $len))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (array.set $i8 (local.get $b) (i32.add (local.get $i) (i32.const 5)) (i32.const 0x55))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i8 (local.get $a) (local.get $b)))))
      (local.set $a (array.new_default $i8 (local.get $len)))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (local.set $wrong
            (i32.add (local.get $wrong) (i32.ne (array.get_u $i8 (local.get $a) (local.get $i)) (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (br_if $lengths (i32.le_u (local.tee $len (i32.add (local.get $len) (i32.const 1))) (i32.const 72))))
    (local.get $wrong))

  (type $i16 (array (mut i16)))
  (func $same-i16 (param $a (ref $i16)) (param $b (ref $i16)) (result i32)
    (local $i i32)
    (loop $next
      (if (i32.ne (array.get_u $i16 (local.get $a) (local.get $i)) (array.get_u $i16 (local.get $b) (local.get $i)))
        (then (return (i32.const 0))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $a)))))
    (i32.const 1))
  (func $ramp-i16 (result (ref $i16))
    (local $a (ref $i16)) (local $i i32)
    (local.set $a (array.new_default $i16 (i32.const 96)))
    (loop $next
      (array.set $i16 (local.get $a) (local.get $i) (i32.add (i32.mul (local.get $i) (i32.const 7)) (i32.const 3)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 96))))
    (local.get $a))
  ;; Element by element, by way of another array.
  (func $slowly-i16 (param $a (ref $i16)) (param $to i32) (param $from i32) (param $len i32)
    (local $b (ref $i16)) (local $i i32)
    (local.set $b (call $ramp-i16))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
        (array.set $i16 (local.get $a) (i32.add (local.get $to) (local.get $i))
          (array.get_u $i16 (local.get $b) (i32.add (local.get $from) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))
  ;; How many of the copies within an array, of all lengths up to 72 and at distances of -9 to 9, go wrong.
  (func (export "copy-i16") (result i32)
    (local $len i32) (local $to i32) (local $a (ref $i16)) (local $b (ref $i16)) (local $wrong i32)
    (loop $lengths
      (local.set $to (i32.const 0))
      (loop $places
        (local.set $a (call $ramp-i16))
        (local.set $b (call $ramp-i16))
        (array.copy $i16 $i16 (local.get $a) (local.get $to) (local.get $a) (i32.const 9) (local.get $len))
        (call $slowly-i16 (local.get $b) (local.get $to) (i32.const 9) (local.get $len))
        (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i16 (local.get $a) (local.get $b)))))
        (br_if $places (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 1))) (i32.const 19))))
      (br_if $lengths (i32.le_u (local.tee $len (i32.add (local.get $len) (i32.const 1))) (i32.const 72))))
    (local.get $wrong))
  ;; The same of fills, with a value whose bytes are the same and one whose bytes differ, and of new arrays.
  (func (export "fill-i16") (param $value i32) (result i32)
    (local $len i32) (local $i i32) (local $a (ref $i16)) (local $b (ref $i16)) (local $wrong i32)
    (loop $lengths
      (local.set $a (call $ramp-i16))
      (local.set $b (call $ramp-i16))
      (array.fill $i16 (local.get $a) (i32.const 5) (local.get $value) (local.get $len))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (array.set $i16 (local.get $b) (i32.add (local.get $i) (i32.const 5)) (local.get $value))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i16 (local.get $a) (local.get $b)))))
      (local.set $a (call $ramp-i16))
      (local.set $b (call $ramp-i16))
      (array.fill $i16 (local.get $a) (i32.const 5) (i32.const 0x5555) (local.get $len))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (array.set $i16 (local.get $b) (i32.add (local.get $i) (i32.const 5)) (i32.const 0x5555))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i16 (local.get $a) (local.get $b)))))
      (local.set $a (array.new_default $i16 (local.get $len)))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (local.set $wrong
            (i32.add (local.get $wrong) (i32.ne (array.get_u $i16 (local.get $a) (local.get $i)) (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (br_if $lengths (i32.le_u (local.tee $len (i32.add (local.get $len) (i32.const 1))) (i32.const 72))))
    (local.get $wrong))

  (type $i32 (array (mut i32)))
  (func $same-i32 (param $a (ref $i32)) (param $b (ref $i32)) (result i32)
    (local $i i32)
    (loop $next
      (if (i32.ne (array.get $i32 (local.get $a) (local.get $i)) (array.get $i32 (local.get $b) (local.get $i)))
        (then (return (i32.const 0))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $a)))))
    (i32.const 1))
  (func $ramp-i32 (result (ref $i32))
    (local $a (ref $i32)) (local $i i32)
    (local.set $a (array.new_default $i32 (i32.const 96)))
    (loop $next
      (array.set $i32 (local.get $a) (local.get $i) (i32.add (i32.mul (local.get $i) (i32.const 7)) (i32.const 3)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 96))))
    (local.get $a))
  ;; Element by element, by way of another array.
  (func $slowly-i32 (param $a (ref $i32)) (param $to i32) (param $from i32) (param $len i32)
    (local $b (ref $i32)) (local $i i32)
    (local.set $b (call $ramp-i32))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
        (array.set $i32 (local.get $a) (i32.add (local.get $to) (local.get $i))
          (array.get $i32 (local.get $b) (i32.add (local.get $from) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))
  ;; How many of the copies within an array, of all lengths up to 72 and at distances of -9 to 9, go wrong.
  (func (export "copy-i32") (result i32)
    (local $len i32) (local $to i32) (local $a (ref $i32)) (local $b (ref $i32)) (local $wrong i32)
    (loop $lengths
      (local.set $to (i32.const 0))
      (loop $places
        (local.set $a (call $ramp-i32))
        (local.set $b (call $ramp-i32))
        (array.copy $i32 $i32 (local.get $a) (local.get $to) (local.get $a) (i32.const 9) (local.get $len))
        (call $slowly-i32 (local.get $b) (local.get $to) (i32.const 9) (local.get $len))
        (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i32 (local.get $a) (local.get $b)))))
        (br_if $places (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 1))) (i32.const 19))))
      (br_if $lengths (i32.le_u (local.tee $len (i32.add (local.get $len) (i32.const 1))) (i32.const 72))))
    (local.get $wrong))
  ;; The same of fills, with a value whose bytes are the same and one whose bytes differ, and of new arrays.
  (func (export "fill-i32") (param $value i32) (result i32)
    (local $len i32) (local $i i32) (local $a (ref $i32)) (local $b (ref $i32)) (local $wrong i32)
    (loop $lengths
      (local.set $a (call $ramp-i32))
      (local.set $b (call $ramp-i32))
      (array.fill $i32 (local.get $a) (i32.const 5) (local.get $value) (local.get $len))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (array.set $i32 (local.get $b) (i32.add (local.get $i) (i32.const 5)) (local.get $value))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i32 (local.get $a) (local.get $b)))))
      (local.set $a (call $ramp-i32))
      (local.set $b (call $ramp-i32))
      (array.fill $i32 (local.get $a) (i32.const 5) (i32.const 0x55555555) (local.get $len))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (array.set $i32 (local.get $b) (i32.add (local.get $i) (i32.const 5)) (i32.const 0x55555555))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (local.set $wrong (i32.add (local.get $wrong) (i32.eqz (call $same-i32 (local.get $a) (local.get $b)))))
      (local.set $a (array.new_default $i32 (local.get $len)))
      (local.set $i (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $len)))
          (local.set $wrong
            (i32.add (local.get $wrong) (i32.ne (array.get $i32 (local.get $a) (local.get $i)) (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (br_if $lengths (i32.le_u (local.tee $len (i32.add (local.get $len) (i32.const 1))) (i32.const 72))))
    (local.get $wrong))

  ;; References: what is young is found where it was copied to.
  (type $box (struct (field i32)))
  (type $refs (array (mut (ref null $box))))
  (global $old (mut (ref null $refs)) (ref.null $refs))
  (func (export "references") (param $len i32) (result i32)
    (local $a (ref $refs)) (local $i i32) (local $sum i32)
    (if (ref.is_null (global.get $old)) (then (global.set $old (array.new_default $refs (i32.const 64)))))
    (local.set $a (array.new_default $refs (local.get $len)))
    (loop $next
      (array.set $refs (local.get $a) (local.get $i) (struct.new $box (i32.add (local.get $i) (i32.const 1))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
    (array.fill $refs (ref.as_non_null (global.get $old)) (i32.const 0) (ref.null $box) (i32.const 64))
    (array.copy $refs $refs (ref.as_non_null (global.get $old)) (i32.const 3) (local.get $a) (i32.const 0) (local.get $len))
    (local.set $i (i32.const 0))
    (loop $next
      (drop (struct.new $box (local.get $i)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))
    (local.set $i (i32.const 0))
    (loop $next
      (if (i32.eqz (ref.is_null (array.get $refs (global.get $old) (local.get $i))))
        (then (local.set $sum (i32.add (local.get $sum)
          (struct.get $box 0 (array.get $refs (global.get $old) (local.get $i)))))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 64))))
    (local.get $sum)))

(assert_return (invoke "copy-i8") (i32.const 0))
(assert_return (invoke "fill-i8" (i32.const 0x1234567)) (i32.const 0))
(assert_return (invoke "fill-i8" (i32.const -1)) (i32.const 0))
(assert_return (invoke "copy-i16") (i32.const 0))
(assert_return (invoke "fill-i16" (i32.const 0x1234567)) (i32.const 0))
(assert_return (invoke "fill-i16" (i32.const -1)) (i32.const 0))
(assert_return (invoke "copy-i32") (i32.const 0))
(assert_return (invoke "fill-i32" (i32.const 0x1234567)) (i32.const 0))
(assert_return (invoke "fill-i32" (i32.const -1)) (i32.const 0))
(assert_return (invoke "references" (i32.const 1)) (i32.const 1))
(assert_return (invoke "references" (i32.const 2)) (i32.const 3))
(assert_return (invoke "references" (i32.const 3)) (i32.const 6))
(assert_return (invoke "references" (i32.const 4)) (i32.const 10))
(assert_return (invoke "references" (i32.const 5)) (i32.const 15))
(assert_return (invoke "references" (i32.const 8)) (i32.const 36))
(assert_return (invoke "references" (i32.const 9)) (i32.const 45))
(assert_return (invoke "references" (i32.const 33)) (i32.const 561))
