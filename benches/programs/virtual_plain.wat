;; Virtual calls through vtable structs, without casts.
;;
;; Four classes with one layout and each its own vtable; the order of the receivers is pseudo-random.
;;
;;   run (n)  n rounds over 1024 objects, one call each
(module
  (rec
    (type $object (sub (struct (field $vtable (ref $vtable)) (field $x i32))))
    (type $vtable (sub final (struct (field $apply (ref $method)))))
    (type $method (func (param (ref $object) i32) (result i32))))
  (type $objects (array (mut (ref null $object))))

  (elem declare func $add $sub $xor $rotate)
  (global $v0 (ref $vtable) (struct.new $vtable (ref.func $add)))
  (global $v1 (ref $vtable) (struct.new $vtable (ref.func $sub)))
  (global $v2 (ref $vtable) (struct.new $vtable (ref.func $xor)))
  (global $v3 (ref $vtable) (struct.new $vtable (ref.func $rotate)))

  (func $add (type $method) (i32.add (local.get 1) (struct.get $object $x (local.get 0))))
  (func $sub (type $method) (i32.sub (local.get 1) (struct.get $object $x (local.get 0))))
  (func $xor (type $method) (i32.xor (local.get 1) (struct.get $object $x (local.get 0))))
  (func $rotate (type $method) (i32.rotl (local.get 1) (struct.get $object $x (local.get 0))))

  (func $vtable (param $kind i32) (result (ref $vtable))
    (block $3 (block $2 (block $1 (block $0
      (br_table $0 $1 $2 $3 (i32.and (local.get $kind) (i32.const 3))))
      (return (global.get $v0)))
      (return (global.get $v1)))
      (return (global.get $v2)))
    (global.get $v3))

  (func (export "run") (param $n i32) (result i32)
    (local $objects (ref $objects)) (local $i i32) (local $sum i32) (local $seed i32)
    (local $object (ref null $object))
    (local.set $objects (array.new_default $objects (i32.const 1024)))
    (loop $fill
      (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
      (array.set $objects (local.get $objects) (local.get $i)
        (struct.new $object (call $vtable (i32.shr_u (local.get $seed) (i32.const 24))) (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $i (i32.const 0))
        (loop $next
          (local.set $object (array.get $objects (local.get $objects) (local.get $i)))
          (local.set $sum
            (call_ref $method
              (ref.as_non_null (local.get $object)) (local.get $sum)
              (struct.get $vtable $apply (struct.get $object $vtable (local.get $object)))))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
