;;! passes: none+bounds
;; An index is compared with a length once: behind a check, or behind a branch that compared them.
(module
  (type $ints (array (mut i32)))
  (table $table 8 (ref null any))

  (func (export "increment") (param $a (ref $ints)) (param $i i32)
    (array.set $ints (local.get $a) (local.get $i)
      (i32.add (array.get $ints (local.get $a) (local.get $i)) (i32.const 1))))

  (func (export "guarded") (param $a (ref $ints)) (param $i i32) (result i32)
    (if (i32.ge_u (local.get $i) (array.len (local.get $a))) (then (return (i32.const -1))))
    (array.get $ints (local.get $a) (local.get $i)))

  (func (export "sum") (param $a (ref $ints)) (result i32)
    (local $i i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.lt_u (local.get $i) (array.len (local.get $a)))))
        (local.set $sum (i32.add (local.get $sum) (array.get $ints (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func (export "arms") (param $a (ref $ints)) (param $i i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $i) (array.len (local.get $a)))
      (then (array.get $ints (local.get $a) (local.get $i)))
      ;; Here it is not below, and the check stays.
      (else (array.get $ints (local.get $a) (local.get $i)))))

  (func (export "swap") (param $i i32) (param $j i32) (local $held anyref)
    (local.set $held (table.get $table (local.get $i)))
    (table.set $table (local.get $i) (table.get $table (local.get $j)))
    (table.set $table (local.get $j) (local.get $held)))

  (func (export "constants") (param $a (ref $ints)) (result i32)
    (i32.add (array.get $ints (local.get $a) (i32.const 3)) (array.get $ints (local.get $a) (i32.const 2)))))
