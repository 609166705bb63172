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
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param funcref (ref 1) (ref func) (ref 1) (ref func) (ref 1) (ref 1) funcref (ref func) (ref null 1) (ref func) funcref (ref func) (ref null 1) (ref 1) (ref 1) funcref (ref func) (ref null 1) (ref func) funcref (ref func) funcref (ref func) (ref null 1) (ref null 1) (ref null 1) (ref func) (ref null 1) funcref (ref 1) (ref 1) funcref (ref null 1) (ref 1) (ref 1) (ref 1) funcref funcref (ref null 1) (ref func) (ref 1) funcref (ref func) (ref 1) (ref 1) (ref 1) (ref func) (ref 1) (ref func) funcref funcref (ref null 1) (ref null 1) (ref null 1) (ref func) (ref null 1) (ref 1) (ref 1) (ref 1) funcref (ref 1) funcref (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i32) (result i32)))
;;     (type (;3;) (func (param (ref func) funcref (ref null 3) (ref 3) funcref (ref null 3) (ref 3) (ref func) (ref func) (ref func) funcref (ref 3) funcref (ref 3) (ref null 3) funcref (ref func) (ref func) (ref null 3) (ref null 3) (ref func) funcref funcref (ref null 3) (ref func) (ref func) (ref 3) (ref null 3) (ref func) (ref 3) (ref null 3) (ref null 3) (ref null 3) funcref (ref null 3) funcref (ref func) (ref func) (ref null 3) (ref func) funcref funcref (ref null 3) (ref 3) (ref 3) funcref funcref (ref null 3) (ref func) (ref func) (ref func) (ref null 3) (ref null 3) (ref null 3) funcref (ref 3) funcref (ref null 3) (ref null 3) (ref null 3) (ref func) (ref func) (ref 3) (ref null 3))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32 f64 f64) (result i32)))
;;     (type (;5;) (func (param (ref 5) (ref 5) (ref null 5) (ref 5) (ref func) funcref (ref 5) (ref 5) (ref null 5) (ref 5) (ref null 5) (ref null 5) (ref null 5) funcref (ref null 5) (ref null 5) (ref func) (ref func) (ref func) funcref (ref func) (ref func) funcref (ref null 5) (ref 5) (ref null 5) (ref 5) (ref func) (ref func) (ref func) (ref 5) (ref null 5) funcref (ref 5) funcref funcref (ref func) (ref null 5) (ref null 5) funcref (ref null 5) (ref null 5) funcref (ref null 5) funcref (ref func) (ref null 5) (ref null 5) (ref 5) (ref null 5) (ref null 5) (ref null 5) (ref null 5) (ref 5) (ref null 5) funcref (ref func) (ref func) funcref (ref 5) funcref (ref func) (ref 5) funcref)))
;;   )
;;   (type (;6;) (func (param i32)))
;;   (type (;7;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "constants" (func 0))
;;   (export "compare" (func 1))
;;   (export "floats" (func 2))
;;   (func (;0;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 0
;;     i32.store offset=7 align=1
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.const 1
;;     i32.const 0
;;     i32.div_s
;;     i32.div_u
;;   )
;;   (func (;1;) (type 2) (param i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.tee 0
;;     i32.const 55296
;;     i32.ge_s
;;     local.get 1
;;     local.get 0
;;     i32.eq
;;     i32.and
;;   )
;;   (func (;2;) (type 4) (param i32 f64 f64) (result i32)
;;     local.get 0
;;     i32.const 0
;;     i32.store offset=7 align=1
;;     local.get 1
;;     local.get 2
;;     f64.ge
;;     local.get 1
;;     local.get 2
;;     f64.le
;;     i32.sub
;;     i32.const 0
;;     i32.ge_s
;;   )
;; )
