;; The same, with the 64-bit table that scripts of the memory64 proposal import.
(module $spectest
  (table (export "table64") i64 10 20 funcref))
