;; Globals and tables of references are shared by address between modules: what one writes the other
;; reads, whoever collects.

(module $owner
  (rec (type $node (struct (field $next (mut (ref null $node))) (field $value (mut i32)))))
  (global $head (export "head") (mut (ref null $node)) (ref.null $node))
  (global (export "fixed") (ref $node) (struct.new $node (ref.null $node) (i32.const 7)))
  (global (export "host") (mut externref) (ref.null extern))
  (table $nodes (export "nodes") 3 10 (ref null $node))
  (table (export "anything") 2 anyref)
  (func (export "push") (param i32)
    (global.set $head (struct.new $node (global.get $head) (local.get 0))))
  (func (export "slot") (param i32) (result i32)
    (struct.get $node $value (table.get $nodes (local.get 0)))))
(register "owner" $owner)

(module $user
  (rec (type $node (struct (field $next (mut (ref null $node))) (field $value (mut i32)))))
  (import "owner" "head" (global $head (mut (ref null $node))))
  (import "owner" "fixed" (global $fixed (ref $node)))
  (import "owner" "host" (global $host (mut externref)))
  (import "owner" "nodes" (table $nodes 3 10 (ref null $node)))
  (import "owner" "anything" (table $anything 2 anyref))
  (import "owner" "push" (func $push (param i32)))
  (export "again" (global $head))
  (export "nodes" (table $nodes))

  (func (export "sum") (result i32)
    (local $at (ref null $node)) (local $sum i32)
    (local.set $at (global.get $head))
    (block $done
      (loop $next
        (br_if $done (ref.is_null (local.get $at)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $at))))
        (local.set $at (struct.get $node $next (local.get $at)))
        (br $next)))
    (local.get $sum))
  (func (export "push-many") (param $n i32)
    (loop $more
      (call $push (local.get $n))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "fixed") (result i32) (struct.get $node $value (global.get $fixed)))
  (func (export "set-host") (param externref) (global.set $host (local.get 0)))
  (func (export "fill") (param $value i32)
    (table.fill $nodes (i32.const 0) (struct.new $node (ref.null $node) (local.get $value)) (table.size $nodes)))
  (func (export "grow") (param $by i32) (param $value i32) (result i32)
    (table.grow $nodes (struct.new $node (ref.null $node) (local.get $value)) (local.get $by)))
  (func (export "size") (result i32) (table.size $nodes))
  (func (export "copy-any")
    (table.set $anything (i32.const 0) (table.get $nodes (i32.const 0)))
    (table.set $anything (i32.const 1) (ref.i31 (i32.const -3)))
    (table.copy $anything $anything (i32.const 0) (i32.const 1) (i32.const 1)))
  (func (export "any-i31") (param i32) (result i32)
    (i31.get_s (ref.cast (ref i31) (table.get $anything (local.get 0))))))

(assert_return (invoke $user "fixed") (i32.const 7))
(assert_return (invoke $user "sum") (i32.const 0))
(assert_return (invoke $user "push-many" (i32.const 100)))
(assert_return (invoke $user "sum") (i32.const 5050))
(assert_return (invoke $owner "push" (i32.const 10)))
(assert_return (invoke $user "sum") (i32.const 5060))
(assert_return (get $owner "head") (ref.struct))
(assert_return (get $user "again") (ref.struct))

(assert_return (invoke $user "set-host" (ref.extern 5)))
(assert_return (get $owner "host") (ref.extern 5))

(assert_trap (invoke $owner "slot" (i32.const 0)) "null structure reference")
(assert_return (invoke $user "fill" (i32.const 3)))
(assert_return (invoke $owner "slot" (i32.const 2)) (i32.const 3))
(assert_trap (invoke $owner "slot" (i32.const 3)) "out of bounds table access")
(assert_return (invoke $user "grow" (i32.const 7) (i32.const 4)) (i32.const 3))
(assert_return (invoke $user "grow" (i32.const 1) (i32.const 4)) (i32.const -1))
(assert_return (invoke $user "size") (i32.const 10))
(assert_return (invoke $owner "slot" (i32.const 2)) (i32.const 3))
(assert_return (invoke $owner "slot" (i32.const 9)) (i32.const 4))
(assert_return (invoke $user "copy-any"))
(assert_return (invoke $user "any-i31" (i32.const 0)) (i32.const -3))
(assert_trap (invoke $user "any-i31" (i32.const 2)) "out of bounds table access")

;; Types of imports are those of the original modules, though lowered ones are all numbers.
(assert_unlinkable
  (module
    (type $other (struct (field i32)))
    (import "owner" "head" (global (mut (ref null $other)))))
  "incompatible import type")
(assert_unlinkable
  (module (import "owner" "fixed" (global (ref i31))))
  "incompatible import type")
(assert_unlinkable
  (module (import "owner" "nodes" (table 3 10 anyref)))
  "incompatible import type")
(assert_unlinkable
  (module (import "owner" "anything" (table 3 anyref)))
  "incompatible import type")
(assert_unlinkable
  (module (import "owner" "head" (global i32)))
  "incompatible import type")
(module (import "owner" "fixed" (global anyref)))
