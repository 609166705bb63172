/* Objects of the garbage-collected heap, and finalizers, for C and C++.
 *
 * Objects are imports that `wasmtime-gc link`, or `wasmtime-gc run` by itself, puts into the module; the module then
 * needs an engine with the GC proposal. Finalizers are imports that the host answers: `wasmtime-gc run -S gc` does, and
 * embedders by `Finalizers::add_to_linker`.
 */
#ifndef WASMTIME_GC_HEAP_H
#define WASMTIME_GC_HEAP_H

#ifndef __wasm_reference_types__
#error "heap.h needs references: compile with `--target=wasm32 -mreference-types`"
#endif

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WGC_FROM(module, name) __attribute__((import_module(module), import_name(name)))

/* A new object with so many references and so many bytes: null and zero. */
WGC_FROM("wasmtime-gc:objects", "alloc") __externref_t wgc_alloc(int32_t references, int32_t bytes);

/* Whether a reference is one of these objects. The functions below trap if it is not. */
WGC_FROM("wasmtime-gc:objects", "is") int32_t wgc_is_object(__externref_t value);

/* How many references and how many bytes an object has. */
WGC_FROM("wasmtime-gc:objects", "refs") int32_t wgc_refs(__externref_t object);
WGC_FROM("wasmtime-gc:objects", "bytes") int32_t wgc_bytes(__externref_t object);

/* A reference of an object. Trap where there is none of this index. */
WGC_FROM("wasmtime-gc:objects", "ref") __externref_t wgc_ref(__externref_t object, int32_t index);
WGC_FROM("wasmtime-gc:objects", "set") void wgc_set(__externref_t object, int32_t index, __externref_t value);

/* Bytes of an object. Trap where there are none at this offset, which need not be aligned. */
WGC_FROM("wasmtime-gc:objects", "load8") int32_t wgc_load8(__externref_t object, int32_t offset);
WGC_FROM("wasmtime-gc:objects", "store8") void wgc_store8(__externref_t object, int32_t offset, int32_t value);
WGC_FROM("wasmtime-gc:objects", "load32") int32_t wgc_load32(__externref_t object, int32_t offset);
WGC_FROM("wasmtime-gc:objects", "store32") void wgc_store32(__externref_t object, int32_t offset, int32_t value);

/* A token: a host object that reports `number` when it is garbage. What holds the only reference to a token is
 * garbage at the same time, so the report tells of its end too. */
WGC_FROM("wasmtime-gc:finalizers", "token") __externref_t wgc_token(int32_t number);

/* How many reports wait, and the oldest; -1 if there is none. */
WGC_FROM("wasmtime-gc:finalizers", "pending") int32_t wgc_pending(void);
WGC_FROM("wasmtime-gc:finalizers", "next") int32_t wgc_next(void);

/* Weak handles: they do not keep what they stand for, and give null once it is dead. They have to be released all the
 * same. The host answers weak references, so these are only there once the module was merged. */
WGC_FROM("wasmtime-gc:side-table/weak", "intern") int32_t wgc_weak(__externref_t value);
WGC_FROM("wasmtime-gc:side-table/weak", "get") __externref_t wgc_weak_get(int32_t handle);
WGC_FROM("wasmtime-gc:side-table/weak", "release") void wgc_weak_release(int32_t handle);
WGC_FROM("wasmtime-gc:side-table/weak", "size") int32_t wgc_weak_size(void);

/* Weak handles that tell of the end: `wgc_next_dead` gives each handle once whose value is dead, to be released; -1 if
 * there is none. Any object can be watched, without a token in it. */
WGC_FROM("wasmtime-gc:side-table/finalizing", "intern") int32_t wgc_watch(__externref_t value);
WGC_FROM("wasmtime-gc:side-table/finalizing", "get") __externref_t wgc_watched(int32_t handle);
WGC_FROM("wasmtime-gc:side-table/finalizing", "release") void wgc_unwatch(int32_t handle);
WGC_FROM("wasmtime-gc:side-table/finalizing", "next") int32_t wgc_next_dead(void);

/* Collects all garbage now. */
WGC_FROM("wasmtime-gc:heap", "collect") void wgc_collect(void);

#ifdef __cplusplus
}
#endif

#endif
