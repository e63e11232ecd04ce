#pragma once

// A child process on a terminal of its own. In C, because forking in Swift is not safe.

#include <stdint.h>
#include <sys/types.h>

/// Starts `path` on a new terminal and returns its process id, or -1 with `errno` set.
///
/// `terminal` receives the descriptor to type into and read from. `standard_input` and
/// `standard_error` replace those of the child unless -1. `folder` may be NULL.
pid_t pseudo_terminal_spawn(
  const char *path, char *const arguments[], char *const environment[], const char *folder,
  uint16_t columns, uint16_t rows, int standard_input, int standard_error, int *terminal);

/// Changes the terminal's size, which also signals the child. Returns 0, or -1 with `errno` set.
int pseudo_terminal_resize(int terminal, uint16_t columns, uint16_t rows);
