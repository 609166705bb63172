;; Types, in the spelling of the slides and in those of the documents.

(module
  (type $point (struct (field $x i32) (field $y i32)))
  (type $list (struct (field $head anyref) (field $tail (mut (optref $list)))))
  (type $bytes (array (mut i8)))
  (type $words (array i16))
  (type $mixed (struct (field (const i32)) (field (var f64)) (field i8) (field (mut i16)) (field (ref $point))))
  (type $tuple (struct))
  (type $pairs (array (mut (ref null $point))))
  (func (param anyref eqref i31ref funcref externref dataref optref))
  (func (param (ref $point) (optref $point) (ref null $point) (ref opt $point)))
  (func (param (rtt $point) (rtt 1 $point) (rtt 0 4) (ref null (rtt $point)) (rtt any)))
  (func (param (ref any) (ref eq) (ref i31) (ref data) (ref func) (ref extern)))
  (func (param (ref null any) (ref null eq) (ref null i31) (ref null data) (ref null func) (ref null extern)))
)

;; Subtyping is by structure: width, depth, cycles.
(module
  (type $a (struct (field anyref)))
  (type $b (struct (field (optref $b)) (field (mut i32))))
  (type $c (struct (field (optref $c)) (field (mut i32)) (field f64)))
  (type $b' (struct (field (optref $b'')) (field (mut i32))))
  (type $b'' (struct (field (optref $b')) (field (mut i32))))
  (func $to_a (param (ref $b)) (result (ref $a)) (local.get 0))
  (func $to_b (param (ref $c)) (result (ref $b)) (local.get 0))
  (func $same (param (ref $b'')) (result (ref $b)) (local.get 0))
  (func $back (param (ref $b)) (result (ref $b')) (local.get 0))
  (func $array (param (ref $as)) (result (ref $anys)) (local.get 0))
  (type $as (array (ref $a)))
  (type $anys (array anyref))
  (func (param (rtt 3 $a)) (result (rtt $a)) (local.get 0))
  (func (param (rtt 3 $b)) (result (rtt 3 $b')) (local.get 0))
  (func (param (rtt $a)) (result eqref) (local.get 0))
  (func (param externref) (result anyref) (local.get 0))
  (func (param funcref) (result anyref) (local.get 0))
)

(assert_invalid
  (module
    (type $a (struct (field anyref)))
    (type $b (struct (field (mut anyref))))
    (func (param (ref $b)) (result (ref $a)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $a (struct (field (mut anyref))))
    (type $b (struct (field (mut eqref))))
    (func (param (ref $b)) (result (ref $a)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $a (struct (field i32)))
    (type $b (struct (field i32 i32)))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (struct)) (func (param (optref $a)) (result (ref $a)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $a (struct))
    (type $b (struct (field i32)))
    (func (param (rtt 1 $b)) (result (rtt 1 $a)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (struct)) (func (param (rtt $a)) (result (rtt 1 $a)) (local.get 0)))
  "type mismatch")
(assert_invalid (module (func (param funcref) (result eqref) (local.get 0))) "type mismatch")
(assert_invalid (module (func (param anyref) (result eqref) (local.get 0))) "type mismatch")
(assert_invalid (module (type $a (struct)) (func (param (rtt $a)) (result (ref data)) (local.get 0))) "type mismatch")
(assert_malformed (module quote "(type (struct i32))") "unexpected token")
(assert_malformed (module quote "(type $t (struct (field $x i32) (field $x i32)))") "duplicate field")
