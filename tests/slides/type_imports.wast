;; Abstract types between modules: bounds are checked when modules are linked.

(module $counters
  (type $counter (struct (field (mut i32)) (field i64)))
  (type $handler (func (param (ref $counter)) (result i32)))
  (export "counter" (type $counter))
  (export "handler" (type $handler))
  (export "scalar" (type i31))
  (func (export "new") (result (ref $counter))
    (struct.new_with_rtt $counter (i32.const 40) (i64.const 0) (rtt.canon $counter)))
  (func (export "next") (param $c (ref $counter)) (result i32)
    (struct.set $counter 0 (local.get $c) (i32.add (struct.get $counter 0 (local.get $c)) (i32.const 1)))
    (struct.get $counter 0 (local.get $c)))
  (global (export "last") (mut (optref $counter)) (ref.null $counter))
)
(register "counters")

(module
  (import "counters" "counter" (type $t (sub data)))
  (import "counters" "new" (func $new (result (ref $t))))
  (import "counters" "next" (func $next (param (ref $t)) (result i32)))
  (import "counters" "last" (global $last (mut (optref $t))))
  (func (export "run") (result i32 i32)
    (global.set $last (call $new))
    (drop (call $next (ref.as_nonnull (global.get $last))))
    (call $next (ref.as_nonnull (global.get $last)))
    (ref.eq (global.get $last) (global.get $last)))
)
(assert_return (invoke "run") (i32.const 42) (i32.const 1))

;; A bound that is a type, and one that must be equal.
(module
  (type $base (struct (field (mut i32))))
  (type $same (struct (field (mut i32)) (field i64)))
  (import "counters" "counter" (type $t (sub $base)))
  (import "counters" "counter" (type $u (eq $same)))
  (import "counters" "handler" (type $f (sub func)))
  (import "counters" "new" (func $new (result (ref $t))))
  (func (export "read") (result i32 i64)
    (call $new)
    (let (result i32 i64) (local $x (ref $t))
      (struct.get $base 0 (local.get $x))
      (i64.const 0)))
)
(assert_return (invoke "read") (i32.const 40) (i64.const 0))

(assert_unlinkable
  (module (type $other (struct (field (mut i64)))) (import "counters" "counter" (type $t (sub $other))))
  "incompatible import type")
(assert_unlinkable
  (module (type $base (struct (field (mut i32)))) (import "counters" "counter" (type $t (eq $base))))
  "incompatible import type")
(assert_unlinkable (module (import "counters" "counter" (type $t (sub func)))) "incompatible import type")
(assert_unlinkable (module (import "counters" "handler" (type $t (sub data)))) "incompatible import type")
(assert_unlinkable (module (import "counters" "none" (type $t))) "unknown import")
(assert_unlinkable (module (import "counters" "scalar" (type $t))) "incompatible import type")
(assert_invalid
  (module (import "counters" "counter" (type $t (sub data))) (func (param (ref data)) (result (ref $t)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (import "counters" "counter" (type $t)) (func (drop (rtt.canon $t))))
  "imported type")
(assert_invalid
  (module (import "counters" "counter" (type $t)) (func (param (ref $t)) (result (ref eq)) (local.get 0)))
  "type mismatch")
(assert_malformed (module quote "(import \"m\" \"t\" (type $t (super any)))") "unexpected token")
