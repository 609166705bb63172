;; Functions that go from objects to where ways meet stay handles, which are called by `call_indirect` on the store's
;; function table (`$meet`). Where a reference comes from outside, or is needed, it is one (`$given`). A cast of a handle
;; compares it with those of the module's own functions, which are side by side by type, and asks the runtime about others
;; (`$cast`). What is cast once and called in a loop becomes a reference (`$often`).
;;! optimize
(module
  (type $op (func (param i32) (result i32)))
  (type $pair (func (param i32 i32) (result i32)))
  (type $box (struct (field (ref $op))))
  (type $any (struct (field funcref)))
  (elem declare func $inc $add $dec)
  (func $inc (type $op) (i32.add (local.get 0) (i32.const 1)))
  (func $add (type $pair) (i32.add (local.get 0) (local.get 1)))
  (func $dec (type $op) (i32.sub (local.get 0) (i32.const 1)))
  (func $meet (export "meet") (param $b (ref null $box)) (param $x i32) (result i32)
    (call_ref $op (local.get $x)
      (if (result (ref $op)) (ref.is_null (local.get $b))
        (then (ref.func $dec))
        (else (struct.get $box 0 (local.get $b))))))
  (func $given (export "given") (param $b (ref null $box)) (param $f (ref $op)) (result (ref $op))
    (if (result (ref $op)) (ref.is_null (local.get $b))
      (then (local.get $f))
      (else (struct.get $box 0 (local.get $b)))))
  (func $cast (export "cast") (param $a (ref $any)) (param $x i32) (result i32)
    (call_ref $op (local.get $x) (ref.cast (ref $op) (struct.get $any 0 (local.get $a)))))
  (func $often (export "often") (param $a (ref $any)) (param $x i32) (result i32)
    (local $f (ref null $op))
    (local.set $f (ref.cast (ref $op) (struct.get $any 0 (local.get $a))))
    (loop $next
      (br_if $next (local.tee $x (call_ref $op (local.get $x) (local.get $f)))))
    (local.get $x))
  (func (export "made") (param $f (ref $op)) (result (ref $box)) (struct.new $box (local.get $f))))
;; lowered:
;; (module
;;   (type (;0;) (func (param i32) (result i32)))
;;   (type (;1;) (func (param i32 i32) (result i32)))
;;   (rec
;;     (type (;2;) (func (param i32 i32) (result i32)))
;;     (type (;3;) (func (param (ref null 3) (ref null 3) funcref funcref funcref funcref (ref func) funcref funcref funcref funcref (ref 3) funcref (ref 3) (ref null 3) (ref 3) (ref 3) (ref func) (ref 3) (ref null 3) (ref 3) (ref 3) (ref null 3) (ref null 3) (ref null 3) (ref 3) (ref func) (ref func) funcref funcref (ref 3) (ref 3) funcref funcref funcref (ref 3) (ref null 3) (ref 3) funcref (ref 3) (ref null 3) (ref 3) (ref func) funcref (ref func) (ref null 3) funcref (ref func) funcref (ref null 3) funcref (ref 3) funcref (ref func) funcref (ref func) (ref 3) (ref 3) funcref (ref 3) funcref (ref func) funcref funcref)))
;;   )
;;   (rec
;;     (type (;4;) (func (param i32 (ref 0)) (result (ref 0))))
;;     (type (;5;) (func (param (ref func) (ref null 5) (ref 5) funcref (ref null 5) (ref func) (ref null 5) funcref (ref func) funcref (ref null 5) funcref (ref 5) (ref func) (ref null 5) (ref 5) (ref 5) (ref func) (ref null 5) funcref (ref null 5) (ref 5) (ref func) (ref null 5) funcref (ref null 5) (ref null 5) (ref 5) (ref null 5) funcref (ref 5) (ref func) (ref null 5) funcref (ref null 5) (ref null 5) funcref (ref null 5) (ref 5) (ref 5) (ref null 5) (ref func) funcref (ref func) (ref func) (ref null 5) (ref null 5) (ref 5) funcref (ref null 5) (ref null 5) (ref func) (ref func) funcref funcref (ref null 5) funcref (ref func) (ref null 5) (ref func) (ref func) (ref func) (ref func) funcref)))
;;   )
;;   (rec
;;     (type (;6;) (func (param i32 i32) (result i32)))
;;     (type (;7;) (func (param (ref 7) (ref func) (ref 7) (ref null 7) (ref 7) (ref 7) funcref funcref (ref func) (ref null 7) (ref func) (ref func) funcref (ref null 7) funcref (ref 7) (ref func) (ref null 7) (ref null 7) funcref (ref func) (ref 7) (ref null 7) (ref null 7) (ref 7) (ref 7) (ref 7) funcref (ref 7) funcref funcref (ref func) funcref (ref func) funcref (ref 7) (ref func) (ref null 7) funcref funcref (ref 7) (ref 7) funcref (ref 7) (ref func) (ref func) (ref null 7) (ref 7) (ref null 7) (ref null 7) funcref funcref funcref (ref null 7) (ref func) funcref (ref 7) (ref func) (ref null 7) (ref null 7) (ref func) (ref func) (ref func) (ref 7))))
;;   )
;;   (rec
;;     (type (;8;) (func (param (ref 0)) (result i32)))
;;     (type (;9;) (func (param funcref (ref func) funcref (ref null 9) funcref (ref null 9) (ref null 9) funcref (ref func) (ref 9) funcref funcref (ref func) (ref func) (ref func) (ref null 9) (ref func) (ref func) (ref null 9) (ref 9) (ref 9) (ref func) (ref null 9) (ref func) (ref 9) funcref funcref (ref func) (ref null 9) (ref null 9) (ref null 9) (ref 9) (ref null 9) (ref 9) (ref 9) (ref null 9) (ref 9) (ref 9) (ref func) (ref null 9) (ref null 9) (ref 9) (ref null 9) (ref func) funcref (ref null 9) (ref 9) funcref funcref (ref func) (ref func) (ref null 9) (ref func) (ref func) funcref (ref null 9) (ref null 9) funcref (ref 9) (ref 9) (ref func) (ref func) (ref 9) (ref null 9))))
;;   )
;;   (type (;10;) (func (param i32) (result i32)))
;;   (type (;11;) (func (param funcref) (result i32)))
;;   (type (;12;) (func (param funcref) (result (ref null 0))))
;;   (type (;13;) (func (param i32)))
;;   (type (;14;) (func))
;;   (import "wasmtime-gc" "heap" (memory (;0;) 1 65536))
;;   (import "wasmtime-gc" "alloc" (func (;0;) (type 10)))
;;   (import "wasmtime-gc" "function_handle" (func (;1;) (type 11)))
;;   (import "wasmtime-gc" "function_cast:0" (func (;2;) (type 12)))
;;   (import "wasmtime-gc" "functions" (table (;0;) 0 funcref))
;;   (import "wasmtime-gc" "area" (global (;0;) i32))
;;   (import "wasmtime-gc" "function_base" (global (;1;) i32))
;;   (export "meet" (func $meet))
;;   (export "given" (func $given))
;;   (export "cast" (func $cast))
;;   (export "often" (func $often))
;;   (export "made" (func 10))
;;   (elem (;0;) declare func $inc $add $dec)
;;   (elem (;1;) (table 0) (global.get 1) func $inc $dec $add $meet $given $cast $often 10)
;;   (func $inc (;3;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.add
;;   )
;;   (func $add (;4;) (type 1) (param i32 i32) (result i32)
;;     local.get 0
;;     local.get 1
;;     i32.add
;;   )
;;   (func $dec (;5;) (type 0) (param i32) (result i32)
;;     local.get 0
;;     i32.const 1
;;     i32.sub
;;   )
;;   (func $meet (;6;) (type 2) (param i32 i32) (result i32)
;;     block ;; label = @1
;;       local.get 0
;;       i32.const -1
;;       i32.eq
;;       if ;; label = @2
;;         global.get 1
;;         i32.const 1
;;         i32.add
;;         local.set 0
;;       else
;;         local.get 0
;;         i32.load offset=7 align=1
;;         local.set 0
;;       end
;;       local.get 1
;;       local.get 0
;;       call_indirect (type 0)
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func $given (;7;) (type 4) (param i32 (ref 0)) (result (ref 0))
;;     (local (ref null 0) funcref)
;;     local.get 0
;;     i32.const -1
;;     i32.eq
;;     if ;; label = @1
;;       local.get 1
;;       local.set 2
;;     else
;;       local.get 0
;;       i32.load offset=7 align=1
;;       local.tee 0
;;       i32.const -1
;;       i32.eq
;;       if ;; label = @2
;;         ref.null func
;;         local.set 3
;;       else
;;         local.get 0
;;         table.get 0
;;         local.set 3
;;       end
;;       local.get 3
;;       call 2
;;       ref.as_non_null
;;       local.set 2
;;     end
;;     local.get 2
;;     ref.as_non_null
;;   )
;;   (func $cast (;8;) (type 6) (param i32 i32) (result i32)
;;     (local i32 funcref)
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.tee 0
;;     global.get 1
;;     i32.sub
;;     local.tee 2
;;     i32.const 8
;;     i32.lt_u
;;     if ;; label = @1
;;       local.get 2
;;       i32.const 2
;;       i32.lt_u
;;       local.set 2
;;     else
;;       local.get 0
;;       i32.const -1
;;       i32.eq
;;       if ;; label = @2
;;         ref.null func
;;         local.set 3
;;       else
;;         local.get 0
;;         table.get 0
;;         local.set 3
;;       end
;;       local.get 3
;;       call 2
;;       ref.is_null
;;       i32.eqz
;;       local.set 2
;;     end
;;     local.get 2
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     block ;; label = @1
;;       local.get 1
;;       local.get 0
;;       call_indirect (type 0)
;;       i32.const 0
;;       i32.load offset=1048592 align=1
;;       (@metadata.code.branch_hint "\00")
;;       br_if 0 (;@1;)
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func $often (;9;) (type 6) (param i32 i32) (result i32)
;;     (local i32 funcref (ref null 0))
;;     global.get 1
;;     local.set 2
;;     local.get 0
;;     i32.load offset=7 align=1
;;     local.tee 0
;;     local.get 2
;;     i32.sub
;;     local.tee 2
;;     i32.const 8
;;     i32.lt_u
;;     if ;; label = @1
;;       local.get 2
;;       i32.const 2
;;       i32.lt_u
;;       local.set 2
;;     else
;;       local.get 0
;;       i32.const -1
;;       i32.eq
;;       if ;; label = @2
;;         ref.null func
;;         local.set 3
;;       else
;;         local.get 0
;;         table.get 0
;;         local.set 3
;;       end
;;       local.get 3
;;       call 2
;;       ref.is_null
;;       i32.eqz
;;       local.set 2
;;     end
;;     local.get 2
;;     i32.eqz
;;     if ;; label = @1
;;       unreachable
;;     end
;;     local.get 0
;;     i32.const -1
;;     i32.eq
;;     if ;; label = @1
;;       ref.null func
;;       local.set 3
;;     else
;;       local.get 0
;;       table.get 0
;;       local.set 3
;;     end
;;     local.get 3
;;     call 2
;;     ref.as_non_null
;;     local.set 4
;;     block ;; label = @1
;;       loop ;; label = @2
;;         local.get 1
;;         local.get 4
;;         call_ref 0
;;         local.set 1
;;         i32.const 0
;;         i32.load offset=1048592 align=1
;;         (@metadata.code.branch_hint "\00")
;;         br_if 1 (;@1;)
;;         local.get 1
;;         br_if 0 (;@2;)
;;       end
;;       local.get 1
;;       return
;;     end
;;     i32.const 0
;;   )
;;   (func (;10;) (type 8) (param (ref 0)) (result i32)
;;     (local i32 i32 i32 i32)
;;     local.get 0
;;     call 1
;;     local.set 1
;;     i32.const 0
;;     i32.load offset=1048580
;;     local.tee 2
;;     i32.const 8
;;     i32.add
;;     local.tee 4
;;     i32.const 0
;;     i32.load offset=1048584
;;     i32.gt_u
;;     (@metadata.code.branch_hint "\00")
;;     if ;; label = @1
;;       i32.const 8
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
;;   )
;; )
