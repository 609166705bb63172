;; An old array's elements keep young objects alive: more of them than the buffer of remembered slots holds, each
;; stored over an i31, an old object or another young one.

(module
  (type $box (struct (field $n i32)))
  (type $refs (array (mut anyref)))
  (type $bytes (array i8))
  (global $old (mut (ref null $refs)) (ref.null $refs))

  ;; Allocates enough for a collection.
  (func $churn (export "churn")
    (local $i i32)
    (local.set $i (i32.const 200))
    (loop $next
      (drop (array.new_default $bytes (i32.const 8000)))
      (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1))))))

  (func (export "make")
    (local $i i32)
    (global.set $old (array.new_default $refs (i32.const 17000)))
    (loop $next
      (array.set $refs (global.get $old) (local.get $i) (ref.i31 (local.get $i)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 17000)))))

  (func $store (param $value anyref)
    (local $i i32)
    (loop $next
      (array.set $refs (global.get $old) (local.get $i) (local.get $value))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 17000)))))

  (func (export "store") (param $n i32)
    (call $store (struct.new $box (local.get $n))))
  (func (export "store-old")
    (call $store (global.get $old)))

  ;; How many elements are boxes of `n`.
  (func (export "count") (param $n i32) (result i32)
    (local $i i32) (local $count i32)
    (loop $next
      (local.set $count (i32.add (local.get $count)
        (i32.eq (local.get $n)
          (struct.get $box $n (ref.cast (ref $box) (array.get $refs (global.get $old) (local.get $i)))))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 17000))))
    (local.get $count)))

(invoke "make")
(invoke "churn")
;; Over i31s.
(invoke "store" (i32.const 7))
(invoke "churn")
(assert_return (invoke "count" (i32.const 7)) (i32.const 17000))
;; Over old boxes, and over young ones.
(invoke "store" (i32.const 8))
(invoke "store" (i32.const 9))
(invoke "churn")
(assert_return (invoke "count" (i32.const 9)) (i32.const 17000))
;; By turns.
(invoke "store" (i32.const 10))
(invoke "store-old")
(invoke "store" (i32.const 11))
(invoke "churn")
(assert_return (invoke "count" (i32.const 11)) (i32.const 17000))
