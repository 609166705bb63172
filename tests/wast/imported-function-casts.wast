;; An imported function may be of a subtype of its import's type, and a cast finds out. On the path where
;; it did, a reference that was taken by `ref.func` was null: lowering took the import's word for it.
;; Found by the custom descriptors' scripts.

(module $A
  (type $super (sub (func (result i32))))
  (type $sub (sub $super (func (result i32))))
  (func (export "f") (type $sub) (i32.const 7)))
(register "A" $A)

(module
  (type $super (sub (func (result i32))))
  (type $sub (sub $super (func (result i32))))
  (import "A" "f" (func $f (type $super)))
  (elem declare func $f)
  (func (export "cast") (result i32)
    (call_ref $sub (ref.cast (ref $sub) (ref.func $f))))
  (func (export "branch") (result i32)
    (block $is (result (ref $sub))
      (drop (br_on_cast $is (ref $super) (ref $sub) (ref.func $f)))
      (return (i32.const -1)))
    (call_ref $sub)))
(assert_return (invoke "cast") (i32.const 7))
(assert_return (invoke "branch") (i32.const 7))

;; A module without references keeps its function types as they are, also those with subtypes, and they
;; are the same types as in a lowered module.
(module $plain
  (type $super (sub (func (result i32))))
  (type $sub (sub $super (func (result i32))))
  (func (export "g") (type $sub) (i32.const 9)))
(register "plain" $plain)
(module
  (type $super (sub (func (result i32))))
  (type $sub (sub $super (func (result i32))))
  (type $struct (struct (field (ref $super))))
  (import "plain" "g" (func $g (type $super)))
  (elem declare func $g)
  (func (export "run") (result i32)
    (call_ref $sub (ref.cast (ref $sub) (struct.get $struct 0 (struct.new $struct (ref.func $g)))))))
(assert_return (invoke "run") (i32.const 9))
