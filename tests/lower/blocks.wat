;; Each case of a choice is a block that is left when the next is to be tried, and hands the value on. What the first finds out
;; of it stands before its block, so the others have it: one header is loaded, and it is asked once whether the value is an i31.
;;! passes: none+blocks+type_flow+dce
(module
  (type $box (struct (field i32)))
  (type $pair (struct (field i32) (field i32)))
  (type $values (array (ref eq)))

  (func $size (param $v (ref eq)) (result i32)
    (block $pair (result (ref eq))
      (block $box (result (ref eq))
        (return (i31.get_s (br_on_cast_fail $box (ref eq) (ref i31) (local.get $v)))))
      (local.set $v)
      (return (struct.get $box 0 (br_on_cast_fail $pair (ref eq) (ref $box) (local.get $v)))))
    (local.set $v)
    (drop
      (block $other (result (ref eq))
        (return (struct.get $pair 1 (br_on_cast_fail $other (ref eq) (ref $pair) (local.get $v))))))
    (i32.const -1))

  ;; What a loop hands over at its begin is not what it has at its end.
  (func $walk (param $v (ref eq)) (param $n i32) (result i32)
    (local $w (ref eq))
    (local.set $w (local.get $v))
    (drop
      (block $end (result (ref eq))
        (loop $next (result (ref eq))
          (drop (br_if $end (local.get $w) (i32.eqz (local.get $n))))
          (local.set $w (ref.i31 (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (ref.test (ref i31) (local.get $w)))

  (func (export "run") (param i32) (result i32)
    (i32.add
      (call $size (struct.new $pair (i32.const 1) (local.get 0)))
      (call $walk (struct.new $box (i32.const 1)) (local.get 0)))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32) (result i32)))
;;   (type (;1;) (func (param i32 i32) (result i32)))
;;   (type (;2;) (func (param i32) (result i32)))
;;   (type (;3;) (func (param i32) (result i32)))
;;   (type (;4;) (func (param i32)))
;;   (type (;5;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 3)))
;;   (export "run" (func 3))
;;   (func $size (;1;) (type 0) (param i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.const 1
;;     i32.and
;;     i32.eqz
;;     local.set 1
;;     block ;; label = @1
;;       block ;; label = @2
;;         local.get 1
;;         i32.eqz
;;         if ;; label = @3
;;           br 1 (;@2;)
;;         end
;;         local.get 0
;;         i32.const 1
;;         i32.shr_s
;;         return
;;       end
;;       local.get 0
;;       i32.load offset=3 align=1
;;       i32.const 5308536
;;       i32.eq
;;       i32.eqz
;;       if ;; label = @2
;;         br 1 (;@1;)
;;       end
;;       local.get 0
;;       i32.load offset=7 align=1
;;       return
;;     end
;;     local.get 0
;;     i32.load offset=3 align=1
;;     i32.const 5308576
;;     i32.eq
;;     local.set 1
;;     block ;; label = @1
;;       local.get 1
;;       i32.eqz
;;       if ;; label = @2
;;         br 1 (;@1;)
;;       end
;;       local.get 0
;;       i32.load offset=11 align=1
;;       return
;;     end
;;     i32.const -1
;;   )
;;   (func $walk (;2;) (type 1) (param i32 i32) (result i32)
;;     block ;; label = @1
;;       loop ;; label = @2
;;         local.get 1
;;         i32.eqz
;;         br_if 1 (;@1;)
;;         local.get 1
;;         i32.const 1
;;         i32.shl
;;         local.set 0
;;         local.get 1
;;         i32.const 1
;;         i32.sub
;;         local.set 1
;;         br 0 (;@2;)
;;       end
;;       unreachable
;;     end
;;     local.get 0
;;     i32.const 1
;;     i32.and
;;     i32.eqz
;;   )
;;   (func (;3;) (type 2) (param i32) (result i32)
;;     (local i32 i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 1
;;     i32.const 12
;;     i32.add
;;     local.tee 3
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 12
;;       call 0
;;       local.set 1
;;     else
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048580
;;       local.get 1
;;       i32.const 3
;;       i32.sub
;;       local.set 1
;;     end
;;     local.get 1
;;     i32.const 5308576
;;     i32.store offset=3 align=1
;;     local.get 1
;;     i32.const 1
;;     i32.store offset=7 align=1
;;     local.get 1
;;     local.get 0
;;     i32.store offset=11 align=1
;;     local.get 1
;;     call $size
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 1
;;     i32.const 8
;;     i32.add
;;     local.tee 3
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 8
;;       call 0
;;       local.set 1
;;     else
;;       i32.const 0
;;       local.get 3
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
;;     i32.const 1
;;     i32.store offset=7 align=1
;;     local.get 1
;;     local.get 0
;;     call $walk
;;     i32.add
;;   )
;; )
