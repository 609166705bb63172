;; Without guard pages every access is preceded by a check.
;;! explicit-null-checks
(module
  (type $box (struct (field (mut i32))))
  (func (export "get") (param (ref null $box)) (result i32) (struct.get $box 0 (local.get 0)))
  (func (export "known") (param (ref $box)) (result i32) (struct.get $box 0 (local.get 0))))
