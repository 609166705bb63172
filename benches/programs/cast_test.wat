;; Non-final `ref.test`, hits and misses mixed.
;;
;; Seven classes, up to four below the root and with a second branch; no class is final. Each object is tested against
;; four of them, of which between none and three fit.
;;
;;   run (n)  n rounds over 1024 objects, four tests each
(module
  (rec
    (type $A (sub (struct (field $x i32))))
    (type $B (sub $A (struct (field $x i32))))
    (type $C (sub $B (struct (field $x i32) (field i32))))
    (type $D (sub $C (struct (field $x i32) (field i32))))
    (type $E (sub $D (struct (field $x i32) (field i32))))
    (type $C2 (sub $B (struct (field $x i32) (field i64))))
    (type $D2 (sub $C2 (struct (field $x i32) (field i64)))))
  (type $objects (array (mut (ref null $A))))

  (func $make (param $kind i32) (param $x i32) (result (ref $A))
    (block $d2 (block $c2 (block $e (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d $e $c2 $d2 (local.get $kind)))
      (return (struct.new $A (local.get $x))))
      (return (struct.new $B (local.get $x))))
      (return (struct.new $C (local.get $x) (i32.const 1))))
      (return (struct.new $D (local.get $x) (i32.const 1))))
      (return (struct.new $E (local.get $x) (i32.const 1))))
      (return (struct.new $C2 (local.get $x) (i64.const 1))))
    (struct.new $D2 (local.get $x) (i64.const 1)))

  (func (export "run") (param $n i32) (result i32)
    (local $objects (ref $objects)) (local $i i32) (local $sum i32) (local $seed i32) (local $object (ref null $A))
    (local.set $objects (array.new_default $objects (i32.const 1024)))
    (loop $fill
      (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
      (array.set $objects (local.get $objects) (local.get $i)
        (call $make (i32.rem_u (i32.shr_u (local.get $seed) (i32.const 16)) (i32.const 7)) (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $i (i32.const 0))
        (loop $next
          (local.set $object (array.get $objects (local.get $objects) (local.get $i)))
          (local.set $sum
            (i32.add (i32.rotl (local.get $sum) (i32.const 1))
              (i32.add
                (i32.add
                  (ref.test (ref $B) (local.get $object))
                  (i32.shl (ref.test (ref $C) (local.get $object)) (i32.const 1)))
                (i32.add
                  (i32.shl (ref.test (ref $D) (local.get $object)) (i32.const 2))
                  (i32.shl (ref.test (ref $C2) (local.get $object)) (i32.const 3))))))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
