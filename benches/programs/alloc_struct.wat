;; Allocation of small objects that die at once.
;;
;; Each step allocates a struct of two words, reads the one of the step before and drops it. One object is alive at
;; any time, so a nursery collection finds nothing to copy.
;;
;;   run (n)  allocates n structs
(module
  (type $pair (struct (field $a i32) (field $b i32)))

  (func (export "run") (param $n i32) (result i32)
    (local $last (ref $pair)) (local $i i32) (local $sum i32)
    (local.set $last (struct.new $pair (i32.const 1) (i32.const 2)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $sum
          (i32.add (local.get $sum)
            (i32.xor (struct.get $pair $a (local.get $last)) (struct.get $pair $b (local.get $last)))))
        (local.set $last (struct.new $pair (local.get $i) (local.get $sum)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
