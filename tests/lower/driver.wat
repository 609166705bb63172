;; A function without references becomes IR where one with references is called in its loop, and that is put there. One that
;; calls it outside of loops stays as it is.
;;! optimize
(module
  (type $counter (struct (field $n (mut i32))))
  (global $counter (ref $counter) (struct.new $counter (i32.const 0)))
  (func $add (param $d i32)
    (struct.set $counter $n (global.get $counter)
      (i32.add (local.get $d) (struct.get $counter $n (global.get $counter)))))
  (func (export "driver") (param $n i32)
    (loop $again
      (call $add (local.get $n))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "once") (param $n i32) (call $add (local.get $n))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32)))
;;   (type (;1;) (func (param i32) (result i32)))
;;   (type (;2;) (func (param i32)))
;;   (type (;3;) (func))
;;   (type (;4;) (func (param i32) (result i32)))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 1)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (export "driver" (func 2))
;;   (export "once" (func 3))
;;   (start $"wasmtime-gc helper 7")
;;   (func $add (;1;) (type 0) (param i32)
;;     (local i32)
;;     global.get 0
;;     i32.load align=1
;;     local.tee 1
;;     local.get 0
;;     local.get 1
;;     i32.load offset=7 align=1
;;     i32.add
;;     i32.store offset=7 align=1
;;   )
;;   (func (;2;) (type 0) (param i32)
;;     (local i32)
;;     global.get 0
;;     i32.load align=1
;;     local.set 1
;;     loop ;; label = @1
;;       local.get 1
;;       local.get 0
;;       local.get 1
;;       i32.load offset=7 align=1
;;       i32.add
;;       i32.store offset=7 align=1
;;       local.get 0
;;       i32.const 1
;;       i32.sub
;;       local.tee 0
;;       br_if 0 (;@1;)
;;     end
;;   )
;;   (func (;3;) (type 0) (param i32)
;;     local.get 0
;;     call $add
;;   )
;;   (func $"wasmtime-gc helper 7" (;4;) (type 3)
;;     call $"wasmtime-gc helper 24"
;;   )
;;   (func $"wasmtime-gc helper 24" (;5;) (type 3)
;;     (local i32)
;;     i32.const 8
;;     call $"wasmtime-gc helper 9"
;;     local.tee 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     i32.const 0
;;     i32.store offset=7 align=1
;;     global.get 0
;;     local.get 0
;;     i32.store align=1
;;   )
;;   (func $"wasmtime-gc helper 9" (;6;) (type 4) (param i32) (result i32)
;;     (local i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 1
;;     local.get 0
;;     i32.add
;;     local.tee 2
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     local.get 0
;;     i32.const 8192
;;     i32.ge_u
;;     i32.or
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 0
;;       call 0
;;       local.set 1
;;     else
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048580
;;       local.get 1
;;       i32.const 3
;;       i32.sub
;;       local.set 1
;;     end
;;     local.get 1
;;   )
;; )
