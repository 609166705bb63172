;; References that live in locals, on the operand stack, in arguments and in results while others are
;; allocated. Each is a root that only a collection at the wrong moment would miss.

(module
  (type $cell (struct (field $v (mut i32))))
  (type $pair (struct (field $a (ref null $pair)) (field $b (ref null $cell))))
  (type $cells (array (mut (ref null $cell))))

  (func $cell (param i32) (result (ref $cell)) (struct.new $cell (local.get 0)))
  (func $get (param (ref null $cell)) (result i32) (struct.get $cell $v (local.get 0)))

  ;; Operands of one instruction, each made by a call.
  (func (export "operands") (result i32)
    (local $p (ref null $pair))
    (local.set $p
      (struct.new $pair
        (struct.new $pair (ref.null $pair) (call $cell (i32.const 1)))
        (call $cell (i32.const 2))))
    (i32.add
      (i32.mul (call $get (struct.get $pair $b (local.get $p))) (i32.const 10))
      (call $get (struct.get $pair $b (struct.get $pair $a (local.get $p))))))

  ;; Values that wait on the stack below a block.
  (func (export "below") (param $n i32) (result i32)
    (call $cell (i32.const 5))
    (call $cell (i32.const 6))
    (loop $again
      (drop (call $cell (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $get)
    (local.set $n)
    (call $get)
    (local.get $n)
    (i32.sub))

  ;; Parameters and results of blocks and loops.
  (func (export "through-loop") (param $n i32) (result i32)
    (call $cell (i32.const 0))
    (call $cell (i32.const 1))
    (loop $step (param (ref $cell) (ref $cell)) (result (ref $cell) (ref $cell))
      (call $add)
      (br_if $step (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (drop)
    (call $get))
  ;; (a, b) -> (b, a + b), all new.
  (func $add (param $a (ref $cell)) (param $b (ref $cell)) (result (ref $cell) (ref $cell))
    (struct.new $cell (call $get (local.get $b)))
    (struct.new $cell (i32.add (call $get (local.get $a)) (call $get (local.get $b)))))

  ;; Deep frames, each with a root of its own.
  (func $deep (export "deep") (param $n i32) (result i32)
    (local $own (ref $cell))
    (if (result i32) (local.get $n)
      (then
        (local.set $own (call $cell (local.get $n)))
        (i32.add
          (call $deep (i32.sub (local.get $n) (i32.const 1)))
          (call $get (local.get $own))))
      (else (i32.const 0))))

  ;; An old array that refers to young cells, written by every means.
  (func (export "old-to-young") (param $n i32) (result i32)
    (local $a (ref $cells)) (local $i i32) (local $sum i32)
    (local.set $a (array.new_default $cells (local.get $n)))
    (loop $fill
      (array.set $cells (local.get $a) (local.get $i) (call $cell (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (array.fill $cells (local.get $a) (i32.const 0) (call $cell (i32.const 100)) (i32.const 2))
    (array.copy $cells $cells (local.get $a) (i32.const 1) (local.get $a) (i32.const 0) (i32.const 2))
    (drop (array.new_fixed $cells 3 (call $cell (i32.const 1)) (call $cell (i32.const 2)) (call $cell (i32.const 3))))
    (local.set $i (i32.const 0))
    (loop $add
      (local.set $sum (i32.add (local.get $sum) (call $get (array.get $cells (local.get $a) (local.get $i)))))
      (br_if $add (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum))

  ;; A cycle that is dropped, again and again: its memory must come back.
  (func (export "cycles") (param $n i32)
    (local $a (ref $ring))
    (loop $more
      (local.set $a (struct.new $ring (ref.null $ring) (array.new_default $cells (i32.const 50))))
      (struct.set $ring $next (local.get $a) (struct.new $ring (local.get $a) (ref.null $cells)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (type $ring (struct (field $next (mut (ref null $ring))) (field $ballast (ref null $cells))))

  ;; A reference that is live on one way only.
  (func (export "one-way") (param $which i32) (result i32)
    (local $c (ref null $cell))
    (if (local.get $which) (then (local.set $c (call $cell (i32.const 9)))))
    (drop (call $cell (i32.const 1)))
    (block $null
      (return (struct.get $cell $v (br_on_null $null (local.get $c)))))
    (i32.const -1))

  ;; `br_table` that carries a reference.
  (func (export "table") (param $to i32) (result i32)
    (block $one (result (ref $cell))
      (block $two (result (ref $cell))
        (br_table $one $two $two (call $cell (i32.const 20)) (local.get $to)))
      (drop (call $cell (i32.const 0)))
      (call $get)
      (i32.add (i32.const 1))
      (return))
    (drop (call $cell (i32.const 0)))
    (call $get)))

(assert_return (invoke "operands") (i32.const 21))
(assert_return (invoke "below" (i32.const 20)) (i32.const -1))
(assert_return (invoke "through-loop" (i32.const 10)) (i32.const 55))
(assert_return (invoke "deep" (i32.const 60)) (i32.const 1830))
(assert_return (invoke "old-to-young" (i32.const 40)) (i32.const 1077))
(assert_return (invoke "cycles" (i32.const 300)))
(assert_return (invoke "one-way" (i32.const 1)) (i32.const 9))
(assert_return (invoke "one-way" (i32.const 0)) (i32.const -1))
(assert_return (invoke "table" (i32.const 0)) (i32.const 20))
(assert_return (invoke "table" (i32.const 1)) (i32.const 21))
