;; A table of references with a freelist: small integers stand for references.
;;
;; A template. `template.rs` keeps or drops the lines between `;;@if`, `;;@else` and `;;@end`:
;;
;;   checked   handles carry a generation; a handle that is not valid traps
;;   counted   `retain` exists; a handle is gone after as many `release` as `intern` and `retain` gave it
;;   weak      elements do not keep what they refer to: slots have weak references of the host
;;   internal  (weak) elements are `anyref`
;;   finalizing (weak, checked) `next` gives handles whose value is dead
;;   object    (program) for an object file
;;   program   links live in pages of the program's own memory, not in a memory of their own
;;
;; `externref` stands for the type of the elements, which is any nullable reference type.
;;
;; A slot has a reference in `$slots` and a word in the links. Unchecked, the word of a free slot is the next
;; free slot, -1 at the end; of a live one it is how often it was retained. Checked, a word is
;;
;;   31      30 ....... 22   21 ............................. 0
;;   live    generation      next free slot, or times retained
;;
;; and a handle is the slot with the generation above it, and never negative. `intern` sets `live`; `release`
;; clears it and moves on the generation, which wraps. What a slot that is not live refers to is null. So a handle is
;; good when the word of its slot, without what is below the generation, is the handle's generation and `live`. To
;; compare by exclusive or is not enough: a negative number and the word of a free slot differ in `live` too.
;;
;; Finalizing, a slot has 16 bytes of links: the word, nothing, and the number of its registration.
(module $side_table
  ;;@if weak
  (import "wasmtime_gc" "weak_new" (func $weak_new (param (ref any)) (result (ref extern))))
  (import "wasmtime_gc" "weak_get" (func $weak_get (param externref) (result anyref)))
  ;;@end
  ;;@if finalizing
  (import "wasmtime_gc" "registry_new" (func $registry_new (result (ref extern))))
  (import "wasmtime_gc" "registry_register" (func $register (param externref (ref any) anyref) (result i64)))
  (import "wasmtime_gc" "registry_unregister" (func $unregister (param externref i64) (result i32)))
  (import "wasmtime_gc" "registry_take" (func $take (param externref) (result anyref i32)))
  ;;@end
  ;;@if program
  ;;@if object
  (import "env" "__linear_memory" (memory $links 0))
  ;;@else
  (import "program" "memory" (memory $links 0))
  ;;@end
  ;; Where the links start, and how many bytes they may take.
  (global $base (mut i32) (i32.const 0))
  (global $room (mut i32) (i32.const 0))
  ;;@else
  (memory $links 0)
  ;;@end
  (table $slots 0 externref)
  ;;@if finalizing
  ;; Made when it is first needed.
  (global $registry (mut externref) (ref.null extern))
  ;;@end
  ;;@if checked
  (global $free (mut i32) (i32.const 0x3fffff))
  ;;@else
  (global $free (mut i32) (i32.const -1))
  ;;@end
  (global $live (mut i32) (i32.const 0))
  ;; Why the last trap happened: the numbers below.
  (global $fault (mut i32) (i32.const 0))

  ;; A handle for a reference; -1 for null.
  ;;@if internal
  (func $intern (export "intern") (param $value anyref) (result i32)
  ;;@else
  (func $intern (export "intern") (param $value externref) (result i32)
  ;;@end
    (local $slot i32) (local $at i32) (local $word i32)
    ;;@if weak
    (local $weak externref)
    ;;@end
    (if (ref.is_null (local.get $value)) (then (return (i32.const -1))))
    (local.set $slot (global.get $free))
    ;;@if checked
    (if (i32.eq (local.get $slot) (i32.const 0x3fffff))
    ;;@else
    (if (i32.eq (local.get $slot) (i32.const -1))
    ;;@end
      (then (call $grow) (local.set $slot (global.get $free))))
    ;;@if finalizing
    (local.set $at (i32.shl (local.get $slot) (i32.const 4)))
    ;;@else
    (local.set $at (i32.shl (local.get $slot) (i32.const 2)))
    ;;@end
    ;;@if program
    (local.set $at (i32.add (local.get $at) (global.get $base)))
    ;;@end
    (local.set $word (i32.load $links (local.get $at)))
    ;;@if weak
    ;; First what may fail, and then what changes anything.
    (local.set $weak (call $weak_new (call $referent (local.get $value))))
    ;;@if finalizing
    (if (ref.is_null (global.get $registry)) (then (global.set $registry (call $registry_new))))
    (i64.store $links offset=8 (local.get $at)
      (call $register (global.get $registry) (call $referent (local.get $value))
        (ref.i31 (i32.or (i32.and (local.get $word) (i32.const 0x7fc00000)) (local.get $slot)))))
    ;;@end
    (table.set $slots (local.get $slot) (local.get $weak))
    ;;@else
    (table.set $slots (local.get $slot) (local.get $value))
    ;;@end
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    ;;@if checked
    (global.set $free (i32.and (local.get $word) (i32.const 0x3fffff)))
    (local.set $word (i32.and (local.get $word) (i32.const 0x7fc00000)))
    (i32.store $links (local.get $at) (i32.or (local.get $word) (i32.const 0x80000000)))
    (i32.or (local.get $word) (local.get $slot)))
    ;;@else
    (global.set $free (local.get $word))
    ;;@if counted
    (i32.store $links (local.get $at) (i32.const 0))
    ;;@end
    (local.get $slot))
    ;;@end

  ;; The reference of a handle; null for -1.
  ;;@if internal
  (func $get (export "get") (param $handle i32) (result anyref)
  ;;@else
  (func $get (export "get") (param $handle i32) (result externref)
  ;;@end
    ;;@if checked
    (local $slot i32) (local $at i32)
    (local.set $slot (i32.and (local.get $handle) (i32.const 0x3fffff)))
    (if (i32.ge_u (local.get $slot) (table.size $slots))
      (then
        ;;@if internal
        (if (i32.eq (local.get $handle) (i32.const -1)) (then (return (ref.null any))))
        ;;@else
        (if (i32.eq (local.get $handle) (i32.const -1)) (then (return (ref.null extern))))
        ;;@end
        (call $out_of_range)))
    ;;@if finalizing
    (local.set $at (i32.shl (local.get $slot) (i32.const 4)))
    ;;@else
    (local.set $at (i32.shl (local.get $slot) (i32.const 2)))
    ;;@end
    ;;@if program
    (local.set $at (i32.add (local.get $at) (global.get $base)))
    ;;@end
    (if (i32.ne
          (i32.shr_u (i32.load $links (local.get $at)) (i32.const 22))
          (i32.add (i32.shr_u (local.get $handle) (i32.const 22)) (i32.const 0x200)))
      (then (call $dead (local.get $slot))))
    ;;@if weak
    (call $value_of (local.get $slot)))
    ;;@else
    (table.get $slots (local.get $slot)))
    ;;@end
    ;;@else
    ;;@if internal
    (if (i32.eq (local.get $handle) (i32.const -1)) (then (return (ref.null any))))
    ;;@else
    (if (i32.eq (local.get $handle) (i32.const -1)) (then (return (ref.null extern))))
    ;;@end
    ;;@if weak
    (call $value_of (local.get $handle)))
    ;;@else
    (table.get $slots (local.get $handle)))
    ;;@end
    ;;@end

  ;; Gives a handle back; does nothing for -1.
  (func $release (export "release") (param $handle i32)
    (local $slot i32) (local $at i32) (local $word i32)
    (if (i32.eq (local.get $handle) (i32.const -1)) (then (return)))
    ;;@if checked
    (local.set $slot (i32.and (local.get $handle) (i32.const 0x3fffff)))
    ;;@else
    (local.set $slot (local.get $handle))
    ;;@end
    (if (i32.ge_u (local.get $slot) (table.size $slots)) (then (call $out_of_range)))
    ;;@if finalizing
    (local.set $at (i32.shl (local.get $slot) (i32.const 4)))
    ;;@else
    (local.set $at (i32.shl (local.get $slot) (i32.const 2)))
    ;;@end
    ;;@if program
    (local.set $at (i32.add (local.get $at) (global.get $base)))
    ;;@end
    (local.set $word (i32.load $links (local.get $at)))
    ;;@if checked
    (if (i32.ne
          (i32.shr_u (local.get $word) (i32.const 22))
          (i32.add (i32.shr_u (local.get $handle) (i32.const 22)) (i32.const 0x200)))
      (then (call $dead (local.get $slot))))
    ;;@if counted
    (if (i32.and (local.get $word) (i32.const 0x3fffff))
      (then (return (i32.store $links (local.get $at) (i32.sub (local.get $word) (i32.const 1))))))
    ;;@end
    ;;@else
    ;;@if counted
    (if (local.get $word)
      (then (return (i32.store $links (local.get $at) (i32.sub (local.get $word) (i32.const 1))))))
    ;;@end
    ;;@end
    ;;@if finalizing
    ;; The value may live long, and be interned as often.
    (drop (call $unregister (global.get $registry) (i64.load $links offset=8 (local.get $at))))
    ;;@end
    (table.set $slots (local.get $slot) (ref.null extern))
    (global.set $live (i32.sub (global.get $live) (i32.const 1)))
    ;;@if checked
    (i32.store $links (local.get $at)
      (i32.or
        (i32.and (i32.add (local.get $word) (i32.const 0x400000)) (i32.const 0x7fc00000))
        (global.get $free)))
    ;;@else
    (i32.store $links (local.get $at) (global.get $free))
    ;;@end
    (global.set $free (local.get $slot)))

  ;;@if counted
  ;; One more `release` is needed until the handle is gone. Gives the handle.
  (func $retain (export "retain") (param $handle i32) (result i32)
    (local $slot i32) (local $at i32) (local $word i32)
    (if (i32.eq (local.get $handle) (i32.const -1)) (then (return (i32.const -1))))
    ;;@if checked
    (local.set $slot (i32.and (local.get $handle) (i32.const 0x3fffff)))
    ;;@else
    (local.set $slot (local.get $handle))
    ;;@end
    (if (i32.ge_u (local.get $slot) (table.size $slots)) (then (call $out_of_range)))
    (local.set $at (call $link (local.get $slot)))
    (local.set $word (i32.load $links (local.get $at)))
    ;;@if checked
    (if (i32.ne
          (i32.shr_u (local.get $word) (i32.const 22))
          (i32.add (i32.shr_u (local.get $handle) (i32.const 22)) (i32.const 0x200)))
      (then (call $dead (local.get $slot))))
    (if (i32.eq (i32.and (local.get $word) (i32.const 0x3fffff)) (i32.const 0x3fffff))
    ;;@else
    (if (i32.eq (local.get $word) (i32.const -1))
    ;;@end
      (then (call $too_often)))
    (i32.store $links (local.get $at) (i32.add (local.get $word) (i32.const 1)))
    (local.get $handle))
  ;;@end

  ;;@if finalizing
  ;; A live handle whose value is dead, each once; -1 if there is none. It is to be released.
  (func $next (export "next") (result i32)
    (local $held anyref) (local $handle i32) (local $slot i32)
    (if (ref.is_null (global.get $registry)) (then (return (i32.const -1))))
    (loop $again
      (call $take (global.get $registry))
      (local.set $slot)
      (local.set $held)
      (if (i32.eqz (local.get $slot)) (then (return (i32.const -1))))
      (local.set $handle (i31.get_u (ref.cast (ref i31) (local.get $held))))
      (local.set $slot (i32.and (local.get $handle) (i32.const 0x3fffff)))
      ;; Not one that was released since, nor one whose slot is another's by now.
      (br_if $again
        (i32.ne
          (i32.shr_u (i32.load $links (call $link (local.get $slot))) (i32.const 22))
          (i32.add (i32.shr_u (local.get $handle) (i32.const 22)) (i32.const 0x200))))
      (br_if $again (i32.eqz (ref.is_null (call $weak_get (table.get $slots (local.get $slot)))))))
    (local.get $handle))
  ;;@end

  ;; How many handles are live.
  (func $size (export "size") (result i32)
    (global.get $live))

  ;; How many slots there are.
  (func $capacity (export "capacity") (result i32)
    (table.size $slots))

  ;; Why an operation trapped: 0 if none did.
  (func $last_fault (export "fault") (result i32)
    (global.get $fault))

  ;;@if weak
  ;; What is referred to, as the host wants it.
  ;;@if internal
  (func $referent (param $value anyref) (result (ref any))
    (ref.as_non_null (local.get $value)))
  ;;@else
  (func $referent (param $value externref) (result (ref any))
    (ref.as_non_null (any.convert_extern (local.get $value))))
  ;;@end

  ;; The value of a slot; null once it is dead.
  ;;@if internal
  (func $value_of (param $slot i32) (result anyref)
    (call $weak_get (table.get $slots (local.get $slot))))
  ;;@else
  (func $value_of (param $slot i32) (result externref)
    (extern.convert_any (call $weak_get (table.get $slots (local.get $slot)))))
  ;;@end
  ;;@end

  ;; The address of a slot's link.
  (func $link (param $slot i32) (result i32)
    ;;@if finalizing
    (local.set $slot (i32.shl (local.get $slot) (i32.const 2)))
    ;;@end
    ;;@if program
    (i32.add (global.get $base) (i32.shl (local.get $slot) (i32.const 2))))
    ;;@else
    (i32.shl (local.get $slot) (i32.const 2)))
    ;;@end

  ;;@if checked
  ;; A handle was released, and its slot may be another's by now.
  (func $dead (param $slot i32)
    (if (i32.lt_s (i32.load $links (call $link (local.get $slot))) (i32.const 0)) (then (call $stale)))
    (call $released))
  ;;@end

  ;; Makes slots, half as many as there are and one, and `$free` the first. Where so many do not fit, fewer may.
  (func $grow
    (local $old i32) (local $more i32) (local $new i32) (local $slot i32)
    (local.set $old (table.size $slots))
    (local.set $more (i32.add (i32.shr_u (local.get $old) (i32.const 1)) (i32.const 1)))
    (loop $try
      (local.set $new (i32.add (local.get $old) (local.get $more)))
      (if (i32.eqz (call $provide (local.get $old) (local.get $new)))
        (then
          (br_if $try (local.tee $more (i32.shr_u (local.get $more) (i32.const 1))))
          (call $full))))
    (local.set $slot (local.get $old))
    (loop $chain
      (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
      (i32.store $links
        (call $link (i32.sub (local.get $slot) (i32.const 1)))
        ;;@if checked
        (select (local.get $slot) (i32.const 0x3fffff) (i32.lt_u (local.get $slot) (local.get $new))))
        ;;@else
        (select (local.get $slot) (i32.const -1) (i32.lt_u (local.get $slot) (local.get $new))))
        ;;@end
      (br_if $chain (i32.lt_u (local.get $slot) (local.get $new))))
    (global.set $free (local.get $old)))

  ;; Room for so many slots and their links; 0 if there is none.
  (func $provide (param $old i32) (param $new i32) (result i32)
    ;;@if checked
    (if (i32.gt_u (local.get $new) (i32.const 0x3fffff)) (then (return (i32.const 0))))
    ;;@else
    (if (i32.gt_u (local.get $new) (i32.const 0x3fff0000)) (then (return (i32.const 0))))
    ;;@end
    ;;@if finalizing
    (if (i32.eqz (call $reserve (i32.shl (local.get $new) (i32.const 4)))) (then (return (i32.const 0))))
    ;;@else
    (if (i32.eqz (call $reserve (i32.shl (local.get $new) (i32.const 2)))) (then (return (i32.const 0))))
    ;;@end
    (i32.ne (i32.const -1)
      (table.grow $slots (ref.null extern) (i32.sub (local.get $new) (local.get $old)))))

  ;; Room for so many bytes of links; 0 if there is none.
  (func $reserve (param $bytes i32) (result i32)
    (local $pages i32) (local $have i32)
    ;; Pages of 64 KiB.
    (local.set $pages (i32.shr_u (i32.add (local.get $bytes) (i32.const 0xffff)) (i32.const 16)))
    ;;@if program
    (if (i32.le_u (local.get $bytes) (global.get $room)) (then (return (i32.const 1))))
    (if (i32.and
          (i32.ne (global.get $room) (i32.const 0))
          (i32.eq (memory.size $links) (i32.shr_u (i32.add (global.get $base) (global.get $room)) (i32.const 16))))
      (then
        ;; Nobody took memory since: what there is can be extended.
        (local.set $have (i32.shr_u (global.get $room) (i32.const 16)))
        (if (i32.eq (i32.const -1) (memory.grow $links (i32.sub (local.get $pages) (local.get $have))))
          (then (return (i32.const 0)))))
      (else
        (local.set $have (memory.grow $links (local.get $pages)))
        (if (i32.eq (local.get $have) (i32.const -1)) (then (return (i32.const 0))))
        (local.set $have (i32.shl (local.get $have) (i32.const 16)))
        (memory.copy $links $links (local.get $have) (global.get $base) (global.get $room))
        (global.set $base (local.get $have))))
    (global.set $room (i32.shl (local.get $pages) (i32.const 16)))
    (i32.const 1))
    ;;@else
    (local.set $have (memory.size $links))
    (if (i32.le_u (local.get $pages) (local.get $have)) (then (return (i32.const 1))))
    (i32.ne (i32.const -1) (memory.grow $links (i32.sub (local.get $pages) (local.get $have)))))
    ;;@end

  ;; The traps. Their names are in the backtrace, their numbers in `fault`.
  (func $out_of_range
    (global.set $fault (i32.const 1)) (unreachable))
  ;;@if checked
  (func $released
    (global.set $fault (i32.const 2)) (unreachable))
  (func $stale
    (global.set $fault (i32.const 3)) (unreachable))
  ;;@end
  ;;@if counted
  (func $too_often
    (global.set $fault (i32.const 4)) (unreachable))
  ;;@end
  (func $full
    (global.set $fault (i32.const 5)) (unreachable)))
