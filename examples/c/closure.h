/* Closures in the heap: a C function with a reference that it captures. */
#ifndef CLOSURE_H
#define CLOSURE_H

#include "wasmtime_gc/heap.h"

/* What a closure runs: gets what it captured, and the number that it is called with. */
typedef void (*code)(__externref_t captured, int32_t number);

static inline __externref_t make_closure(code run, __externref_t captured) {
  __externref_t closure = wgc_alloc(1, sizeof(int32_t));
  wgc_set(closure, 0, captured);
  wgc_store32(closure, 0, (int32_t)(uintptr_t)run);
  return closure;
}

static inline void call_closure(__externref_t closure, int32_t number) {
  code run = (code)(uintptr_t)wgc_load32(closure, 0);
  run(wgc_ref(closure, 0), number);
}

#endif
