;; i31 references are shifts.
(module
  (func (export "roundtrip") (param i32) (result i32) (i31.get_s (ref.i31 (local.get 0))))
  (func (export "get_u") (param i31ref) (result i32) (i31.get_u (local.get 0))))
