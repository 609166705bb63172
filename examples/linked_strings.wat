;; A linked list of strings: variable-size objects, garbage from concatenation, references stored later.
;;
;; A string is an array of bytes. Joining a list allocates a new, longer string at every step and drops the
;; one before, as naive programs do.
;;
;;   _start   prints the list, then reversed in place, then with each word's length, then its longest word
;;   run (n)  joins the list n times and returns a hash of the last result
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))

  (type $string (array (mut i8)))
  (type $list (struct (field $text (ref $string)) (field $next (mut (ref null $list)))))

  (data $poem "the quick brown fox jumps over the lazy dog")
  (data $arrow " -> ")

  ;; The words of a text that are separated by single blanks.
  (func $split (param $text (ref $string)) (result (ref null $list))
    (local $first (ref null $list)) (local $last (ref null $list)) (local $node (ref null $list))
    (local $start i32) (local $at i32)
    (loop $next
      (block $in_word
        (block $word_end
          (br_if $word_end (i32.ge_u (local.get $at) (array.len (local.get $text))))
          (br_if $in_word (i32.ne (array.get_u $string (local.get $text) (local.get $at)) (i32.const 32))))
        (local.set $node
          (struct.new $list
            (call $substring (local.get $text) (local.get $start) (local.get $at))
            (ref.null $list)))
        (if (ref.is_null (local.get $last))
          (then (local.set $first (local.get $node)))
          (else (struct.set $list $next (local.get $last) (local.get $node))))
        (local.set $last (local.get $node))
        (local.set $start (i32.add (local.get $at) (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $at) (array.len (local.get $text)))))
    (local.get $first))

  ;; The bytes from `start` up to and without `end`.
  (func $substring (param $text (ref $string)) (param $start i32) (param $end i32) (result (ref $string))
    (local $part (ref $string))
    (local.set $part (array.new_default $string (i32.sub (local.get $end) (local.get $start))))
    (array.copy $string $string
      (local.get $part) (i32.const 0)
      (local.get $text) (local.get $start) (array.len (local.get $part)))
    (local.get $part))

  (func $concat (param $a (ref $string)) (param $b (ref $string)) (result (ref $string))
    (local $both (ref $string))
    (local.set $both
      (array.new_default $string (i32.add (array.len (local.get $a)) (array.len (local.get $b)))))
    (array.copy $string $string
      (local.get $both) (i32.const 0)
      (local.get $a) (i32.const 0) (array.len (local.get $a)))
    (array.copy $string $string
      (local.get $both) (array.len (local.get $a))
      (local.get $b) (i32.const 0) (array.len (local.get $b)))
    (local.get $both))

  ;; All words in one string, with `between` between two.
  (func $join (param $list (ref null $list)) (param $between (ref $string)) (result (ref $string))
    (local $all (ref $string))
    (local.set $all (array.new_fixed $string 0))
    (block $done
      (loop $next
        (br_if $done (ref.is_null (local.get $list)))
        (local.set $all (call $concat (local.get $all) (struct.get $list $text (local.get $list))))
        (local.set $list (struct.get $list $next (local.get $list)))
        (br_if $done (ref.is_null (local.get $list)))
        (local.set $all (call $concat (local.get $all) (local.get $between)))
        (br $next)))
    (local.get $all))

  ;; Turns the links around; the result is what was the last node.
  (func $reverse (param $list (ref null $list)) (result (ref null $list))
    (local $done (ref null $list)) (local $next (ref null $list))
    (block $end
      (loop $more
        (br_if $end (ref.is_null (local.get $list)))
        (local.set $next (struct.get $list $next (local.get $list)))
        (struct.set $list $next (local.get $list) (local.get $done))
        (local.set $done (local.get $list))
        (local.set $list (local.get $next))
        (br $more)))
    (local.get $done))

  ;; The first of the longest words; the empty string for an empty list.
  (func $longest (param $list (ref null $list)) (result (ref $string))
    (local $best (ref $string)) (local $text (ref $string))
    (local.set $best (array.new_fixed $string 0))
    (block $done
      (loop $next
        (local.set $text (struct.get $list $text (br_on_null $done (local.get $list))))
        (if (i32.gt_u (array.len (local.get $text)) (array.len (local.get $best)))
          (then (local.set $best (local.get $text))))
        (local.set $list (struct.get $list $next (local.get $list)))
        (br $next)))
    (local.get $best))

  ;; A new list: each word with its length behind it, one digit, in parentheses.
  (func $with_lengths (param $list (ref null $list)) (result (ref null $list))
    (if (result (ref null $list)) (ref.is_null (local.get $list))
      (then (ref.null $list))
      (else
        (struct.new $list
          (call $concat
            (struct.get $list $text (local.get $list))
            (array.new_fixed $string 3
              (i32.const 40)
              (i32.add (i32.const 48) (array.len (struct.get $list $text (local.get $list))))
              (i32.const 41)))
          (call $with_lengths (struct.get $list $next (local.get $list)))))))

  ;; FNV-1a, 32 bits.
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

  (func $poem (result (ref null $list))
    (call $split (array.new_data $string $poem (i32.const 0) (i32.const 43))))

  (func $arrow (result (ref $string))
    (array.new_data $string $arrow (i32.const 0) (i32.const 4)))

  (func (export "run") (param $n i32) (result i32)
    (local $list (ref null $list)) (local $arrow (ref $string)) (local $all (ref $string))
    (local.set $list (call $poem))
    (local.set $arrow (call $arrow))
    (local.set $all (array.new_fixed $string 0))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $all (call $join (local.get $list) (local.get $arrow)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (call $hash (local.get $all)))

  (func (export "_start")
    (local $list (ref null $list))
    (local.set $list (call $poem))
    (call $print (call $join (local.get $list) (call $arrow)))
    (local.set $list (call $reverse (local.get $list)))
    (call $print (call $join (local.get $list) (call $arrow)))
    (call $print (call $join (call $with_lengths (local.get $list)) (array.new_fixed $string 1 (i32.const 32))))
    (call $print (call $longest (local.get $list))))

  ;; 0: iovec (address, length); 8: bytes written; 16: the line being written
  (memory (export "memory") 1)

  ;; Writes a string and a line end to standard output. The string is shorter than the memory.
  (func $print (param $text (ref $string))
    (local $at i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (array.len (local.get $text))))
        (i32.store8 offset=16 (local.get $at) (array.get_u $string (local.get $text) (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store8 offset=16 (local.get $at) (i32.const 10))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.add (local.get $at) (i32.const 1)))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))))
