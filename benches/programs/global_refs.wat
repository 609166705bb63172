;; References in globals: a work list that is kept in a mutable global.
;;
;; Each step takes the head of a ring through the global, changes it and moves the global on. What a global holds is
;; old, or becomes so; no object is allocated in the loop.
;;
;;   run (n)  n steps
(module
  (type $node (struct (field $next (mut (ref null $node))) (field $value (mut i32))))
  (global $head (mut (ref null $node)) (ref.null $node))
  (global $last (mut (ref null $node)) (ref.null $node))

  (func $fill (param $length i32)
    (local $first (ref null $node))
    (global.set $head (ref.null $node))
    (loop $next
      (global.set $head (struct.new $node (global.get $head) (local.get $length)))
      (if (ref.is_null (local.get $first)) (then (local.set $first (global.get $head))))
      (br_if $next (local.tee $length (i32.sub (local.get $length) (i32.const 1)))))
    (struct.set $node $next (local.get $first) (global.get $head)))

  (func (export "run") (param $n i32) (result i32)
    (local $sum i32)
    (call $fill (i32.const 1000))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum
          (i32.add (i32.rotl (local.get $sum) (i32.const 1)) (struct.get $node $value (global.get $head))))
        (struct.set $node $value (global.get $head) (local.get $sum))
        (global.set $last (global.get $head))
        (global.set $head (struct.get $node $next (global.get $last)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
