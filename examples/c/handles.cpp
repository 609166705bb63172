/* C++: `handle<T>` in classes and containers, released by destructors. */
#include "wasmtime_gc/heap.h"
#include "wasmtime_gc/side_table.hpp"

extern "C" {
void print(const char *format, int32_t first, int32_t second);
}

using wasmtime_gc::handle;

namespace {

struct name;

/* A person with a name in the heap. */
class person {
public:
  explicit person(int32_t initial) : name_(make(initial)) {}
  int32_t initial() const { return wgc_load8(name_.get(), 0); }

private:
  static handle<name> make(int32_t initial) {
    __externref_t text = wgc_alloc(0, 1);
    wgc_store8(text, 0, initial);
    return handle<name>(text);
  }

  handle<name> name_;
};

int32_t initials(person a, person b) { return a.initial() * 1000 + b.initial(); }

} // namespace

extern "C" __attribute__((export_name("_start"))) void start() {
  {
    person ada(65), brouwer(66);
    person other = ada;
    print("% handles for three people, initials %.\n", wgc_size(), initials(other, brouwer));
    ada = brouwer;
    brouwer = static_cast<person &&>(other);
    print("Exchanged: %, with % handles.\n", initials(ada, brouwer), wgc_size());
  }
  print("% handles at the end.\n", wgc_size(), 0);
}
