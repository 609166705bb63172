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
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref func) (ref 1) (ref null 1) funcref (ref func) funcref (ref 1) (ref null 1) funcref (ref 1) funcref (ref func) (ref null 1) (ref 1) (ref func) (ref null 1) (ref func) (ref func) funcref (ref 1) (ref func) funcref funcref funcref (ref 1) (ref func) (ref null 1) (ref null 1) (ref 1) funcref (ref null 1) (ref null 1) (ref func) funcref funcref (ref func) funcref (ref func) (ref null 1) (ref func) (ref 1) funcref (ref 1) (ref 1) funcref funcref (ref func) funcref (ref null 1) (ref func) funcref (ref 1) (ref null 1) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref 1) funcref funcref (ref func) funcref (ref func) funcref)))
;;   )
;;   (type (;2;) (func (param i32) (result i32)))
;;   (rec
;;     (type (;3;) (func (param i32 i32) (result i32)))
;;     (type (;4;) (func (param (ref null 4) (ref 4) funcref funcref (ref func) (ref func) (ref null 4) funcref (ref func) (ref 4) (ref 4) (ref 4) funcref (ref null 4) funcref (ref 4) (ref null 4) funcref funcref (ref null 4) (ref null 4) (ref 4) (ref 4) (ref func) (ref 4) funcref funcref (ref 4) (ref func) (ref null 4) funcref (ref 4) (ref func) (ref null 4) (ref null 4) (ref 4) (ref func) (ref 4) funcref (ref null 4) (ref func) (ref 4) (ref null 4) funcref (ref func) (ref func) (ref 4) (ref func) (ref null 4) (ref 4) funcref (ref null 4) (ref null 4) (ref null 4) (ref null 4) funcref (ref 4) funcref (ref func) (ref 4) (ref func) (ref null 4) (ref null 4) (ref null 4))))
;;   )
;;   (type (;5;) (func (param i32)))
;;   (type (;6;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "kept" (func $kept))
;;   (export "twice" (func 3))
;;   (export "down" (func $down))
;;   (func $get (;0;) (type 0) (param i32) (result i32)
;;     unreachable
;;   )
;;   (func $clamp (;1;) (type 2) (param i32) (result i32)
;;     local.get 0
;;     i32.const 9
;;     i32.gt_s
;;     if ;; label = @1
;;       i32.const 9
;;       return
;;     end
;;     local.get 0
;;   )
;;   (func $kept (;2;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 0
;;     block ;; label = @1
;;       local.get 0
;;       i32.const 9
;;       i32.gt_s
;;       if ;; label = @2
;;         i32.const 9
;;         local.set 0
;;         br 1 (;@1;)
;;       end
;;     end
;;     local.get 0
;;   )
;;   (func (;3;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.tee 0
;;     local.get 0
;;     i32.add
;;   )
;;   (func $down (;4;) (type 3) (param i32 i32) (result i32)
;;     local.get 0
;;     if ;; label = @1
;;       local.get 0
;;       i32.const 1
;;       i32.sub
;;       local.tee 0
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 1
;;         i32.sub
;;         local.get 1
;;         call $down
;;         local.set 0
;;       else
;;         local.get 1
;;         i32.load offset=7 align=1
;;         local.set 0
;;       end
;;     else
;;       local.get 1
;;       i32.load offset=7 align=1
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;; )
