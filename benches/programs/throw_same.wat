;; Throw and catch in one function: a way to leave nested loops. With the exception's reference, so that
;; it is more than a branch.
;;
;;   run (n)  n exceptions
(module
  (tag $t (param i32))
  (global $last (mut exnref) (ref.null exn))

  (func (export "run") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (block $caught (result i32 exnref)
        (try_table (catch_ref $t $caught)
          (throw $t (local.get $n)))
        (unreachable))
      (global.set $last)
      (local.set $sum (i32.add (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
