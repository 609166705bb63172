;; A reference that lives across a call is in a slot of the shadow stack meanwhile.
(module
  (type $node (struct (field (mut (ref null $node)))))
  (func $make (param i32) (result (ref null $node))
    (local $first (ref null $node))
    (if (i32.eqz (local.get 0)) (then (return (ref.null $node))))
    (local.set $first (call $make (i32.sub (local.get 0) (i32.const 1))))
    (drop (call $make (i32.sub (local.get 0) (i32.const 1))))
    (struct.new $node (local.get $first)))
  (func (export "run") (result i32) (ref.is_null (call $make (i32.const 3)))))
