;;! passes: none+bounds
;; An index is compared with a length once: behind a check, or behind a branch that compared them.
(module
  (type $ints (array (mut i32)))
  (table $table (export "table") 8 (ref null any))

  (func (export "increment") (param $a (ref $ints)) (param $i i32)
    (array.set $ints (local.get $a) (local.get $i)
      (i32.add (array.get $ints (local.get $a) (local.get $i)) (i32.const 1))))

  (func (export "guarded") (param $a (ref $ints)) (param $i i32) (result i32)
    (if (i32.ge_u (local.get $i) (array.len (local.get $a))) (then (return (i32.const -1))))
    (array.get $ints (local.get $a) (local.get $i)))

  (func (export "sum") (param $a (ref $ints)) (result i32)
    (local $i i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.lt_u (local.get $i) (array.len (local.get $a)))))
        (local.set $sum (i32.add (local.get $sum) (array.get $ints (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func (export "arms") (param $a (ref $ints)) (param $i i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $i) (array.len (local.get $a)))
      (then (array.get $ints (local.get $a) (local.get $i)))
      ;; Here it is not below, and the check stays.
      (else (array.get $ints (local.get $a) (local.get $i)))))

  (func (export "swap") (param $i i32) (param $j i32) (local $held anyref)
    (local.set $held (table.get $table (local.get $i)))
    (table.set $table (local.get $i) (table.get $table (local.get $j)))
    (table.set $table (local.get $j) (local.get $held)))

  (func (export "constants") (param $a (ref $ints)) (result i32)
    (i32.add (array.get $ints (local.get $a) (i32.const 3)) (array.get $ints (local.get $a) (i32.const 2))))

  ;; What counts up from zero and was below the length, as a signed number, is in bounds.
  (func (export "signed") (param $a (ref $ints)) (result i32)
    (local $i i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $i) (array.len (local.get $a))))
        (local.set $sum (i32.add (local.get $sum) (array.get $ints (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  ;; Here it begins anywhere, and the check stays.
  (func (export "signed_from") (param $a (ref $ints)) (param $i i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $i) (array.len (local.get $a))))
        (local.set $sum (i32.add (local.get $sum) (array.get $ints (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i32)))
;;     (type (;1;) (func (param (ref func) (ref null 1) (ref 1) (ref null 1) funcref (ref 1) (ref null 1) (ref null 1) (ref 1) (ref func) (ref null 1) funcref funcref (ref func) (ref null 1) (ref null 1) (ref 1) (ref 1) (ref func) funcref (ref func) (ref func) (ref null 1) (ref 1) (ref null 1) (ref 1) (ref null 1) funcref (ref 1) (ref null 1) (ref 1) (ref func) (ref func) (ref func) (ref 1) funcref (ref null 1) funcref (ref 1) (ref 1) (ref 1) (ref func) funcref (ref null 1) (ref func) funcref (ref func) (ref func) funcref (ref null 1) (ref func) (ref null 1) funcref (ref null 1) (ref func) (ref 1) (ref null 1) funcref (ref 1) funcref (ref null 1) (ref null 1) funcref (ref func))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32 i32) (result i32)))
;;     (type (;3;) (func (param (ref null 3) (ref func) funcref (ref null 3) (ref func) (ref null 3) (ref 3) (ref 3) (ref 3) (ref null 3) (ref func) (ref 3) funcref funcref (ref 3) (ref null 3) funcref funcref (ref func) funcref (ref func) funcref (ref func) (ref 3) (ref func) funcref funcref (ref null 3) (ref 3) (ref func) (ref null 3) (ref null 3) (ref func) (ref null 3) funcref (ref func) funcref (ref func) (ref 3) funcref (ref 3) (ref 3) (ref func) (ref null 3) funcref (ref 3) (ref 3) (ref 3) (ref 3) (ref func) (ref func) funcref (ref func) (ref null 3) funcref (ref null 3) (ref 3) (ref 3) (ref 3) (ref null 3) (ref func) (ref func) (ref func) funcref)))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32) (result i32)))
;;     (type (;5;) (func (param (ref null 5) funcref (ref null 5) (ref func) (ref null 5) (ref 5) (ref null 5) (ref null 5) funcref (ref null 5) funcref (ref 5) (ref null 5) (ref 5) funcref (ref func) (ref func) funcref (ref 5) (ref null 5) (ref func) (ref null 5) (ref null 5) (ref 5) (ref 5) (ref 5) (ref null 5) (ref 5) (ref 5) (ref null 5) (ref 5) (ref 5) funcref (ref 5) funcref funcref (ref null 5) (ref func) (ref func) (ref null 5) (ref null 5) (ref 5) (ref func) funcref funcref (ref 5) funcref (ref func) (ref null 5) (ref null 5) (ref func) (ref 5) (ref null 5) (ref 5) (ref func) (ref func) (ref null 5) (ref null 5) funcref (ref null 5) (ref 5) (ref null 5) (ref 5) (ref 5))))
;;   )
;;   (type (;6;) (func (param i32 i32)))
;;   (type (;7;) (func (param i32 i32 i32) (result i32)))
;;   (type (;8;) (func (param i32)))
;;   (type (;9;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "table_grow" (func (;0;) (type 7)))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (import "wasmtime-gc" "instance" (global (;1;) i32))
;;   (export "increment" (func 1))
;;   (export "guarded" (func 2))
;;   (export "sum" (func 3))
;;   (export "arms" (func 4))
;;   (export "swap" (func 5))
;;   (export "constants" (func 6))
;;   (export "signed" (func 7))
;;   (export "signed_from" (func 8))
;;   (export "wasmtime-gc:instance" (global 1))
;;   (start $"wasmtime-gc helper 7")
;;   (func (;1;) (type 0) (param i32 i32)
;;     (local i32)
;;     local.get 1
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load offset=11 align=1
;;     i32.const 1
;;     i32.add
;;     local.set 2
;;     local.get 0
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.get 2
;;     i32.store offset=11 align=1
;;   )
;;   (func (;2;) (type 2) (param i32 i32) (result i32)
;;     local.get 1
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.ge_u
;;     if ;; label = @1
;;       i32.const -1
;;       return
;;     end
;;     local.get 0
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load offset=11 align=1
;;   )
;;   (func (;3;) (type 4) (param i32) (result i32)
;;     (local i32 i32)
;;     block ;; label = @1
;;       i32.const 0
;;       i32.const 0
;;       local.set 1
;;       local.set 2
;;       loop ;; label = @2
;;         local.get 2
;;         local.get 0
;;         i32.load offset=7 align=1
;;         i32.lt_u
;;         i32.eqz
;;         br_if 1 (;@1;)
;;         local.get 1
;;         local.get 0
;;         local.get 2
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.load offset=11 align=1
;;         i32.add
;;         local.set 1
;;         local.get 2
;;         i32.const 1
;;         i32.add
;;         local.set 2
;;         br 0 (;@2;)
;;       end
;;       unreachable
;;     end
;;     local.get 1
;;   )
;;   (func (;4;) (type 2) (param i32 i32) (result i32)
;;     (local i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 2
;;     local.get 1
;;     local.get 2
;;     i32.lt_u
;;     if ;; label = @1
;;       local.get 0
;;       local.get 1
;;       i32.const 2
;;       i32.shl
;;       i32.add
;;       i32.load offset=11 align=1
;;       local.set 0
;;     else
;;       local.get 1
;;       local.get 2
;;       i32.ge_u
;;       if ;; label = @2
;;         unreachable
;;       end
;;       local.get 0
;;       local.get 1
;;       i32.const 2
;;       i32.shl
;;       i32.add
;;       i32.load offset=11 align=1
;;       local.set 0
;;     end
;;     local.get 0
;;   )
;;   (func (;5;) (type 6) (param i32 i32)
;;     (local i32 i32 i32 i32 i32)
;;     global.get 0
;;     local.tee 2
;;     i32.load offset=4 align=1
;;     i32.const 1
;;     i32.shr_u
;;     local.set 3
;;     local.get 0
;;     local.get 3
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 2
;;     i32.load align=1
;;     local.tee 2
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load offset=11 align=1
;;     local.set 4
;;     local.get 1
;;     local.get 3
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 2
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     i32.load offset=11 align=1
;;     local.set 3
;;     local.get 2
;;     local.get 0
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 2
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 3
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=11 align=1
;;       local.tee 5
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 5
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 11
;;         i32.add
;;         local.set 5
;;         i32.const 0
;;         i32.load offset=1048588 align=1
;;         local.tee 6
;;         local.get 5
;;         i32.store align=1
;;         i32.const 0
;;         local.get 6
;;         local.get 6
;;         i32.const 0
;;         i32.load offset=1048600 align=1
;;         i32.lt_u
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.store offset=1048588 align=1
;;       end
;;     end
;;     local.get 0
;;     local.get 3
;;     i32.store offset=11 align=1
;;     local.get 2
;;     local.get 1
;;     i32.const 2
;;     i32.shl
;;     i32.add
;;     local.set 0
;;     local.get 2
;;     i32.const 5308413
;;     i32.ge_u
;;     local.get 4
;;     i32.const 0
;;     i32.load offset=1048596 align=1
;;     i32.lt_u
;;     i32.and
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       local.get 0
;;       i32.load offset=11 align=1
;;       local.tee 1
;;       i32.const 5308413
;;       i32.lt_u
;;       local.get 1
;;       i32.and
;;       i32.eqz
;;       (@metadata.code.branch_hint "\00")
;;       if ;; label = @2
;;         local.get 0
;;         i32.const 11
;;         i32.add
;;         local.set 1
;;         i32.const 0
;;         i32.load offset=1048588 align=1
;;         local.tee 2
;;         local.get 1
;;         i32.store align=1
;;         i32.const 0
;;         local.get 2
;;         local.get 2
;;         i32.const 0
;;         i32.load offset=1048600 align=1
;;         i32.lt_u
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.store offset=1048588 align=1
;;       end
;;     end
;;     local.get 0
;;     local.get 4
;;     i32.store offset=11 align=1
;;   )
;;   (func (;6;) (type 4) (param i32) (result i32)
;;     i32.const 3
;;     local.get 0
;;     i32.load offset=7 align=1
;;     i32.ge_u
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.const 12
;;     i32.add
;;     i32.load offset=11 align=1
;;     local.get 0
;;     i32.const 8
;;     i32.add
;;     i32.load offset=11 align=1
;;     i32.add
;;   )
;;   (func (;7;) (type 4) (param i32) (result i32)
;;     (local i32 i32)
;;     block ;; label = @1
;;       i32.const 0
;;       i32.const 0
;;       local.set 1
;;       local.set 2
;;       loop ;; label = @2
;;         local.get 2
;;         local.get 0
;;         i32.load offset=7 align=1
;;         i32.ge_s
;;         br_if 1 (;@1;)
;;         local.get 1
;;         local.get 0
;;         local.get 2
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.load offset=11 align=1
;;         i32.add
;;         local.set 1
;;         local.get 2
;;         i32.const 1
;;         i32.add
;;         local.set 2
;;         br 0 (;@2;)
;;       end
;;       unreachable
;;     end
;;     local.get 1
;;   )
;;   (func (;8;) (type 2) (param i32 i32) (result i32)
;;     (local i32 i32)
;;     block ;; label = @1
;;       i32.const 0
;;       local.set 2
;;       loop ;; label = @2
;;         local.get 0
;;         i32.load offset=7 align=1
;;         local.set 3
;;         local.get 1
;;         local.get 3
;;         i32.ge_s
;;         br_if 1 (;@1;)
;;         local.get 1
;;         local.get 3
;;         i32.ge_u
;;         if ;; label = @3
;;           unreachable
;;         end
;;         local.get 2
;;         local.get 0
;;         local.get 1
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.load offset=11 align=1
;;         i32.add
;;         local.set 2
;;         local.get 1
;;         i32.const 1
;;         i32.add
;;         local.set 1
;;         br 0 (;@2;)
;;       end
;;       i32.const 0
;;       i32.const 0
;;       i32.store offset=1048604
;;       unreachable
;;     end
;;     local.get 2
;;   )
;;   (func $"wasmtime-gc helper 7" (;9;) (type 9)
;;     call $"wasmtime-gc helper 36"
;;   )
;;   (func $"wasmtime-gc helper 36" (;10;) (type 9)
;;     global.get 0
;;     i32.const 8
;;     i32.const -1
;;     call 0
;;     i32.const -1
;;     i32.eq
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       unreachable
;;     end
;;   )
;; )
