;; Stores of young objects into old ones: the write barrier at work, and survivors all over the heap.
;;
;; A table of 65536 nodes is old after a while. Each step makes a node that refers to the one it replaces at a
;; pseudo-random place (cut off after that one), so old objects refer to young ones and garbage is made of all ages.
;;
;;   run (n)  n replacements
(module
  (type $node (struct (field $value i32) (field $before (mut (ref null $node)))))
  (type $table (array (mut (ref null $node))))

  (func (export "run") (param $n i32) (result i32)
    (local $table (ref $table)) (local $i i32) (local $seed i32) (local $at i32) (local $sum i32)
    (local $old (ref null $node))
    (local.set $table (array.new_default $table (i32.const 65536)))
    (local.set $seed (i32.const 42))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
        (local.set $at (i32.shr_u (local.get $seed) (i32.const 16)))
        (local.set $old (array.get $table (local.get $table) (local.get $at)))
        (if (i32.eqz (ref.is_null (local.get $old)))
          (then
            (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $old))))
            (struct.set $node $before (local.get $old) (ref.null $node))))
        (array.set $table (local.get $table) (local.get $at)
          (struct.new $node (local.get $i) (local.get $old)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
