;; Throw and catch, so many frames apart, with a payload of one number.
;;
;;   run (n)  100,000 exceptions, each from n calls below its handler
(module
  (tag $t (param i32))

  (func $dig (param $depth i32) (param $i i32) (result i32)
    (if (i32.eqz (local.get $depth)) (then (throw $t (local.get $i))))
    (i32.add (i32.const 1) (call $dig (i32.sub (local.get $depth) (i32.const 1)) (local.get $i))))

  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (block $caught (result i32)
        (try_table (result i32) (catch $t $caught)
          (call $dig (i32.sub (local.get $n) (i32.const 1)) (local.get $i))))
      (local.set $sum (i32.add (local.get $sum)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100_000))))
    (local.get $sum)))
