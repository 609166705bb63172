/* Output without a C library: see io.h. */
#include "io.h"

struct piece {
  const char *start;
  uint32_t length;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) int32_t
fd_write(int32_t file, const struct piece *pieces, uint32_t count, uint32_t *written);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"))) _Noreturn void
proc_exit(int32_t code);

static void out(const char *start, uint32_t length) {
  struct piece piece = {start, length};
  uint32_t written;
  fd_write(1, &piece, 1, &written);
}

static void out_number(int32_t number) {
  char digits[11];
  char *start = digits + sizeof digits;
  uint32_t left = number < 0 ? -(uint32_t)number : (uint32_t)number;
  do {
    *--start = (char)('0' + left % 10);
    left /= 10;
  } while (left);
  if (number < 0) {
    *--start = '-';
  }
  out(start, (uint32_t)(digits + sizeof digits - start));
}

void print(const char *format, int32_t first, int32_t second) {
  const char *at = format;
  for (; *at; at++) {
    if (*at == '%') {
      out(format, (uint32_t)(at - format));
      out_number(first);
      first = second;
      format = at + 1;
    }
  }
  out(format, (uint32_t)(at - format));
}

_Noreturn void end(const char *text, int32_t code) {
  print(text, 0, 0);
  proc_exit(code);
}
