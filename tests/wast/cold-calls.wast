;; Calls on one of several ways save and reload what is live there, and nowhere else: what was live is whole behind it,
;; whichever way was taken, in loops and blocks too, and where it is a parameter, a loop's variable or a phi.

(module
  (type $box (struct (field (mut i32))))
  (type $pair (struct (field (ref $box)) (field (ref $box))))
  (global $state (mut (ref null $box)) (ref.null $box))
  (table $stack 1 anyref)
  (global $sp (mut i32) (i32.const 0))

  (func $box (param i32) (result (ref $box)) (struct.new $box (local.get 0)))
  (func $start (param i32) (global.set $state (struct.new $box (local.get 0))))
  (func $grow (if (i32.lt_s (table.grow $stack (ref.null any) (table.size $stack)) (i32.const 0)) (then (unreachable))))
  (func $slow (param $a anyref) (param $b anyref) (result anyref)
    (struct.new $box (i32.add (call $number (local.get $a)) (call $number (local.get $b)))))
  (func $number (param $v anyref) (result i32)
    (block $small (result (ref i31))
      (return (struct.get $box 0 (ref.cast (ref $box) (br_on_cast $small anyref (ref i31) (local.get $v))))))
    i31.get_s)
  (func $garbage (param $n i32)
    (loop $next
      (drop (struct.new $box (local.get $n)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  (func (export "first-use") (param $reset i32) (result i32)
    (local $a (ref null $box)) (local $b (ref null $box))
    (if (local.get $reset) (then (global.set $state (ref.null $box))))
    (local.set $a (call $box (i32.const 1)))
    (local.set $b (call $box (i32.const 20)))
    (if (ref.is_null (global.get $state)) (then (call $start (i32.const 300))))
    (i32.add
      (i32.add (struct.get $box 0 (local.get $a)) (struct.get $box 0 (local.get $b)))
      (struct.get $box 0 (global.get $state))))

  (func $push (param $v anyref)
    (if (i32.ge_u (global.get $sp) (table.size $stack)) (then (call $grow)))
    (table.set $stack (global.get $sp) (local.get $v))
    (global.set $sp (i32.add (global.get $sp) (i32.const 1))))
  (func (export "push-all") (param $n i32) (result i32)
    (local $i i32) (local $sum i32)
    (global.set $sp (i32.const 0))
    (loop $next
      (call $push (call $box (local.get $i)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (loop $next
      (global.set $sp (i32.sub (global.get $sp) (i32.const 1)))
      (local.set $sum (i32.add (local.get $sum) (call $number (table.get $stack (global.get $sp)))))
      (br_if $next (global.get $sp)))
    (local.get $sum))

  (func $add (param $a anyref) (param $b anyref) (result anyref)
    (local $sum anyref)
    (block $done
      (block $other
        (br_if $other (i32.eqz (ref.test (ref i31) (local.get $a))))
        (br_if $other (i32.eqz (ref.test (ref i31) (local.get $b))))
        (local.set $sum
          (ref.i31
            (i32.add
              (i31.get_s (ref.cast (ref i31) (local.get $a)))
              (i31.get_s (ref.cast (ref i31) (local.get $b))))))
        (br $done))
      (local.set $sum (call $slow (local.get $a) (local.get $b)))
      (call $garbage (i32.const 1)))
    (local.get $sum))
  ;; In a loop: what is from outside of it, what it carries, and what a turn makes.
  (func (export "sum") (param $n i32) (param $each i32) (result i32 i32 i32)
    (local $sum anyref) (local $outside (ref null $box)) (local $last (ref null $box)) (local $i i32)
    (local.set $outside (call $box (i32.const 7)))
    (local.set $sum (ref.i31 (i32.const 0)))
    (loop $next
      (local.set $last (struct.new $box (local.get $i)))
      (block $done
        (block $other
          (br_if $other (i32.eqz (i32.rem_u (local.get $i) (local.get $each))))
          (br $done))
        (local.set $sum (call $slow (local.get $sum) (struct.new $box (i32.const 1)))))
      (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 3)))
        (then (call $garbage (i32.const 2))))
      (struct.set $box 0 (local.get $outside)
        (i32.add (struct.get $box 0 (local.get $outside)) (struct.get $box 0 (local.get $last))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (call $number (local.get $sum)) (struct.get $box 0 (local.get $outside)) (struct.get $box 0 (local.get $last)))
  (func (export "add") (param $a i32) (param $b i32) (param $boxed i32) (result i32)
    (call $number
      (call $add
        (if (result anyref) (local.get $boxed)
          (then (call $box (local.get $a)))
          (else (ref.i31 (local.get $a))))
        (ref.i31 (local.get $b)))))

  ;; The same reference under two names, one of them an argument; an operand that waits on the stack.
  (func (export "names") (param $which i32) (result i32)
    (local $a (ref null $box)) (local $same anyref)
    (local.set $a (struct.new $box (i32.const 5)))
    (local.set $same (local.get $a))
    (struct.new $pair
      (ref.as_non_null (local.get $a))
      (if (result (ref $box)) (local.get $which)
        (then (ref.cast (ref $box) (call $slow (local.get $same) (local.get $a))))
        (else (ref.as_non_null (local.get $a)))))
    (struct.get $pair 1)
    (struct.get $box 0)
    (i32.mul (i32.const 100))
    (i32.add (i32.mul (struct.get $box 0 (local.get $a)) (i32.const 10)))
    (i32.add (call $number (local.get $same))))

  ;; Before, in and behind other calls, so that some of it is saved already.
  (func (export "between") (param $which i32) (result i32)
    (local $a (ref null $box)) (local $b (ref null $box)) (local $c (ref null $box))
    (local.set $a (call $box (i32.const 1)))
    (call $garbage (i32.const 3))
    (local.set $b (call $box (i32.const 2)))
    (if (local.get $which) (then (call $garbage (i32.const 3))))
    (local.set $c (struct.new $box (i32.const 4)))
    (if (local.get $which) (then) (else (local.set $b (call $box (i32.const 8)))))
    (call $garbage (i32.const 3))
    (i32.add
      (i32.add (struct.get $box 0 (local.get $a)) (struct.get $box 0 (local.get $b)))
      (struct.get $box 0 (local.get $c)))))

(assert_return (invoke "first-use" (i32.const 1)) (i32.const 321))
(assert_return (invoke "first-use" (i32.const 0)) (i32.const 321))
(assert_return (invoke "push-all" (i32.const 100)) (i32.const 4950))
(assert_return (invoke "push-all" (i32.const 300)) (i32.const 44850))
(assert_return (invoke "sum" (i32.const 50) (i32.const 1)) (i32.const 50) (i32.const 1232) (i32.const 49))
(assert_return (invoke "sum" (i32.const 50) (i32.const 7)) (i32.const 8) (i32.const 1232) (i32.const 49))
(assert_return (invoke "sum" (i32.const 1) (i32.const 2)) (i32.const 1) (i32.const 7) (i32.const 0))
(assert_return (invoke "add" (i32.const 3) (i32.const 4) (i32.const 0)) (i32.const 7))
(assert_return (invoke "add" (i32.const 3) (i32.const 4) (i32.const 1)) (i32.const 7))
(assert_return (invoke "names" (i32.const 0)) (i32.const 555))
(assert_return (invoke "names" (i32.const 1)) (i32.const 1055))
(assert_return (invoke "between" (i32.const 0)) (i32.const 13))
(assert_return (invoke "between" (i32.const 1)) (i32.const 7))
