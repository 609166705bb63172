;; Without guard pages every access is preceded by a check.
;;! explicit-null-checks
(module
  (type $box (struct (field (mut i32))))
  (func (export "get") (param (ref null $box)) (result i32) (struct.get $box 0 (local.get 0)))
  (func (export "known") (param (ref $box)) (result i32) (struct.get $box 0 (local.get 0))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref func) (ref 1) (ref null 1) funcref (ref func) funcref (ref 1) (ref null 1) funcref (ref 1) funcref (ref func) (ref null 1) (ref 1) (ref func) (ref null 1) (ref func) (ref func) funcref (ref 1) (ref func) funcref funcref funcref (ref 1) (ref func) (ref null 1) (ref null 1) (ref 1) funcref (ref null 1) (ref null 1) (ref func) funcref funcref (ref func) funcref (ref func) (ref null 1) (ref func) (ref 1) funcref (ref 1) (ref 1) funcref funcref (ref func) funcref (ref null 1) (ref func) funcref (ref 1) (ref null 1) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref 1) funcref funcref (ref func) funcref (ref func) funcref)))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32) (result i32)))
;;     (type (;3;) (func (param funcref (ref 3) (ref func) (ref 3) (ref func) (ref 3) (ref 3) funcref (ref func) (ref null 3) (ref func) funcref (ref func) (ref null 3) (ref 3) (ref 3) funcref (ref func) (ref null 3) (ref func) funcref (ref func) funcref (ref func) (ref null 3) (ref null 3) (ref null 3) (ref func) (ref null 3) funcref (ref 3) (ref 3) funcref (ref null 3) (ref 3) (ref 3) (ref 3) funcref funcref (ref null 3) (ref func) (ref 3) funcref (ref func) (ref 3) (ref 3) (ref 3) (ref func) (ref 3) (ref func) funcref funcref (ref null 3) (ref null 3) (ref null 3) (ref func) (ref null 3) (ref 3) (ref 3) (ref 3) funcref (ref 3) funcref (ref null 3))))
;;   )
;;   (type (;4;) (func (param i32)))
;;   (type (;5;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "get" (func 0))
;;   (export "known" (func 1))
;;   (func (;0;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const -1
;;     i32.eq
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.load offset=7 align=1
;;   )
;;   (func (;1;) (type 2) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;   )
;; )
