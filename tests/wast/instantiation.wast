;; Constant expressions, element segments and start functions run in the order of the specification,
;; with collections in between.

(module
  (type $node (struct (field $v i32) (field $next (ref null $node))))
  (type $nodes (array (mut (ref null $node))))
  (type $mixed (array (ref null any)))
  (type $bytes (array i8))

  (global $one (ref $node) (struct.new $node (i32.const 1) (ref.null $node)))
  (global $two (ref $node) (struct.new $node (i32.const 2) (global.get $one)))
  (global $list (ref $nodes)
    (array.new_fixed $nodes 3 (global.get $two) (struct.new $node (i32.const 3) (global.get $two)) (ref.null none)))
  (global $mixed (ref $mixed)
    (array.new_fixed $mixed 4 (ref.i31 (i32.const 4)) (global.get $list) (array.new $bytes (i32.const 5) (i32.const 6))
      (any.convert_extern (extern.convert_any (global.get $one)))))

  (table $t 5 (ref null $node) (struct.new $node (i32.const 50) (ref.null $node)))
  (elem $active (table $t) (i32.const 1) (ref null $node)
    (global.get $two) (struct.new $node (i32.const 60) (global.get $one)))
  (elem $passive (ref null $node) (struct.new $node (i32.const 70) (ref.null $node)) (ref.null $node) (global.get $two))

  (func $start
    (local $n i32)
    (loop $churn
      (drop (array.new_default $nodes (i32.const 10)))
      (br_if $churn (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 20))))
    (array.set $nodes (global.get $list) (i32.const 2) (struct.new $node (i32.const 9) (global.get $one))))
  (start $start)

  (func $value (param (ref null $node)) (result i32) (struct.get $node $v (local.get 0)))
  (func (export "list") (param i32) (result i32)
    (call $value (array.get $nodes (global.get $list) (local.get 0))))
  (func (export "mixed-bytes") (result i32)
    (array.get_u $bytes (ref.cast (ref $bytes) (array.get $mixed (global.get $mixed) (i32.const 2))) (i32.const 5)))
  (func (export "mixed-same") (result i32)
    (ref.eq (ref.cast eqref (array.get $mixed (global.get $mixed) (i32.const 3))) (global.get $one)))
  (func (export "table") (param i32) (result i32) (call $value (table.get $t (local.get 0))))
  (func (export "table-next") (param i32) (result i32)
    (call $value (struct.get $node $next (table.get $t (local.get 0)))))
  (func (export "passive") (param i32) (result i32)
    (call $value (array.get $nodes (array.new_elem $nodes $passive (i32.const 0) (i32.const 3)) (local.get 0))))
  ;; Each use of a segment gives the same objects.
  (func (export "passive-same") (result i32)
    (ref.eq
      (array.get $nodes (array.new_elem $nodes $passive (i32.const 0) (i32.const 1)) (i32.const 0))
      (array.get $nodes (array.new_elem $nodes $passive (i32.const 0) (i32.const 2)) (i32.const 0))))
  (func (export "init") (param i32 i32 i32)
    (table.init $t $passive (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (elem.drop $passive)))

(assert_return (invoke "list" (i32.const 0)) (i32.const 2))
(assert_return (invoke "list" (i32.const 1)) (i32.const 3))
(assert_return (invoke "list" (i32.const 2)) (i32.const 9))
(assert_return (invoke "mixed-bytes") (i32.const 5))
(assert_return (invoke "mixed-same") (i32.const 1))
(assert_return (invoke "table" (i32.const 0)) (i32.const 50))
(assert_return (invoke "table" (i32.const 1)) (i32.const 2))
(assert_return (invoke "table-next" (i32.const 2)) (i32.const 1))
(assert_return (invoke "table" (i32.const 4)) (i32.const 50))
(assert_return (invoke "passive" (i32.const 0)) (i32.const 70))
(assert_trap (invoke "passive" (i32.const 1)) "null structure reference")
(assert_return (invoke "passive-same") (i32.const 1))
(assert_return (invoke "init" (i32.const 3) (i32.const 0) (i32.const 1)))
(assert_return (invoke "table" (i32.const 3)) (i32.const 70))
(assert_trap (invoke "init" (i32.const 4) (i32.const 0) (i32.const 2)) "out of bounds table access")
(assert_return (invoke "drop"))
(assert_return (invoke "init" (i32.const 4) (i32.const 0) (i32.const 0)))
(assert_trap (invoke "init" (i32.const 4) (i32.const 0) (i32.const 1)) "out of bounds table access")
(assert_trap (invoke "passive" (i32.const 0)) "out of bounds table access")
(assert_return (invoke "table" (i32.const 3)) (i32.const 70))

;; A start function that traps: what it wrote before stays.
(module $victim
  (type $s (struct (field i32)))
  (table (export "t") 1 (ref null $s))
  (func (export "v") (result i32) (struct.get $s 0 (table.get 0 (i32.const 0)))))
(register "victim" $victim)
(assert_trap
  (module
    (type $s (struct (field i32)))
    (import "victim" "t" (table $t 1 (ref null $s)))
    (elem (table $t) (i32.const 0) (ref null $s) (struct.new $s (i32.const 8)))
    (func $start unreachable)
    (start $start))
  "unreachable")
(assert_return (invoke $victim "v") (i32.const 8))
(assert_trap
  (module
    (type $s (struct (field i32)))
    (import "victim" "t" (table $t 1 (ref null $s)))
    (elem (table $t) (i32.const 1) (ref null $s) (struct.new $s (i32.const 9))))
  "out of bounds table access")

;; What comes first and traps leaves no trace of what comes behind it: a program of an embedder found that segments of
;; functions and of bytes had been copied although a global's object could not be made.
(module $shared
  (table (export "t") 4 funcref)
  (memory (export "m") 1)
  (func (export "null") (param i32) (result i32) (ref.is_null (table.get 0 (local.get 0))))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0))))
(register "shared" $shared)
(assert_trap
  (module
    (import "shared" "t" (table 4 funcref))
    (import "shared" "m" (memory 1))
    (type $longs (array i64))
    (func $f)
    (global (ref $longs) (array.new_default $longs (i32.const 0x7fffffff)))
    (elem (table 0) (i32.const 3) func $f)
    (data (i32.const 0) "hi"))
  "allocation")
(assert_trap
  (module
    (import "shared" "m" (memory 1))
    (type $longs (array i64))
    (table 1 (ref null $longs) (array.new_default $longs (i32.const 0x7fffffff)))
    (data (i32.const 0) "hi"))
  "allocation")
(assert_return (invoke $shared "null" (i32.const 3)) (i32.const 1))
(assert_return (invoke $shared "byte" (i32.const 0)) (i32.const 0))
;; And what comes first stays when what comes behind it traps.
(assert_trap
  (module
    (import "shared" "t" (table 4 funcref))
    (import "shared" "m" (memory 1))
    (type $longs (array i64))
    (func $f)
    (global (ref $longs) (array.new_default $longs (i32.const 7)))
    (elem (table 0) (i32.const 3) func $f)
    (data (i32.const 0) "hi")
    (data (i32.const 65535) "no"))
  "out of bounds memory access")
(assert_return (invoke $shared "null" (i32.const 3)) (i32.const 0))
(assert_return (invoke $shared "byte" (i32.const 1)) (i32.const 105))
