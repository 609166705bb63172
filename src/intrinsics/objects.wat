;; Objects of the GC heap for programs that have no types for them: an object is an `externref` with so many
;; references and so many bytes.
;;
;; Needs an engine with GC types. Out-of-bounds indices trap as accesses of arrays do; null, and what is none of these
;; objects, as a failed cast.
(module $objects
  (type $refs (array (mut externref)))
  (type $bytes (array (mut i8)))
  (type $object (struct (field $refs (ref $refs)) (field $bytes (ref $bytes))))

  ;; A new object: nulls and zeros.
  (func $alloc (export "alloc") (param $refs i32) (param $bytes i32) (result externref)
    (extern.convert_any
      (struct.new $object
        (array.new_default $refs (local.get $refs))
        (array.new_default $bytes (local.get $bytes)))))

  ;; Whether a reference is such an object.
  (func $is (export "is") (param $it externref) (result i32)
    (ref.test (ref $object) (any.convert_extern (local.get $it))))

  (func $object (param $it externref) (result (ref $object))
    (ref.cast (ref $object) (any.convert_extern (local.get $it))))

  ;; How many references it has.
  (func $refs (export "refs") (param $it externref) (result i32)
    (array.len (struct.get $object $refs (call $object (local.get $it)))))

  ;; How many bytes it has.
  (func $bytes (export "bytes") (param $it externref) (result i32)
    (array.len (struct.get $object $bytes (call $object (local.get $it)))))

  (func $ref (export "ref") (param $it externref) (param $index i32) (result externref)
    (array.get $refs (struct.get $object $refs (call $object (local.get $it))) (local.get $index)))

  (func $set (export "set") (param $it externref) (param $index i32) (param $value externref)
    (array.set $refs (struct.get $object $refs (call $object (local.get $it))) (local.get $index) (local.get $value)))

  (func $load8 (export "load8") (param $it externref) (param $offset i32) (result i32)
    (array.get_u $bytes (struct.get $object $bytes (call $object (local.get $it))) (local.get $offset)))

  (func $store8 (export "store8") (param $it externref) (param $offset i32) (param $value i32)
    (array.set $bytes
      (struct.get $object $bytes (call $object (local.get $it))) (local.get $offset) (local.get $value)))

  ;; Four bytes, the lowest first.
  (func $load32 (export "load32") (param $it externref) (param $offset i32) (result i32)
    (local $from (ref $bytes))
    (local.set $from (struct.get $object $bytes (call $object (local.get $it))))
    (i32.or
      (i32.or
        (i32.shl (array.get_u $bytes (local.get $from) (i32.add (local.get $offset) (i32.const 3))) (i32.const 24))
        (i32.shl (array.get_u $bytes (local.get $from) (i32.add (local.get $offset) (i32.const 2))) (i32.const 16)))
      (i32.or
        (i32.shl (array.get_u $bytes (local.get $from) (i32.add (local.get $offset) (i32.const 1))) (i32.const 8))
        (array.get_u $bytes (local.get $from) (local.get $offset)))))

  (func $store32 (export "store32") (param $it externref) (param $offset i32) (param $value i32)
    (local $to (ref $bytes))
    (local.set $to (struct.get $object $bytes (call $object (local.get $it))))
    ;; Both ends are accessed before anything is changed, so that a trap leaves nothing half done.
    (drop (array.get_u $bytes (local.get $to) (local.get $offset)))
    (array.set $bytes (local.get $to) (i32.add (local.get $offset) (i32.const 3))
      (i32.shr_u (local.get $value) (i32.const 24)))
    (array.set $bytes (local.get $to) (i32.add (local.get $offset) (i32.const 2))
      (i32.shr_u (local.get $value) (i32.const 16)))
    (array.set $bytes (local.get $to) (i32.add (local.get $offset) (i32.const 1))
      (i32.shr_u (local.get $value) (i32.const 8)))
    (array.set $bytes (local.get $to) (local.get $offset) (local.get $value))))
