/* The side table as an object file: see side_table.h.
 *
 *     clang --target=wasm32 -mreference-types -mbulk-memory -O2 -c side_table.c
 *
 * Handles are checked, unless WGC_FAST is defined. The same algorithm as the table that `wasmtime-gc link` puts into
 * modules, but for where the links live: there is one linear memory in a C program, so they are in pages of it that
 * `wgc_take_page` gives. They need no malloc.
 *
 * Each slot has a word. Not checked, it is the next free slot, or how often a live one was retained. Checked, it is
 *
 *     31      30 ....... 22   21 ............................. 0
 *     live    generation      next free slot, or times retained
 *
 * and a handle is the slot with the generation above it. Release moves on the generation, which wraps.
 */
#include "side_table.h"

static __externref_t slots[0];
/* Pages of 16384 words. */
static uint32_t *links[256];
static uint32_t pages;
static uint32_t live;
static int32_t fault;

#ifdef WGC_FAST
#define SLOT_MASK 0xffffffffu
#else
#define SLOT_MASK 0x3fffffu
#define LIVE 0x80000000u
#define GENERATION 0x7fc00000u
#define ONE_GENERATION 0x400000u
#endif
/* The end of the list of free slots. */
#define NONE SLOT_MASK
/* As many slots as there are words, but for NONE. */
#define LIMIT 0x3fffffu

static uint32_t first_free = NONE;

__attribute__((weak)) void *wgc_take_page(void) {
  uintptr_t old = __builtin_wasm_memory_grow(0, 1);
  return old == (uintptr_t)-1 ? 0 : (void *)(old << 16);
}

/* The word of a slot that exists. */
static inline uint32_t *link_of(uint32_t slot) { return &links[slot >> 14][slot & 0x3fff]; }

/* Clang has no builtin for this one. */
int wgc_is_null(__externref_t value);
__asm__(".section .text.wgc_is_null,\"\",@\n"
        ".hidden wgc_is_null\n"
        ".globl wgc_is_null\n"
        ".type wgc_is_null,@function\n"
        "wgc_is_null:\n"
        ".functype wgc_is_null (externref) -> (i32)\n"
        "local.get 0\n"
        "ref.is_null\n"
        "end_function\n");

static _Noreturn void fail(int32_t why) {
  fault = why;
  __builtin_trap();
}

/* The slot of a handle that is good. */
static inline uint32_t slot_of(wgc_handle handle) {
  uint32_t slot = (uint32_t)handle & SLOT_MASK;
  if (slot >= (uint32_t)__builtin_wasm_table_size(slots)) {
    fail(WGC_FAULT_OUT_OF_RANGE);
  }
#ifndef WGC_FAST
  /* The slot is live and of the handle's generation. A negative number is never a handle. */
  uint32_t word = *link_of(slot);
  if (word >> 22 != ((uint32_t)handle >> 22) + (LIVE >> 22)) {
    fail(word & LIVE ? WGC_FAULT_STALE : WGC_FAULT_RELEASED);
  }
#endif
  return slot;
}

/* Room for so many slots and their links. */
static int provide(uint32_t old, uint32_t capacity) {
  if (capacity > LIMIT) {
    return 0;
  }
  while (pages << 14 < capacity) {
    uint32_t *page = wgc_take_page();
    if (!page) {
      return 0;
    }
    links[pages++] = page;
  }
  return __builtin_wasm_table_grow(slots, __builtin_wasm_ref_null_extern(), (int)(capacity - old)) != -1;
}

/* Half as many slots again, and one. Where so many do not fit, fewer may. */
static __attribute__((noinline)) void grow(void) {
  uint32_t old = (uint32_t)__builtin_wasm_table_size(slots), more = old / 2 + 1;
  while (!provide(old, old + more)) {
    more >>= 1;
    if (!more) {
      fail(WGC_FAULT_FULL);
    }
  }
  for (uint32_t slot = old; slot < old + more; slot++) {
    *link_of(slot) = slot + 1 < old + more ? slot + 1 : NONE;
  }
  first_free = old;
}

wgc_handle wgc_intern(__externref_t value) {
  if (wgc_is_null(value)) {
    return WGC_NULL;
  }
  if (first_free == NONE) {
    grow();
  }
  uint32_t slot = first_free, *link = link_of(slot), word = *link;
  __builtin_wasm_table_set(slots, (int)slot, value);
  live++;
  first_free = word & SLOT_MASK;
#ifdef WGC_FAST
  *link = 0;
  return (wgc_handle)slot;
#else
  *link = (word & GENERATION) | LIVE;
  return (wgc_handle)((word & GENERATION) | slot);
#endif
}

__externref_t wgc_get(wgc_handle handle) {
  if (handle == WGC_NULL) {
    return __builtin_wasm_ref_null_extern();
  }
  return __builtin_wasm_table_get(slots, (int)slot_of(handle));
}

void wgc_release(wgc_handle handle) {
  if (handle == WGC_NULL) {
    return;
  }
  uint32_t slot = slot_of(handle), *link = link_of(slot), word = *link;
#ifdef WGC_FAST
  if (word) {
#else
  if (word & SLOT_MASK) {
#endif
    *link = word - 1;
    return;
  }
  __builtin_wasm_table_set(slots, (int)slot, __builtin_wasm_ref_null_extern());
  live--;
#ifdef WGC_FAST
  *link = first_free;
#else
  *link = ((word + ONE_GENERATION) & GENERATION) | first_free;
#endif
  first_free = slot;
}

wgc_handle wgc_retain(wgc_handle handle) {
  if (handle == WGC_NULL) {
    return WGC_NULL;
  }
  uint32_t *link = link_of(slot_of(handle));
  if ((*link & SLOT_MASK) == SLOT_MASK) {
    fail(WGC_FAULT_TOO_OFTEN);
  }
  ++*link;
  return handle;
}

int32_t wgc_size(void) { return (int32_t)live; }

int32_t wgc_capacity(void) { return __builtin_wasm_table_size(slots); }

int32_t wgc_fault(void) { return fault; }
