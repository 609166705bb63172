/* The milestone: a C library's objects, wrapped in garbage-collected objects that free them.
 *
 * The library (object.c) has objects in linear memory, each with a callback that it holds by a handle. The program
 * around it, which would be written in another language, knows an object by a wrapper in the heap; when the wrapper
 * is garbage, its finalizer frees the object, and with it the handle and what that holds.
 *
 * `_start` makes 100 times 1000 objects. The exports `no_finalizer` and `cycle` do the same with a mistake, and run
 * out of linear memory; `traced` has the cycle and no mistake.
 */
#include "closure.h"
#include "io.h"
#include "object.h"

enum { ROUNDS = 100, OBJECTS = 1000 };

static int32_t allocated, finalized, most_live, in_the_table;

/* A wrapper: the object's address, the token of its finalizer, and a callback that only `traced` uses. */
enum { TOKEN, CALLBACK, REFERENCES };

static __externref_t make_wrapper(struct object *object, int finalizer) {
  __externref_t wrapper = wgc_alloc(REFERENCES, sizeof(int32_t));
  wgc_store32(wrapper, 0, (int32_t)(uintptr_t)object);
  if (finalizer) {
    wgc_set(wrapper, TOKEN, wgc_token((int32_t)(uintptr_t)object));
  }
  return wrapper;
}

/* Frees the objects whose wrappers are garbage. */
static void run_finalizers(void) {
  while (wgc_pending()) {
    free_object((struct object *)(uintptr_t)wgc_next());
    finalized++;
  }
}

static void say(__externref_t captured, int32_t number) {
  (void)captured;
  print("Callback after % allocated.\n", number, 0);
}

static void say_nothing(__externref_t captured, int32_t number) {
  (void)captured;
  (void)number;
}

/* How an object gets its callback. */
typedef void (*attach)(struct object *object, __externref_t wrapper, code run);

/* The object holds the callback by a handle. */
static void by_handle(struct object *object, __externref_t wrapper, code run) {
  (void)wrapper;
  attach_callback(object, make_closure(run, __builtin_wasm_ref_null_extern()));
}

/* The same, and the callback captures the wrapper. The table holds the callback, that the wrapper, so it is never
 * garbage, and its finalizer never releases the handle. */
static void by_handle_in_a_cycle(struct object *object, __externref_t wrapper, code run) {
  attach_callback(object, make_closure(run, wrapper));
}

/* The callback captures the wrapper, and the wrapper holds the callback: both edges are in the heap, where the
 * collector sees the cycle. */
static void traced_in_a_cycle(struct object *object, __externref_t wrapper, code run) {
  (void)object;
  wgc_set(wrapper, CALLBACK, make_closure(run, wrapper));
}

static void invoke(struct object *object, __externref_t wrapper) {
  if (object->callback == WGC_NULL) {
    call_closure(wgc_ref(wrapper, CALLBACK), allocated);
  } else {
    invoke_callback(object, allocated);
  }
}

static void run_round(attach attach, int finalizer) {
  for (int n = 0; n < OBJECTS; n++) {
    struct object *object = make_object();
    __externref_t wrapper = make_wrapper(object, finalizer);
    allocated++;
    attach(object, wrapper, n == 0 ? say : say_nothing);
    invoke(object, wrapper);
  }
  print("% total allocated, % still live.\n", allocated, allocated - finalized);
  if (live_objects() > most_live) {
    most_live = live_objects();
  }
  if (wgc_size() > in_the_table) {
    in_the_table = wgc_size();
  }
  wgc_collect();
  run_finalizers();
}

static void run_test(attach attach, int finalizer) {
  for (int round = 0; round < ROUNDS; round++) {
    run_round(attach, finalizer);
  }
  print("% objects finalized, % live.\n", finalized, live_objects());
  print("The table has % slots; at most % were live", wgc_capacity(), in_the_table);
  print(", and % are.\n", wgc_size(), 0);
  print("Linear memory has % pages.\n", (int32_t)__builtin_wasm_memory_size(0), 0);
  if (most_live != OBJECTS || finalized != ROUNDS * OBJECTS) {
    end("Failure.\n", 1);
  }
  print("Success; max % objects live.\n", most_live, 0);
}

__attribute__((export_name("_start"))) void start(void) { run_test(by_handle, 1); }

__attribute__((export_name("no_finalizer"))) void no_finalizer(void) { run_test(by_handle, 0); }

__attribute__((export_name("cycle"))) void cycle(void) { run_test(by_handle_in_a_cycle, 1); }

__attribute__((export_name("traced"))) void traced(void) { run_test(traced_in_a_cycle, 1); }
