;; Throw and catch one frame apart, with two references as payload.
;;
;;   run (n)  n exceptions
(module
  (type $box (struct (field i32)))
  (tag $t (param (ref $box) anyref))

  (func $throw (param $i i32)
    (throw $t (struct.new $box (local.get $i)) (ref.i31 (local.get $i))))

  (func (export "run") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (block $caught (result (ref $box) anyref)
        (try_table (catch $t $caught) (call $throw (local.get $n)))
        (unreachable))
      (drop)
      (struct.get $box 0)
      (local.set $sum (i32.add (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
