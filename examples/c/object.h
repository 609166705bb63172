/* Objects of a C library, in linear memory, each with a callback that it holds by a handle. */
#ifndef OBJECT_H
#define OBJECT_H

#include "wasmtime_gc/side_table.h"

struct object {
  wgc_handle callback;
};

/* A new object without a callback. Ends the program when linear memory is full. */
struct object *make_object(void);

/* Gives back the object and its callback. */
void free_object(struct object *object);

/* The object holds the callback from now on, instead of what it held. */
void attach_callback(struct object *object, __externref_t callback);

/* Calls the callback with a number. */
void invoke_callback(struct object *object, int32_t number);

/* How many objects there are. */
int32_t live_objects(void);

#endif
