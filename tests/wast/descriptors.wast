;; Custom descriptors beyond the proposal's scripts: descriptors that move nothing and die, descriptors
;; of descriptors, fields of a descriptor that refer to young objects, and casts by type of objects whose
;; records are their own.

(module
  (rec
    (type $C (sub (descriptor $Cd) (struct (field $x (mut i32)))))
    (type $Cd (sub (describes $C) (struct (field $name (mut (ref null $box))) (field $get (ref $get)))))
    (type $D (sub $C (descriptor $Dd) (struct (field $x (mut i32)) (field $y i32))))
    (type $Dd (sub $Cd (describes $D) (struct (field $name (mut (ref null $box))) (field $get (ref $get)) (field $n i64))))
    (type $get (func (param (ref $C)) (result i32)))
    (type $box (struct (field $v i32))))
  ;; A descriptor of a descriptor.
  (rec
    (type $T (descriptor $Td) (struct (field i32)))
    (type $Td (describes $T) (descriptor $Tdd) (struct (field $level i32)))
    (type $Tdd (describes $Td) (struct (field $level i32))))

  (elem declare func $C.get $D.get)
  (global $Cd (ref (exact $Cd)) (struct.new $Cd (ref.null $box) (ref.func $C.get)))
  (global $Dd (ref (exact $Dd)) (struct.new $Dd (ref.null $box) (ref.func $D.get) (i64.const 5)))

  (func $C.get (type $get) (struct.get $C $x (local.get 0)))
  (func $D.get (type $get) (struct.get $D $y (ref.cast_desc_eq (ref $D) (local.get 0) (global.get $Dd))))

  (func $garbage (param $n i32)
    (loop $l
      (drop (struct.new $box (local.get $n)))
      (drop (struct.new $Cd (struct.new $box (local.get $n)) (ref.func $C.get)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $l (local.get $n))))

  ;; A virtual call through the descriptor.
  (func $virtual (param $o (ref $C)) (result i32)
    (call_ref $get (local.get $o) (struct.get $Cd $get (ref.get_desc $C (local.get $o)))))
  (func (export "virtual") (result i32)
    (i32.add
      (call $virtual (struct.new_desc $C (i32.const 1) (global.get $Cd)))
      (call $virtual (struct.new_desc $D (i32.const 2) (i32.const 40) (global.get $Dd)))))

  ;; Names that only the descriptor keeps, which only the object keeps.
  (func (export "alive") (result i32)
    (local $o (ref $C)) (local $p (ref $C))
    (local.set $o (struct.new_default_desc $C (struct.new $Cd (struct.new $box (i32.const 11)) (ref.func $C.get))))
    (local.set $p (struct.new_default_desc $D
      (struct.new $Dd (struct.new $box (i32.const 100)) (ref.func $D.get) (i64.const 1))))
    (call $garbage (i32.const 30))
    (struct.set $Cd $name (ref.get_desc $C (local.get $p)) (struct.new $box (i32.const 200)))
    (call $garbage (i32.const 30))
    (i32.add
      (struct.get $box $v (ref.as_non_null (struct.get $Cd $name (ref.get_desc $C (local.get $o)))))
      (struct.get $box $v (ref.as_non_null (struct.get $Cd $name (ref.get_desc $C (local.get $p)))))))

  ;; Casts by type do not care for the descriptor.
  (func (export "by-type") (result i32)
    (local $o anyref)
    (local.set $o (struct.new_default_desc $D (struct.new $Dd (ref.null $box) (ref.func $D.get) (i64.const 1))))
    (i32.add (ref.test (ref $C) (local.get $o))
      (i32.add (i32.mul (ref.test (ref $D) (local.get $o)) (i32.const 10))
        (i32.add (i32.mul (ref.test (ref (exact $C)) (local.get $o)) (i32.const 100))
          (i32.add (i32.mul (ref.test (ref (exact $D)) (local.get $o)) (i32.const 1000))
            (i32.add (i32.mul (ref.test structref (local.get $o)) (i32.const 10_000))
              (i32.mul (ref.test (ref $box) (local.get $o)) (i32.const 100_000))))))))

  (func (export "chain") (result i32)
    (local $t (ref $T))
    (local.set $t
      (struct.new_desc $T (i32.const 0)
        (struct.new_desc $Td (i32.const 1)
          (struct.new $Tdd (i32.const 20)))))
    (call $garbage (i32.const 30))
    (i32.add
      (struct.get $Td $level (ref.get_desc $T (local.get $t)))
      (struct.get $Tdd $level (ref.get_desc $Td (ref.get_desc $T (local.get $t))))))

  ;; An array keeps objects of many descriptors.
  (type $all (array (mut (ref null $C))))
  (func (export "many") (param $n i32) (result i32)
    (local $a (ref $all)) (local $i i32) (local $sum i32)
    (local.set $a (array.new_default $all (local.get $n)))
    (loop $l
      (array.set $all (local.get $a) (local.get $i)
        (struct.new_desc $C (local.get $i)
          (struct.new $Cd (struct.new $box (local.get $i)) (ref.func $C.get))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (call $garbage (i32.const 30))
    (loop $l
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $sum (i32.add (local.get $sum)
        (struct.get $box $v (ref.as_non_null
          (struct.get $Cd $name (ref.get_desc $C (ref.as_non_null (array.get $all (local.get $a) (local.get $i)))))))))
      (br_if $l (local.get $i)))
    (local.get $sum)))

(assert_return (invoke "virtual") (i32.const 41))
(assert_return (invoke "alive") (i32.const 211))
(assert_return (invoke "by-type") (i32.const 11011))
(assert_return (invoke "chain") (i32.const 21))
(assert_return (invoke "many" (i32.const 60)) (i32.const 1770))
