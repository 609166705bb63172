;; Small functions stand in the place of calls; what nothing can call any more has no code.
;;! optimize
(module
  (type $box (struct (field (mut i32))))
  (func $get (param (ref null $box)) (result i32) (struct.get $box 0 (local.get 0)))
  (func $clamp (param i32) (result i32)
    (if (i32.gt_s (local.get 0) (i32.const 9)) (then (return (i32.const 9))))
    (local.get 0))
  (func $kept (export "kept") (param (ref null $box)) (result i32) (call $clamp (call $get (local.get 0))))
  (func (export "twice") (param (ref null $box)) (result i32)
    (i32.add (call $get (local.get 0)) (call $get (local.get 0))))
  (func $down (export "down") (param i32 (ref null $box)) (result i32)
    (if (result i32) (local.get 0)
      (then (call $down (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
      (else (call $get (local.get 1))))))
