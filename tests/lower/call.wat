;; Function references in objects are handles, and calls through them need no reference.
(module
  (type $f (func (param i32) (result i32)))
  (type $vt (struct (field (ref $f))))
  (func $inc (type $f) (i32.add (local.get 0) (i32.const 1)))
  (elem declare func $inc)
  (func (export "new") (result (ref $vt)) (struct.new $vt (ref.func $inc)))
  (func (export "call") (param (ref $vt)) (result i32)
    (call_ref $f (i32.const 1) (struct.get $vt 0 (local.get 0)))))
