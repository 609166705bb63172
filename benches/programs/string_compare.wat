;; Comparison of byte strings, byte by byte.
;;
;; The strings have 8 to 39 bytes and differ in their last bytes, or are equal.
;;
;;   run (n)  compares each of 256 strings with its neighbour, n times
(module
  (type $string (array (mut i8)))
  (type $strings (array (mut (ref null $string))))

  ;; Negative, 0 or positive, as `a` is less than, equal to or greater than `b`.
  (func $compare (param $a (ref $string)) (param $b (ref $string)) (result i32)
    (local $i i32) (local $length i32) (local $difference i32)
    (local.set $length
      (select (array.len (local.get $a)) (array.len (local.get $b))
        (i32.lt_u (array.len (local.get $a)) (array.len (local.get $b)))))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $i) (local.get $length)))
        (local.set $difference
          (i32.sub
            (array.get_u $string (local.get $a) (local.get $i))
            (array.get_u $string (local.get $b) (local.get $i))))
        (if (local.get $difference) (then (return (local.get $difference))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (i32.sub (array.len (local.get $a)) (array.len (local.get $b))))

  (func $make (param $i i32) (result (ref $string))
    (local $string (ref $string))
    (local.set $string
      (array.new $string (i32.const 97) (i32.add (i32.const 8) (i32.shr_u (local.get $i) (i32.const 3)))))
    (array.set $string (local.get $string)
      (i32.sub (array.len (local.get $string)) (i32.const 1))
      (i32.add (i32.const 97) (i32.and (i32.shr_u (local.get $i) (i32.const 1)) (i32.const 3))))
    (local.get $string))

  (func (export "run") (param $n i32) (result i32)
    (local $strings (ref $strings)) (local $i i32) (local $sum i32)
    (local.set $strings (array.new_default $strings (i32.const 256)))
    (loop $fill
      (array.set $strings (local.get $strings) (local.get $i) (call $make (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 256))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $i (i32.const 1))
        (loop $next
          (local.set $sum
            (i32.add (i32.rotl (local.get $sum) (i32.const 1))
              (call $compare
                (ref.as_non_null (array.get $strings (local.get $strings) (local.get $i)))
                (ref.as_non_null
                  (array.get $strings (local.get $strings) (i32.sub (local.get $i) (i32.const 1)))))))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 256))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
