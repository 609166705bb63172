;; Structs: allocation, packed fields, the write barrier.
(module
  (type $pair (struct (field (mut i8)) (field (mut i64)) (field (mut (ref null $pair)))))
  (func (export "new") (param i32 i64 (ref null $pair)) (result (ref $pair))
    (struct.new $pair (local.get 0) (local.get 1) (local.get 2)))
  (func (export "default") (result (ref $pair)) (struct.new_default $pair))
  (func (export "get") (param (ref $pair)) (result i32) (struct.get_s $pair 0 (local.get 0)))
  (func (export "set") (param (ref $pair) (ref null $pair))
    (struct.set $pair 2 (local.get 0) (local.get 1)))
  (func (export "set_null") (param (ref $pair)) (struct.set $pair 2 (local.get 0) (ref.null none))))
