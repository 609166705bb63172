;; Structs that loops carry and that arms make are values of their fields where nobody sees them, and stay objects where
;; somebody does (`src/opt/merges.rs`).

(module
  (type $float (struct (field f64)))
  (type $pair (sub (struct (field i32) (field i32))))
  (type $triple (sub $pair (struct (field i32) (field i32) (field i32))))
  (type $cell (struct (field (mut i32))))
  (global $seen (mut anyref) (ref.null any))

  (func $box (param f64) (result eqref) (struct.new $float (local.get 0)))
  (func $unbox (param eqref) (result f64) (struct.get $float 0 (ref.cast (ref $float) (local.get 0))))

  ;; Boxed numbers, typed `eqref`.
  (func (export "power") (param $x f64) (param $n i32) (result f64)
    (local $product eqref)
    (local.set $product (call $box (f64.const 1)))
    (loop $again
      (if (local.get $n)
        (then
          (local.set $product (call $box (f64.mul (call $unbox (local.get $product)) (local.get $x))))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $again))))
    (call $unbox (local.get $product)))

  ;; Pairs, of which each turn swaps what the last one made, and a second one that takes over the first.
  (func (export "fibonacci") (param $n i32) (result i32)
    (local $p (ref null $pair)) (local $last (ref null $pair))
    (local.set $p (struct.new $pair (i32.const 0) (i32.const 1)))
    (local.set $last (local.get $p))
    (loop $again
      (if (local.get $n)
        (then
          (local.set $last (local.get $p))
          (local.set $p (struct.new $pair
            (struct.get $pair 1 (local.get $p))
            (i32.add (struct.get $pair 0 (local.get $p)) (struct.get $pair 1 (local.get $p)))))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $again))))
    (i32.add (i32.mul (i32.const 1000) (struct.get $pair 0 (local.get $p))) (struct.get $pair 0 (local.get $last))))

  ;; Of two types: which it is can only be known when it runs.
  (func (export "of_two_types") (param $n i32) (result i32)
    (local $p (ref null $pair)) (local $sum i32)
    (local.set $p (struct.new $pair (i32.const 1) (i32.const 2)))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (if (result i32) (ref.test (ref $triple) (local.get $p))
        (then (struct.get $triple 2 (ref.cast (ref $triple) (local.get $p))))
        (else (struct.get $pair 0 (local.get $p))))))
      (local.set $p (if (result (ref $pair)) (i32.and (local.get $n) (i32.const 1))
        (then (struct.new $triple (local.get $n) (i32.const 5) (i32.const 100)))
        (else (struct.new $pair (local.get $n) (i32.const 6)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; One of the ways is seen by others.
  (func (export "seen") (param $n i32) (result i32)
    (local $p (ref null $pair))
    (local.set $p (struct.new $pair (i32.const 0) (i32.const 0)))
    (loop $again
      (if (i32.eq (local.get $n) (i32.const 3)) (then (global.set $seen (local.get $p))))
      (local.set $p (struct.new $pair (local.get $n) (struct.get $pair 0 (local.get $p))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (i32.mul (i32.const 10) (struct.get $pair 0 (ref.cast (ref $pair) (global.get $seen))))
      (struct.get $pair 1 (local.get $p))))

  ;; What a turn made is written to in the next.
  (func (export "written") (param $n i32) (result i32)
    (local $c (ref null $cell)) (local $d (ref null $cell)) (local $sum i32)
    (local.set $c (struct.new $cell (i32.const 1)))
    (local.set $d (local.get $c))
    (loop $again
      (struct.set $cell 0 (local.get $d) (local.get $n))
      (local.set $sum (i32.add (local.get $sum) (struct.get $cell 0 (local.get $c))))
      (local.set $d (local.get $c))
      (local.set $c (struct.new $cell (i32.mul (local.get $n) (i32.const 100))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; Whether it is the one of the last turn.
  (func (export "same") (param $n i32) (result i32)
    (local $p (ref null $pair)) (local $last (ref null $pair)) (local $sum i32)
    (local.set $p (struct.new $pair (i32.const 0) (i32.const 0)))
    (local.set $last (local.get $p))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (ref.eq (local.get $p) (local.get $last))))
      (local.set $last (local.get $p))
      (if (i32.and (local.get $n) (i32.const 1)) (then
        (local.set $p (struct.new $pair (i32.const 0) (i32.const 0)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; A cast that fails is a trap still, and one of null.
  (func (export "no_triple") (param $n i32) (result i32)
    (local $p (ref null $pair)) (local $sum i32)
    (local.set $p (struct.new $pair (i32.const 0) (i32.const 0)))
    (loop $again
      (if (i32.eq (local.get $n) (i32.const 2)) (then
        (local.set $sum (struct.get $triple 2 (ref.cast (ref $triple) (local.get $p))))))
      (local.set $p (struct.new $pair (local.get $n) (i32.const 0)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (local.get $sum) (struct.get $pair 0 (local.get $p))))
  (func (export "null_at_last") (param $n i32) (result i32)
    (local $p (ref null $pair)) (local $sum i32)
    (local.set $p (struct.new $pair (i32.const 7) (i32.const 0)))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (struct.get $pair 0 (local.get $p))))
      (local.set $p (if (result (ref null $pair)) (i32.eq (local.get $n) (i32.const 2))
        (then (ref.null $pair))
        (else (struct.new $pair (local.get $n) (i32.const 0)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; Two that change places, beside a number that is carried too.
  (func (export "places") (param $n i32) (result i32)
    (local $a (ref null $pair)) (local $b (ref null $pair)) (local $t (ref null $pair)) (local $k i32)
    (local.set $a (struct.new $pair (i32.const 1) (i32.const 2)))
    (local.set $b (struct.new $pair (i32.const 3) (i32.const 4)))
    (loop $again
      (local.set $t (local.get $a))
      (local.set $a (local.get $b))
      (local.set $b (local.get $t))
      (local.set $k (i32.add (local.get $k) (struct.get $pair 1 (local.get $a))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (i32.mul (local.get $k) (i32.const 100))
      (i32.add (i32.mul (i32.const 10) (struct.get $pair 0 (local.get $a))) (struct.get $pair 0 (local.get $b)))))

  ;; Out of blocks, by branches on several ways and by a table.
  (func (export "blocks") (param $n i32) (result i32)
    (struct.get $pair 0
      (block $out (result (ref $pair))
        (br_if $out (struct.new $pair (i32.const 10) (i32.const 0)) (i32.eq (local.get $n) (i32.const 1)))
        (drop)
        (br_if $out (struct.new $pair (i32.const 20) (i32.const 0)) (i32.eq (local.get $n) (i32.const 2)))
        (drop)
        (struct.new $pair (i32.const 30) (local.get $n)))))
  (func (export "table") (param $n i32) (result i32)
    (struct.get $pair 0
      (block $out (result (ref $pair))
        (block $in (result (ref $pair))
          (br_table $in $out (struct.new $pair (i32.const 10) (i32.const 0)) (local.get $n)))
        (drop)
        (struct.new $pair (i32.const 30) (local.get $n)))))

  ;; What a loop begins with is from elsewhere: a parameter, or a global; its fields are read there.
  (type $point (struct (field f64) (field f64)))
  (global $zero (mut (ref null $point)) (ref.null $point))
  (func $step (param $p (ref $point)) (result (ref $point))
    (struct.new $point
      (f64.add (struct.get $point 0 (local.get $p)) (f64.const 1))
      (f64.mul (struct.get $point 1 (local.get $p)) (f64.const 2))))
  (func $walk (param $p (ref $point)) (param $n i32) (result f64)
    (local $q (ref $point))
    (local.set $q (local.get $p))
    (loop $again
      (local.set $q (call $step (local.get $q)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f64.add (struct.get $point 0 (local.get $q)) (struct.get $point 1 (local.get $q))))
  (func (export "from_elsewhere") (param $n i32) (result f64)
    (call $walk (struct.new $point (f64.const 3) (f64.const 1)) (local.get $n)))
  (func (export "from_global") (param $set i32) (param $n i32) (result f64)
    (if (local.get $set) (then (global.set $zero (struct.new $point (f64.const 5) (f64.const 1)))))
    (call $walk (ref.as_non_null (global.get $zero)) (local.get $n)))
  ;; Null where it is read, and one of two ways from elsewhere.
  (func (export "either_way") (param $n i32) (result f64)
    (local $p (ref null $point))
    (local.set $p
      (if (result (ref null $point)) (local.get $n)
        (then (global.get $zero))
        (else (struct.new $point (f64.const 9) (f64.const 9)))))
    (struct.get $point 0 (local.get $p)))
  ;; An object of a subtype is more than its fields here.
  (type $base (sub (struct (field i32))))
  (type $more (sub $base (struct (field i32) (field i32))))
  (func $is_more (param $b (ref $base)) (param $n i32) (result i32)
    (local $c (ref $base))
    (local.set $c (local.get $b))
    (loop $again
      (if (i32.eq (local.get $n) (i32.const 1)) (then (return (ref.test (ref $more) (local.get $c)))))
      (local.set $c (struct.new $base (i32.add (struct.get $base 0 (local.get $c)) (i32.const 1))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 7))
  (func (export "more") (param $n i32) (result i32)
    (call $is_more (struct.new $more (i32.const 1) (i32.const 2)) (local.get $n))))

(assert_return (invoke "power" (f64.const 2) (i32.const 10)) (f64.const 1024))
(assert_return (invoke "power" (f64.const 2) (i32.const 0)) (f64.const 1))
(assert_return (invoke "fibonacci" (i32.const 10)) (i32.const 55034))
(assert_return (invoke "fibonacci" (i32.const 0)) (i32.const 0))
(assert_return (invoke "of_two_types" (i32.const 4)) (i32.const 107))
(assert_return (invoke "seen" (i32.const 5)) (i32.const 42))
(assert_return (invoke "written" (i32.const 4)) (i32.const 904))
(assert_return (invoke "same" (i32.const 6)) (i32.const 4))
(assert_return (invoke "no_triple" (i32.const 1)) (i32.const 1))
(assert_trap (invoke "no_triple" (i32.const 3)) "cast failure")
(assert_return (invoke "null_at_last" (i32.const 1)) (i32.const 7))
(assert_trap (invoke "null_at_last" (i32.const 3)) "null structure reference")
(assert_return (invoke "places" (i32.const 3)) (i32.const 1031))
(assert_return (invoke "blocks" (i32.const 1)) (i32.const 10))
(assert_return (invoke "blocks" (i32.const 2)) (i32.const 20))
(assert_return (invoke "blocks" (i32.const 3)) (i32.const 30))
(assert_return (invoke "table" (i32.const 0)) (i32.const 30))
(assert_return (invoke "table" (i32.const 1)) (i32.const 10))
(assert_return (invoke "from_elsewhere" (i32.const 4)) (f64.const 23))
(assert_trap (invoke "from_global" (i32.const 0) (i32.const 1)) "null reference")
(assert_return (invoke "from_global" (i32.const 1) (i32.const 3)) (f64.const 16))
(assert_return (invoke "from_global" (i32.const 0) (i32.const 1)) (f64.const 8))
(assert_return (invoke "either_way" (i32.const 0)) (f64.const 9))
(assert_return (invoke "either_way" (i32.const 1)) (f64.const 5))
(assert_return (invoke "more" (i32.const 1)) (i32.const 1))
(assert_return (invoke "more" (i32.const 2)) (i32.const 0))
