/* The cycle of the milestone, cut by weak handles.
 *
 * An object holds its callback by a handle, and the callback knows the object's wrapper, as in `cycle` of milestone.c.
 * But it knows it by a weak handle, which is a number. So the table holds the callback, and nothing holds the wrapper:
 * it dies, the object is freed, and the callback with it. Wrappers have no token; they are watched.
 */
#include "closure.h"
#include "io.h"
#include "object.h"

enum { ROUNDS = 100, OBJECTS = 1000 };

/* The objects of the watched wrappers, by the handle that watches. */
struct watched {
  int32_t handle;
  struct object *object;
};

static struct watched watched[OBJECTS];
static int32_t allocated, finalized, met;

/* A callback that has something to do with its wrapper, if that is still there. */
static void meet(__externref_t captured, int32_t number) {
  __externref_t wrapper = wgc_weak_get(wgc_load32(captured, 0));
  if (wgc_load32(wrapper, 0) == number) {
    met++;
  }
}

static __externref_t make_callback(__externref_t wrapper) {
  __externref_t captured = wgc_alloc(0, sizeof(int32_t));
  wgc_store32(captured, 0, wgc_weak(wrapper));
  return make_closure(meet, captured);
}

/* The callback goes with its object, and the weak handle with the callback. */
static void free_with_callback(struct object *object) {
  __externref_t captured = wgc_ref(wgc_get(object->callback), 0);
  wgc_weak_release(wgc_load32(captured, 0));
  free_object(object);
  finalized++;
}

static void run_finalizers(void) {
  for (int32_t dead = wgc_next_dead(); dead != WGC_NULL; dead = wgc_next_dead()) {
    for (int n = 0; n < OBJECTS; n++) {
      if (watched[n].object && watched[n].handle == dead) {
        free_with_callback(watched[n].object);
        watched[n].object = 0;
        break;
      }
    }
    wgc_unwatch(dead);
  }
}

static void run_round(void) {
  for (int n = 0; n < OBJECTS; n++) {
    struct object *object = make_object();
    __externref_t wrapper = wgc_alloc(0, sizeof(int32_t));
    wgc_store32(wrapper, 0, ++allocated);
    watched[n].handle = wgc_watch(wrapper);
    watched[n].object = object;
    attach_callback(object, make_callback(wrapper));
    invoke_callback(object, allocated);
  }
  wgc_collect();
  run_finalizers();
}

__attribute__((export_name("_start"))) void start(void) {
  for (int round = 0; round < ROUNDS; round++) {
    run_round();
  }
  print("% objects finalized, % live.\n", finalized, live_objects());
  print("% callbacks met their wrappers; % weak handles are left.\n", met, wgc_weak_size());
  print("The table has % slots. Linear memory has % pages.\n", wgc_capacity(), (int32_t)__builtin_wasm_memory_size(0));
}
