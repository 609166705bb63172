;; Arithmetic on numbers as i31 references, as compilers of dynamic languages emit it.
;;
;; An addition checks that both operands are small numbers and boxes the result. Nothing is allocated.
;;
;;   run (n)  n steps of four additions and a comparison
(module
  (func $add (param $a (ref eq)) (param $b (ref eq)) (result (ref eq))
    (if (i32.and (ref.test (ref i31) (local.get $a)) (ref.test (ref i31) (local.get $b)))
      (then
        (return
          (ref.i31
            (i32.add
              (i31.get_s (ref.cast (ref i31) (local.get $a)))
              (i31.get_s (ref.cast (ref i31) (local.get $b))))))))
    (unreachable))

  (func (export "run") (param $n i32) (result i32)
    (local $a (ref eq)) (local $b (ref eq)) (local $equal i32)
    (local.set $a (ref.i31 (i32.const 1)))
    (local.set $b (ref.i31 (i32.const 2)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $a (call $add (local.get $a) (local.get $b)))
        (local.set $b (call $add (local.get $b) (call $add (local.get $a) (ref.i31 (local.get $n)))))
        (local.set $a (call $add (local.get $a) (ref.i31 (i32.const -3))))
        (local.set $equal (i32.add (local.get $equal) (ref.eq (local.get $a) (local.get $b))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (i32.add (local.get $equal)
      (i31.get_s (ref.cast (ref i31) (call $add (local.get $a) (local.get $b)))))))
