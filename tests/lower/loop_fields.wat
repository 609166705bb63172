;; A field that a loop reads and writes through one reference is a parameter of the loop: it is stored at each write, and
;; not loaded. What the loop only reads is read before it, and so is the length of an array that it goes through.
;;! passes: none+loop_fields+dce+hoist
(module
  (type $node (struct (field $next (ref null $node)) (field $value i32)))
  (type $list (struct (field $first (mut (ref null $node))) (field $sum (mut i64)) (field $step (mut i32))))
  (type $ints (array (mut i32)))

  (func (export "drain") (param $list (ref $list))
    (loop $again
      (block $done
        (br_on_null $done (struct.get $list $first (local.get $list)))
        (drop)
        (struct.set $list $first (local.get $list)
          (struct.get $node $next (struct.get $list $first (local.get $list))))
        (br $again))))
  (func (export "count") (param $list (ref $list)) (param $n i32)
    (loop $again
      (struct.set $list $sum (local.get $list)
        (i64.add (struct.get $list $sum (local.get $list))
          (i64.extend_i32_s (struct.get $list $step (local.get $list)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "sum") (param $ints (ref $ints)) (result i32)
    (local $i i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (array.get $ints (local.get $ints) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
    (local.get $sum)))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32)))
;;     (type (;1;) (func (param (ref func) (ref 1) funcref funcref (ref func) (ref 1) funcref (ref null 1) (ref func) (ref func) funcref (ref 1) (ref 1) (ref func) funcref (ref null 1) (ref null 1) (ref null 1) funcref funcref (ref null 1) (ref 1) funcref funcref (ref func) (ref func) funcref (ref func) (ref 1) (ref 1) (ref 1) (ref func) (ref 1) (ref null 1) funcref (ref 1) (ref 1) (ref func) (ref func) (ref 1) (ref 1) (ref func) (ref 1) (ref null 1) funcref (ref 1) (ref 1) funcref funcref (ref null 1) (ref null 1) (ref func) (ref null 1) (ref null 1) (ref null 1) (ref func) (ref null 1) funcref (ref 1) (ref func) (ref null 1) funcref funcref (ref null 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i32)))
;;     (type (;3;) (func (param (ref 3) (ref 3) funcref (ref null 3) (ref func) (ref func) (ref 3) (ref null 3) (ref func) funcref funcref funcref funcref funcref funcref (ref null 3) (ref null 3) (ref func) (ref null 3) (ref null 3) (ref 3) (ref func) funcref funcref funcref (ref 3) (ref 3) (ref null 3) (ref func) (ref 3) funcref (ref func) funcref (ref null 3) (ref 3) (ref null 3) funcref (ref null 3) (ref 3) (ref 3) funcref (ref null 3) (ref 3) (ref null 3) funcref (ref func) (ref func) (ref func) (ref func) funcref (ref 3) (ref null 3) (ref 3) (ref func) (ref 3) (ref 3) (ref null 3) (ref func) (ref 3) funcref (ref 3) funcref (ref func) (ref func))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param (ref null 5) funcref (ref null 5) (ref func) (ref null 5) (ref 5) (ref null 5) (ref null 5) funcref (ref null 5) funcref (ref 5) (ref null 5) (ref 5) funcref (ref func) (ref func) funcref (ref 5) (ref null 5) (ref func) (ref null 5) (ref null 5) (ref 5) (ref 5) (ref 5) (ref null 5) (ref 5) (ref 5) (ref null 5) (ref 5) (ref 5) funcref (ref 5) funcref funcref (ref null 5) (ref func) (ref func) (ref null 5) (ref null 5) (ref 5) (ref func) funcref funcref (ref 5) funcref (ref func) (ref null 5) (ref null 5) (ref func) (ref 5) (ref null 5) (ref 5) (ref func) (ref func) (ref null 5) (ref null 5) funcref (ref null 5) (ref 5) (ref null 5) (ref 5) (ref 5))))
;;   )
;;   (type (;6;) (func (param i32)))
;;   (type (;7;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "drain" (func 0))
;;   (export "count" (func 1))
;;   (export "sum" (func 2))
;;   (func (;0;) (type 0) (param i32)
;;     (local i32 i32 i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 1
;;     loop ;; label = @1
;;       block ;; label = @2
;;         local.get 1
;;         i32.const -1
;;         i32.eq
;;         br_if 0 (;@2;)
;;         local.get 1
;;         i32.load offset=7 align=1
;;         local.set 1
;;         local.get 0
;;         i32.const 5308413
;;         i32.ge_u
;;         local.get 1
;;         i32.const 0
;;         i32.load offset=1048596 align=1
;;         i32.lt_u
;;         i32.and
;;         (@metadata.code.branch_hint "\00")
;;         if ;; label = @3
;;           local.get 0
;;           i32.load offset=7 align=1
;;           local.tee 2
;;           i32.const 5308413
;;           i32.lt_u
;;           local.get 2
;;           i32.and
;;           i32.eqz
;;           (@metadata.code.branch_hint "\00")
;;           if ;; label = @4
;;             local.get 0
;;             i32.const 7
;;             i32.add
;;             local.set 2
;;             i32.const 0
;;             i32.load offset=1048588 align=1
;;             local.tee 3
;;             local.get 2
;;             i32.store align=1
;;             i32.const 0
;;             local.get 3
;;             local.get 3
;;             i32.const 0
;;             i32.load offset=1048600 align=1
;;             i32.lt_u
;;             i32.const 2
;;             i32.shl
;;             i32.add
;;             i32.store offset=1048588 align=1
;;           end
;;         end
;;         local.get 0
;;         local.get 1
;;         i32.store offset=7 align=1
;;         br 1 (;@1;)
;;       end
;;     end
;;   )
;;   (func (;1;) (type 2) (param i32 i32)
;;     (local i32 i64)
;;     local.get 0
;;     i64.load offset=11 align=1
;;     local.get 0
;;     i32.load offset=19 align=1
;;     local.set 2
;;     local.set 3
;;     loop ;; label = @1
;;       local.get 3
;;       local.get 2
;;       i64.extend_i32_s
;;       i64.add
;;       local.set 3
;;       local.get 0
;;       local.get 3
;;       i64.store offset=11 align=1
;;       local.get 1
;;       i32.const 1
;;       i32.sub
;;       local.tee 1
;;       br_if 0 (;@1;)
;;     end
;;   )
;;   (func (;2;) (type 4) (param i32) (result i32)
;;     (local i32 i32 i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 1
;;     i32.const 0
;;     i32.const 0
;;     local.set 3
;;     local.set 2
;;     loop ;; label = @1
;;       local.get 2
;;       local.get 1
;;       i32.ge_u
;;       if ;; label = @2
;;         unreachable
;;       end
;;       local.get 3
;;       local.get 0
;;       local.get 2
;;       i32.const 2
;;       i32.shl
;;       i32.add
;;       i32.load offset=11 align=1
;;       i32.add
;;       local.set 3
;;       local.get 2
;;       i32.const 1
;;       i32.add
;;       local.tee 2
;;       i32.const 100
;;       i32.lt_u
;;       br_if 0 (;@1;)
;;     end
;;     local.get 3
;;   )
;; )
