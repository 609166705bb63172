;; Closures: a struct with its code as first field and what it captured behind, called through `call_ref`.
;;
;; The callee casts its own environment back from the general closure type, as compilers of functional languages do.
;; Each step makes a closure, composes it with the one before and calls both.
;;
;;   run (n)  n closures made and called
(module
  (rec
    (type $closure (sub (struct (field $code (ref $code)))))
    (type $code (func (param (ref $closure) i32) (result i32))))
  (type $adder (sub final $closure (struct (field $code (ref $code)) (field $by i32))))
  (type $composed (sub final $closure
    (struct (field $code (ref $code)) (field $f (ref $closure)) (field $g (ref $closure)))))

  (elem declare func $add $compose)

  (func $add (type $code)
    (i32.add (local.get 1) (struct.get $adder $by (ref.cast (ref $adder) (local.get 0)))))

  (func $compose (type $code)
    (local $self (ref $composed))
    (local.set $self (ref.cast (ref $composed) (local.get 0)))
    (call $apply
      (struct.get $composed $g (local.get $self))
      (call $apply (struct.get $composed $f (local.get $self)) (local.get 1))))

  (func $apply (param $closure (ref $closure)) (param $value i32) (result i32)
    (call_ref $code (local.get $closure) (local.get $value)
      (struct.get $closure $code (local.get $closure))))

  (func (export "run") (param $n i32) (result i32)
    (local $before (ref $closure)) (local $one (ref $closure)) (local $sum i32)
    (local.set $before (struct.new $adder (ref.func $add) (i32.const 1)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $one (struct.new $adder (ref.func $add) (local.get $n)))
        (local.set $sum
          (call $apply
            (struct.new $composed (ref.func $compose) (local.get $one) (local.get $before))
            (local.get $sum)))
        (local.set $before (local.get $one))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
