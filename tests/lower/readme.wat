;; How to read these files.
;;
;; The module comes first. Lines that start with `;;!` are directives:
;;
;;   ;;! optimize               run the optimiser too
;;   ;;! explicit-null-checks   lower for an engine without guard pages
;;
;; Behind the line `lowered:` stands what the lowering makes of it, as comments.
;; This one shows the smallest module that is lowered at all.
(module
  (type $box (struct (field (mut i32))))
  (func (export "get") (param (ref null $box)) (result i32)
    (struct.get $box 0 (local.get 0))))
