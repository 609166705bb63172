/* The C library of the milestone: see object.h. It knows nothing of a garbage collector but handles. */
#include "object.h"
#include "closure.h"
#include "io.h"

/* A pool of blocks of eight bytes, in place of malloc: pages are taken one by one. */
union block {
  union block *next;
  struct object object;
  char size[8];
};

static union block *free_blocks;
static int32_t live;

static void take_page(void) {
  uintptr_t page = __builtin_wasm_memory_grow(0, 1);
  if (page == (uintptr_t)-1) {
    print("error: out of linear memory with % objects, % of them with a callback\n", live, wgc_size());
    end("", 1);
  }
  union block *blocks = (union block *)(page << 16);
  for (int n = 0; n < 65536 / 8; n++) {
    blocks[n].next = free_blocks;
    free_blocks = &blocks[n];
  }
}

struct object *make_object(void) {
  if (!free_blocks) {
    take_page();
  }
  struct object *object = &free_blocks->object;
  free_blocks = free_blocks->next;
  object->callback = WGC_NULL;
  live++;
  return object;
}

void free_object(struct object *object) {
  wgc_release(object->callback);
  union block *block = (union block *)object;
  block->next = free_blocks;
  free_blocks = block;
  live--;
}

void attach_callback(struct object *object, __externref_t callback) {
  wgc_release(object->callback);
  object->callback = wgc_intern(callback);
}

void invoke_callback(struct object *object, int32_t number) { call_closure(wgc_get(object->callback), number); }

int32_t live_objects(void) { return live; }
