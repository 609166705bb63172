;;! passes: none+bounds+rotate
;; Loops that begin with a test end with it: one branch in each turn. The access to the array is not checked still. What
;; the walk over the list tests is a reference that is carried around; the way out of the third loop is a branch, and there
;; are two branches to it; the test of the last one has a check in it.
(module
  (type $ints (array (mut i32)))
  (type $list (struct (field $value i32) (field $next (ref null $list))))

  (func (export "sum") (param $a (ref $ints)) (result i32)
    (local $i i32) (local $sum i32) (local $len i32)
    (local.set $len (array.len (local.get $a)))
    (loop $next
      (if (i32.lt_s (local.get $i) (local.get $len))
        (then
          (local.set $sum (i32.add (local.get $sum) (array.get $ints (local.get $a) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $sum))

  (func (export "walk") (param $l (ref null $list)) (result i32)
    (local $sum i32)
    (loop $next
      (if (i32.eqz (ref.is_null (local.get $l)))
        (then
          (local.set $sum (i32.add (local.get $sum) (struct.get $list $value (local.get $l))))
          (local.set $l (struct.get $list $next (local.get $l)))
          (br $next))))
    (local.get $sum))

  (func (export "odd") (param $l (ref null $list)) (param $n i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $next (i32.and (local.get $n) (i32.const 1)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $list $value (local.get $l))))
        (br $next)))
    (local.get $sum))

  (func (export "find") (param $a (ref $ints)) (param $x i32) (result i32)
    (local $i i32)
    (loop $next
      (if (i32.lt_s (array.get $ints (local.get $a) (local.get $i)) (local.get $x))
        (then
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $i)))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32) (result i32)))
;;     (type (;1;) (func (param (ref null 1) funcref (ref null 1) (ref func) (ref null 1) (ref 1) (ref null 1) (ref null 1) funcref (ref null 1) funcref (ref 1) (ref null 1) (ref 1) funcref (ref func) (ref func) funcref (ref 1) (ref null 1) (ref func) (ref null 1) (ref null 1) (ref 1) (ref 1) (ref 1) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref 1) (ref 1) funcref (ref 1) funcref funcref (ref null 1) (ref func) (ref func) (ref null 1) (ref null 1) (ref 1) (ref func) funcref funcref (ref 1) funcref (ref func) (ref null 1) (ref null 1) (ref func) (ref 1) (ref null 1) (ref 1) (ref func) (ref func) (ref null 1) (ref null 1) funcref (ref null 1) (ref 1) (ref null 1) (ref 1) (ref 1))))
;;   )
;;   (rec
;;     (type (;2;) (func (param i32) (result i32)))
;;     (type (;3;) (func (param (ref null 3) funcref (ref 3) (ref null 3) funcref (ref 3) (ref null 3) funcref (ref 3) (ref null 3) funcref (ref func) (ref null 3) (ref func) funcref (ref null 3) (ref null 3) (ref 3) (ref null 3) (ref 3) (ref func) (ref 3) (ref func) (ref 3) (ref func) funcref funcref (ref null 3) (ref func) (ref func) funcref funcref funcref (ref null 3) funcref funcref funcref (ref 3) (ref func) (ref func) funcref funcref (ref func) funcref (ref null 3) (ref null 3) (ref func) funcref funcref (ref null 3) (ref func) (ref null 3) (ref func) funcref (ref func) (ref func) (ref 3) (ref func) (ref 3) (ref func) funcref (ref 3) funcref (ref 3))))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32 i32) (result i32)))
;;     (type (;5;) (func (param (ref 5) (ref func) funcref (ref func) (ref 5) (ref 5) funcref (ref null 5) (ref func) (ref func) (ref null 5) funcref funcref (ref 5) (ref null 5) (ref func) (ref func) (ref func) (ref func) (ref 5) funcref (ref func) (ref null 5) funcref (ref null 5) (ref func) (ref func) (ref 5) (ref null 5) (ref null 5) (ref 5) (ref 5) (ref null 5) (ref func) funcref funcref funcref (ref null 5) (ref null 5) (ref 5) (ref 5) (ref null 5) (ref 5) (ref func) funcref (ref 5) (ref 5) funcref (ref func) (ref 5) (ref null 5) (ref null 5) (ref 5) (ref 5) (ref func) funcref funcref funcref (ref func) (ref 5) (ref func) funcref (ref 5) funcref)))
;;   )
;;   (rec
;;     (type (;6;) (func (param i32 i32) (result i32)))
;;     (type (;7;) (func (param (ref null 7) (ref func) funcref (ref null 7) (ref func) (ref null 7) (ref 7) (ref 7) (ref 7) (ref null 7) (ref func) (ref 7) funcref funcref (ref 7) (ref null 7) funcref funcref (ref func) funcref (ref func) funcref (ref func) (ref 7) (ref func) funcref funcref (ref null 7) (ref 7) (ref func) (ref null 7) (ref null 7) (ref func) (ref null 7) funcref (ref func) funcref (ref func) (ref 7) funcref (ref 7) (ref 7) (ref func) (ref null 7) funcref (ref 7) (ref 7) (ref 7) (ref 7) (ref func) (ref func) funcref (ref func) (ref null 7) funcref (ref null 7) (ref 7) (ref 7) (ref 7) (ref null 7) (ref func) (ref func) (ref func) funcref)))
;;   )
;;   (type (;8;) (func (param i32)))
;;   (type (;9;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (export "sum" (func 0))
;;   (export "walk" (func 1))
;;   (export "odd" (func 2))
;;   (export "find" (func 3))
;;   (func (;0;) (type 0) (param i32) (result i32)
;;     (local i32 i32 i32)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.set 1
;;     block ;; label = @1
;;       i32.const 0
;;       local.get 1
;;       i32.lt_s
;;       i32.eqz
;;       i32.const 0
;;       local.set 2
;;       br_if 0 (;@1;)
;;       i32.const 0
;;       i32.const 0
;;       local.set 2
;;       local.set 3
;;       loop ;; label = @2
;;         local.get 2
;;         local.get 0
;;         local.get 3
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.load offset=11 align=1
;;         i32.add
;;         local.set 2
;;         local.get 3
;;         i32.const 1
;;         i32.add
;;         local.tee 3
;;         local.get 1
;;         i32.lt_s
;;         br_if 0 (;@2;)
;;       end
;;     end
;;     local.get 2
;;   )
;;   (func (;1;) (type 2) (param i32) (result i32)
;;     (local i32)
;;     block ;; label = @1
;;       local.get 0
;;       i32.const -1
;;       i32.eq
;;       i32.eqz
;;       i32.eqz
;;       i32.const 0
;;       local.set 1
;;       br_if 0 (;@1;)
;;       i32.const 0
;;       local.set 1
;;       loop ;; label = @2
;;         local.get 1
;;         local.get 0
;;         i32.load offset=7 align=1
;;         i32.add
;;         local.set 1
;;         local.get 0
;;         i32.load offset=11 align=1
;;         local.tee 0
;;         i32.const -1
;;         i32.eq
;;         i32.eqz
;;         br_if 0 (;@2;)
;;       end
;;     end
;;     local.get 1
;;   )
;;   (func (;2;) (type 4) (param i32 i32) (result i32)
;;     (local i32)
;;     block ;; label = @1
;;       block ;; label = @2
;;         local.get 1
;;         i32.eqz
;;         i32.const 0
;;         local.set 2
;;         br_if 0 (;@2;)
;;         i32.const 0
;;         local.set 2
;;         loop ;; label = @3
;;           block ;; label = @4
;;             local.get 1
;;             i32.const 1
;;             i32.sub
;;             local.tee 1
;;             i32.const 1
;;             i32.and
;;             br_if 0 (;@4;)
;;             local.get 2
;;             local.get 0
;;             i32.load offset=7 align=1
;;             i32.add
;;             local.set 2
;;             br 0 (;@4;)
;;           end
;;           local.get 1
;;           i32.eqz
;;           i32.eqz
;;           br_if 0 (;@3;)
;;         end
;;       end
;;       br 0 (;@1;)
;;       unreachable
;;     end
;;     local.get 2
;;   )
;;   (func (;3;) (type 6) (param i32 i32) (result i32)
;;     (local i32)
;;     block ;; label = @1
;;       i32.const 0
;;       local.get 0
;;       i32.load offset=7 align=1
;;       i32.ge_u
;;       if ;; label = @2
;;         unreachable
;;       end
;;       local.get 0
;;       i32.const 0
;;       i32.add
;;       i32.load offset=11 align=1
;;       local.get 1
;;       i32.lt_s
;;       i32.eqz
;;       i32.const 0
;;       local.set 2
;;       br_if 0 (;@1;)
;;       i32.const 0
;;       local.set 2
;;       loop ;; label = @2
;;         local.get 2
;;         i32.const 1
;;         i32.add
;;         local.tee 2
;;         local.get 0
;;         i32.load offset=7 align=1
;;         i32.ge_u
;;         if ;; label = @3
;;           unreachable
;;         end
;;         local.get 0
;;         local.get 2
;;         i32.const 2
;;         i32.shl
;;         i32.add
;;         i32.load offset=11 align=1
;;         local.get 1
;;         i32.lt_s
;;         br_if 0 (;@2;)
;;       end
;;     end
;;     local.get 2
;;   )
;; )
