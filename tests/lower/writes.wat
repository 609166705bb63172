;; A call writes what its callee writes: what was read of other fields is known behind it. A call of an import may do
;; anything.
;;! passes: none+calls+redundant_loads+dce
(module
  (import "host" "call" (func $host))
  (type $pair (struct (field $a (mut i32)) (field $b (mut i32))))
  (func $set_a (param $p (ref $pair)) (struct.set $pair $a (local.get $p) (i32.const 1)))
  (func $indirectly (param $p (ref $pair)) (call $set_a (local.get $p)))

  (func (export "other") (param $p (ref $pair)) (result i32)
    (drop (struct.get $pair $b (local.get $p)))
    (i32.add
      (struct.get $pair $b (local.get $p))
      (block (result i32) (call $indirectly (local.get $p)) (struct.get $pair $b (local.get $p)))))
  (func (export "same") (param $p (ref $pair)) (result i32)
    (i32.add
      (struct.get $pair $a (local.get $p))
      (block (result i32) (call $indirectly (local.get $p)) (struct.get $pair $a (local.get $p)))))
  (func (export "anything") (param $p (ref $pair)) (result i32)
    (i32.add
      (struct.get $pair $b (local.get $p))
      (block (result i32) (call $host) (struct.get $pair $b (local.get $p))))))
