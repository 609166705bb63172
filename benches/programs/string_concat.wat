;; Concatenation of byte strings: a number is appended to a text that grows to 64 bytes and starts anew.
;;
;;   run (n)  n concatenations
(module
  (type $string (array (mut i8)))

  (func $concat (param $a (ref $string)) (param $b (ref $string)) (result (ref $string))
    (local $both (ref $string))
    (local.set $both
      (array.new_default $string (i32.add (array.len (local.get $a)) (array.len (local.get $b)))))
    (array.copy $string $string
      (local.get $both) (i32.const 0)
      (local.get $a) (i32.const 0) (array.len (local.get $a)))
    (array.copy $string $string
      (local.get $both) (array.len (local.get $a))
      (local.get $b) (i32.const 0) (array.len (local.get $b)))
    (local.get $both))

  ;; Four digits of a number.
  (func $digits (param $n i32) (result (ref $string))
    (array.new_fixed $string 4
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 1000)) (i32.const 10)))
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 100)) (i32.const 10)))
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10)))
      (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))

  (func (export "run") (param $n i32) (result i32)
    (local $text (ref $string)) (local $sum i32)
    (local.set $text (array.new_fixed $string 0))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $text (call $concat (local.get $text) (call $digits (local.get $n))))
        (if (i32.ge_u (array.len (local.get $text)) (i32.const 64))
          (then
            (local.set $sum
              (i32.add (i32.rotl (local.get $sum) (i32.const 5))
                (array.get_u $string (local.get $text) (i32.const 62))))
            (local.set $text (array.new_fixed $string 0))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
