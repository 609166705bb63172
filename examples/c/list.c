/* Objects of the heap from C: lists and a ring, without linear memory, handles or finalizers.
 *
 * A node has a number and the next node. The lists are dropped and the rings are cycles; the collector frees both.
 */
#include "io.h"
#include "wasmtime_gc/heap.h"

static __externref_t make_node(int32_t number, __externref_t next) {
  __externref_t node = wgc_alloc(1, sizeof(int32_t));
  wgc_store32(node, 0, number);
  wgc_set(node, 0, next);
  return node;
}

/* A list of the numbers below `length`. */
static __externref_t make_list(int32_t length) {
  __externref_t list = __builtin_wasm_ref_null_extern();
  for (int32_t n = 0; n < length; n++) {
    list = make_node(n, list);
  }
  return list;
}

static int32_t sum(__externref_t list, int32_t length) {
  int32_t sum = 0;
  for (int32_t n = 0; n < length; n++) {
    sum += wgc_load32(list, 0);
    list = wgc_ref(list, 0);
  }
  return sum;
}

__attribute__((export_name("_start"))) void start(void) {
  __externref_t kept = make_list(1000);
  int32_t total = 0;
  for (int32_t round = 0; round < 1000; round++) {
    __externref_t ring = make_node(round, __builtin_wasm_ref_null_extern());
    wgc_set(ring, 0, make_node(1, ring));
    total += sum(ring, 4) + sum(make_list(100), 100);
  }
  print("% in a thousand lists and rings, % in the one that was kept.\n", total, sum(kept, 1000));
  print("Linear memory has % pages.\n", (int32_t)__builtin_wasm_memory_size(0), 0);
}
