;; The classes C and D of the slides with custom descriptors: the vtable is the object's descriptor, and so needs no
;; field. What is printed is what examples/classes.wat prints.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))

  (rec
    (type $C (sub (descriptor $C_vtable) (struct (field $a (mut i32)))))
    (type $C_vtable (sub (describes $C) (struct (field $f (ref $f)) (field $g (ref $g)))))
    (type $D (sub $C (descriptor $D_vtable) (struct (field $a (mut i32)) (field $b (mut f64)))))
    (type $D_vtable (sub $C_vtable (describes $D) (struct (field $f (ref $f)) (field $g (ref $g)) (field $h (ref $h)))))
    (type $f (func (param $this (ref $C)) (param $i i32) (result i32)))
    (type $g (func (param $this (ref $C)) (result i32)))
    (type $h (func (param $this (ref $D)) (result f64))))
  (type $objects (array (mut (ref null $C))))

  (elem declare func $C.f $C.g $D.g $D.h)
  (global $C_vtable (ref (exact $C_vtable)) (struct.new $C_vtable (ref.func $C.f) (ref.func $C.g)))
  (global $D_vtable (ref (exact $D_vtable)) (struct.new $D_vtable (ref.func $C.f) (ref.func $D.g) (ref.func $D.h)))

  ;; f: moves `a` by i.
  (func $C.f (type $f) (param $this (ref $C)) (param $i i32) (result i32)
    (struct.set $C $a (local.get $this) (i32.add (struct.get $C $a (local.get $this)) (local.get $i)))
    (struct.get $C $a (local.get $this)))

  ;; C.g: twice `a`.
  (func $C.g (type $g) (param $this (ref $C)) (result i32)
    (i32.mul (struct.get $C $a (local.get $this)) (i32.const 2)))

  ;; D.g: `a` times `b`, cut to an integer. The receiver is known as a C only.
  (func $D.g (type $g) (param $this (ref $C)) (result i32)
    (local $self (ref null $D))
    (local.set $self (ref.cast_desc_eq (ref $D) (local.get $this) (global.get $D_vtable)))
    (i32.trunc_sat_f64_s
      (f64.mul
        (f64.convert_i32_s (struct.get $D $a (local.get $self)))
        (struct.get $D $b (local.get $self)))))

  ;; D.h: halves `b`.
  (func $D.h (type $h) (param $this (ref $D)) (result f64)
    (struct.set $D $b (local.get $this) (f64.div (struct.get $D $b (local.get $this)) (f64.const 2)))
    (struct.get $D $b (local.get $this)))

  (func $new_C (param $a i32) (result (ref $C))
    (struct.new_desc $C (local.get $a) (global.get $C_vtable)))

  (func $new_D (param $a i32) (param $b f64) (result (ref $D))
    (struct.new_desc $D (local.get $a) (local.get $b) (global.get $D_vtable)))

  ;; The virtual calls. What is called depends on the object's vtable.
  (func $call_f (param $this (ref $C)) (param $i i32) (result i32)
    (call_ref $f (local.get $this) (local.get $i)
      (struct.get $C_vtable $f (ref.get_desc $C (local.get $this)))))

  (func $call_g (param $this (ref $C)) (result i32)
    (call_ref $g (local.get $this)
      (struct.get $C_vtable $g (ref.get_desc $C (local.get $this)))))

  (func $call_h (param $this (ref $D)) (result f64)
    (call_ref $h (local.get $this)
      (struct.get $D_vtable $h (ref.get_desc $D (local.get $this)))))

  (func $objects (result (ref $objects))
    (array.new_fixed $objects 2 (call $new_C (i32.const 10)) (call $new_D (i32.const 20) (f64.const 2.5))))

  (func (export "run") (param $n i32) (result i32)
    (local $objects (ref $objects)) (local $sum i32)
    (local.set $objects (call $objects))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (local.set $sum
          (i32.add
            (local.get $sum)
            (call $call_g
              (ref.as_non_null
                (array.get $objects (local.get $objects) (i32.and (local.get $n) (i32.const 1)))))))
        (br $next)))
    (local.get $sum))

  (func (export "_start")
    (local $objects (ref $objects)) (local $object (ref $C)) (local $d (ref $D)) (local $i i32)
    (local.set $objects (call $objects))
    (loop $next
      (local.set $object (ref.as_non_null (array.get $objects (local.get $objects) (local.get $i))))
      (block $end
        (local.set $d
          (block $is_D (result (ref $D))
            (drop (br_on_cast $is_D (ref $C) (ref $D) (local.get $object)))
            (call $put (i32.const 16) (i32.const 2)) ;; "C:"
            (call $put_f_and_g (local.get $object))
            (br $end)))
        (call $put (i32.const 24) (i32.const 2)) ;; "D:"
        (call $put_f_and_g (local.get $object))
        (call $put (i32.const 48) (i32.const 7)) ;; " h() = "
        (call $put_hundredths (call $call_h (local.get $d))))
      (call $put_line)
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $objects))))))

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
