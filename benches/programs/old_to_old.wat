;; Stores of old objects into old ones: what the write barrier costs where it has nothing to do.
;;
;; Swaps pairs of references in an array of 4096 nodes, and the links of the nodes. Nothing is allocated meanwhile.
;;
;;   run (n)  n swaps
(module
  (type $node (struct (field $value i32) (field $link (mut (ref null $node)))))
  (type $table (array (mut (ref null $node))))

  (func (export "run") (param $n i32) (result i32)
    (local $table (ref $table)) (local $i i32) (local $seed i32) (local $sum i32) (local $at i32) (local $to i32)
    (local $a (ref null $node)) (local $b (ref null $node))
    (local.set $table (array.new_default $table (i32.const 4096)))
    (loop $fill
      (array.set $table (local.get $table) (local.get $i) (struct.new $node (local.get $i) (ref.null $node)))
      (br_if $fill
        (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4096))))
    (local.set $seed (i32.const 7))
    (local.set $i (i32.const 0))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
        (local.set $at (i32.shr_u (local.get $seed) (i32.const 20)))
        (local.set $to (i32.and (i32.shr_u (local.get $seed) (i32.const 8)) (i32.const 4095)))
        (local.set $a (array.get $table (local.get $table) (local.get $at)))
        (local.set $b (array.get $table (local.get $table) (local.get $to)))
        (array.set $table (local.get $table) (local.get $at) (local.get $b))
        (array.set $table (local.get $table) (local.get $to) (local.get $a))
        (struct.set $node $link (local.get $a) (local.get $b))
        (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $b))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
