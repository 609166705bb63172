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
;;     (type (;1;) (func (param f32 f32 f32 i64 f64 i64 i64 i32 f32 f32 f32 f32 i64 f32 i64 i64 f32 i32 f64 i64 i32 f32 i32 f64 i32 i32 f64 f64 f32 i64 f32 i32 i32 f32 f32 i64 i32 i64 f64 i32 f64 i32 f64 f32 i32 i32 f64 i64 i32 i32 i32 f32 i32 f32 i32 i64 f64 f64 f64 i32 i32 f64 f32 i64)))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32)))
;;     (type (;3;) (func (param i64 i32 i64 i32 i64 f32 f32 i32 i64 f64 f64 f64 f64 i32 f64 f64 i32 f64 f32 i64 i32 i32 i64 f32 i64 f32 i64 i64 f32 i32 f64 i64 i32 i64 f64 i64 f32 i32 i64 f32 i32 f64 f32 i32 i32 i32 f64 i32 f64 i64 i32 f64 i64 f32 f32 f64 i64 f32 f64 f32 i32 f32 i32 i32)))
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
;;       br_if 0 (;@1;)
;;       return
;;     end
;;   )
;; )
