;; A reference to a function is read from a global, which is a load; the engine's `ref.func` asks its runtime.
(module
  (type $step (func (param anyref)))
  (table $steps 8 (ref null $step))
  (elem declare func $next $last)
  (func $last (type $step))
  (func $next (type $step)
    (table.set $steps (i32.const 0) (ref.func $last))
    (return_call_ref $step (local.get 0) (table.get $steps (i32.const 0))))
  (func (export "push") (table.set $steps (i32.const 1) (ref.func $next))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32)))
;;     (type (;1;) (func (param (ref func) (ref null 1) funcref (ref null 1) funcref (ref func) (ref func) (ref func) (ref null 1) (ref 1) (ref 1) (ref func) (ref 1) (ref null 1) (ref null 1) funcref (ref null 1) (ref func) funcref (ref func) funcref (ref 1) (ref func) funcref funcref funcref (ref func) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref 1) (ref 1) (ref func) (ref 1) (ref null 1) funcref funcref (ref func) (ref func) (ref func) (ref func) (ref 1) (ref func) (ref 1) (ref func) funcref funcref (ref null 1) funcref (ref 1) (ref 1) (ref func) (ref 1) (ref func) funcref funcref)))
;;   )
;;   (type (;2;) (func))
;;   (type (;3;) (func (param i32)))
;;   (type (;4;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (table (;0;) 8 (ref null 0))
;;   (global (;1;) (ref 0) ref.func $last)
;;   (global (;2;) (ref 0) ref.func $next)
;;   (export "push" (func 2))
;;   (elem (;0;) declare func $next $last)
;;   (func $last (;0;) (type 0) (param i32))
;;   (func $next (;1;) (type 0) (param i32)
;;     i32.const 0
;;     global.get 1
;;     table.set 0
;;     local.get 0
;;     i32.const 0
;;     table.get 0
;;     return_call_ref 0
;;   )
;;   (func (;2;) (type 2)
;;     i32.const 1
;;     global.get 2
;;     table.set 0
;;   )
;; )
