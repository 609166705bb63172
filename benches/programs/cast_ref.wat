;; Non-final `ref.cast` that succeeds.
;;
;; The objects are of the class that is cast to, two levels down, or of one of three classes below it, in
;; pseudo-random order.
;;
;;   run (n)  n rounds over 1024 objects, two casts each
(module
  (rec
    (type $A (sub (struct)))
    (type $B (sub $A (struct (field $x i32))))
    (type $C (sub $B (struct (field $x i32) (field $y (mut i32)))))
    (type $D (sub $C (struct (field $x i32) (field $y (mut i32)) (field i32))))
    (type $E (sub $D (struct (field $x i32) (field $y (mut i32)) (field i32))))
    (type $D2 (sub $C (struct (field $x i32) (field $y (mut i32)) (field i64)))))
  (type $objects (array (mut (ref null $A))))

  (func $make (param $kind i32) (param $x i32) (result (ref $A))
    (block $d2 (block $e (block $d (block $c
      (br_table $c $d $e $d2 (local.get $kind)))
      (return (struct.new $C (local.get $x) (i32.const 0))))
      (return (struct.new $D (local.get $x) (i32.const 1) (i32.const 2))))
      (return (struct.new $E (local.get $x) (i32.const 2) (i32.const 3))))
    (struct.new $D2 (local.get $x) (i32.const 3) (i64.const 4)))

  (func (export "run") (param $n i32) (result i32)
    (local $objects (ref $objects)) (local $i i32) (local $sum i32) (local $seed i32) (local $object (ref null $A))
    (local.set $objects (array.new_default $objects (i32.const 1024)))
    (loop $fill
      (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
      (array.set $objects (local.get $objects) (local.get $i)
        (call $make (i32.and (i32.shr_u (local.get $seed) (i32.const 24)) (i32.const 3)) (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $i (i32.const 0))
        (loop $next
          (local.set $object (array.get $objects (local.get $objects) (local.get $i)))
          (local.set $sum
            (i32.add (local.get $sum) (struct.get $B $x (ref.cast (ref $B) (local.get $object)))))
          (struct.set $C $y (ref.cast (ref $C) (local.get $object)) (local.get $sum))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
