;; Tests and casts: abstract types, final types, deep types, null.
(module
  (type $shape (sub (struct)))
  (type $circle (sub $shape (struct (field f64))))
  (type $unit (sub final $circle (struct (field f64))))
  (func (export "is_i31") (param anyref) (result i32) (ref.test (ref i31) (local.get 0)))
  (func (export "is_eq") (param anyref) (result i32) (ref.test (ref eq) (local.get 0)))
  (func (export "is_struct") (param anyref) (result i32) (ref.test (ref null struct) (local.get 0)))
  (func (export "is_circle") (param (ref $shape)) (result i32) (ref.test (ref $circle) (local.get 0)))
  (func (export "is_unit") (param (ref null $shape)) (result i32) (ref.test (ref $unit) (local.get 0)))
  (func (export "cast") (param (ref null $shape)) (result (ref $circle)) (ref.cast (ref $circle) (local.get 0)))
  (func (export "cast_null") (param (ref null $shape)) (result (ref null $circle))
    (ref.cast (ref null $circle) (local.get 0)))
  (func (export "branch") (param anyref) (result f64)
    (block $no (result anyref)
      (return (struct.get $circle 0 (br_on_cast_fail $no anyref (ref $circle) (local.get 0)))))
    (drop) (f64.const 0)))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param funcref (ref 1) funcref (ref null 1) (ref 1) funcref (ref 1) funcref (ref null 1) (ref 1) (ref 1) (ref null 1) funcref (ref null 1) (ref func) (ref 1) (ref null 1) funcref (ref 1) (ref 1) (ref 1) funcref (ref 1) (ref func) (ref 1) (ref 1) (ref null 1) (ref null 1) (ref null 1) (ref null 1) funcref (ref 1) (ref 1) (ref func) funcref funcref (ref null 1) funcref (ref 1) (ref 1) funcref (ref null 1) (ref func) funcref funcref (ref func) (ref 1) funcref (ref func) (ref 1) funcref (ref null 1) (ref func) (ref func) (ref null 1) (ref null 1) (ref func) funcref (ref null 1) (ref null 1) (ref null 1) (ref func) (ref func) (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32) (result i32)))
;;     (type (;3;) (func (param funcref (ref null 3) (ref func) (ref null 3) funcref (ref func) (ref 3) (ref null 3) (ref null 3) (ref 3) funcref (ref 3) (ref null 3) (ref 3) (ref null 3) (ref null 3) (ref func) funcref (ref func) (ref 3) (ref null 3) (ref 3) (ref func) (ref null 3) funcref (ref null 3) funcref (ref func) funcref (ref func) (ref func) (ref 3) (ref 3) funcref (ref func) (ref func) (ref null 3) (ref 3) funcref (ref func) (ref func) (ref 3) (ref func) (ref func) funcref (ref 3) (ref null 3) (ref null 3) funcref (ref null 3) (ref func) (ref func) funcref (ref 3) (ref 3) (ref null 3) (ref null 3) funcref (ref null 3) funcref (ref null 3) funcref funcref (ref func))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param (ref null 5) funcref (ref func) (ref 5) (ref func) (ref null 5) (ref 5) (ref func) (ref null 5) (ref 5) (ref 5) (ref 5) (ref null 5) (ref 5) (ref 5) (ref func) (ref func) (ref func) (ref 5) funcref (ref null 5) (ref null 5) (ref func) (ref 5) (ref 5) funcref funcref (ref 5) (ref func) (ref null 5) (ref 5) funcref (ref 5) (ref 5) funcref (ref func) (ref 5) (ref func) (ref func) (ref 5) funcref (ref 5) (ref func) (ref null 5) funcref (ref func) (ref 5) (ref 5) (ref 5) (ref null 5) (ref func) (ref func) (ref 5) funcref (ref 5) (ref func) (ref null 5) (ref 5) (ref null 5) (ref 5) (ref null 5) (ref null 5) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;6;) (func (param i32) (result i32)))
;;     (type (;7;) (func (param funcref (ref func) (ref 7) (ref null 7) (ref 7) (ref null 7) funcref funcref funcref (ref null 7) (ref null 7) (ref func) funcref (ref func) (ref func) (ref null 7) (ref null 7) (ref func) funcref funcref (ref null 7) funcref (ref 7) (ref 7) funcref funcref (ref null 7) (ref func) funcref (ref 7) (ref null 7) (ref 7) (ref 7) (ref null 7) funcref funcref (ref 7) (ref 7) (ref 7) (ref func) (ref func) (ref null 7) funcref funcref (ref null 7) funcref (ref null 7) (ref func) funcref (ref 7) (ref 7) funcref (ref func) (ref 7) (ref func) (ref 7) (ref 7) (ref null 7) (ref null 7) funcref (ref null 7) funcref funcref funcref)))
;;   )
;;   (rec
;;     (type (;8;) (func (param i32) (result i32)))
;;     (type (;9;) (func (param (ref null 9) (ref func) (ref func) funcref (ref 9) (ref func) (ref 9) (ref func) (ref func) (ref null 9) funcref (ref null 9) (ref func) (ref func) (ref func) (ref 9) funcref (ref func) (ref null 9) (ref func) (ref null 9) funcref (ref func) (ref null 9) (ref null 9) (ref func) funcref (ref 9) funcref (ref 9) funcref (ref null 9) (ref null 9) funcref (ref null 9) (ref null 9) (ref func) (ref func) (ref null 9) (ref 9) (ref null 9) funcref (ref func) (ref 9) (ref func) (ref 9) (ref func) (ref func) funcref (ref func) (ref func) (ref null 9) (ref func) (ref func) (ref null 9) funcref (ref func) funcref (ref func) funcref (ref 9) (ref 9) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;10;) (func (param i32) (result f64)))
;;     (type (;11;) (func (param (ref 11) (ref null 11) funcref (ref null 11) (ref 11) (ref 11) funcref (ref null 11) (ref null 11) funcref (ref 11) (ref func) (ref func) (ref func) funcref (ref null 11) (ref func) (ref 11) (ref func) (ref func) (ref func) (ref null 11) funcref (ref null 11) funcref (ref null 11) (ref 11) (ref null 11) (ref func) (ref func) (ref func) funcref funcref (ref null 11) (ref null 11) (ref func) (ref 11) funcref (ref 11) (ref null 11) funcref (ref 11) (ref func) (ref 11) (ref func) (ref func) (ref func) (ref func) (ref 11) funcref (ref 11) (ref 11) funcref (ref 11) funcref funcref (ref null 11) (ref func) (ref func) funcref (ref null 11) funcref funcref funcref)))
;;   )
;;   (type (;12;) (func (param i32)))
;;   (type (;13;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "is_i31" (func 0))
;;   (export "is_eq" (func 1))
;;   (export "is_struct" (func 2))
;;   (export "is_circle" (func 3))
;;   (export "is_unit" (func 4))
;;   (export "cast" (func 5))
;;   (export "cast_null" (func 6))
;;   (export "branch" (func 7))
;;   (func (;0;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.and
;;     i32.eqz
;;   )
;;   (func (;1;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.and
;;     i32.eqz
;;     if ;; label = @1
;;       i32.const 1
;;       local.set 0
;;     else
;;       local.get 0
;;       i32.const 3
;;       i32.and
;;       i32.const 1
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         i32.load offset=3 align=1
;;         i32.load offset=8 align=1
;;         i32.const 3
;;         i32.le_u
;;         local.set 0
;;       else
;;         i32.const 0
;;         local.set 0
;;       end
;;     end
;;     local.get 0
;;   )
;;   (func (;2;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 3
;;     i32.and
;;     i32.const 1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       i32.load offset=8 align=1
;;       i32.const 1
;;       i32.eq
;;       local.set 0
;;     else
;;       local.get 0
;;       i32.const -1
;;       i32.eq
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;;   (func (;3;) (type 2) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.load offset=20 align=1
;;     i32.const 5308576
;;     i32.eq
;;   )
;;   (func (;4;) (type 4) (param i32) (result i32)
;;     local.get 0
;;     i32.const -1
;;     i32.ne
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       i32.const 5308616
;;       i32.eq
;;       local.set 0
;;     else
;;       i32.const 0
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;;   (func (;5;) (type 6) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.load offset=20 align=1
;;     i32.const 5308576
;;     i32.eq
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;   )
;;   (func (;6;) (type 8) (param i32) (result i32)
;;     local.get 0
;;     i32.const -1
;;     i32.ne
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       i32.load offset=20 align=1
;;       i32.const 5308576
;;       i32.eq
;;       i32.eqz
;;       if ;; label = @2
;;         unreachable
;;       end
;;     end
;;     local.get 0
;;   )
;;   (func (;7;) (type 10) (param i32) (result f64)
;;     (local i32)
;;     block ;; label = @1
;;       local.get 0
;;       i32.const 3
;;       i32.and
;;       i32.const 1
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         i32.load offset=3 align=1
;;         i32.load offset=20 align=1
;;         i32.const 5308576
;;         i32.eq
;;         local.set 1
;;       else
;;         i32.const 0
;;         local.set 1
;;       end
;;       local.get 1
;;       i32.eqz
;;       if ;; label = @2
;;         br 1 (;@1;)
;;       end
;;       local.get 0
;;       f64.load offset=7 align=1
;;       return
;;     end
;;     f64.const 0x0p+0 (;=0;)
;;   )
;; )
