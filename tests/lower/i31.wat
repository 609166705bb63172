;; i31 references are shifts.
(module
  (func (export "roundtrip") (param i32) (result i32) (i31.get_s (ref.i31 (local.get 0))))
  (func (export "get_u") (param i31ref) (result i32) (i31.get_u (local.get 0))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32) (result i32)))
;;   (rec
;;     (type (;1;) (func (param i32) (result i32)))
;;     (type (;2;) (func (param (ref null 2) (ref null 2) (ref func) (ref null 2) (ref func) (ref func) funcref (ref func) (ref null 2) (ref 2) (ref func) (ref null 2) (ref 2) (ref 2) (ref func) (ref func) funcref (ref 2) (ref 2) (ref 2) (ref null 2) funcref funcref (ref 2) (ref func) (ref null 2) (ref func) (ref func) (ref null 2) (ref 2) funcref funcref (ref 2) (ref 2) funcref (ref null 2) (ref 2) funcref (ref func) funcref (ref func) funcref (ref 2) (ref null 2) (ref 2) (ref null 2) (ref null 2) (ref 2) (ref func) (ref 2) (ref 2) (ref 2) (ref func) (ref func) funcref funcref (ref 2) (ref 2) (ref 2) (ref null 2) (ref 2) funcref (ref func) funcref)))
;;   )
;;   (type (;3;) (func (param i32)))
;;   (type (;4;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "roundtrip" (func 0))
;;   (export "get_u" (func 1))
;;   (func (;0;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.shl
;;     i32.const 1
;;     i32.shr_s
;;   )
;;   (func (;1;) (type 1) (param i32) (result i32)
;;     local.get 0
;;     i32.const -1
;;     i32.eq
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.const 1
;;     i32.shr_u
;;   )
;; )
