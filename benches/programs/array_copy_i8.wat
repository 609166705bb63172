;; `array.copy` between two arrays of bytes.
;;
;; The arrays change places after each copy; every eighth copy moves elements within one array.
;;
;;   run (l)  copies l elements at a time, 4 Mi elements in all; l is at least 8
(module
  (type $array (array (mut i8)))

  (func $value (param $array (ref $array)) (param $i i32) (result i32)
    (array.get_u $array (local.get $array) (local.get $i)))

  (func $make (param $length i32) (param $seed i32) (result (ref $array))
    (local $array (ref $array)) (local $i i32)
    (local.set $array (array.new $array (local.get $seed) (local.get $length)))
    (loop $next
      (array.set $array (local.get $array) (local.get $i)
        (i32.add (local.get $seed) (local.get $i)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))
    (local.get $array))

  (func $hash (param $array (ref $array)) (result i32)
    (local $i i32) (local $hash i32)
    (loop $next
      (local.set $hash
        (i32.add (i32.mul (local.get $hash) (i32.const 31))
          (call $value (local.get $array) (local.get $i))))
      (br_if $next
        (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $array)))))
    (local.get $hash))

  (func (export "run") (param $length i32) (result i32)
    (local $a (ref $array)) (local $b (ref $array)) (local $swap (ref $array)) (local $left i32)
    (local.set $a (call $make (i32.add (local.get $length) (i32.const 1)) (i32.const 1)))
    (local.set $b (call $make (i32.add (local.get $length) (i32.const 1)) (i32.const 20)))
    (local.set $left (i32.div_u (i32.const 4194304) (local.get $length)))
    (loop $next
      (if (i32.and (local.get $left) (i32.const 7))
        (then
          (array.copy $array $array
            (local.get $a) (i32.const 1) (local.get $b) (i32.const 0) (local.get $length)))
        (else
          (array.copy $array $array
            (local.get $a) (i32.const 0) (local.get $a) (i32.const 1) (local.get $length))))
      (local.set $swap (local.get $a))
      (local.set $a (local.get $b))
      (local.set $b (local.get $swap))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.xor (call $hash (local.get $a)) (call $hash (local.get $b)))))
