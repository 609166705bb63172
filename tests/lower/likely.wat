;; What is likely of calls, by a profile or the section `metadata.code.call_targets`.
;;
;; - A function that was read from a field is compared with the likeliest first (`$through`: 90 of 100 calls reach
;;   `$twice`); another may be there, so that the call stays.
;; - The index of a `call_indirect` is compared with the places of the likeliest in a table that nothing changes
;;   (`$at`); the tail call likewise.
;; - `$changed` may have changed: its call is as it was.
;;! optimize
;;! likely: $through=$twice:90 $at=$inc:50 $at=$dec:40 $tail=$dec:100 $from_changed=$inc:100
(module
  (type $op (sub (func (param i32) (result i32))))
  (type $node (sub (struct (field (ref $op)) (field i32))))
  (table $ops 3 3 (ref null $op))
  (table $changed 3 3 (ref null $op))
  (elem (table $ops) (i32.const 0) (ref $op) (ref.func $inc) (ref.func $dec) (ref.func $twice))
  (elem (table $changed) (i32.const 0) (ref $op) (ref.func $inc))
  (func $inc (type $op) (i32.add (local.get 0) (i32.const 1)))
  (func $dec (type $op) (i32.sub (local.get 0) (i32.const 1)))
  (func $twice (type $op) (i32.shl (local.get 0) (i32.const 1)))
  (func (export "made") (param $f (ref $op)) (result (ref $node))
    (table.set $changed (i32.const 1) (local.get $f))
    (struct.new $node (local.get $f) (i32.const 1)))
  (func $through (export "through") (param $n (ref $node)) (param i32) (result i32)
    (call_ref $op (local.get 1) (struct.get $node 0 (local.get $n))))
  (func $at (export "at") (param (ref $node) i32 i32) (result i32)
    (call_indirect $ops (type $op) (struct.get $node 1 (local.get 0)) (local.get 1)))
  (func $tail (export "tail") (param (ref $node) i32 i32) (result i32)
    (return_call_indirect $ops (type $op) (struct.get $node 1 (local.get 0)) (local.get 1)))
  (func $from_changed (export "from_changed") (param (ref $node) i32 i32) (result i32)
    (call_indirect $changed (type $op) (struct.get $node 1 (local.get 0)) (local.get 1))))
;; lowered:
;; (module
;;   (type (;0;) (sub (func (param i32) (result i32))))
;;   (rec
;;     (type (;1;) (func (param (ref 0)) (result i32)))
;;     (type (;2;) (func (param (ref 2) funcref funcref (ref 2) (ref 2) (ref null 2) (ref null 2) (ref 2) funcref (ref 2) (ref func) (ref 2) (ref func) (ref 2) (ref null 2) (ref 2) (ref 2) funcref (ref func) funcref funcref (ref 2) (ref 2) (ref func) (ref func) (ref 2) (ref func) (ref null 2) (ref func) (ref 2) funcref (ref 2) (ref null 2) funcref funcref (ref null 2) (ref func) (ref null 2) (ref null 2) (ref null 2) (ref func) funcref funcref (ref null 2) funcref (ref func) funcref (ref 2) (ref func) (ref func) (ref func) (ref 2) (ref func) (ref null 2) funcref (ref func) (ref 2) funcref (ref 2) (ref 2) (ref func) funcref (ref null 2) (ref func))))
;;   )
;;   (rec
;;     (type (;3;) (func (param i32 i32) (result i32)))
;;     (type (;4;) (func (param (ref 4) (ref func) (ref 4) (ref null 4) (ref func) (ref 4) (ref func) (ref func) (ref 4) (ref 4) (ref func) funcref (ref null 4) funcref (ref func) (ref 4) (ref func) (ref null 4) (ref null 4) (ref 4) funcref (ref func) funcref funcref (ref null 4) (ref null 4) funcref (ref func) (ref null 4) funcref funcref (ref func) funcref (ref null 4) (ref func) (ref 4) (ref 4) (ref null 4) funcref funcref funcref (ref func) (ref 4) (ref null 4) (ref null 4) (ref null 4) (ref func) (ref null 4) (ref null 4) (ref 4) (ref func) (ref 4) (ref 4) (ref func) (ref func) (ref func) funcref (ref func) funcref (ref 4) (ref 4) (ref func) (ref null 4) (ref 4))))
;;   )
;;   (rec
;;     (type (;5;) (func (param i32 i32 i32) (result i32)))
;;     (type (;6;) (func (param (ref func) (ref 6) (ref null 6) (ref null 6) (ref null 6) (ref null 6) funcref (ref 6) (ref 6) funcref (ref func) funcref (ref func) (ref null 6) (ref null 6) (ref func) (ref null 6) funcref (ref 6) funcref (ref null 6) (ref null 6) (ref null 6) (ref func) funcref (ref 6) funcref (ref null 6) (ref 6) (ref func) (ref null 6) (ref 6) (ref func) (ref null 6) (ref func) funcref (ref 6) funcref (ref 6) (ref null 6) funcref funcref (ref null 6) (ref 6) (ref func) (ref 6) funcref (ref 6) (ref null 6) (ref func) funcref funcref (ref 6) (ref null 6) (ref 6) funcref funcref (ref func) (ref null 6) funcref (ref 6) (ref null 6) (ref null 6) (ref null 6))))
;;   )
;;   (type (;7;) (func (param i32) (result i32)))
;;   (type (;8;) (func (param funcref) (result i32)))
;;   (type (;9;) (func (param i32)))
;;   (type (;10;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 7)))
;;   (import "wasmtime-gc" "function_handle" (func (;1;) (type 8)))
;;   (import "wasmtime-gc" "functions" (table (;0;) 0 funcref))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (import "wasmtime-gc" "function_base" (global (;1;) i32))
;;   (table (;1;) 3 3 (ref null 0))
;;   (table (;2;) 3 3 (ref null 0))
;;   (export "made" (func 5))
;;   (export "through" (func $through))
;;   (export "at" (func $at))
;;   (export "tail" (func $tail))
;;   (export "from_changed" (func $from_changed))
;;   (elem (;0;) (table 1) (i32.const 0) (ref 0) (ref.func $inc) (ref.func $dec) (ref.func $twice))
;;   (elem (;1;) (table 2) (i32.const 0) (ref 0) (ref.func $inc))
;;   (elem (;2;) (table 0) (global.get 1) func $inc $dec $twice 5 $through $at $tail $from_changed)
;;   (func $inc (;2;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.add
;;   )
;;   (func $dec (;3;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.sub
;;   )
;;   (func $twice (;4;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.shl
;;   )
;;   (func (;5;) (type 1) (param (ref 0)) (result i32)
;;     (local i32 i32 i32 i32)
;;     i32.const 1
;;     local.get 0
;;     table.set 2
;;     local.get 0
;;     call 1
;;     local.set 1
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 2
;;     i32.const 12
;;     i32.add
;;     local.tee 4
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 12
;;       call 0
;;       local.set 2
;;     else
;;       i32.const 0
;;       local.get 4
;;       i32.store offset=1048580
;;       local.get 2
;;       i32.const 3
;;       i32.sub
;;       local.set 2
;;     end
;;     local.get 2
;;     i32.const 5308536
;;     i32.store offset=3 align=1
;;     local.get 2
;;     local.get 1
;;     i32.store offset=7 align=1
;;     local.get 2
;;     i32.const 1
;;     i32.store offset=11 align=1
;;     local.get 2
;;   )
;;   (func $through (;6;) (type 3) (param i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 0
;;     block ;; label = @1
;;       local.get 0
;;       global.get 1
;;       i32.const 2
;;       i32.add
;;       i32.eq
;;       if ;; label = @2
;;         local.get 1
;;         i32.const 1
;;         i32.shl
;;         local.set 0
;;       else
;;         local.get 1
;;         local.get 0
;;         call_indirect (type 0)
;;         local.set 0
;;       end
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       local.get 0
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func $at (;7;) (type 5) (param i32 i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.set 0
;;     block ;; label = @1
;;       local.get 1
;;       i32.const 0
;;       i32.eq
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 1
;;         i32.add
;;         local.set 0
;;       else
;;         local.get 1
;;         i32.const 1
;;         i32.eq
;;         if ;; label = @3
;;           local.get 0
;;           i32.const 1
;;           i32.sub
;;           local.set 0
;;         else
;;           local.get 0
;;           local.get 1
;;           call_indirect 1 (type 0)
;;           local.set 0
;;         end
;;       end
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       local.get 0
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func $tail (;8;) (type 5) (param i32 i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.set 0
;;     local.get 1
;;     i32.const 1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 0
;;       return_call $dec
;;     end
;;     local.get 0
;;     local.get 1
;;     return_call_indirect 1 (type 0)
;;   )
;;   (func $from_changed (;9;) (type 5) (param i32 i32 i32) (result i32)
;;     local.get 0
;;     i32.load offset=11 align=1
;;     local.set 0
;;     block ;; label = @1
;;       local.get 0
;;       local.get 1
;;       call_indirect 2 (type 0)
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       return
;;     end
;;     i32.const 0
;;   )
;; )
