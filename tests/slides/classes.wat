;; The classes C and D of the slides, in the slides' dialect: no declared subtypes, an RTT for each class.
;;
;; D is below C, and D_vtable below C_vtable, by structure alone: more fields, and a vtable that is more precise. The
;; RTT of D is made below that of C, once; objects get theirs as last operand, and the down-cast in D.g is against it.
;; What is printed is what examples/classes.wat prints, which is the same program in today's standard.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))

  (type $C (struct (field $vtable (ref $C_vtable)) (field $a (mut i32))))
  (type $C_vtable (struct (field $f (ref $f)) (field $g (ref $g))))
  (type $D (struct (field $vtable (ref $D_vtable)) (field $a (mut i32)) (field $b (mut f64))))
  (type $D_vtable (struct (field $f (ref $f)) (field $g (ref $g)) (field $h (ref $h))))
  (type $f (func (param $this (ref $C)) (param $i i32) (result i32)))
  (type $g (func (param $this (ref $C)) (result i32)))
  (type $h (func (param $this (ref $D)) (result f64)))
  (type $objects (array (mut (optref $C))))

  (global $rtt_C (rtt 0 $C) (rtt.canon $C))
  (global $rtt_D (rtt 1 $D) (rtt.sub $D (rtt.canon $C)))

  (elem declare func $C.f $C.g $D.g $D.h)
  (global $C_vtable (mut (optref $C_vtable)) (ref.null $C_vtable))
  (global $D_vtable (mut (optref $D_vtable)) (ref.null $D_vtable))
  (func $make_vtables
    (global.set $C_vtable
      (struct.new_with_rtt $C_vtable (ref.func $C.f) (ref.func $C.g) (rtt.canon $C_vtable)))
    (global.set $D_vtable
      (struct.new_with_rtt $D_vtable (ref.func $C.f) (ref.func $D.g) (ref.func $D.h) (rtt.canon $D_vtable))))
  (start $make_vtables)

  ;; f: moves `a` by i.
  (func $C.f (type $f) (param $this (ref $C)) (param $i i32) (result i32)
    (struct.set $C $a (local.get $this) (i32.add (struct.get $C $a (local.get $this)) (local.get $i)))
    (struct.get $C $a (local.get $this)))

  ;; C.g: twice `a`.
  (func $C.g (type $g) (param $this (ref $C)) (result i32)
    (i32.mul (struct.get $C $a (local.get $this)) (i32.const 2)))

  ;; D.g: `a` times `b`, cut to an integer. The receiver is known as a C only.
  (func $D.g (type $g) (param $this (ref $C)) (result i32)
    (ref.cast (local.get $this) (global.get $rtt_D))
    (let (result i32) (local $self (ref $D))
      (i32.trunc_sat_f64_s
        (f64.mul
          (f64.convert_i32_s (struct.get $D $a (local.get $self)))
          (struct.get $D $b (local.get $self))))))

  ;; D.h: halves `b`.
  (func $D.h (type $h) (param $this (ref $D)) (result f64)
    (struct.set $D $b (local.get $this) (f64.div (struct.get $D $b (local.get $this)) (f64.const 2)))
    (struct.get $D $b (local.get $this)))

  (func $new_C (param $a i32) (result (ref $C))
    (struct.new_with_rtt $C (ref.as_nonnull (global.get $C_vtable)) (local.get $a) (global.get $rtt_C)))

  (func $new_D (param $a i32) (param $b f64) (result (ref $D))
    (struct.new_with_rtt $D
      (ref.as_nonnull (global.get $D_vtable)) (local.get $a) (local.get $b) (global.get $rtt_D)))

  ;; The virtual calls. What is called depends on the object's vtable.
  (func $call_f (param $this (ref $C)) (param $i i32) (result i32)
    (call_ref (local.get $this) (local.get $i)
      (struct.get $C_vtable $f (struct.get $C $vtable (local.get $this)))))

  (func $call_g (param $this (ref $C)) (result i32)
    (call_ref (local.get $this)
      (struct.get $C_vtable $g (struct.get $C $vtable (local.get $this)))))

  (func $call_h (param $this (ref $D)) (result f64)
    (call_ref (local.get $this)
      (struct.get $D_vtable $h (struct.get $D $vtable (local.get $this)))))

  (func $objects (result (ref $objects))
    (array.new_default_with_rtt $objects (i32.const 2) (rtt.canon $objects))
    (let (result (ref $objects)) (local $all (ref $objects))
      (array.set $objects (local.get $all) (i32.const 0) (call $new_C (i32.const 10)))
      (array.set $objects (local.get $all) (i32.const 1) (call $new_D (i32.const 20) (f64.const 2.5)))
      (local.get $all)))

  (func (export "run") (param $n i32) (result i32)
    (local $objects (optref $objects)) (local $sum i32)
    (local.set $objects (call $objects))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (local.set $sum
          (i32.add
            (local.get $sum)
            (call $call_g
              (ref.as_nonnull
                (array.get $objects (local.get $objects) (i32.and (local.get $n) (i32.const 1)))))))
        (br $next)))
    (local.get $sum))

  (func (export "_start")
    (local $objects (optref $objects)) (local $object (optref $C)) (local $i i32)
    (local.set $objects (call $objects))
    (loop $next
      (local.set $object (array.get $objects (local.get $objects) (local.get $i)))
      (block $end
        (block $is_D (result (ref $D))
          (drop (br_on_cast $is_D (local.get $object) (global.get $rtt_D)))
          (call $put (i32.const 16) (i32.const 2)) ;; "C:"
          (call $put_f_and_g (ref.as_nonnull (local.get $object)))
          (br $end))
        (let (local $d (ref $D))
          (call $put (i32.const 24) (i32.const 2)) ;; "D:"
          (call $put_f_and_g (local.get $d))
          (call $put (i32.const 48) (i32.const 7)) ;; " h() = "
          (call $put_hundredths (call $call_h (local.get $d)))))
      (call $put_line)
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (array.len $objects (local.get $objects))))))

  (func $put_f_and_g (param $object (ref $C))
    (call $put (i32.const 32) (i32.const 8)) ;; " f(1) = "
    (call $put_number (call $call_f (local.get $object) (i32.const 1)))
    (call $put (i32.const 40) (i32.const 7)) ;; " g() = "
    (call $put_number (call $call_g (local.get $object))))

  ;; 0: iovec (address, length); 8: bytes written; 16: constant text; 1024: the line being built
  (memory (export "memory") 1)
  (data (i32.const 16) "C:")
  (data (i32.const 24) "D:")
  (data (i32.const 32) " f(1) = ")
  (data (i32.const 40) " g() = ")
  (data (i32.const 48) " h() = ")
  (global $end (mut i32) (i32.const 1024))

  ;; Writes the line to standard output.
  (func $put_line
    (call $put_byte (i32.const 10))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.sub (global.get $end) (i32.const 1024)))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
    (global.set $end (i32.const 1024)))

  ;; Adds constant text to the line.
  (func $put (param $text i32) (param $length i32)
    (memory.copy (global.get $end) (local.get $text) (local.get $length))
    (global.set $end (i32.add (global.get $end) (local.get $length))))

  (func $put_byte (param $byte i32)
    (i32.store8 (global.get $end) (local.get $byte))
    (global.set $end (i32.add (global.get $end) (i32.const 1))))

  ;; Adds an unsigned number in decimal.
  (func $put_number (param $n i32)
    (if (i32.ge_u (local.get $n) (i32.const 10))
      (then (call $put_number (i32.div_u (local.get $n) (i32.const 10)))))
    (call $put_byte (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))

  ;; Adds a number that is not negative, with two digits after the point.
  (func $put_hundredths (param $x f64)
    (local $n i32)
    (local.set $n (i32.trunc_sat_f64_u (f64.mul (local.get $x) (f64.const 100))))
    (call $put_number (i32.div_u (local.get $n) (i32.const 100)))
    (call $put_byte (i32.const 46))
    (local.set $n (i32.rem_u (local.get $n) (i32.const 100)))
    (call $put_byte (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 10))))
    (call $put_byte (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))))
