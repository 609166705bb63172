;; A chain of iterators: numbers, those of them that are not divisible by three, and a map over these, added up.
;;
;; An iterator is a closure that gives the next number, or -1; each holds the one before and what it is to call. All
;; fields are declared mutable, as compilers declare them. Other closures of the same types exist, so what a field may
;; hold does not tell what is called.
;;
;;   run (n)  n chains of 50 numbers
(module
  (rec
    (type $next (func (param (ref $iter)) (result i32)))
    (type $iter (sub (struct (field $next (mut (ref null $next)))))))
  (rec
    (type $apply (func (param (ref $fn) i32) (result i32)))
    (type $fn (sub (struct (field $apply (mut (ref null $apply)))))))
  (type $cell (struct (field $value (mut i32))))
  (type $upto (sub $iter (struct (field $next (mut (ref null $next))) (field $at (mut (ref null $cell))) (field $end (mut i32)))))
  (type $over (sub $iter (struct (field $next (mut (ref null $next))) (field $of (mut (ref null $iter))) (field $fn (mut (ref null $fn))))))
  (type $by (sub $fn (struct (field $apply (mut (ref null $apply))) (field $n (mut i32)))))
  (elem declare func $count $keep $map $none $odd $divides $times $plus $minus $same $half)

  (func $step (param $i (ref $iter)) (result i32)
    (call_ref $next (local.get $i) (struct.get $iter $next (local.get $i))))
  (func $do (param $f (ref $fn)) (param $x i32) (result i32)
    (call_ref $apply (local.get $f) (local.get $x) (struct.get $fn $apply (local.get $f))))

  (func $count (type $next)
    (local $i (ref $upto)) (local $at (ref $cell)) (local $x i32)
    (local.set $i (ref.cast (ref $upto) (local.get 0)))
    (local.set $at (ref.as_non_null (struct.get $upto $at (local.get $i))))
    (local.set $x (struct.get $cell $value (local.get $at)))
    (if (i32.ge_s (local.get $x) (struct.get $upto $end (local.get $i))) (then (return (i32.const -1))))
    (struct.set $cell $value (local.get $at) (i32.add (local.get $x) (i32.const 1)))
    (local.get $x))
  (func $keep (type $next)
    (local $i (ref $over)) (local $x i32)
    (local.set $i (ref.cast (ref $over) (local.get 0)))
    (loop $again
      (local.set $x (call $step (ref.as_non_null (struct.get $over $of (local.get $i)))))
      (if (i32.ge_s (local.get $x) (i32.const 0))
        (then
          (br_if $again
            (call $do (ref.as_non_null (struct.get $over $fn (local.get $i))) (local.get $x))))))
    (local.get $x))
  (func $map (type $next)
    (local $i (ref $over)) (local $x i32)
    (local.set $i (ref.cast (ref $over) (local.get 0)))
    (local.set $x (call $step (ref.as_non_null (struct.get $over $of (local.get $i)))))
    (if (i32.lt_s (local.get $x) (i32.const 0)) (then (return (i32.const -1))))
    (call $do (ref.as_non_null (struct.get $over $fn (local.get $i))) (local.get $x)))
  (func $none (type $next) (i32.const -1))
  (func $odd (type $next) (i32.const -1))

  (func $divides (type $apply)
    (i32.eqz (i32.rem_u (local.get 1) (struct.get $by $n (ref.cast (ref $by) (local.get 0))))))
  (func $times (type $apply) (i32.mul (local.get 1) (struct.get $by $n (ref.cast (ref $by) (local.get 0)))))
  (func $plus (type $apply) (i32.add (local.get 1) (struct.get $by $n (ref.cast (ref $by) (local.get 0)))))
  (func $minus (type $apply) (i32.sub (local.get 1) (struct.get $by $n (ref.cast (ref $by) (local.get 0)))))
  (func $same (type $apply) (local.get 1))
  (func $half (type $apply) (i32.shr_u (local.get 1) (i32.const 1)))

  (func $upto (param $end i32) (result (ref $iter))
    (struct.new $upto (ref.func $count) (struct.new $cell (i32.const 0)) (local.get $end)))
  (func $without (param $of (ref $iter)) (param $n i32) (result (ref $iter))
    (struct.new $over (ref.func $keep) (local.get $of) (struct.new $by (ref.func $divides) (local.get $n))))
  (func $scaled (param $of (ref $iter)) (param $n i32) (result (ref $iter))
    (struct.new $over (ref.func $map) (local.get $of) (struct.new $by (ref.func $times) (local.get $n))))
  (func $sum (param $of (ref $iter)) (result i32)
    (local $x i32) (local $sum i32)
    (block $done
      (loop $again
        (br_if $done (i32.lt_s (local.tee $x (call $step (local.get $of))) (i32.const 0)))
        (local.set $sum (i32.add (local.get $sum) (local.get $x)))
        (br $again)))
    (local.get $sum))

  ;; The others.
  (func (export "others") (result i32)
    (i32.add
      (i32.add
        (call $step (struct.new $iter (ref.func $none)))
        (call $step (struct.new $iter (ref.func $odd))))
      (i32.add
        (i32.add
          (call $do (struct.new $by (ref.func $plus) (i32.const 1)) (i32.const 1))
          (call $do (struct.new $by (ref.func $minus) (i32.const 1)) (i32.const 1)))
        (i32.add
          (call $do (struct.new $fn (ref.func $same)) (i32.const 1))
          (call $do (struct.new $fn (ref.func $half)) (i32.const 1))))))

  (func (export "run") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum
        (i32.add (local.get $sum)
          (call $sum (call $scaled (call $without (call $upto (i32.const 50)) (i32.const 3)) (local.get $n)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
