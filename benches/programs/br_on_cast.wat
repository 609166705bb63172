;; Dispatch by `br_on_cast` over non-final classes: an interpreter of expressions.
;;
;; The evaluator tries four classes in turn; most expressions are found by the second or third try.
;;
;;   run (n)  evaluates a tree of 4095 expressions n times
(module
  (type $expr (sub (struct)))
  (rec
    (type $num (sub $expr (struct (field $value i32))))
    (type $neg (sub $expr (struct (field $a (ref $expr)))))
    (type $add (sub $expr (struct (field $a (ref $expr)) (field $b (ref $expr)))))
    (type $mul (sub $expr (struct (field $a (ref $expr)) (field $b (ref $expr))))))

  (func $make (param $depth i32) (param $seed i32) (result (ref $expr))
    (local $a (ref $expr))
    (if (i32.eqz (local.get $depth)) (then (return (struct.new $num (local.get $seed)))))
    (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
    (local.set $a (call $make (local.get $depth) (i32.mul (local.get $seed) (i32.const 31))))
    (if (i32.eqz (i32.rem_u (local.get $seed) (i32.const 5)))
      (then (local.set $a (struct.new $neg (local.get $a)))))
    (if (i32.and (local.get $seed) (i32.const 4))
      (then
        (return
          (struct.new $mul (local.get $a)
            (call $make (local.get $depth) (i32.add (i32.mul (local.get $seed) (i32.const 17)) (i32.const 1)))))))
    (struct.new $add (local.get $a)
      (call $make (local.get $depth) (i32.add (i32.mul (local.get $seed) (i32.const 13)) (i32.const 5)))))

  (func $eval (param $e (ref $expr)) (result i32)
    (local $sum (ref $add)) (local $product (ref $mul))
    (block $is_mul (result (ref $mul))
      (block $is_add (result (ref $add))
        (block $is_num (result (ref $num))
          (block $is_neg (result (ref $neg))
            (br_on_cast $is_num (ref $expr) (ref $num)
              (br_on_cast $is_neg (ref $expr) (ref $neg) (local.get $e)))
            (br_on_cast $is_add (ref $expr) (ref $add))
            (br_on_cast $is_mul (ref $expr) (ref $mul))
            unreachable)
          (return (i32.mul (call $eval (struct.get $neg $a)) (i32.const -1))))
        (return (struct.get $num $value)))
      (local.set $sum)
      (return
        (i32.add
          (call $eval (struct.get $add $a (local.get $sum)))
          (call $eval (struct.get $add $b (local.get $sum))))))
    (local.set $product)
    (i32.mul
      (call $eval (struct.get $mul $a (local.get $product)))
      (call $eval (struct.get $mul $b (local.get $product)))))

  (func (export "run") (param $n i32) (result i32)
    (local $tree (ref $expr)) (local $sum i32)
    (local.set $tree (call $make (i32.const 11) (i32.const 3)))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (i32.rotl (local.get $sum) (i32.const 1)) (call $eval (local.get $tree))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
