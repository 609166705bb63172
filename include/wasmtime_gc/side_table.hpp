/* `wasmtime_gc::handle<T>`: a handle that gives itself back.
 *
 * References have no C++ type that a class could hold, so `handle` owns an integer and hands out references. `T` only
 * tells handles of different things apart. Moving does not touch the table; copying retains.
 */
#ifndef WASMTIME_GC_SIDE_TABLE_HPP
#define WASMTIME_GC_SIDE_TABLE_HPP

#include "side_table.h"

namespace wasmtime_gc {

template <typename T = void> class handle {
public:
  /* Null. */
  constexpr handle() noexcept = default;
  explicit handle(__externref_t value) noexcept : raw_(wgc_intern(value)) {}
  handle(const handle &other) noexcept : raw_(wgc_retain(other.raw_)) {}
  handle(handle &&other) noexcept : raw_(other.into_raw()) {}
  ~handle() { wgc_release(raw_); }

  handle &operator=(const handle &other) noexcept {
    /* The other first: it may be this one. */
    wgc_handle raw = wgc_retain(other.raw_);
    wgc_release(raw_);
    raw_ = raw;
    return *this;
  }
  handle &operator=(handle &&other) noexcept {
    wgc_handle raw = other.into_raw();
    wgc_release(raw_);
    raw_ = raw;
    return *this;
  }

  /* The reference. */
  __externref_t get() const noexcept { return wgc_get(raw_); }
  explicit operator bool() const noexcept { return raw_ != WGC_NULL; }

  /* Takes over a handle, or gives it away: for structures that C code shares. */
  static handle from_raw(wgc_handle raw) noexcept {
    handle taken;
    taken.raw_ = raw;
    return taken;
  }
  wgc_handle into_raw() noexcept {
    wgc_handle raw = raw_;
    raw_ = WGC_NULL;
    return raw;
  }

private:
  wgc_handle raw_ = WGC_NULL;
};

} // namespace wasmtime_gc

#endif
