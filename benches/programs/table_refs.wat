;; References in tables: `table.get` and `table.set` of structs, and of numbers as i31.
;;
;; Swaps pseudo-random elements of a table of 1024 anyref, every fourth of them an i31.
;;
;;   run (n)  n swaps
(module
  (type $box (struct (field $value (mut i32))))
  (table $table 1024 (ref null any))

  (func $value (param $ref anyref) (result i32)
    (block $number (result (ref i31))
      (return
        (struct.get $box $value
          (ref.cast (ref $box) (br_on_cast $number anyref (ref i31) (local.get $ref))))))
    i31.get_u)

  (func (export "run") (param $n i32) (result i32)
    (local $i i32) (local $seed i32) (local $sum i32) (local $at i32) (local $to i32) (local $held anyref)
    (loop $fill
      (table.set $table (local.get $i)
        (if (result anyref) (i32.and (local.get $i) (i32.const 3))
          (then (struct.new $box (local.get $i)))
          (else (ref.i31 (local.get $i)))))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
        (local.set $at (i32.shr_u (local.get $seed) (i32.const 22)))
        (local.set $to (i32.and (i32.shr_u (local.get $seed) (i32.const 8)) (i32.const 1023)))
        (local.set $held (table.get $table (local.get $at)))
        (table.set $table (local.get $at) (table.get $table (local.get $to)))
        (table.set $table (local.get $to) (local.get $held))
        (local.set $sum
          (i32.add (i32.rotl (local.get $sum) (i32.const 3)) (call $value (local.get $held))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
