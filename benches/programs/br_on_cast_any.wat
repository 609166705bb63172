;; Dispatch by a chain of `br_on_cast` on a value of any type, as compilers of Scheme, OCaml and Kotlin emit it.
;;
;; Small numbers are i31; of eight final types the last is found by the eighth test of the same value.
;;
;;   run (n)  n rounds over 1024 values
(module
  (rec
    (type $t0 (struct (field i32)))
    (type $t1 (struct (field i32)))
    (type $t2 (struct (field i32)))
    (type $t3 (struct (field i32)))
    (type $t4 (struct (field i32)))
    (type $t5 (struct (field i32)))
    (type $t6 (struct (field i32)))
    (type $t7 (struct (field i32))))
  (type $values (array (mut anyref)))

  (func $make (param $i i32) (result anyref)
    (block $t0 (block $t1 (block $t2 (block $t3 (block $t4 (block $t5 (block $t6 (block $t7 (block $number
      (br_table $t0 $t1 $t2 $t3 $t4 $t5 $t6 $t7 $number
        (i32.rem_u (i32.mul (local.get $i) (i32.const 7)) (i32.const 9))))
      (return (ref.i31 (local.get $i))))
      (return (struct.new $t7 (local.get $i))))
      (return (struct.new $t6 (local.get $i))))
      (return (struct.new $t5 (local.get $i))))
      (return (struct.new $t4 (local.get $i))))
      (return (struct.new $t3 (local.get $i))))
      (return (struct.new $t2 (local.get $i))))
      (return (struct.new $t1 (local.get $i))))
    (struct.new $t0 (local.get $i)))

  (func $weight (param $value anyref) (result i32)
    (block $0 (result (ref $t0))
      (block $1 (result (ref $t1))
        (block $2 (result (ref $t2))
          (block $3 (result (ref $t3))
            (block $4 (result (ref $t4))
              (block $5 (result (ref $t5))
                (block $6 (result (ref $t6))
                  (block $7 (result (ref $t7))
                    (br_on_cast $0 anyref (ref $t0) (local.get $value))
                    (br_on_cast $1 anyref (ref $t1))
                    (br_on_cast $2 anyref (ref $t2))
                    (br_on_cast $3 anyref (ref $t3))
                    (br_on_cast $4 anyref (ref $t4))
                    (br_on_cast $5 anyref (ref $t5))
                    (br_on_cast $6 anyref (ref $t6))
                    (br_on_cast $7 anyref (ref $t7))
                    (return (i31.get_s (ref.cast (ref i31)))))
                  (return (i32.mul (struct.get $t7 0) (i32.const 3))))
                (return (i32.mul (struct.get $t6 0) (i32.const 5))))
              (return (i32.mul (struct.get $t5 0) (i32.const 7))))
            (return (i32.mul (struct.get $t4 0) (i32.const 9))))
          (return (i32.mul (struct.get $t3 0) (i32.const 11))))
        (return (i32.mul (struct.get $t2 0) (i32.const 13))))
      (return (i32.mul (struct.get $t1 0) (i32.const 15))))
    (i32.mul (struct.get $t0 0) (i32.const 17)))

  (func (export "run") (param $n i32) (result i32)
    (local $values (ref $values)) (local $i i32) (local $sum i32)
    (local.set $values (array.new_default $values (i32.const 1024)))
    (loop $fill
      (array.set $values (local.get $values) (local.get $i) (call $make (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $i (i32.const 0))
        (loop $next
          (local.set $sum
            (i32.add (i32.rotl (local.get $sum) (i32.const 1))
              (call $weight (array.get $values (local.get $values) (local.get $i)))))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
