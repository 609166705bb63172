;; Globals, tables and segments of references live in the instance's root area.
(module
  (type $box (struct (field i32)))
  (global $g (mut (ref null $box)) (struct.new $box (i32.const 7)))
  (table $t 2 10 anyref)
  (elem (table $t) (i32.const 0) anyref (ref.i31 (i32.const 1)) (global.get $g))
  (func (export "get") (result (ref null $box)) (global.get $g))
  (func (export "set") (param (ref null $box)) (global.set $g (local.get 0)))
  (func (export "at") (param i32) (result anyref) (table.get $t (local.get 0)))
  (func (export "put") (param i32 anyref) (table.set $t (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null any) (local.get 0))))
