;; Tests and casts: abstract types, final types, deep types, null.
(module
  (func $collect (import "" "collect"))
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
    (drop) (f64.const 0))

  ;; One header for all tests of a value that follow each other, but not behind what may collect.
  (func (export "chain") (param anyref) (result i32)
    (if (ref.test (ref $unit) (local.get 0)) (then (return (i32.const 1))))
    (if (ref.test (ref null $circle) (local.get 0)) (then (return (i32.const 2))))
    (call $collect)
    (ref.test (ref struct) (local.get 0))))
;; lowered:
;; (module
;;   (type (;0;) (func))
;;   (rec
;;     (type (;1;) (func (param i32) (result i32)))
;;     (type (;2;) (func (param funcref (ref 2) funcref (ref null 2) (ref 2) funcref (ref 2) funcref (ref null 2) (ref 2) (ref 2) (ref null 2) funcref (ref null 2) (ref func) (ref 2) (ref null 2) funcref (ref 2) (ref 2) (ref 2) funcref (ref 2) (ref func) (ref 2) (ref 2) (ref null 2) (ref null 2) (ref null 2) (ref null 2) funcref (ref 2) (ref 2) (ref func) funcref funcref (ref null 2) funcref (ref 2) (ref 2) funcref (ref null 2) (ref func) funcref funcref (ref func) (ref 2) funcref (ref func) (ref 2) funcref (ref null 2) (ref func) (ref func) (ref null 2) (ref null 2) (ref func) funcref (ref null 2) (ref null 2) (ref null 2) (ref func) (ref func) (ref null 2))))
;;   )
;;   (rec
;;     (type (;3;) (func (param i32) (result i32)))
;;     (type (;4;) (func (param funcref (ref null 4) (ref func) (ref null 4) funcref (ref func) (ref 4) (ref null 4) (ref null 4) (ref 4) funcref (ref 4) (ref null 4) (ref 4) (ref null 4) (ref null 4) (ref func) funcref (ref func) (ref 4) (ref null 4) (ref 4) (ref func) (ref null 4) funcref (ref null 4) funcref (ref func) funcref (ref func) (ref func) (ref 4) (ref 4) funcref (ref func) (ref func) (ref null 4) (ref 4) funcref (ref func) (ref func) (ref 4) (ref func) (ref func) funcref (ref 4) (ref null 4) (ref null 4) funcref (ref null 4) (ref func) (ref func) funcref (ref 4) (ref 4) (ref null 4) (ref null 4) funcref (ref null 4) funcref (ref null 4) funcref funcref (ref func))))
;;   )
;;   (rec
;;     (type (;5;) (func (param i32) (result i32)))
;;     (type (;6;) (func (param (ref null 6) funcref (ref func) (ref 6) (ref func) (ref null 6) (ref 6) (ref func) (ref null 6) (ref 6) (ref 6) (ref 6) (ref null 6) (ref 6) (ref 6) (ref func) (ref func) (ref func) (ref 6) funcref (ref null 6) (ref null 6) (ref func) (ref 6) (ref 6) funcref funcref (ref 6) (ref func) (ref null 6) (ref 6) funcref (ref 6) (ref 6) funcref (ref func) (ref 6) (ref func) (ref func) (ref 6) funcref (ref 6) (ref func) (ref null 6) funcref (ref func) (ref 6) (ref 6) (ref 6) (ref null 6) (ref func) (ref func) (ref 6) funcref (ref 6) (ref func) (ref null 6) (ref 6) (ref null 6) (ref 6) (ref null 6) (ref null 6) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;7;) (func (param i32) (result i32)))
;;     (type (;8;) (func (param funcref (ref func) (ref 8) (ref null 8) (ref 8) (ref null 8) funcref funcref funcref (ref null 8) (ref null 8) (ref func) funcref (ref func) (ref func) (ref null 8) (ref null 8) (ref func) funcref funcref (ref null 8) funcref (ref 8) (ref 8) funcref funcref (ref null 8) (ref func) funcref (ref 8) (ref null 8) (ref 8) (ref 8) (ref null 8) funcref funcref (ref 8) (ref 8) (ref 8) (ref func) (ref func) (ref null 8) funcref funcref (ref null 8) funcref (ref null 8) (ref func) funcref (ref 8) (ref 8) funcref (ref func) (ref 8) (ref func) (ref 8) (ref 8) (ref null 8) (ref null 8) funcref (ref null 8) funcref funcref funcref)))
;;   )
;;   (rec
;;     (type (;9;) (func (param i32) (result i32)))
;;     (type (;10;) (func (param (ref null 10) (ref func) (ref func) funcref (ref 10) (ref func) (ref 10) (ref func) (ref func) (ref null 10) funcref (ref null 10) (ref func) (ref func) (ref func) (ref 10) funcref (ref func) (ref null 10) (ref func) (ref null 10) funcref (ref func) (ref null 10) (ref null 10) (ref func) funcref (ref 10) funcref (ref 10) funcref (ref null 10) (ref null 10) funcref (ref null 10) (ref null 10) (ref func) (ref func) (ref null 10) (ref 10) (ref null 10) funcref (ref func) (ref 10) (ref func) (ref 10) (ref func) (ref func) funcref (ref func) (ref func) (ref null 10) (ref func) (ref func) (ref null 10) funcref (ref func) funcref (ref func) funcref (ref 10) (ref 10) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;11;) (func (param i32) (result f64)))
;;     (type (;12;) (func (param (ref 12) (ref null 12) funcref (ref null 12) (ref 12) (ref 12) funcref (ref null 12) (ref null 12) funcref (ref 12) (ref func) (ref func) (ref func) funcref (ref null 12) (ref func) (ref 12) (ref func) (ref func) (ref func) (ref null 12) funcref (ref null 12) funcref (ref null 12) (ref 12) (ref null 12) (ref func) (ref func) (ref func) funcref funcref (ref null 12) (ref null 12) (ref func) (ref 12) funcref (ref 12) (ref null 12) funcref (ref 12) (ref func) (ref 12) (ref func) (ref func) (ref func) (ref func) (ref 12) funcref (ref 12) (ref 12) funcref (ref 12) funcref funcref (ref null 12) (ref func) (ref func) funcref (ref null 12) funcref funcref funcref)))
;;   )
;;   (type (;13;) (func (param i32)))
;;   (type (;14;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "" "collect" (func $collect (;0;) (type 0)))
;;   (export "is_i31" (func 1))
;;   (export "is_eq" (func 2))
;;   (export "is_struct" (func 3))
;;   (export "is_circle" (func 4))
;;   (export "is_unit" (func 5))
;;   (export "cast" (func 6))
;;   (export "cast_null" (func 7))
;;   (export "branch" (func 8))
;;   (export "chain" (func 9))
;;   (func (;1;) (type 1) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.and
;;     i32.eqz
;;   )
;;   (func (;2;) (type 1) (param i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.const 3
;;     i32.and
;;     i32.const 1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       local.set 1
;;     else
;;       i32.const 5308456
;;       local.set 1
;;     end
;;     local.get 1
;;     i32.load offset=8 align=1
;;     i32.const 3
;;     i32.le_u
;;     local.get 0
;;     i32.const 1
;;     i32.and
;;     i32.eqz
;;     i32.or
;;   )
;;   (func (;3;) (type 1) (param i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.const 3
;;     i32.and
;;     i32.const 1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       local.set 1
;;     else
;;       i32.const 5308456
;;       local.set 1
;;     end
;;     local.get 1
;;     i32.load offset=8 align=1
;;     i32.const 1
;;     i32.eq
;;     local.get 0
;;     i32.const -1
;;     i32.eq
;;     i32.or
;;   )
;;   (func (;4;) (type 3) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.load offset=20 align=1
;;     i32.const 5308576
;;     i32.eq
;;   )
;;   (func (;5;) (type 5) (param i32) (result i32)
;;     local.get 0
;;     i32.const -1
;;     i32.ne
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       local.set 0
;;     else
;;       i32.const 5308456
;;       local.set 0
;;     end
;;     local.get 0
;;     i32.const 5308616
;;     i32.eq
;;   )
;;   (func (;6;) (type 7) (param i32) (result i32)
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
;;   (func (;7;) (type 9) (param i32) (result i32)
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
;;   (func (;8;) (type 11) (param i32) (result f64)
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
;;         local.set 1
;;       else
;;         i32.const 5308456
;;         local.set 1
;;       end
;;       local.get 1
;;       i32.load offset=20 align=1
;;       i32.const 5308576
;;       i32.eq
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
;;   (func (;9;) (type 1) (param i32) (result i32)
;;     (local i32 i32)
;;     block ;; label = @1
;;       local.get 0
;;       i32.const 3
;;       i32.and
;;       i32.const 1
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         i32.load offset=3 align=1
;;         local.set 1
;;       else
;;         i32.const 5308456
;;         local.set 1
;;       end
;;       local.get 1
;;       i32.const 5308616
;;       i32.eq
;;       if ;; label = @2
;;         i32.const 1
;;         return
;;       end
;;       local.get 1
;;       i32.load offset=20 align=1
;;       i32.const 5308576
;;       i32.eq
;;       local.get 0
;;       i32.const -1
;;       i32.eq
;;       i32.or
;;       if ;; label = @2
;;         i32.const 2
;;         return
;;       end
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 2
;;       local.get 0
;;       i32.store
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048576
;;       call $collect
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         i32.const 0
;;         local.get 2
;;         i32.const 4
;;         i32.add
;;         i32.store offset=1048576
;;         br 1 (;@1;)
;;       end
;;       local.get 2
;;       i32.load
;;       local.tee 0
;;       i32.const 3
;;       i32.and
;;       i32.const 1
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         i32.load offset=3 align=1
;;         local.set 0
;;       else
;;         i32.const 5308456
;;         local.set 0
;;       end
;;       local.get 0
;;       i32.load offset=8 align=1
;;       i32.const 1
;;       i32.eq
;;       i32.const 0
;;       local.get 2
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;       return
;;     end
;;     i32.const 0
;;   )
;; )
