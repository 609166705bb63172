;; A reference that lives across a call is in a slot of the shadow stack meanwhile.
(module
  (type $node (struct (field (mut (ref null $node)))))
  (func $make (param i32) (result (ref null $node))
    (local $first (ref null $node))
    (if (i32.eqz (local.get 0)) (then (return (ref.null $node))))
    (local.set $first (call $make (i32.sub (local.get 0) (i32.const 1))))
    (drop (call $make (i32.sub (local.get 0) (i32.const 1))))
    (struct.new $node (local.get $first)))
  (func (export "run") (result i32) (ref.is_null (call $make (i32.const 3)))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32) (result i32)))
;;   (type (;1;) (func (result i32)))
;;   (type (;2;) (func (param i32) (result i32)))
;;   (type (;3;) (func (param i32)))
;;   (type (;4;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 2)))
;;   (export "run" (func 2))
;;   (func $make (;1;) (type 0) (param i32) (result i32)
;;     (local i32 i32 i32 i32)
;;     local.get 0
;;     i32.eqz
;;     if ;; label = @1
;;       i32.const -1
;;       return
;;     end
;;     local.get 0
;;     i32.const 1
;;     i32.sub
;;     call $make
;;     local.set 1
;;     local.get 0
;;     i32.const 1
;;     i32.sub
;;     i32.const 0
;;     i32.load offset=1048576
;;     i32.const 4
;;     i32.sub
;;     local.tee 2
;;     local.get 1
;;     i32.store
;;     i32.const 0
;;     local.get 2
;;     i32.store offset=1048576
;;     call $make
;;     drop
;;     local.get 2
;;     i32.load
;;     local.set 0
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 1
;;     i32.const 8
;;     i32.add
;;     local.tee 4
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 2
;;       local.get 0
;;       i32.store
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048576
;;       i32.const 8
;;       call 0
;;       local.set 1
;;       local.get 2
;;       i32.load
;;       local.set 0
;;     else
;;       i32.const 0
;;       local.get 4
;;       i32.store offset=1048580
;;       local.get 1
;;       i32.const 3
;;       i32.sub
;;       local.set 1
;;     end
;;     local.get 1
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store offset=7 align=1
;;     local.get 1
;;     i32.const 0
;;     local.get 2
;;     i32.const 4
;;     i32.add
;;     i32.store offset=1048576
;;   )
;;   (func (;2;) (type 1) (result i32)
;;     i32.const 3
;;     call $make
;;     i32.const -1
;;     i32.eq
;;   )
;; )
