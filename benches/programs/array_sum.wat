;; A walk over an array of numbers, by index.
;;
;;   run (n)  sums an array of 10000 i32 n times
(module
  (type $numbers (array (mut i32)))

  (func $sum (param $array (ref $numbers)) (result i32)
    (local $i i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (array.len (local.get $array))))
        (local.set $sum (i32.add (local.get $sum) (array.get $numbers (local.get $array) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func (export "run") (param $n i32) (result i32)
    (local $array (ref $numbers)) (local $sum i32)
    (local.set $array (array.new $numbers (i32.const 3) (i32.const 10000)))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (call $sum (local.get $array))))
        (array.set $numbers (local.get $array) (i32.rem_u (local.get $n) (i32.const 10000)) (local.get $sum))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
