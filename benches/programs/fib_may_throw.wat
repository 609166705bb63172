;; `fib` with a throw that never happens, behind every call of which somebody must ask.
;;
;;   run (n)  the nth number of Fibonacci, by recursion
(module
  (tag $negative)
  (func $fib (param $n i32) (result i32)
    (if (i32.lt_s (local.get $n) (i32.const 2))
      (then
        (if (i32.lt_s (local.get $n) (i32.const 0)) (then (throw $negative)))
        (return (local.get $n))))
    (i32.add
      (call $fib (i32.sub (local.get $n) (i32.const 1)))
      (call $fib (i32.sub (local.get $n) (i32.const 2)))))
  (func (export "run") (param $n i32) (result i32) (call $fib (local.get $n))))
