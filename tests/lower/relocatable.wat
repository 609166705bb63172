;;! relocatable
;; Code for other engines: the addresses of RTT records are imports. Only those that are used.
(module
  (type $unused (struct))
  (type $open (sub (struct (field i32))))
  (type $final (struct (field i64)))
  (type $array (array i32))
  (func (export "make") (param i32) (result (ref $final))
    (struct.new $final (i64.const 1)))
  (func (export "test") (param anyref) (result i32)
    (ref.test (ref $open) (local.get 0)))
  (func (export "array") (param i32) (result (ref $array))
    (array.new_default $array (local.get 0)))
)
