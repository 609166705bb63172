;; `array.fill` of an array of bytes.
;;
;;   run (l)  fills l elements at a time, 4 Mi elements in all; l is at least 8
(module
  (type $array (array (mut i8)))

  (func $value (param $array (ref $array)) (param $i i32) (result i32)
    (array.get_u $array (local.get $array) (local.get $i)))

  (func (export "run") (param $length i32) (result i32)
    (local $array (ref $array)) (local $left i32) (local $sum i32)
    (local.set $array (array.new $array (i32.const 1) (i32.add (local.get $length) (i32.const 1))))
    (local.set $left (i32.div_u (i32.const 4194304) (local.get $length)))
    (loop $next
      (array.fill $array (local.get $array)
        (i32.and (local.get $left) (i32.const 1))
        (local.get $left)
        (local.get $length))
      (local.set $sum
        (i32.add (i32.rotl (local.get $sum) (i32.const 1))
          (i32.add
            (call $value (local.get $array) (i32.const 0))
            (call $value (local.get $array) (local.get $length)))))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (local.get $sum)))
