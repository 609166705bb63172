;; Exceptions: a throw to the caller, a throw to a handler of the same function, a call that may throw within
;; `try_table` and without, a call that can not throw, `throw_ref`, and the older `try`. See `src/lower/op/exn.rs`.
(module
  (type $box (struct (field i32)))
  (tag $t (param i32 (ref null $box)))
  (tag $u)

  ;; To the caller: the exception is made, made pending, and the function returns.
  (func $throws (param $n i32) (param $b (ref null $box)) (result i64)
    (throw $t (local.get $n) (local.get $b)))

  ;; In the same function: a branch.
  (func $same (param $n i32) (result i32)
    (block $h (result i32 (ref null $box))
      (try_table (catch $t $h)
        (throw $t (local.get $n) (ref.null $box)))
      (unreachable))
    (drop))

  ;; A question behind the call, and the clauses in order.
  (func $catches (param $n i32) (result i32)
    (block $none
      (block $h (result i32 (ref null $box) exnref)
        (try_table (catch_ref $t $h) (catch $u $none)
          (drop (call $throws (local.get $n) (ref.null $box))))
        (return (i32.const 1)))
      (throw_ref))
    (i32.const 2))

  ;; Nobody asks behind a call that can not throw.
  (func $quiet (param $b (ref $box)) (result i32) (struct.get $box 0 (local.get $b)))
  (func $calls_quiet (export "run") (param $b (ref $box)) (result i32)
    (call $quiet (local.get $b)))

  (func $legacy (param $n i32) (result i32)
    try (result i32)
      local.get $n
      ref.null $box
      call $throws
      i32.wrap_i64
    catch $u
      i32.const 3
    catch_all
      rethrow 0
    end)
  (func (export "all") (result i32)
    (i32.add (call $same (i32.const 1)) (i32.add (call $catches (i32.const 2)) (call $legacy (i32.const 3))))))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i32)))
;;     (type (;1;) (func (param (ref func) (ref func) (ref func) funcref (ref func) (ref 1) funcref (ref null 1) (ref 1) (ref null 1) funcref (ref 1) (ref 1) funcref funcref funcref (ref null 1) funcref (ref 1) funcref (ref 1) (ref 1) funcref (ref null 1) (ref 1) funcref (ref null 1) funcref (ref func) funcref (ref func) (ref func) (ref null 1) (ref null 1) (ref null 1) (ref 1) (ref null 1) funcref (ref 1) (ref func) funcref (ref 1) funcref funcref (ref null 1) (ref 1) (ref null 1) (ref null 1) funcref (ref null 1) funcref (ref 1) (ref func) (ref 1) (ref 1) funcref (ref null 1) (ref func) (ref func) funcref (ref func) (ref func) funcref (ref null 1))))
;;   )
;;   (type (;2;) (func))
;;   (rec
;;     (type (;3;) (func (param i32 i32) (result i64)))
;;     (type (;4;) (func (param (ref func) (ref func) (ref null 4) funcref funcref (ref func) (ref func) (ref 4) (ref null 4) funcref funcref (ref 4) (ref null 4) (ref func) (ref null 4) (ref 4) (ref func) funcref funcref funcref (ref func) (ref 4) (ref null 4) (ref func) funcref (ref 4) (ref null 4) (ref func) (ref func) (ref 4) (ref func) (ref func) (ref func) (ref func) (ref null 4) (ref 4) (ref null 4) (ref 4) (ref null 4) funcref funcref (ref null 4) funcref (ref func) (ref 4) (ref null 4) funcref (ref 4) (ref null 4) funcref (ref 4) (ref 4) (ref null 4) (ref func) (ref func) (ref 4) (ref null 4) funcref (ref 4) (ref func) funcref (ref 4) (ref func) (ref func))))
;;   )
;;   (type (;5;) (func (param i32) (result i32)))
;;   (rec
;;     (type (;6;) (func (result i32 i32)))
;;     (type (;7;) (func (param funcref (ref 7) (ref null 7) (ref null 7) (ref null 7) (ref null 7) funcref (ref func) (ref 7) funcref funcref funcref (ref 7) funcref (ref func) funcref (ref null 7) funcref (ref func) (ref 7) (ref func) (ref null 7) (ref 7) funcref (ref 7) (ref func) (ref null 7) funcref funcref (ref null 7) (ref null 7) (ref func) (ref null 7) (ref null 7) (ref null 7) (ref 7) (ref null 7) (ref func) (ref null 7) funcref funcref (ref 7) funcref funcref (ref null 7) (ref null 7) (ref func) (ref null 7) (ref 7) (ref func) (ref func) (ref 7) funcref funcref (ref null 7) (ref func) funcref (ref func) funcref (ref func) (ref 7) (ref null 7) (ref null 7) (ref 7))))
;;   )
;;   (rec
;;     (type (;8;) (func (result i32 i32 i32)))
;;     (type (;9;) (func (param (ref 9) (ref null 9) funcref (ref null 9) (ref 9) (ref func) funcref (ref func) funcref funcref funcref (ref func) (ref 9) (ref null 9) funcref (ref func) (ref func) (ref null 9) (ref null 9) (ref func) (ref null 9) (ref func) (ref null 9) funcref (ref null 9) (ref null 9) funcref (ref null 9) (ref func) (ref 9) (ref null 9) (ref func) (ref 9) (ref func) (ref func) (ref 9) (ref func) (ref func) (ref null 9) (ref 9) (ref null 9) (ref func) funcref funcref funcref (ref null 9) funcref funcref (ref null 9) funcref (ref func) (ref 9) (ref 9) (ref func) funcref (ref 9) (ref null 9) (ref null 9) (ref func) (ref null 9) (ref func) (ref null 9) funcref (ref null 9))))
;;   )
;;   (rec
;;     (type (;10;) (func (param i32) (result i32)))
;;     (type (;11;) (func (param (ref func) (ref func) (ref null 11) (ref null 11) (ref func) (ref func) (ref func) funcref funcref (ref null 11) (ref null 11) (ref func) (ref null 11) (ref 11) (ref func) (ref null 11) funcref (ref 11) (ref 11) (ref null 11) (ref 11) (ref 11) (ref func) (ref func) (ref 11) (ref func) (ref 11) (ref null 11) funcref funcref (ref func) funcref funcref (ref null 11) (ref 11) (ref func) (ref null 11) (ref null 11) (ref null 11) (ref 11) funcref (ref 11) (ref null 11) funcref (ref null 11) (ref null 11) (ref func) (ref 11) (ref func) (ref func) (ref null 11) (ref null 11) (ref 11) (ref 11) (ref null 11) (ref 11) (ref func) (ref func) (ref 11) funcref funcref (ref func) (ref func) (ref null 11))))
;;   )
;;   (type (;12;) (func (result i32)))
;;   (type (;13;) (func (param i32) (result i32)))
;;   (type (;14;) (func (param i32)))
;;   (type (;15;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 13)))
;;   (import "wasmtime-gc" "tag_base" (global (;0;) i32))
;;   (export "run" (func $calls_quiet))
;;   (export "all" (func 7))
;;   (func $throws (;1;) (type 3) (param i32 i32) (result i64)
;;     (local i32 i32 i32 i32 i32)
;;     block ;; label = @1
;;       global.get 0
;;       local.set 2
;;       i32.const 0
;;       i32.load offset=1048580
;;       local.tee 3
;;       i32.const 16
;;       i32.add
;;       local.tee 6
;;       i32.const 0
;;       i32.load offset=1048584
;;       i32.gt_u
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         i32.const 0
;;         i32.load offset=1048576
;;         i32.const 4
;;         i32.sub
;;         local.tee 4
;;         local.get 1
;;         i32.store
;;         i32.const 0
;;         local.get 4
;;         i32.store offset=1048576
;;         i32.const 16
;;         call 0
;;         local.set 3
;;         local.get 4
;;         i32.load
;;         local.set 1
;;         i32.const 0
;;         local.get 4
;;         i32.const 4
;;         i32.add
;;         i32.store offset=1048576
;;       else
;;         i32.const 0
;;         local.get 6
;;         i32.store offset=1048580
;;         local.get 3
;;         i32.const 3
;;         i32.sub
;;         local.set 3
;;       end
;;       local.get 3
;;       i32.const 5308576
;;       i32.store offset=3 align=1
;;       local.get 3
;;       local.get 2
;;       i32.store offset=7 align=1
;;       local.get 3
;;       local.get 0
;;       i32.store offset=11 align=1
;;       local.get 3
;;       local.get 1
;;       i32.store offset=15 align=1
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048592 align=1
;;       br 0 (;@1;)
;;     end
;;     i64.const 0
;;   )
;;   (func $same (;2;) (type 5) (param i32) (result i32)
;;     block ;; label = @1
;;       br 0 (;@1;)
;;       unreachable
;;       unreachable
;;     end
;;     local.get 0
;;     return
;;     unreachable
;;   )
;;   (func $catches (;3;) (type 5) (param i32) (result i32)
;;     block ;; label = @1
;;       block ;; label = @2
;;         block ;; label = @3
;;           block ;; label = @4
;;             block ;; label = @5
;;               local.get 0
;;               i32.const -1
;;               call $throws
;;               drop
;;               i32.const 0
;;               i32.load offset=1048592 align=1
;;               (@metadata.code.branch_hint "\00")
;;               br_if 0 (;@5;)
;;               br 1 (;@4;)
;;             end
;;             i32.const 0
;;             i32.load offset=1048592 align=1
;;             local.set 0
;;             i32.const 0
;;             i32.const 0
;;             i32.store offset=1048592 align=1
;;             local.get 0
;;             i32.load offset=7 align=1
;;             global.get 0
;;             i32.eq
;;             (@metadata.code.branch_hint "\01")
;;             if ;; label = @5
;;               local.get 0
;;               i32.load offset=11 align=1
;;               drop
;;               local.get 0
;;               i32.load offset=15 align=1
;;               drop
;;               br 2 (;@3;)
;;             else
;;               local.get 0
;;               i32.load offset=7 align=1
;;               global.get 0
;;               i32.const 1
;;               i32.add
;;               i32.eq
;;               if ;; label = @6
;;                 br 4 (;@2;)
;;               else
;;                 i32.const 0
;;                 local.get 0
;;                 i32.store offset=1048592 align=1
;;                 br 5 (;@1;)
;;               end
;;               unreachable
;;             end
;;             unreachable
;;           end
;;           i32.const 1
;;           return
;;         end
;;         local.get 0
;;         i32.const -1
;;         i32.eq
;;         if ;; label = @3
;;           unreachable
;;         end
;;         i32.const 0
;;         local.get 0
;;         i32.store offset=1048592 align=1
;;         br 1 (;@1;)
;;       end
;;       i32.const 2
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func $quiet (;4;) (type 10) (param i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;   )
;;   (func $calls_quiet (;5;) (type 10) (param i32) (result i32)
;;     local.get 0
;;     call $quiet
;;   )
;;   (func $legacy (;6;) (type 5) (param i32) (result i32)
;;     block ;; label = @1
;;       block ;; label = @2
;;         block ;; label = @3
;;           local.get 0
;;           i32.const -1
;;           call $throws
;;           i32.const 0
;;           i32.load offset=1048592 align=1
;;           (@metadata.code.branch_hint "\00")
;;           br_if 0 (;@3;)
;;           i32.wrap_i64
;;           local.set 0
;;           br 1 (;@2;)
;;         end
;;         i32.const 0
;;         i32.load offset=1048592 align=1
;;         local.set 0
;;         i32.const 0
;;         i32.const 0
;;         i32.store offset=1048592 align=1
;;         local.get 0
;;         i32.load offset=7 align=1
;;         global.get 0
;;         i32.const 1
;;         i32.add
;;         i32.eq
;;         if ;; label = @3
;;           i32.const 3
;;           local.set 0
;;           br 1 (;@2;)
;;         else
;;           i32.const 0
;;           local.get 0
;;           i32.store offset=1048592 align=1
;;           br 2 (;@1;)
;;         end
;;         unreachable
;;       end
;;       local.get 0
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func (;7;) (type 12) (result i32)
;;     block ;; label = @1
;;       i32.const 1
;;       call $same
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       i32.const 2
;;       call $catches
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       i32.const 3
;;       call $legacy
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       i32.add
;;       i32.add
;;       return
;;     end
;;     i32.const 0
;;   )
;; )
