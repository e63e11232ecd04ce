#pragma once
#include <stddef.h>

// A data file compiled into the program. `bytes` is followed by a NUL that `length` does not count.
struct CEmbeddedFile {
  const char *name;
  const unsigned char *bytes;
  size_t length;
};

// The files of one kind, in the order of their registration in CEmbedded.c. Past the last one,
// `name` and `bytes` are NULL and `length` is 0.
struct CEmbeddedFile CEmbeddedPrices(size_t index);
struct CEmbeddedFile CEmbeddedPlans(size_t index);
struct CEmbeddedFile CEmbeddedClasses(size_t index);
struct CEmbeddedFile CEmbeddedThemes(size_t index);
