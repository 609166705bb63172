;; What globals and tables hold is read anew where it may have changed: behind calls, in loops, through a second
;; import of the same global, and when a table has grown.

(module $owner
  (global $g (export "g") (mut anyref) (ref.null any))
  (table (export "t") 1 anyref))
(register "owner" $owner)

(module
  (import "owner" "g" (global $g (mut anyref)))
  (import "owner" "g" (global $same (mut anyref)))
  (import "owner" "t" (table $t 1 anyref))
  (import "owner" "t" (table $also 1 anyref))
  (global $own (mut anyref) (ref.null any))

  (func $number (param anyref) (result i32) (i31.get_u (ref.cast (ref i31) (local.get 0))))
  (func $change (global.set $own (ref.i31 (i32.const 9))))

  (func (export "same") (result i32)
    (global.set $g (ref.i31 (i32.const 1)))
    (global.set $same (ref.i31 (i32.const 2)))
    (call $number (global.get $g)))
  (func (export "call") (result i32)
    (global.set $own (ref.i31 (i32.const 1)))
    (call $change)
    (call $number (global.get $own)))
  (func (export "loop") (param i32) (result i32)
    (local $sum i32)
    (global.set $own (ref.i31 (i32.const 1)))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $number (global.get $own))))
      (global.set $own (ref.i31 (i32.mul (i31.get_u (ref.cast (ref i31) (global.get $own))) (i32.const 10))))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func (export "arms") (param i32) (result i32)
    (global.set $own (ref.i31 (i32.const 1)))
    (if (local.get 0) (then (global.set $own (ref.i31 (i32.const 2)))))
    (i31.get_u (ref.cast (ref i31) (global.get $own))))

  ;; The other import grows the table, in the middle of a loop too.
  (func (export "grow") (result i32)
    (table.set $t (i32.const 0) (ref.i31 (i32.const 5)))
    (drop (table.grow $also (ref.i31 (i32.const 6)) (i32.const 30)))
    (i32.add
      (i32.mul (table.size $t) (i32.const 100))
      (i32.add
        (call $number (table.get $t (i32.const 0)))
        (call $number (table.get $t (i32.const 30))))))
  (func (export "grow-in-loop") (param i32) (result i32)
    (local $sum i32)
    (drop (table.get $t (i32.const 0)))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (table.size $t)))
      (table.set $t (i32.sub (table.size $t) (i32.const 1)) (ref.i31 (local.get 0)))
      (drop (table.grow $t (ref.null any) (i32.const 100)))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func (export "one-arm") (param i32) (result i32)
    (if (local.get 0)
      (then (drop (table.get $t (i32.const 0))) (drop (table.grow $t (ref.null any) (i32.const 1))))
      (else (drop (table.get $t (i32.const 1)))))
    (table.size $t)))

(assert_return (invoke "same") (i32.const 2))
(assert_return (invoke "call") (i32.const 9))
(assert_return (invoke "loop" (i32.const 4)) (i32.const 1111))
(assert_return (invoke "arms" (i32.const 0)) (i32.const 1))
(assert_return (invoke "arms" (i32.const 1)) (i32.const 2))
(assert_return (invoke "grow") (i32.const 3111))
(assert_return (invoke "grow-in-loop" (i32.const 3)) (i32.const 393))
(assert_return (invoke "one-arm" (i32.const 1)) (i32.const 332))
(assert_return (invoke "one-arm" (i32.const 0)) (i32.const 332))

;; A loop that carries a global writes it all the same: when it traps, when it is left, and when it is nested.
(module
  (type $node (struct (field $next (mut (ref null $node))) (field $value i32)))
  (global $head (mut (ref null $node)) (ref.null none))
  (func $push (param i32) (global.set $head (struct.new $node (global.get $head) (local.get 0))))
  (func (export "fill") (param i32)
    (loop $next
      (global.set $head (struct.new $node (global.get $head) (local.get 0)))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "head") (result i32) (struct.get $node $value (global.get $head)))
  ;; Runs off the end.
  (func (export "run-off")
    (loop $next
      (global.set $head (struct.get $node $next (global.get $head)))
      (br $next)))
  (func (export "skip") (param $value i32) (result i32)
    (local $steps i32)
    (block $done
      (loop $outer
        (br_if $done (i32.eq (struct.get $node $value (global.get $head)) (local.get $value)))
        (global.set $head (struct.get $node $next (global.get $head)))
        (loop $inner
          (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
          (if (i32.and (struct.get $node $value (global.get $head)) (i32.const 1))
            (then (global.set $head (struct.get $node $next (global.get $head))) (br $inner))))
        (br $outer)))
    (local.get $steps))
  (func (export "is-null") (result i32) (ref.is_null (global.get $head))))

(assert_return (invoke "fill" (i32.const 9)))
(assert_return (invoke "head") (i32.const 1))
(assert_return (invoke "skip" (i32.const 6)) (i32.const 5))
(assert_return (invoke "head") (i32.const 6))
(assert_trap (invoke "run-off") "null structure reference")
(assert_return (invoke "is-null") (i32.const 1))
