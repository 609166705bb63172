;; The validator of Wasmtime's version takes the descriptor that a cast needs for that of another type, where two types
;; of the module are the same: a reader of other projects' scripts cast an object with a number to a type with a
;; reference in its place. `src/parse/validate.rs` looks at the descriptor itself.

;; Valid, and was refused.
(module
  (type $f (func))
  (type $g (func))
  (rec
    (type $A (sub (descriptor $A.desc) (struct (field i32))))
    (type $A.desc (sub (describes $A) (struct))))
  (func (export "f") (param i32) (result i32)
    (local $d (ref null (exact $A.desc)))
    (local.set $d (struct.new $A.desc))
    (struct.get $A 0
      (ref.cast_desc_eq (ref $A) (struct.new_desc $A (local.get 0) (local.get $d)) (local.get $d))))
  (func (export "g") (param i32) (result i32)
    (local $d (ref null (exact $A.desc)))
    (local.set $d (struct.new $A.desc))
    (struct.get $A 0
      (block $is (result (ref (exact $A)))
        (br_on_cast_desc_eq $is anyref (ref (exact $A))
          (struct.new_desc $A (local.get 0) (local.get $d)) (local.get $d))
        (return (i32.const -1)))))
  (func (export "h") (result i32)
    (block $isnt (result anyref)
      (br_on_cast_desc_eq_fail $isnt anyref (ref $A)
        (struct.new_desc $A (i32.const 1) (struct.new $A.desc)) (struct.new $A.desc))
      (return (i32.const -1)))
    (drop)
    (i32.const 3))
  ;; Where nothing is known of the descriptor, as the code can not be reached.
  (func (export "dead") (result (ref null $A)) unreachable ref.cast_desc_eq (ref null $A)))

(assert_return (invoke "f" (i32.const 7)) (i32.const 7))
(assert_return (invoke "g" (i32.const 8)) (i32.const 8))
(assert_return (invoke "h") (i32.const 3))
(assert_trap (invoke "dead") "unreachable")

;; Invalid, and was accepted: an `i32` became a reference.
(assert_invalid
  (module
    (type $f (func))
    (type $g (func))
    (type $h (func))
    (rec
      (type $B (descriptor $B.desc) (struct (field i32)))
      (type $B.desc (describes $B) (struct)))
    (rec
      (type $A (descriptor $A.desc) (struct (field (ref $arr))))
      (type $A.desc (describes $A) (struct))
      (type $arr (array (mut i32))))
    (func (export "g") (param i32) (result i32)
      (local $d (ref null (exact $B.desc)))
      (local.set $d (struct.new $B.desc))
      (array.len (struct.get $A 0
        (ref.cast_desc_eq (ref $A) (struct.new_desc $B (local.get 0) (local.get $d)) (local.get $d))))))
  "type mismatch")
(assert_invalid
  (module
    (type $f (func))
    (type $g (func))
    (rec
      (type $A (descriptor $A.desc) (struct (field i32)))
      (type $A.desc (describes $A) (struct)))
    (func (param anyref) (param (ref null $A)) (result (ref null $A))
      (ref.cast_desc_eq (ref null $A) (local.get 0) (local.get 1))))
  "type mismatch")
(assert_invalid
  (module
    (type $f (func))
    (type $g (func))
    (rec
      (type $A (descriptor $A.desc) (struct (field i32)))
      (type $A.desc (describes $A) (struct)))
    (func (param anyref) (param (ref null $A)) (result (ref null $A))
      (block $l (result (ref null $A))
        (br_on_cast_desc_eq $l anyref (ref $A) (local.get 0) (local.get 1))
        (return (ref.null none)))))
  "type mismatch")
;; A type that has no descriptor, and an exact type by a descriptor that may be that of a subtype.
(assert_invalid
  (module
    (rec
      (type $A (descriptor $A.desc) (struct (field i32)))
      (type $A.desc (describes $A) (struct)))
    (func (result (ref null $A)) unreachable any.convert_extern ref.cast_desc_eq (ref null $A)))
  "type mismatch")
(assert_invalid
  (module
    (type $A (struct))
    (func (param anyref anyref) (result (ref null $A))
      (ref.cast_desc_eq (ref null $A) (local.get 0) (local.get 1))))
  "descriptor")
(assert_invalid
  (module
    (rec
      (type $A (sub (descriptor $A.desc) (struct (field i32))))
      (type $A.desc (sub (describes $A) (struct))))
    (func (param anyref) (param (ref null $A.desc)) (result (ref null (exact $A)))
      (ref.cast_desc_eq (ref null (exact $A)) (local.get 0) (local.get 1))))
  "type mismatch")
