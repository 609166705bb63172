;; Loops that count with signed numbers over an array: the check of an access goes where the comparison is as good as it,
;; and nowhere else.

(module
  (type $bytes (array (mut i8)))
  (func $make (param $len i32) (result (ref $bytes)) (array.new $bytes (i32.const 3) (local.get $len)))

  ;; Compared with the length: no access is out of bounds.
  (func (export "sum") (param $len i32) (result i32)
    (local $a (ref $bytes)) (local $i i32) (local $sum i32)
    (local.set $a (call $make (local.get $len)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $i) (array.len (local.get $a))))
        (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  ;; The same, but compared with something else.
  (func (export "up_to") (param $len i32) (param $limit i32) (result i32)
    (local $a (ref $bytes)) (local $i i32) (local $sum i32)
    (local.set $a (call $make (local.get $len)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $i) (local.get $limit)))
        (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  ;; It begins anywhere, also below zero.
  (func (export "from") (param $len i32) (param $i i32) (result i32)
    (local $a (ref $bytes)) (local $sum i32)
    (local.set $a (call $make (local.get $len)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $i) (array.len (local.get $a))))
        (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  ;; It goes down too, when it comes to $turn: then it is -1.
  (func (export "turns") (param $len i32) (param $turn i32) (result i32)
    (local $a (ref $bytes)) (local $i i32) (local $sum i32)
    (local.set $a (call $make (local.get $len)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $i) (array.len (local.get $a))))
        (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get $a) (local.get $i))))
        (if (i32.eq (local.get $i) (local.get $turn))
          (then (local.set $i (i32.sub (local.get $i) (i32.add (local.get $turn) (i32.const 1)))) (br $next)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  ;; It wraps around: by a step that is not 1, and by one that nothing has compared.
  (func (export "doubles") (param $len i32) (result i32)
    (local $a (ref $bytes)) (local $i i32) (local $turns i32)
    (local.set $a (call $make (local.get $len)))
    (local.set $i (i32.const 1))
    (loop $next
      (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
      (if (i32.lt_s (local.get $i) (array.len (local.get $a)))
        (then (drop (array.get_u $bytes (local.get $a) (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (local.get $i)))
      (br_if $next (i32.lt_s (local.get $turns) (i32.const 32))))
    (local.get $i))
  (func (export "wraps") (param $len i32) (result i32)
    (local $a (ref $bytes)) (local $i i32) (local $turns i32)
    (local.set $a (call $make (local.get $len)))
    (local.set $i (i32.const 0x7ffffff0))
    (loop $next
      (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
      (if (i32.lt_s (local.get $i) (array.len (local.get $a)))
        (then (drop (array.get_u $bytes (local.get $a) (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_s (local.get $turns) (i32.const 32))))
    (local.get $i))

  ;; The inner loop goes on where the outer one is.
  (func (export "nested") (param $len i32) (result i32)
    (local $a (ref $bytes)) (local $i i32) (local $j i32) (local $sum i32)
    (local.set $a (call $make (local.get $len)))
    (block $done
      (loop $outer
        (br_if $done (i32.ge_s (local.get $i) (array.len (local.get $a))))
        (local.set $j (local.get $i))
        (block $inner_done
          (loop $inner
            (br_if $inner_done (i32.le_s (array.len (local.get $a)) (local.get $j)))
            (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get $a) (local.get $j))))
            (local.set $j (i32.add (i32.const 1) (local.get $j)))
            (br $inner)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $outer)))
    (local.get $sum)))

(assert_return (invoke "sum" (i32.const 0)) (i32.const 0))
(assert_return (invoke "sum" (i32.const 10)) (i32.const 30))
(assert_return (invoke "up_to" (i32.const 10) (i32.const 10)) (i32.const 30))
(assert_return (invoke "up_to" (i32.const 10) (i32.const -1)) (i32.const 0))
(assert_trap (invoke "up_to" (i32.const 10) (i32.const 11)) "out of bounds array access")
(assert_return (invoke "from" (i32.const 10) (i32.const 8)) (i32.const 6))
(assert_trap (invoke "from" (i32.const 10) (i32.const -1)) "out of bounds array access")
(assert_trap (invoke "from" (i32.const 10) (i32.const 0x80000000)) "out of bounds array access")
(assert_return (invoke "turns" (i32.const 10) (i32.const 10)) (i32.const 30))
(assert_trap (invoke "turns" (i32.const 10) (i32.const 5)) "out of bounds array access")
(assert_trap (invoke "doubles" (i32.const 10)) "out of bounds array access")
(assert_trap (invoke "wraps" (i32.const 10)) "out of bounds array access")
(assert_return (invoke "nested" (i32.const 4)) (i32.const 30))
