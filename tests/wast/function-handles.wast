;; Functions that go from objects to where several ways meet, to casts and to tests, as handles: of the module's own by
;; the handle alone, of others by asking. That these were host calls made a loop of them take up to fifty times as long as
;; in other engines.

(module $host
  (type $sup (sub (func (param i32) (result i32))))
  (type $sub (sub $sup (func (param i32) (result i32))))
  (func (export "sup") (type $sup) (i32.add (local.get 0) (i32.const 1000)))
  (func (export "sub") (type $sub) (i32.add (local.get 0) (i32.const 2000))))
(register "host" $host)

(module
  (type $sup (sub (func (param i32) (result i32))))
  (type $between (func (param i64) (result i32)))
  (type $sub (sub $sup (func (param i32) (result i32))))
  (type $other (func (param i32 i32) (result i32)))
  (type $funcs (array (mut funcref)))
  (type $box (struct (field (mut (ref null $sup))) (field i32)))

  ;; Declared as $sup, one of them is of the subtype.
  (import "host" "sup" (func $far (type $sup)))
  (import "host" "sub" (func $far-sub (type $sup)))
  (elem declare func $one $two $three $four $far $far-sub)
  (func $one (type $sup) (i32.add (local.get 0) (i32.const 1)))
  (func $two (type $sub) (i32.add (local.get 0) (i32.const 2)))
  (func $three (type $between) (i32.wrap_i64 (local.get 0)))
  (func $four (type $other) (i32.mul (local.get 0) (local.get 1)))

  (global $all (ref $funcs)
    (array.new_fixed $funcs 7 (ref.func $one) (ref.func $two) (ref.func $three) (ref.func $four) (ref.func $far)
      (ref.func $far-sub) (ref.null func)))
  (table $t 4 funcref)

  (func $at (param $i i32) (result funcref) (array.get $funcs (global.get $all) (local.get $i)))

  ;; One bit for each type that it is of.
  (func (export "test") (param $i i32) (result i32)
    (local $f funcref)
    (local.set $f (array.get $funcs (global.get $all) (local.get $i)))
    (i32.or
      (i32.or
        (ref.test (ref $sup) (local.get $f))
        (i32.shl (ref.test (ref $sub) (local.get $f)) (i32.const 1)))
      (i32.or
        (i32.or
          (i32.shl (ref.test (ref $between) (local.get $f)) (i32.const 2))
          (i32.shl (ref.test (ref null $other) (local.get $f)) (i32.const 3)))
        (i32.or
          (i32.shl (ref.test (ref (exact $sup)) (local.get $f)) (i32.const 4))
          (i32.shl (ref.test (ref null nofunc) (local.get $f)) (i32.const 5))))))

  (func (export "call-sup") (param $i i32) (result i32)
    (call_ref $sup (i32.const 7) (ref.cast (ref $sup) (array.get $funcs (global.get $all) (local.get $i)))))
  (func (export "call-sub") (param $i i32) (result i32)
    (call_ref $sub (i32.const 7) (ref.cast (ref null $sub) (array.get $funcs (global.get $all) (local.get $i)))))
  (func (export "cast-null") (param $i i32) (result i32)
    (ref.is_null (ref.cast (ref null $other) (array.get $funcs (global.get $all) (local.get $i)))))
  ;; What was cast as a handle is needed as a reference.
  (func (export "cast-out") (param $i i32) (result i32)
    (local $f (ref null $sup))
    (local.set $f (ref.cast (ref null $sup) (array.get $funcs (global.get $all) (local.get $i))))
    (table.set $t (i32.const 1) (local.get $f))
    (call_indirect $t (type $sup) (i32.const 5) (i32.const 1)))
  (func (export "br-on") (param $i i32) (result i32)
    (local $f (ref $sub))
    (block $is (result (ref $sub))
      (drop (br_on_cast $is funcref (ref $sub) (array.get $funcs (global.get $all) (local.get $i))))
      (return (i32.const -1)))
    (local.set $f)
    (call_ref $sub (i32.const 9) (local.get $f)))

  (func (export "select") (param $which i32) (result i32)
    (local $b (ref $box))
    (local.set $b
      (struct.new $box (select (result (ref $sup)) (ref.func $one) (ref.func $two) (local.get $which)) (i32.const 1)))
    (call_ref $sup (i32.const 10) (struct.get $box 0 (local.get $b))))

  (func (export "arms") (param $which i32) (result i32)
    (local $f (ref null $sup))
    (if (i32.eq (local.get $which) (i32.const 1))
      (then (local.set $f (struct.get $box 0 (struct.new $box (ref.func $far) (i32.const 0)))))
      (else
        (if (i32.eq (local.get $which) (i32.const 2)) (then (local.set $f (ref.func $one))))))
    (call_ref $sup (i32.const 20) (local.get $f)))

  ;; One of the ways gives a reference that has no handle yet.
  (func $mixed (param $which i32) (param $given (ref null $sup)) (result (ref null $sup))
    (local $f (ref null $sup))
    (local.set $f (ref.func $two))
    (if (local.get $which) (then (local.set $f (local.get $given))))
    (drop (struct.new $box (local.get $f) (i32.const 0)))
    (local.get $f))
  (func (export "mixed") (param $which i32) (result i32)
    (call_ref $sup (i32.const 30) (call $mixed (local.get $which) (ref.func $far-sub))))

  ;; A loop carries it, and each turn calls and replaces it.
  (func (export "carried") (param $n i32) (result i32)
    (local $f (ref null $sup)) (local $sum i32)
    (local.set $f (ref.func $one))
    (loop $next
      (local.set $sum (call_ref $sup (local.get $sum) (local.get $f)))
      (local.set $f (ref.cast (ref $sup) (array.get $funcs (global.get $all) (i32.and (local.get $n) (i32.const 1)))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n)))
    (local.get $sum))

  (func (export "table") (param $to i32) (result i32)
    (local $f (ref null $sup))
    (block $b (result (ref null $sup))
      (block $a (result (ref null $sup))
        (struct.get $box 0 (struct.new $box (ref.func $two) (i32.const 0)))
        (br_table $a $b (local.get $to)))
      (return (ref.is_null)))
    (local.set $f)
    (call_ref $sup (i32.const 40) (local.get $f)))
  ;; The function's own results are a target as well.
  (func $leave (param $to i32) (result (ref null $sup))
    (block $a (result (ref null $sup))
      (struct.get $box 0 (struct.new $box (ref.func $one) (i32.const 0)))
      (br_table $a 1 (local.get $to)))
    (drop)
    (ref.null $sup))
  (func (export "leave") (param $to i32) (result i32) (ref.is_null (call $leave (local.get $to)))))

(assert_return (invoke "test" (i32.const 0)) (i32.const 17))
(assert_return (invoke "test" (i32.const 1)) (i32.const 3))
(assert_return (invoke "test" (i32.const 2)) (i32.const 4))
(assert_return (invoke "test" (i32.const 3)) (i32.const 8))
(assert_return (invoke "test" (i32.const 4)) (i32.const 17))
(assert_return (invoke "test" (i32.const 5)) (i32.const 3))
(assert_return (invoke "test" (i32.const 6)) (i32.const 40))

(assert_return (invoke "call-sup" (i32.const 0)) (i32.const 8))
(assert_return (invoke "call-sup" (i32.const 1)) (i32.const 9))
(assert_trap (invoke "call-sup" (i32.const 2)) "cast failure")
(assert_trap (invoke "call-sup" (i32.const 3)) "cast failure")
(assert_return (invoke "call-sup" (i32.const 4)) (i32.const 1007))
(assert_return (invoke "call-sup" (i32.const 5)) (i32.const 2007))
(assert_trap (invoke "call-sup" (i32.const 6)) "cast failure")
(assert_trap (invoke "call-sub" (i32.const 0)) "cast failure")
(assert_return (invoke "call-sub" (i32.const 1)) (i32.const 9))
(assert_trap (invoke "call-sub" (i32.const 4)) "cast failure")
(assert_return (invoke "call-sub" (i32.const 5)) (i32.const 2007))
(assert_trap (invoke "call-sub" (i32.const 6)) "null function reference")
(assert_trap (invoke "cast-null" (i32.const 0)) "cast failure")
(assert_return (invoke "cast-null" (i32.const 3)) (i32.const 0))
(assert_return (invoke "cast-null" (i32.const 6)) (i32.const 1))
(assert_return (invoke "cast-out" (i32.const 1)) (i32.const 7))
(assert_return (invoke "cast-out" (i32.const 5)) (i32.const 2005))
(assert_trap (invoke "cast-out" (i32.const 2)) "cast failure")
(assert_trap (invoke "cast-out" (i32.const 6)) "uninitialized element")
(assert_return (invoke "br-on" (i32.const 0)) (i32.const -1))
(assert_return (invoke "br-on" (i32.const 1)) (i32.const 11))
(assert_return (invoke "br-on" (i32.const 5)) (i32.const 2009))
(assert_return (invoke "br-on" (i32.const 6)) (i32.const -1))

(assert_return (invoke "select" (i32.const 0)) (i32.const 12))
(assert_return (invoke "select" (i32.const 1)) (i32.const 11))
(assert_trap (invoke "arms" (i32.const 0)) "null function reference")
(assert_return (invoke "arms" (i32.const 1)) (i32.const 1020))
(assert_return (invoke "arms" (i32.const 2)) (i32.const 21))
(assert_return (invoke "mixed" (i32.const 0)) (i32.const 32))
(assert_return (invoke "mixed" (i32.const 1)) (i32.const 2030))
(assert_return (invoke "carried" (i32.const 5)) (i32.const 7))
(assert_return (invoke "table" (i32.const 0)) (i32.const 0))
(assert_return (invoke "table" (i32.const 1)) (i32.const 42))
(assert_return (invoke "leave" (i32.const 0)) (i32.const 1))
(assert_return (invoke "leave" (i32.const 1)) (i32.const 0))

;; A cast that can not fail stood before `unreachable` as a condition that is never true, and the engine told the cast's
;; place where that was reached.
(module
  (func (export "null") (result i32)
    (drop (ref.cast (ref null nofunc) (ref.null func)))
    (unreachable))
  (func (export "null-fails") (result i32)
    (drop (ref.cast (ref nofunc) (ref.null func)))
    (unreachable)))
(assert_trap (invoke "null") "unreachable")
(assert_trap (invoke "null-fails") "cast failure")
