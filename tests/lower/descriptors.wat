;; Custom descriptors: an object's header is the address of its descriptor, which is its RTT record. See
;; `src/lower/op/desc.rs`.
(module
  (rec
    (type $C (descriptor $D) (struct (field $x i32)))
    (type $D (describes $C) (struct (field $name (ref null $C)))))

  (func (export "describe") (param $name (ref null $C)) (result (ref $D))
    (struct.new $D (local.get $name)))
  (func (export "make") (param $x i32) (param $d (ref null (exact $D))) (result (ref $C))
    (struct.new_desc $C (local.get $x) (local.get $d)))
  (func (export "get") (param $c (ref null $C)) (result (ref $D))
    (ref.get_desc $C (local.get $c)))
  (func (export "cast") (param $a anyref) (param $d (ref $D)) (result (ref $C))
    (ref.cast_desc_eq (ref $C) (local.get $a) (local.get $d)))
  (func (export "is") (param $a anyref) (result i32)
    (ref.test (ref (exact $C)) (local.get $a))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref func) funcref funcref funcref (ref func) (ref null 1) (ref 1) funcref (ref func) (ref null 1) (ref func) (ref 1) (ref func) (ref 1) (ref func) (ref func) (ref null 1) (ref 1) (ref func) funcref (ref null 1) (ref func) (ref 1) funcref (ref 1) funcref (ref 1) (ref 1) (ref func) funcref funcref (ref null 1) (ref null 1) (ref 1) (ref 1) (ref func) (ref 1) (ref null 1) funcref funcref (ref func) funcref (ref null 1) funcref (ref 1) (ref 1) (ref 1) funcref (ref null 1) (ref 1) funcref (ref 1) (ref func) (ref 1) funcref (ref func) (ref null 1) (ref func) (ref null 1) (ref null 1) (ref func) (ref func) (ref 1) (ref func))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i32) (result i32)))
;;     (type (;3;) (func (param (ref 3) (ref 3) (ref func) (ref 3) funcref (ref 3) funcref (ref func) (ref null 3) funcref funcref (ref 3) (ref func) funcref (ref null 3) funcref (ref null 3) (ref 3) (ref func) funcref (ref null 3) (ref func) (ref 3) funcref (ref func) (ref func) (ref func) (ref null 3) (ref func) (ref null 3) (ref 3) (ref null 3) funcref (ref 3) (ref null 3) (ref func) funcref funcref funcref funcref (ref null 3) (ref func) (ref null 3) (ref func) (ref 3) (ref func) (ref func) funcref (ref func) (ref 3) (ref 3) (ref func) (ref null 3) (ref 3) (ref func) (ref func) (ref func) funcref funcref (ref null 3) funcref (ref null 3) (ref null 3) (ref 3))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32 i32) (result i32)))
;;     (type (;5;) (func (param funcref (ref func) (ref 5) (ref 5) funcref funcref (ref null 5) (ref 5) (ref null 5) (ref func) (ref null 5) (ref null 5) (ref null 5) (ref 5) (ref 5) (ref null 5) (ref func) (ref 5) (ref func) funcref (ref 5) (ref null 5) funcref funcref (ref 5) (ref 5) funcref (ref 5) (ref func) funcref (ref func) (ref func) (ref 5) (ref func) (ref 5) (ref null 5) (ref func) (ref func) (ref null 5) (ref 5) (ref func) (ref 5) (ref func) (ref func) (ref 5) (ref func) (ref func) (ref func) (ref null 5) funcref (ref 5) (ref null 5) funcref (ref func) (ref null 5) (ref null 5) (ref func) funcref (ref null 5) (ref null 5) funcref (ref 5) (ref null 5) (ref func))))
;;   )
;;   (rec
;;     (type (;6;) (func (param i32) (result i32)))
;;     (type (;7;) (func (param funcref (ref 7) funcref (ref null 7) (ref 7) funcref (ref 7) funcref (ref null 7) (ref 7) (ref 7) (ref null 7) funcref (ref null 7) (ref func) (ref 7) (ref null 7) funcref (ref 7) (ref 7) (ref 7) funcref (ref 7) (ref func) (ref 7) (ref 7) (ref null 7) (ref null 7) (ref null 7) (ref null 7) funcref (ref 7) (ref 7) (ref func) funcref funcref (ref null 7) funcref (ref 7) (ref 7) funcref (ref null 7) (ref func) funcref funcref (ref func) (ref 7) funcref (ref func) (ref 7) funcref (ref null 7) (ref func) (ref func) (ref null 7) (ref null 7) (ref func) funcref (ref null 7) (ref null 7) (ref null 7) (ref func) (ref func) (ref null 7))))
;;   )
;;   (type (;8;) (func (param i32) (result i32)))
;;   (type (;9;) (func (param i32)))
;;   (type (;10;) (func (param i32 i32) (result i32)))
;;   (type (;11;) (func (param i32)))
;;   (type (;12;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 8)))
;;   (import "wasmtime-gc" "remember_object" (func (;1;) (type 9)))
;;   (import "wasmtime-gc" "alloc_descriptor" (func (;2;) (type 10)))
;;   (export "describe" (func 3))
;;   (export "make" (func 4))
;;   (export "get" (func 5))
;;   (export "cast" (func 6))
;;   (export "is" (func 7))
;;   (func (;3;) (type 0) (param i32) (result i32)
;;     (local i32)
;;     i32.const 0
;;     i32.load offset=1048576
;;     i32.const 4
;;     i32.sub
;;     local.tee 1
;;     local.get 0
;;     i32.store
;;     i32.const 0
;;     local.get 1
;;     i32.store offset=1048576
;;     i32.const 5308536
;;     i32.const 276
;;     call 2
;;     local.tee 0
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 0
;;     local.get 1
;;     i32.load
;;     i32.store offset=275 align=1
;;     local.get 0
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 0
;;     i32.const 0
;;     i32.load offset=1048608 align=1
;;     i32.ne
;;     i32.and
;;     if ;; label = @1
;;       local.get 0
;;       call 1
;;     end
;;     local.get 0
;;     i32.const 0
;;     local.get 1
;;     i32.const 4
;;     i32.add
;;     i32.store offset=1048576
;;   )
;;   (func (;4;) (type 2) (param i32 i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     local.get 1
;;     i32.const -1
;;     i32.eq
;;     if ;; label = @1
;;       unreachable
;;     end
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 2
;;     i32.const 8
;;     i32.add
;;     local.tee 5
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 3
;;       local.get 1
;;       i32.store
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048576
;;       i32.const 8
;;       call 0
;;       local.set 2
;;       local.get 3
;;       i32.load
;;       local.set 1
;;       i32.const 0
;;       local.get 3
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;     else
;;       i32.const 0
;;       local.get 5
;;       i32.store offset=1048580
;;       local.get 2
;;       i32.const 3
;;       i32.sub
;;       local.set 2
;;     end
;;     local.get 2
;;     local.get 1
;;     i32.const 3
;;     i32.add
;;     i32.store offset=3 align=1
;;     local.get 2
;;     local.get 0
;;     i32.store offset=7 align=1
;;     local.get 2
;;   )
;;   (func (;5;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 3
;;     i32.sub
;;   )
;;   (func (;6;) (type 4) (param i32 i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.const 3
;;     i32.and
;;     i32.const 1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       local.set 2
;;     else
;;       i32.const 5308456
;;       local.set 2
;;     end
;;     local.get 2
;;     local.get 1
;;     i32.const 3
;;     i32.add
;;     i32.eq
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;   )
;;   (func (;7;) (type 6) (param i32) (result i32)
;;     local.get 0
;;     i32.const 3
;;     i32.and
;;     i32.const 1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=3 align=1
;;       local.set 0
;;     else
;;       i32.const 5308456
;;       local.set 0
;;     end
;;     local.get 0
;;     i32.load offset=4 align=1
;;     i32.const 3
;;     i32.eq
;;   )
;; )
