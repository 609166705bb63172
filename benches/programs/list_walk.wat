;; A walk along a linked list, with a load and a store at each node.
;;
;;   run (n)  walks a list of 10000 nodes n times
(module
  (type $node (struct (field $next (mut (ref null $node))) (field $value (mut i32))))

  (func $make (param $length i32) (result (ref null $node))
    (local $list (ref null $node))
    (loop $next
      (local.set $list (struct.new $node (local.get $list) (local.get $length)))
      (br_if $next (local.tee $length (i32.sub (local.get $length) (i32.const 1)))))
    (local.get $list))

  (func (export "run") (param $n i32) (result i32)
    (local $list (ref null $node)) (local $node (ref null $node)) (local $sum i32)
    (local.set $list (call $make (i32.const 10000)))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $node (local.get $list))
        (loop $next
          (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $node))))
          (struct.set $node $value (local.get $node) (local.get $sum))
          (local.set $node (struct.get $node $next (local.get $node)))
          (br_if $next (i32.eqz (ref.is_null (local.get $node)))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
