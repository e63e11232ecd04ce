#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <termios.h>

// Giving the terminal back when the process ends without being asked, and keeping standard error
// off the screen. Everything the crash handler needs is prepared beforehand.

/// Prepares and arms the handlers. `text` gives the screen back, `modes` are the terminal's own.
void cc_guard_arm(
  const char *program, int in_fd, int out_fd, const char *text, size_t length,
  const struct termios *modes);

/// Restores the handlers that were there before.
void cc_guard_disarm(void);

/// Sends standard error to a file without a name, if it would end up on a terminal.
void cc_stderr_hide(void);

/// Puts standard error back and prints what was written meanwhile. Safe in a signal handler.
void cc_stderr_show(void);

/// Writes all of it, whatever interrupts. Safe in a signal handler.
void cc_write_all(int fd, const char *bytes, size_t count);
