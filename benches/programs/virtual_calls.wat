;; Virtual calls through vtable structs, with a checked down-cast of the receiver, as compilers of Java emit them.
;;
;; Three classes C <- D <- E, mixed in one array. Overridden methods cast `this` down to the class that defines them;
;; none of the targets is final but E.
;;
;;   run (n)  n rounds over 1000 objects, one call each
(module
  (rec
    (type $C (sub (struct (field $vtable (ref $Cvt)) (field $x (mut i32)))))
    (type $Cvt (sub (struct (field $get (ref $method)))))
    (type $method (func (param (ref $C)) (result i32)))
    (type $D (sub $C (struct (field $vtable (ref $Dvt)) (field $x (mut i32)) (field $y (mut i32)))))
    (type $Dvt (sub $Cvt (struct (field $get (ref $method)) (field $more (ref $method)))))
    (type $E (sub final $D (struct (field $vtable (ref $Dvt)) (field $x (mut i32)) (field $y (mut i32))))))
  (type $objects (array (mut (ref null $C))))

  (elem declare func $C.get $D.get $E.get)
  (global $Cvt (ref $Cvt) (struct.new $Cvt (ref.func $C.get)))
  (global $Dvt (ref $Dvt) (struct.new $Dvt (ref.func $D.get) (ref.func $D.get)))
  (global $Evt (ref $Dvt) (struct.new $Dvt (ref.func $E.get) (ref.func $E.get)))

  (func $C.get (type $method) (struct.get $C $x (local.get 0)))
  (func $D.get (type $method) (struct.get $D $y (ref.cast (ref $D) (local.get 0))))
  (func $E.get (type $method) (i32.add (i32.const 1) (struct.get $D $y (ref.cast (ref $D) (local.get 0)))))

  (func $make (param $i i32) (result (ref $C))
    (local $kind i32)
    (local.set $kind (i32.rem_u (local.get $i) (i32.const 3)))
    (if (i32.eqz (local.get $kind)) (then (return (struct.new $C (global.get $Cvt) (local.get $i)))))
    (if (i32.eq (local.get $kind) (i32.const 1))
      (then (return (struct.new $D (global.get $Dvt) (local.get $i) (i32.const 7)))))
    (struct.new $E (global.get $Evt) (local.get $i) (i32.const 9)))

  (func (export "run") (param $n i32) (result i32)
    (local $objects (ref $objects)) (local $i i32) (local $sum i32) (local $object (ref null $C))
    (local.set $objects (array.new_default $objects (i32.const 1000)))
    (loop $fill
      (array.set $objects (local.get $objects) (local.get $i) (call $make (local.get $i)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $i (i32.const 0))
        (loop $next
          (local.set $object (array.get $objects (local.get $objects) (local.get $i)))
          (local.set $sum
            (i32.add (local.get $sum)
              (call_ref $method
                (ref.as_non_null (local.get $object))
                (struct.get $Cvt $get (struct.get $C $vtable (local.get $object))))))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
