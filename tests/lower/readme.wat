;; How to read these files.
;;
;; The module comes first. Lines that start with `;;!` are directives:
;;
;;   ;;! optimize               run the optimiser too
;;   ;;! passes: none+dce       run some of its passes
;;   ;;! compile-fast           lower as with `-O opt-level=0`
;;   ;;! explicit-null-checks   lower for an engine without guard pages
;;   ;;! relocatable            lower for code that is kept
;;   ;;! likely: $f=$g:90       what the next call through a reference in $f reaches in 90 of 100 turns is $g
;;
;; Behind the line `lowered:` stands what the lowering makes of it, as comments.
;; This one shows the smallest module that is lowered at all.
(module
  (type $box (struct (field (mut i32))))
  (func (export "get") (param (ref null $box)) (result i32)
    (struct.get $box 0 (local.get 0))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref func) (ref 1) (ref null 1) funcref (ref func) funcref (ref 1) (ref null 1) funcref (ref 1) funcref (ref func) (ref null 1) (ref 1) (ref func) (ref null 1) (ref func) (ref func) funcref (ref 1) (ref func) funcref funcref funcref (ref 1) (ref func) (ref null 1) (ref null 1) (ref 1) funcref (ref null 1) (ref null 1) (ref func) funcref funcref (ref func) funcref (ref func) (ref null 1) (ref func) (ref 1) funcref (ref 1) (ref 1) funcref funcref (ref func) funcref (ref null 1) (ref func) funcref (ref 1) (ref null 1) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref 1) funcref funcref (ref func) funcref (ref func) funcref)))
;;   )
;;   (type (;2;) (func (param i32)))
;;   (type (;3;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "get" (func 0))
;;   (func (;0;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;   )
;; )
