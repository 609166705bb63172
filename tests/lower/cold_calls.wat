;; A call on one of several ways saves what is live across there, and loads it again into the same local. The other way
;; does nothing of it.
(module
  (type $box (struct (field (mut i32))))
  (global $state (mut (ref null $box)) (ref.null $box))
  (func $start (global.set $state (struct.new $box (i32.const 1))))
  (func $slow (param anyref anyref) (result anyref) (struct.new $box (i32.const 2)))

  ;; Initialisation on first use.
  (func (export "first_use") (param $value (ref $box)) (result i32)
    (if (ref.is_null (global.get $state)) (then (call $start)))
    (i32.add (struct.get $box 0 (global.get $state)) (struct.get $box 0 (local.get $value))))
  ;; The slow way of an addition.
  (func (export "add") (param $a anyref) (param $b anyref) (param $c (ref $box)) (result anyref)
    (local $sum anyref)
    (block $done
      (block $other
        (br_if $other (i32.eqz (ref.test (ref i31) (local.get $a))))
        (br_if $other (i32.eqz (ref.test (ref i31) (local.get $b))))
        (local.set $sum
          (ref.i31
            (i32.add
              (i31.get_s (ref.cast (ref i31) (local.get $a)))
              (i31.get_s (ref.cast (ref i31) (local.get $b))))))
        (br $done))
      (local.set $sum (call $slow (local.get $a) (local.get $b))))
    (struct.set $box 0 (local.get $c) (i32.const 3))
    (local.get $sum))
  ;; Both ways call, so what is live is saved once, before.
  (func (export "both") (param $which i32) (param $value (ref $box)) (result i32)
    (if (local.get $which) (then (call $start)) (else (drop (call $slow (local.get $value) (local.get $value)))))
    (struct.get $box 0 (local.get $value))))
;; lowered:
;; (module
;;   (type (;0;) (func))
;;   (rec
;;     (type (;1;) (func (param i32 i32) (result i32)))
;;     (type (;2;) (func (param (ref null 2) (ref 2) (ref func) funcref (ref func) funcref funcref (ref null 2) (ref func) (ref 2) (ref 2) funcref (ref func) (ref null 2) (ref 2) funcref (ref func) (ref 2) (ref 2) (ref func) (ref null 2) (ref func) (ref func) funcref (ref 2) (ref 2) (ref func) (ref func) (ref 2) (ref null 2) (ref 2) (ref null 2) (ref func) funcref (ref 2) (ref func) (ref 2) (ref 2) (ref 2) funcref (ref 2) (ref null 2) (ref null 2) funcref (ref null 2) (ref null 2) (ref func) (ref 2) (ref 2) funcref funcref (ref func) (ref func) (ref null 2) funcref funcref (ref 2) funcref (ref 2) (ref 2) (ref func) funcref (ref null 2) (ref func))))
;;   )
;;   (rec
;;     (type (;3;) (func (param i32) (result i32)))
;;     (type (;4;) (func (param funcref (ref 4) (ref func) (ref 4) (ref func) (ref 4) (ref 4) funcref (ref func) (ref null 4) (ref func) funcref (ref func) (ref null 4) (ref 4) (ref 4) funcref (ref func) (ref null 4) (ref func) funcref (ref func) funcref (ref func) (ref null 4) (ref null 4) (ref null 4) (ref func) (ref null 4) funcref (ref 4) (ref 4) funcref (ref null 4) (ref 4) (ref 4) (ref 4) funcref funcref (ref null 4) (ref func) (ref 4) funcref (ref func) (ref 4) (ref 4) (ref 4) (ref func) (ref 4) (ref func) funcref funcref (ref null 4) (ref null 4) (ref null 4) (ref func) (ref null 4) (ref 4) (ref 4) (ref 4) funcref (ref 4) funcref (ref null 4))))
;;   )
;;   (rec
;;     (type (;5;) (func (param i32 i32 i32) (result i32)))
;;     (type (;6;) (func (param (ref null 6) (ref func) funcref (ref 6) (ref null 6) (ref 6) (ref func) funcref (ref 6) funcref (ref null 6) funcref (ref func) funcref (ref 6) (ref 6) funcref funcref (ref 6) (ref 6) (ref null 6) (ref null 6) (ref func) (ref null 6) funcref (ref 6) (ref 6) funcref funcref funcref funcref (ref func) (ref null 6) (ref null 6) funcref funcref (ref null 6) (ref 6) (ref null 6) funcref (ref null 6) (ref 6) funcref funcref funcref (ref func) (ref 6) (ref func) (ref null 6) funcref (ref null 6) (ref func) (ref 6) (ref func) (ref 6) (ref 6) funcref (ref null 6) (ref 6) (ref 6) (ref func) funcref (ref func) funcref)))
;;   )
;;   (rec
;;     (type (;7;) (func (param i32 i32) (result i32)))
;;     (type (;8;) (func (param (ref null 8) funcref (ref null 8) (ref func) funcref (ref 8) (ref func) (ref 8) (ref null 8) (ref null 8) (ref null 8) (ref 8) (ref 8) (ref 8) funcref (ref null 8) funcref (ref 8) (ref func) (ref null 8) (ref null 8) funcref (ref func) (ref func) (ref 8) (ref func) (ref func) (ref func) (ref 8) (ref func) funcref (ref 8) (ref func) (ref null 8) (ref null 8) (ref 8) funcref (ref 8) (ref func) (ref func) (ref func) (ref null 8) (ref func) (ref null 8) (ref func) (ref func) funcref funcref (ref 8) (ref null 8) (ref null 8) (ref func) (ref func) (ref 8) funcref (ref 8) funcref funcref (ref 8) (ref func) (ref func) (ref null 8) (ref null 8) (ref 8))))
;;   )
;;   (type (;9;) (func (param i32) (result i32)))
;;   (type (;10;) (func (param i32)))
;;   (type (;11;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 9)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (export "first_use" (func 3))
;;   (export "add" (func 4))
;;   (export "both" (func 5))
;;   (start $"wasmtime-gc helper 7")
;;   (func $start (;1;) (type 0)
;;     (local i32 i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 0
;;     i32.const 8
;;     i32.add
;;     local.tee 2
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 8
;;       call 0
;;       local.set 0
;;     else
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048580
;;       local.get 0
;;       i32.const 3
;;       i32.sub
;;       local.set 0
;;     end
;;     local.get 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     i32.const 1
;;     i32.store offset=7 align=1
;;     global.get 0
;;     local.get 0
;;     i32.store align=1
;;   )
;;   (func $slow (;2;) (type 1) (param i32 i32) (result i32)
;;     (local i32 i32)
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 0
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
;;       local.set 0
;;     else
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048580
;;       local.get 0
;;       i32.const 3
;;       i32.sub
;;       local.set 0
;;     end
;;     local.get 0
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 0
;;     i32.const 2
;;     i32.store offset=7 align=1
;;     local.get 0
;;   )
;;   (func (;3;) (type 3) (param i32) (result i32)
;;     (local i32 i32)
;;     global.get 0
;;     local.tee 1
;;     i32.load align=1
;;     i32.const -1
;;     i32.eq
;;     if ;; label = @1
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
;;       call $start
;;       local.get 2
;;       i32.load
;;       local.set 0
;;       i32.const 0
;;       local.get 2
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;     end
;;     local.get 1
;;     i32.load align=1
;;     i32.load offset=7 align=1
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.add
;;   )
;;   (func (;4;) (type 5) (param i32 i32 i32) (result i32)
;;     (local i32)
;;     block ;; label = @1
;;       block ;; label = @2
;;         local.get 0
;;         i32.const 1
;;         i32.and
;;         i32.eqz
;;         i32.eqz
;;         br_if 0 (;@2;)
;;         local.get 1
;;         i32.const 1
;;         i32.and
;;         i32.eqz
;;         i32.eqz
;;         br_if 0 (;@2;)
;;         local.get 0
;;         i32.const 1
;;         i32.and
;;         i32.eqz
;;         i32.eqz
;;         if ;; label = @3
;;           unreachable
;;         end
;;         local.get 0
;;         i32.const 1
;;         i32.shr_s
;;         local.get 1
;;         i32.const 1
;;         i32.and
;;         i32.eqz
;;         i32.eqz
;;         if ;; label = @3
;;           unreachable
;;         end
;;         local.get 1
;;         i32.const 1
;;         i32.shr_s
;;         i32.add
;;         i32.const 1
;;         i32.shl
;;         local.set 0
;;         br 1 (;@1;)
;;       end
;;       local.get 0
;;       local.get 1
;;       i32.const 0
;;       i32.load offset=1048576
;;       i32.const 4
;;       i32.sub
;;       local.tee 3
;;       local.get 2
;;       i32.store
;;       i32.const 0
;;       local.get 3
;;       i32.store offset=1048576
;;       call $slow
;;       local.get 3
;;       i32.load
;;       local.set 2
;;       i32.const 0
;;       local.get 3
;;       i32.const 4
;;       i32.add
;;       i32.store offset=1048576
;;       local.set 0
;;     end
;;     local.get 2
;;     i32.const 3
;;     i32.store offset=7 align=1
;;     local.get 0
;;   )
;;   (func (;5;) (type 7) (param i32 i32) (result i32)
;;     (local i32)
;;     i32.const 0
;;     i32.load offset=1048576
;;     i32.const 4
;;     i32.sub
;;     local.tee 2
;;     local.get 1
;;     i32.store
;;     local.get 0
;;     if ;; label = @1
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048576
;;       call $start
;;     else
;;       i32.const 0
;;       local.get 2
;;       i32.store offset=1048576
;;       local.get 1
;;       local.get 1
;;       call $slow
;;       drop
;;     end
;;     local.get 2
;;     i32.load
;;     i32.load offset=7 align=1
;;     i32.const 0
;;     local.get 2
;;     i32.const 4
;;     i32.add
;;     i32.store offset=1048576
;;   )
;;   (func $"wasmtime-gc helper 7" (;6;) (type 11)
;;     call $"wasmtime-gc helper 40"
;;   )
;;   (func $"wasmtime-gc helper 40" (;7;) (type 11)
;;     global.get 0
;;     i32.const -1
;;     i32.store align=1
;;   )
;; )
