;; `array.fill` of an array of references.
;;
;;   run (l)  fills l elements at a time, 4 Mi elements in all; l is at least 8
(module
  (type $box (struct (field $value i32)))
  (type $array (array (mut (ref null $box))))

  (func $value (param $array (ref $array)) (param $i i32) (result i32)
    (struct.get $box $value (array.get $array (local.get $array) (local.get $i))))

  (func (export "run") (param $length i32) (result i32)
    (local $array (ref $array)) (local $left i32) (local $sum i32)
    (local $odd (ref $box)) (local $even (ref $box))
    (local.set $array (array.new $array (struct.new $box (i32.const 1)) (i32.add (local.get $length) (i32.const 1))))
    (local.set $odd (struct.new $box (i32.const 2)))
    (local.set $even (struct.new $box (i32.const 3)))
    (local.set $left (i32.div_u (i32.const 4194304) (local.get $length)))
    (loop $next
      (array.fill $array (local.get $array)
        (i32.and (local.get $left) (i32.const 1))
        (select (result (ref $box)) (local.get $odd) (local.get $even) (i32.and (local.get $left) (i32.const 1)))
        (local.get $length))
      (local.set $sum
        (i32.add (i32.rotl (local.get $sum) (i32.const 1))
          (i32.add
            (call $value (local.get $array) (i32.const 0))
            (call $value (local.get $array) (local.get $length)))))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (local.get $sum)))
