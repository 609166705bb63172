;; A field that a loop reads and writes through one reference is a parameter of the loop: it is stored at each write, and
;; not loaded. What the loop only reads is read before it, and so is the length of an array that it goes through.
;;! passes: none+loop_fields+dce+hoist
(module
  (type $node (struct (field $next (ref null $node)) (field $value i32)))
  (type $list (struct (field $first (mut (ref null $node))) (field $sum (mut i64)) (field $step (mut i32))))
  (type $ints (array (mut i32)))

  (func (export "drain") (param $list (ref $list))
    (loop $again
      (block $done
        (br_on_null $done (struct.get $list $first (local.get $list)))
        (drop)
        (struct.set $list $first (local.get $list)
          (struct.get $node $next (struct.get $list $first (local.get $list))))
        (br $again))))
  (func (export "count") (param $list (ref $list)) (param $n i32)
    (loop $again
      (struct.set $list $sum (local.get $list)
        (i64.add (struct.get $list $sum (local.get $list))
          (i64.extend_i32_s (struct.get $list $step (local.get $list)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "sum") (param $ints (ref $ints)) (result i32)
    (local $i i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (array.get $ints (local.get $ints) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
    (local.get $sum)))
