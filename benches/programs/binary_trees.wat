;; Binary trees: allocation with survivors, and one long-lived tree.
;;
;; Keeps a tree that is four levels deeper, then builds and counts many trees one after the other. Roots are held
;; across recursive calls.
;;
;;   run (d)  2^(20-d) trees of depth d (at least one), beside one of depth d+4
(module
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))

  (func $make (param $depth i32) (result (ref $node))
    (if (result (ref $node)) (i32.eqz (local.get $depth))
      (then (struct.new $node (ref.null $node) (ref.null $node)))
      (else
        (struct.new $node
          (call $make (i32.sub (local.get $depth) (i32.const 1)))
          (call $make (i32.sub (local.get $depth) (i32.const 1)))))))

  (func $count (param $node (ref $node)) (result i32)
    (local $left (ref null $node))
    (local.set $left (struct.get $node $left (local.get $node)))
    (if (result i32) (ref.is_null (local.get $left))
      (then (i32.const 1))
      (else
        (i32.add (i32.const 1)
          (i32.add
            (call $count (ref.as_non_null (local.get $left)))
            (call $count (ref.as_non_null (struct.get $node $right (local.get $node)))))))))

  (func (export "run") (param $depth i32) (result i32)
    (local $long (ref $node)) (local $trees i32) (local $sum i32)
    (local.set $long (call $make (i32.add (local.get $depth) (i32.const 4))))
    (local.set $trees (i32.const 1))
    (if (i32.lt_u (local.get $depth) (i32.const 20))
      (then (local.set $trees (i32.shl (i32.const 1) (i32.sub (i32.const 20) (local.get $depth))))))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $count (call $make (local.get $depth)))))
      (br_if $next (local.tee $trees (i32.sub (local.get $trees) (i32.const 1)))))
    (i32.add (local.get $sum) (call $count (local.get $long)))))
