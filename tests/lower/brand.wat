;; Signatures that lower to the same stay apart where somebody can tell.
(module
  (type $a (struct (field i32)))
  (type $b (struct (field i64)))
  (type $fa (func (param (ref $a))))
  (type $fb (func (param (ref $b))))
  (table $t 1 funcref)
  (func (export "call") (param (ref $a)) (call_indirect $t (type $fa) (local.get 0) (i32.const 0))))
