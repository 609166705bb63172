;; `array.fill` and `array.new` write every element of the range and none beside it, for each width of element and
;; every short range: a fill writes several elements at once where it can.

(module
  (type $box (struct (field i32)))
  (func $differ (param (ref null $box) (ref null $box)) (result i32) (i32.eqz (ref.eq (local.get 0) (local.get 1))))

  (type $a-i16 (array (mut i16)))
  ;; How many elements are not what they should be, over all ranges in an array of 40.
  (func (export "i16") (result i32)
    (local $a (ref $a-i16)) (local $v i32) (local $before i32)
    (local $start i32) (local $count i32) (local $i i32) (local $wrong i32)
    (local.set $v (i32.const 0x8765432a))
    (local.set $before (i32.const 1))
    (loop $starts
      (local.set $count (i32.const 0))
      (loop $counts
        (local.set $a (array.new $a-i16 (local.get $before) (i32.const 40)))
        (array.fill $a-i16 (local.get $a) (local.get $start) (local.get $v) (local.get $count))
        (local.set $i (i32.const 0))
        (loop $elements
          (local.set $wrong (i32.add (local.get $wrong)
            (if (result i32) (i32.lt_u (i32.sub (local.get $i) (local.get $start)) (local.get $count))
              (then (i32.ne (array.get_u $a-i16 (local.get $a) (local.get $i)) (i32.and (local.get $v) (i32.const 0xffff))))
              (else (i32.ne (array.get_u $a-i16 (local.get $a) (local.get $i)) (local.get $before))))))
          (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
        (br_if $counts
          (i32.le_u
            (i32.add (local.tee $count (i32.add (local.get $count) (i32.const 1))) (local.get $start))
            (i32.const 40))))
      (br_if $starts (i32.le_u (local.tee $start (i32.add (local.get $start) (i32.const 1))) (i32.const 40))))
    (local.get $wrong))

  (type $a-i8 (array (mut i8)))
  ;; How many elements are not what they should be, over all ranges in an array of 40.
  (func (export "i8") (result i32)
    (local $a (ref $a-i8)) (local $v i32) (local $before i32)
    (local $start i32) (local $count i32) (local $i i32) (local $wrong i32)
    (local.set $v (i32.const 0x8765432a))
    (local.set $before (i32.const 1))
    (loop $starts
      (local.set $count (i32.const 0))
      (loop $counts
        (local.set $a (array.new $a-i8 (local.get $before) (i32.const 40)))
        (array.fill $a-i8 (local.get $a) (local.get $start) (local.get $v) (local.get $count))
        (local.set $i (i32.const 0))
        (loop $elements
          (local.set $wrong (i32.add (local.get $wrong)
            (if (result i32) (i32.lt_u (i32.sub (local.get $i) (local.get $start)) (local.get $count))
              (then (i32.ne (array.get_u $a-i8 (local.get $a) (local.get $i)) (i32.and (local.get $v) (i32.const 0xff))))
              (else (i32.ne (array.get_u $a-i8 (local.get $a) (local.get $i)) (local.get $before))))))
          (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
        (br_if $counts
          (i32.le_u
            (i32.add (local.tee $count (i32.add (local.get $count) (i32.const 1))) (local.get $start))
            (i32.const 40))))
      (br_if $starts (i32.le_u (local.tee $start (i32.add (local.get $start) (i32.const 1))) (i32.const 40))))
    (local.get $wrong))

  (type $a-i32 (array (mut i32)))
  ;; How many elements are not what they should be, over all ranges in an array of 40.
  (func (export "i32") (result i32)
    (local $a (ref $a-i32)) (local $v i32) (local $before i32)
    (local $start i32) (local $count i32) (local $i i32) (local $wrong i32)
    (local.set $v (i32.const 0x8765432a))
    (local.set $before (i32.const 1))
    (loop $starts
      (local.set $count (i32.const 0))
      (loop $counts
        (local.set $a (array.new $a-i32 (local.get $before) (i32.const 40)))
        (array.fill $a-i32 (local.get $a) (local.get $start) (local.get $v) (local.get $count))
        (local.set $i (i32.const 0))
        (loop $elements
          (local.set $wrong (i32.add (local.get $wrong)
            (if (result i32) (i32.lt_u (i32.sub (local.get $i) (local.get $start)) (local.get $count))
              (then (i32.ne (array.get $a-i32 (local.get $a) (local.get $i)) (local.get $v)))
              (else (i32.ne (array.get $a-i32 (local.get $a) (local.get $i)) (local.get $before))))))
          (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
        (br_if $counts
          (i32.le_u
            (i32.add (local.tee $count (i32.add (local.get $count) (i32.const 1))) (local.get $start))
            (i32.const 40))))
      (br_if $starts (i32.le_u (local.tee $start (i32.add (local.get $start) (i32.const 1))) (i32.const 40))))
    (local.get $wrong))

  (type $a-i64 (array (mut i64)))
  ;; How many elements are not what they should be, over all ranges in an array of 40.
  (func (export "i64") (result i32)
    (local $a (ref $a-i64)) (local $v i64) (local $before i64)
    (local $start i32) (local $count i32) (local $i i32) (local $wrong i32)
    (local.set $v (i64.const 0x8765432a12345678))
    (local.set $before (i64.const 1))
    (loop $starts
      (local.set $count (i32.const 0))
      (loop $counts
        (local.set $a (array.new $a-i64 (local.get $before) (i32.const 40)))
        (array.fill $a-i64 (local.get $a) (local.get $start) (local.get $v) (local.get $count))
        (local.set $i (i32.const 0))
        (loop $elements
          (local.set $wrong (i32.add (local.get $wrong)
            (if (result i32) (i32.lt_u (i32.sub (local.get $i) (local.get $start)) (local.get $count))
              (then (i64.ne (array.get $a-i64 (local.get $a) (local.get $i)) (local.get $v)))
              (else (i64.ne (array.get $a-i64 (local.get $a) (local.get $i)) (local.get $before))))))
          (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
        (br_if $counts
          (i32.le_u
            (i32.add (local.tee $count (i32.add (local.get $count) (i32.const 1))) (local.get $start))
            (i32.const 40))))
      (br_if $starts (i32.le_u (local.tee $start (i32.add (local.get $start) (i32.const 1))) (i32.const 40))))
    (local.get $wrong))

  (type $a-f32 (array (mut f32)))
  ;; How many elements are not what they should be, over all ranges in an array of 40.
  (func (export "f32") (result i32)
    (local $a (ref $a-f32)) (local $v f32) (local $before f32)
    (local $start i32) (local $count i32) (local $i i32) (local $wrong i32)
    (local.set $v (f32.const -3.75))
    (local.set $before (f32.const 1))
    (loop $starts
      (local.set $count (i32.const 0))
      (loop $counts
        (local.set $a (array.new $a-f32 (local.get $before) (i32.const 40)))
        (array.fill $a-f32 (local.get $a) (local.get $start) (local.get $v) (local.get $count))
        (local.set $i (i32.const 0))
        (loop $elements
          (local.set $wrong (i32.add (local.get $wrong)
            (if (result i32) (i32.lt_u (i32.sub (local.get $i) (local.get $start)) (local.get $count))
              (then (f32.ne (array.get $a-f32 (local.get $a) (local.get $i)) (local.get $v)))
              (else (f32.ne (array.get $a-f32 (local.get $a) (local.get $i)) (local.get $before))))))
          (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
        (br_if $counts
          (i32.le_u
            (i32.add (local.tee $count (i32.add (local.get $count) (i32.const 1))) (local.get $start))
            (i32.const 40))))
      (br_if $starts (i32.le_u (local.tee $start (i32.add (local.get $start) (i32.const 1))) (i32.const 40))))
    (local.get $wrong))

  (type $a-f64 (array (mut f64)))
  ;; How many elements are not what they should be, over all ranges in an array of 40.
  (func (export "f64") (result i32)
    (local $a (ref $a-f64)) (local $v f64) (local $before f64)
    (local $start i32) (local $count i32) (local $i i32) (local $wrong i32)
    (local.set $v (f64.const -3.7500000001))
    (local.set $before (f64.const 1))
    (loop $starts
      (local.set $count (i32.const 0))
      (loop $counts
        (local.set $a (array.new $a-f64 (local.get $before) (i32.const 40)))
        (array.fill $a-f64 (local.get $a) (local.get $start) (local.get $v) (local.get $count))
        (local.set $i (i32.const 0))
        (loop $elements
          (local.set $wrong (i32.add (local.get $wrong)
            (if (result i32) (i32.lt_u (i32.sub (local.get $i) (local.get $start)) (local.get $count))
              (then (f64.ne (array.get $a-f64 (local.get $a) (local.get $i)) (local.get $v)))
              (else (f64.ne (array.get $a-f64 (local.get $a) (local.get $i)) (local.get $before))))))
          (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
        (br_if $counts
          (i32.le_u
            (i32.add (local.tee $count (i32.add (local.get $count) (i32.const 1))) (local.get $start))
            (i32.const 40))))
      (br_if $starts (i32.le_u (local.tee $start (i32.add (local.get $start) (i32.const 1))) (i32.const 40))))
    (local.get $wrong))

  (type $a-ref (array (mut (ref null $box))))
  ;; How many elements are not what they should be, over all ranges in an array of 40.
  (func (export "ref") (result i32)
    (local $a (ref $a-ref)) (local $v (ref null $box)) (local $before (ref null $box))
    (local $start i32) (local $count i32) (local $i i32) (local $wrong i32)
    (local.set $v (struct.new $box (i32.const 7)))
    (local.set $before (struct.new $box (i32.const 8)))
    (loop $starts
      (local.set $count (i32.const 0))
      (loop $counts
        (local.set $a (array.new $a-ref (local.get $before) (i32.const 40)))
        (array.fill $a-ref (local.get $a) (local.get $start) (local.get $v) (local.get $count))
        (local.set $i (i32.const 0))
        (loop $elements
          (local.set $wrong (i32.add (local.get $wrong)
            (if (result i32) (i32.lt_u (i32.sub (local.get $i) (local.get $start)) (local.get $count))
              (then (call $differ (array.get $a-ref (local.get $a) (local.get $i)) (local.get $v)))
              (else (call $differ (array.get $a-ref (local.get $a) (local.get $i)) (local.get $before))))))
          (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
        (br_if $counts
          (i32.le_u
            (i32.add (local.tee $count (i32.add (local.get $count) (i32.const 1))) (local.get $start))
            (i32.const 40))))
      (br_if $starts (i32.le_u (local.tee $start (i32.add (local.get $start) (i32.const 1))) (i32.const 40))))
    (local.get $wrong))

  ;; The bytes of an `array.new` of any length end before the next object.
  (func (export "new") (result i32)
    (local $a (ref $a-i16)) (local $next (ref $box)) (local $n i32) (local $i i32) (local $wrong i32)
    (loop $lengths
      (local.set $a (array.new $a-i16 (i32.const 0x1234) (local.get $n)))
      (local.set $next (struct.new $box (local.get $n)))
      (array.fill $a-i16 (local.get $a) (i32.const 0) (i32.const 0x4321) (local.get $n))
      (local.set $i (i32.const 0))
      (block $done
        (loop $elements
          (br_if $done (i32.eq (local.get $i) (local.get $n)))
          (local.set $wrong (i32.add (local.get $wrong)
            (i32.ne (array.get_u $a-i16 (local.get $a) (local.get $i)) (i32.const 0x4321))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $elements)))
      (local.set $wrong (i32.add (local.get $wrong)
        (i32.ne (struct.get $box 0 (local.get $next)) (local.get $n))))
      (br_if $lengths (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 70))))
    (local.get $wrong))

  (table $t 9 (ref null $box))
  (table $none 0 (ref null $box))
  (func (export "table") (result i32)
    (local $box (ref $box)) (local $i i32) (local $found i32)
    (local.set $box (struct.new $box (i32.const 3)))
    (table.fill $none (i32.const 0) (local.get $box) (i32.const 0))
    (table.fill $t (i32.const 1) (local.get $box) (i32.const 7))
    (loop $elements
      (local.set $found (i32.or (i32.shl (local.get $found) (i32.const 1))
        (ref.eq (table.get $t (local.get $i)) (local.get $box))))
      (br_if $elements (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9))))
    (local.get $found))

  (func (export "too-long") (param i32 i32)
    (array.fill $a-i32 (array.new $a-i32 (i32.const 5) (i32.const 6)) (local.get 0) (i32.const 9) (local.get 1)))
)

(assert_return (invoke "i16") (i32.const 0))
(assert_return (invoke "i8") (i32.const 0))
(assert_return (invoke "i32") (i32.const 0))
(assert_return (invoke "i64") (i32.const 0))
(assert_return (invoke "f32") (i32.const 0))
(assert_return (invoke "f64") (i32.const 0))
(assert_return (invoke "ref") (i32.const 0))
(assert_return (invoke "new") (i32.const 0))
(assert_return (invoke "table") (i32.const 0xfe))
(assert_return (invoke "too-long" (i32.const 6) (i32.const 0)))
(assert_trap (invoke "too-long" (i32.const 7) (i32.const 0)) "out of bounds array access")
(assert_trap (invoke "too-long" (i32.const 3) (i32.const 4)) "out of bounds array access")
(assert_trap (invoke "too-long" (i32.const 4) (i32.const -1)) "out of bounds array access")
