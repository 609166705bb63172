;; Signatures that lower to the same stay apart where somebody can tell.
(module
  (type $a (struct (field i32)))
  (type $b (struct (field i64)))
  (type $fa (func (param (ref $a))))
  (type $fb (func (param (ref $b))))
  (table $t 1 funcref)
  (func (export "call") (param (ref $a)) (call_indirect $t (type $fa) (local.get 0) (i32.const 0))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32)))
;;     (type (;1;) (func (param funcref (ref null 1) (ref func) (ref 1) funcref (ref null 1) (ref null 1) (ref null 1) (ref null 1) (ref null 1) (ref null 1) funcref funcref funcref funcref funcref (ref func) (ref func) (ref 1) funcref (ref 1) (ref 1) (ref null 1) (ref func) (ref 1) funcref (ref null 1) funcref funcref (ref 1) funcref (ref 1) (ref 1) (ref 1) (ref 1) funcref (ref 1) (ref null 1) (ref func) (ref 1) (ref func) funcref funcref (ref null 1) (ref null 1) (ref 1) (ref null 1) (ref null 1) (ref func) (ref null 1) (ref 1) (ref func) (ref 1) (ref 1) funcref (ref 1) (ref null 1) (ref func) (ref func) funcref (ref null 1) (ref 1) funcref (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32)))
;;     (type (;3;) (func (param (ref 3) (ref 3) (ref 3) (ref 3) funcref funcref (ref func) (ref func) (ref func) (ref func) (ref 3) (ref func) (ref null 3) funcref (ref func) funcref funcref (ref 3) funcref (ref 3) (ref null 3) (ref func) (ref null 3) funcref (ref 3) funcref (ref 3) funcref funcref (ref null 3) (ref func) (ref null 3) (ref func) (ref null 3) (ref func) (ref 3) funcref funcref funcref (ref null 3) (ref func) (ref func) (ref func) (ref null 3) funcref (ref null 3) (ref 3) (ref null 3) (ref 3) (ref func) (ref func) (ref null 3) (ref null 3) (ref 3) (ref 3) (ref 3) (ref func) (ref 3) (ref func) (ref func) (ref 3) (ref func) (ref func) (ref 3))))
;;   )
;;   (type (;4;) (func (param i32)))
;;   (type (;5;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (table (;0;) 1 funcref)
;;   (export "call" (func 0))
;;   (func (;0;) (type 0) (param i32)
;;     block ;; label = @1
;;       local.get 0
;;       i32.const 0
;;       call_indirect (type 0)
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       return
;;     end
;;   )
;; )
