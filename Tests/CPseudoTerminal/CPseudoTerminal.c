#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CPseudoTerminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#ifdef __APPLE__
#include <util.h>
#else
#include <pty.h>
#endif

pid_t pseudo_terminal_spawn(
  const char *path, char *const arguments[], char *const environment[], const char *folder,
  uint16_t columns, uint16_t rows, int standard_input, int standard_error, int *terminal) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  pid_t child = forkpty(terminal, NULL, NULL, &size);
  if (child > 0) fcntl(*terminal, F_SETFD, FD_CLOEXEC);
  if (child != 0) return child;

  // From here on only what is allowed between fork and exec.
  if (standard_input >= 0) dup2(standard_input, STDIN_FILENO);
  if (standard_error >= 0) dup2(standard_error, STDERR_FILENO);
  if (folder != NULL && chdir(folder) != 0) _exit(126);
  // A test runner may have blocked or ignored what the child wants to hear.
  for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(path, arguments, environment);
  _exit(127);
}

int pseudo_terminal_resize(int terminal, uint16_t columns, uint16_t rows) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  return ioctl(terminal, TIOCSWINSZ, &size);
}
