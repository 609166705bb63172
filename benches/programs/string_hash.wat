;; Hashing of byte strings: FNV-1a, 32 bits.
;;
;;   run (n)  hashes a string of 1000 bytes n times; a byte of it changes in between
(module
  (type $string (array (mut i8)))

  (func $hash (param $text (ref $string)) (result i32)
    (local $hash i32) (local $at i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (array.len (local.get $text))))
        (local.set $hash
          (i32.mul
            (i32.xor (local.get $hash) (array.get_u $string (local.get $text) (local.get $at)))
            (i32.const 0x01000193)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $hash))

  (func (export "run") (param $n i32) (result i32)
    (local $text (ref $string)) (local $sum i32)
    (local.set $text (array.new $string (i32.const 120) (i32.const 1000)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (call $hash (local.get $text))))
        (array.set $string (local.get $text) (i32.rem_u (local.get $n) (i32.const 1000)) (local.get $sum))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
