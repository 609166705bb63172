;; A walk over an array of references, with a load and a store in each object.
;;
;;   run (n)  walks an array of 10000 objects n times
(module
  (type $box (struct (field $value (mut i32))))
  (type $boxes (array (mut (ref null $box))))

  (func $make (param $length i32) (result (ref $boxes))
    (local $array (ref $boxes))
    (local.set $array (array.new_default $boxes (local.get $length)))
    (loop $next
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (array.set $boxes (local.get $array) (local.get $length) (struct.new $box (local.get $length)))
      (br_if $next (local.get $length)))
    (local.get $array))

  (func $walk (param $array (ref $boxes)) (result i32)
    (local $i i32) (local $sum i32) (local $box (ref null $box))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (array.len (local.get $array))))
        (local.set $box (array.get $boxes (local.get $array) (local.get $i)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $box $value (local.get $box))))
        (struct.set $box $value (local.get $box) (local.get $sum))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func (export "run") (param $n i32) (result i32)
    (local $array (ref $boxes)) (local $sum i32)
    (local.set $array (call $make (i32.const 10000)))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (call $walk (local.get $array))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
