;; Allocation of short byte arrays that die at once.
;;
;; Lengths go through 0 to 63. Each array gets one byte written and read, so that the clearing of the rest counts too.
;;
;;   run (n)  allocates n arrays
(module
  (type $bytes (array (mut i8)))

  (func (export "run") (param $n i32) (result i32)
    (local $array (ref $bytes)) (local $i i32) (local $sum i32) (local $length i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $length (i32.and (i32.mul (local.get $i) (i32.const 29)) (i32.const 63)))
        (local.set $array (array.new_default $bytes (i32.add (local.get $length) (i32.const 1))))
        (array.set $bytes (local.get $array) (local.get $length) (local.get $i))
        (local.set $sum
          (i32.add (local.get $sum)
            (i32.add (array.get_u $bytes (local.get $array) (local.get $length))
              (array.len (local.get $array)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
