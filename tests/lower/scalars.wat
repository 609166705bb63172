;; Structs that nobody else sees are not allocated: an accumulator in a loop, and a pair that a callee gives back, which
;; stands in the place of its call. What escapes is allocated.
;;! optimize
(module
  (type $sum (struct (field (mut i32))))
  (type $pair (struct (field f64) (field f64)))

  (func $add (param $sum (ref $sum)) (param $x i32)
    (struct.set $sum 0 (local.get $sum) (i32.add (struct.get $sum 0 (local.get $sum)) (local.get $x))))
  (func $swapped (param f64 f64) (result (ref $pair)) (struct.new $pair (local.get 1) (local.get 0)))

  (func (export "loop") (param $n i32) (result i32)
    (local $sum (ref $sum))
    (local.set $sum (struct.new_default $sum))
    (loop $next
      (call $add (local.get $sum) (local.get $n))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (struct.get $sum 0 (local.get $sum)))
  (func (export "pair") (param f64 f64) (result f64)
    (local $pair (ref $pair))
    (local.set $pair (call $swapped (local.get 0) (local.get 1)))
    (f64.sub (struct.get $pair 0 (local.get $pair)) (struct.get $pair 1 (local.get $pair))))
  (func (export "escapes") (param i32) (result (ref $sum))
    (local $sum (ref $sum))
    (local.set $sum (struct.new $sum (local.get 0)))
    (call $add (local.get $sum) (i32.const 1))
    (local.get $sum)))
;; lowered:
;; (module
;;   (rec
;;     (type (;0;) (func (param i32 i32)))
;;     (type (;1;) (func (param funcref (ref func) (ref func) funcref (ref null 1) (ref null 1) (ref 1) funcref (ref func) funcref funcref (ref func) (ref func) (ref null 1) (ref null 1) funcref (ref 1) (ref null 1) (ref func) (ref func) (ref func) (ref 1) (ref func) (ref 1) (ref null 1) (ref func) (ref null 1) (ref func) (ref 1) (ref 1) (ref func) funcref (ref 1) (ref null 1) funcref (ref func) (ref func) (ref func) (ref func) funcref (ref func) (ref 1) (ref 1) (ref 1) (ref 1) (ref null 1) (ref 1) (ref null 1) funcref (ref func) (ref func) (ref null 1) (ref 1) (ref 1) (ref null 1) (ref null 1) (ref 1) (ref 1) (ref 1) (ref func) funcref (ref func) (ref 1) (ref func))))
;;   )
;;   (rec
;;     (type (;2;) (func (param f64 f64) (result i32)))
;;     (type (;3;) (func (param (ref 3) (ref 3) (ref func) (ref null 3) (ref 3) (ref 3) (ref func) (ref null 3) (ref null 3) (ref func) funcref (ref 3) funcref (ref func) funcref (ref 3) (ref 3) funcref (ref null 3) (ref null 3) (ref func) (ref null 3) (ref null 3) funcref (ref func) (ref func) (ref null 3) (ref func) (ref null 3) (ref func) (ref null 3) (ref null 3) (ref null 3) (ref 3) funcref (ref func) (ref func) (ref 3) (ref null 3) (ref func) (ref func) (ref null 3) (ref 3) funcref (ref func) (ref func) (ref 3) (ref null 3) (ref func) funcref funcref (ref null 3) (ref func) (ref func) (ref 3) (ref func) (ref func) (ref 3) (ref 3) (ref func) funcref (ref 3) (ref null 3) (ref func))))
;;   )
;;   (type (;4;) (func (param i32) (result i32)))
;;   (type (;5;) (func (param f64 f64) (result f64)))
;;   (rec
;;     (type (;6;) (func (param i32) (result i32)))
;;     (type (;7;) (func (param (ref null 7) (ref null 7) funcref (ref 7) funcref funcref (ref func) (ref func) (ref null 7) (ref func) (ref 7) (ref 7) (ref 7) funcref (ref null 7) funcref (ref func) funcref (ref 7) (ref 7) (ref null 7) (ref func) (ref func) funcref (ref 7) (ref null 7) (ref null 7) (ref func) (ref null 7) (ref func) (ref 7) (ref null 7) funcref (ref 7) funcref (ref 7) (ref null 7) (ref 7) funcref (ref null 7) funcref (ref func) funcref (ref null 7) funcref (ref 7) (ref 7) (ref null 7) (ref func) (ref 7) funcref (ref func) funcref funcref (ref null 7) (ref func) (ref func) funcref (ref 7) funcref funcref funcref funcref (ref null 7))))
;;   )
;;   (type (;8;) (func (param i32) (result i32)))
;;   (type (;9;) (func (param i32)))
;;   (type (;10;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 8)))
;;   (export "loop" (func 3))
;;   (export "pair" (func 4))
;;   (export "escapes" (func 5))
;;   (func $add (;1;) (type 0) (param i32 i32)
;;     unreachable
;;   )
;;   (func $swapped (;2;) (type 2) (param f64 f64) (result i32)
;;     unreachable
;;   )
;;   (func (;3;) (type 4) (param i32) (result i32)
;;     (local i32)
;;     i32.const 0
;;     local.set 1
;;     loop ;; label = @1
;;       local.get 1
;;       local.get 0
;;       i32.add
;;       local.set 1
;;       local.get 0
;;       i32.const 1
;;       i32.sub
;;       local.tee 0
;;       br_if 0 (;@1;)
;;     end
;;     local.get 1
;;   )
;;   (func (;4;) (type 5) (param f64 f64) (result f64)
;;     local.get 1
;;     local.get 0
;;     f64.sub
;;   )
;;   (func (;5;) (type 6) (param i32) (result i32)
;;     (local i32 i32 i32)
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
;;     local.get 0
;;     i32.store offset=7 align=1
;;     local.get 1
;;     local.get 0
;;     i32.const 1
;;     i32.add
;;     i32.store offset=7 align=1
;;     local.get 1
;;   )
;; )
