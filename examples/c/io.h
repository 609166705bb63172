/* Output without a C library: text and numbers to standard output, by WASI. */
#ifndef IO_H
#define IO_H

#include <stdint.h>

/* Prints a format in which each `%` stands for the next number. */
void print(const char *format, int32_t first, int32_t second);

/* Prints a text and ends the program with an exit code. */
_Noreturn void end(const char *text, int32_t code);

#endif
