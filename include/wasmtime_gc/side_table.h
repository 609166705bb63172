/* Handles: integers in linear memory that stand for references of the garbage-collected heap.
 *
 * A reference can not be stored in linear memory. `wgc_intern` puts it into a table of the program and gives a
 * handle, which can. `wgc_get` gives the reference back; `wgc_release` frees the slot, after which the reference
 * is no longer held.
 *
 * There are two ways to get the functions:
 *
 *   - link with `side_table.c`, compiled to an object file: plain `wasm-ld`, nothing else is needed;
 *   - define WGC_IMPORT before this header, and let `wasmtime-gc link` put them into the finished module. Such a
 *     module has the checked table, or with WGC_FAST defined too the one that is not checked.
 *
 * Either way the result is core WebAssembly with reference types. Compile with
 * `clang --target=wasm32 -mreference-types`; other targets have no references.
 */
#ifndef WASMTIME_GC_SIDE_TABLE_H
#define WASMTIME_GC_SIDE_TABLE_H

#ifndef __wasm_reference_types__
#error "side_table.h needs references: compile with `--target=wasm32 -mreference-types`"
#endif

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Stands for a reference. Not negative, unless it is WGC_NULL. */
typedef int32_t wgc_handle;

/* Stands for the null reference. */
#define WGC_NULL ((wgc_handle)-1)

/* Why an operation trapped: see `wgc_fault`. */
enum wgc_fault {
  WGC_FAULT_NONE = 0,
  /* There is no such slot: never a handle. */
  WGC_FAULT_OUT_OF_RANGE = 1,
  /* The handle was released. */
  WGC_FAULT_RELEASED = 2,
  /* The handle was released, and its slot is another's. */
  WGC_FAULT_STALE = 3,
  /* It was retained more often than can be counted. */
  WGC_FAULT_TOO_OFTEN = 4,
  /* There is no room for more handles. */
  WGC_FAULT_FULL = 5
};

#ifdef WGC_IMPORT
#ifdef WGC_FAST
#define WGC_OPERATION(name) __attribute__((import_module("wasmtime-gc:side-table/fast"), import_name(#name)))
#else
#define WGC_OPERATION(name) __attribute__((import_module("wasmtime-gc:side-table"), import_name(#name)))
#endif
#else
#define WGC_OPERATION(name)
#endif

/* A handle for a reference; WGC_NULL for null. The same reference may have several handles. */
WGC_OPERATION(intern) wgc_handle wgc_intern(__externref_t value);

/* The reference of a handle; null for WGC_NULL. */
WGC_OPERATION(get) __externref_t wgc_get(wgc_handle handle);

/* Gives a handle back. Does nothing for WGC_NULL. */
WGC_OPERATION(release) void wgc_release(wgc_handle handle);

/* One more `wgc_release` is needed. Gives the handle. */
WGC_OPERATION(retain) wgc_handle wgc_retain(wgc_handle handle);

/* How many handles are live, and how many slots there are. */
WGC_OPERATION(size) int32_t wgc_size(void);
WGC_OPERATION(capacity) int32_t wgc_capacity(void);

/* Why the last operation that trapped did: an `enum wgc_fault`. */
WGC_OPERATION(fault) int32_t wgc_fault(void);

#ifndef WGC_IMPORT
/* Where the object file gets memory for links from: 64 KiB, aligned to four, or null. It grows the memory by a page;
 * a program may define it itself, where its allocator does not like others to do so. */
void *wgc_take_page(void);
#endif

#ifdef __cplusplus
}
#endif

#endif
