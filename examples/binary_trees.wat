;; Binary trees: allocate many short-lived trees beside one that lives long.
;;
;; The program of the Computer Language Benchmarks Game, with a tree as a struct of two references. Every
;; node is reachable only through its parent, so all trees but the long-lived one are garbage as soon as
;; they are counted.
;;
;;   _start       plays the game for depth 14 and prints a line for each kind of tree
;;   run (depth)  plays it silently and returns the sum of all checks
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))

  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))

  ;; 0: iovec (address, length); 8: bytes written; 16: constant text; 1024: the line being built
  (memory (export "memory") 1)
  (data (i32.const 16) "stretch tree of depth ")
  (data (i32.const 48) "\t check: ")
  (data (i32.const 64) "\t trees of depth ")
  (data (i32.const 96) "long lived tree of depth ")
  (data (i32.const 128) "\n")
  (global $end (mut i32) (i32.const 1024))

  ;; A full binary tree: leaves have depth 0.
  (func $tree (param $depth i32) (result (ref $node))
    (if (result (ref $node)) (i32.eqz (local.get $depth))
      (then (struct.new_default $node))
      (else
        (struct.new $node
          (call $tree (i32.sub (local.get $depth) (i32.const 1)))
          (call $tree (i32.sub (local.get $depth) (i32.const 1)))))))

  ;; The number of nodes.
  (func $check (param $node (ref null $node)) (result i32)
    (if (result i32) (ref.is_null (local.get $node))
      (then (i32.const 0))
      (else
        (i32.add
          (i32.const 1)
          (i32.add
            (call $check (struct.get $node $left (local.get $node)))
            (call $check (struct.get $node $right (local.get $node))))))))

  ;; Builds `count` trees one after the other; the sum of their checks.
  (func $trees (param $count i32) (param $depth i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $sum (i32.add (local.get $sum) (call $check (call $tree (local.get $depth)))))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func $game (param $max i32) (param $print i32) (result i32)
    (local $depth i32) (local $count i32) (local $check i32) (local $sum i32)
    (local $long_lived (ref null $node))
    (local.set $check (call $trees (i32.const 1) (i32.add (local.get $max) (i32.const 1))))
    (local.set $sum (local.get $check))
    (if (local.get $print)
      (then
        (call $put (i32.const 16) (i32.const 22))
        (call $put_number (i32.add (local.get $max) (i32.const 1)))
        (call $put_check (local.get $check))))

    (local.set $long_lived (call $tree (local.get $max)))
    (local.set $depth (i32.const 4))
    (block $done
      (loop $next
        (br_if $done (i32.gt_s (local.get $depth) (local.get $max)))
        (local.set $count
          (i32.shl (i32.const 1) (i32.add (i32.sub (local.get $max) (local.get $depth)) (i32.const 4))))
        (local.set $check (call $trees (local.get $count) (local.get $depth)))
        (local.set $sum (i32.add (local.get $sum) (local.get $check)))
        (if (local.get $print)
          (then
            (call $put_number (local.get $count))
            (call $put (i32.const 64) (i32.const 17))
            (call $put_number (local.get $depth))
            (call $put_check (local.get $check))))
        (local.set $depth (i32.add (local.get $depth) (i32.const 2)))
        (br $next)))

    (local.set $check (call $check (local.get $long_lived)))
    (if (local.get $print)
      (then
        (call $put (i32.const 96) (i32.const 25))
        (call $put_number (local.get $max))
        (call $put_check (local.get $check))))
    (i32.add (local.get $sum) (local.get $check)))

  (func (export "run") (param $depth i32) (result i32)
    (call $game (local.get $depth) (i32.const 0)))

  (func (export "_start")
    (drop (call $game (i32.const 14) (i32.const 1))))

  ;; Ends a line with its check and writes it to standard output.
  (func $put_check (param $check i32)
    (call $put (i32.const 48) (i32.const 9))
    (call $put_number (local.get $check))
    (call $put (i32.const 128) (i32.const 1))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.sub (global.get $end) (i32.const 1024)))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
    (global.set $end (i32.const 1024)))

  ;; Adds constant text to the line.
  (func $put (param $text i32) (param $length i32)
    (memory.copy (global.get $end) (local.get $text) (local.get $length))
    (global.set $end (i32.add (global.get $end) (local.get $length))))

  ;; Adds an unsigned number in decimal to the line.
  (func $put_number (param $n i32)
    (if (i32.ge_u (local.get $n) (i32.const 10))
      (then (call $put_number (i32.div_u (local.get $n) (i32.const 10)))))
    (i32.store8 (global.get $end) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
    (global.set $end (i32.add (global.get $end) (i32.const 1)))))
