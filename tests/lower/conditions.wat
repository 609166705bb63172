;; Choices between constants are arithmetic on conditions. Where an arm may trap or does much, and where what is chosen is no
;; condition, the branch stays.
;;! passes: none+conditions+dce
(module
  (type $pair (struct (field $a i32) (field $b i32)))

  (func (export "or") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (i32.eq (local.get $x) (i32.const 3))
      (then (i32.const 1))
      (else (i32.lt_s (local.get $x) (i32.const 0)))))
  (func (export "and") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x)
      (then (ref.is_null (local.get $p)))
      (else (i32.const 0))))
  (func (export "not") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x) (then (i32.const 0)) (else (i32.const 1))))
  (func (export "loads") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x)
      (then (i32.eqz (struct.get $pair $a (local.get $p))))
      (else (i32.const 0))))
  (func (export "number") (param $p (ref $pair)) (param $x i32) (result i32)
    (if (result i32) (local.get $x) (then (local.get $x)) (else (i32.const 0)))))
