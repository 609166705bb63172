;;! passes: none+arithmetic+fold+dce
;; Arithmetic on constants, with the control that hangs on it; the sign of a comparison of three outcomes.
(module
  (type $box (struct (field $value (mut i32))))

  (func (export "constants") (param $box (ref $box)) (result i32)
    (if (i32.lt_s (i32.const 0) (i32.const 1))
      (then (struct.set $box $value (local.get $box) (i32.div_s (i32.add (i32.const 0) (i32.const 1)) (i32.const 2))))
      (else (struct.set $box $value (local.get $box) (i32.const 7))))
    ;; It would trap, and does.
    (i32.div_u (struct.get $box $value (local.get $box)) (i32.div_s (i32.const 1) (i32.const 0))))

  (func (export "compare") (param $box (ref $box)) (param $b i32) (result i32)
    (local $a i32)
    (local.set $a (struct.get $box $value (local.get $box)))
    (i32.and
      (i32.ge_s
        (i32.sub (i32.ge_s (local.get $a) (i32.const 55296)) (i32.le_s (local.get $a) (i32.const 55296)))
        (i32.const 0))
      (i32.eqz (i32.sub (i32.lt_u (local.get $a) (local.get $b)) (i32.gt_u (local.get $a) (local.get $b))))))

  ;; Two numbers may be neither greater nor less.
  (func (export "floats") (param $box (ref $box)) (param $a f64) (param $b f64) (result i32)
    (struct.set $box $value (local.get $box) (i32.const 0))
    (i32.ge_s
      (i32.sub (f64.ge (local.get $a) (local.get $b)) (f64.le (local.get $a) (local.get $b)))
      (i32.const 0))))
