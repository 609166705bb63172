;; A constant `ref.null nofunc` was once taken for nothing to lower, in modules without any other reference but to
;; functions, and then refused by the engine.

(module (table 1 funcref) (elem (i32.const 0) funcref (ref.null nofunc))
  (func (export "null") (result i32) (ref.is_null (table.get 0 (i32.const 0)))))
(assert_return (invoke "null") (i32.const 1))

(module (global $g funcref (ref.null nofunc))
  (func (export "null") (result i32) (ref.is_null (global.get $g))))
(assert_return (invoke "null") (i32.const 1))

(module (table 3 funcref (ref.null nofunc))
  (func (export "null") (result i32) (ref.is_null (table.get 0 (i32.const 2)))))
(assert_return (invoke "null") (i32.const 1))

(module (type $f (func)) (elem $e (ref null $f) (ref.null nofunc)) (table 1 (ref null $f))
  (func (export "null") (result i32)
    (table.init 0 $e (i32.const 0) (i32.const 0) (i32.const 1))
    (ref.is_null (table.get 0 (i32.const 0)))))
(assert_return (invoke "null") (i32.const 1))
