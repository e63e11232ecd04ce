#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSYS};
enum { crash_count = sizeof crashes / sizeof *crashes };

static struct {
  volatile sig_atomic_t armed;
  pid_t process;
  int in_fd;
  int out_fd;
  char text[512];
  size_t length;
  struct termios modes;
  char program[64];
  bool wants_trace;
  struct sigaction before[crash_count];
  stack_t stack_before;
} guard;

static void *guard_stack;

static struct {
  int kept_fd;
  int file_fd;
} hidden = {-1, -1};

void cc_write_all(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(fd, bytes, count);
    if (written > 0) {
      bytes += written;
      count -= (size_t)written;
    } else if (written < 0 && errno == EAGAIN) {
      // Somebody else made the terminal non-blocking; the setting belongs to all who share it.
      struct pollfd wait = {.fd = fd, .events = POLLOUT};
      if (poll(&wait, 1, 1000) <= 0) return;
    } else if (written < 0 && errno != EINTR) {
      return;
    }
  }
}

static void write_text(int fd, const char *text) {
  cc_write_all(fd, text, strlen(text));
}

static void on_crash(int number, siginfo_t *info, void *context) {
  (void)context;
  int before = 0;
  while (before < crash_count - 1 && crashes[before] != number) before++;
  if (guard.armed && getpid() == guard.process) {
    guard.armed = 0;
    cc_write_all(guard.out_fd, guard.text, guard.length);
    tcsetattr(guard.in_fd, TCSANOW, &guard.modes);
    cc_stderr_show();
    // A release build says nothing about why it trapped, so say at least that it did.
    write_text(STDERR_FILENO, guard.program);
    write_text(STDERR_FILENO, ": crashed (signal ");
    char digits[3] = {(char)('0' + number / 10), (char)('0' + number % 10), 0};
    write_text(STDERR_FILENO, number < 10 ? digits + 1 : digits);
    write_text(
      STDERR_FILENO, guard.wants_trace
                       ? ")\n"
                       : "); run it with SWIFT_BACKTRACE=enable=yes,interactive=no for a trace\n");
  }
  if (guard.wants_trace) {
    sigaction(number, &guard.before[before], NULL);
  } else {
    signal(number, SIG_DFL);
  }
  // A fault happens again on return, with the registers of the crime. A sent signal does not.
  if (info == NULL || info->si_code <= 0) raise(number);
}

void cc_guard_arm(
  const char *program, int in_fd, int out_fd, const char *text, size_t length,
  const struct termios *modes) {
  guard.process = getpid();
  guard.in_fd = in_fd;
  guard.out_fd = out_fd;
  guard.length = length < sizeof guard.text ? length : sizeof guard.text;
  memcpy(guard.text, text, guard.length);
  guard.modes = *modes;
  strncpy(guard.program, program != NULL ? program : "program", sizeof guard.program - 1);
  // The runtime's own handler asks questions unless told not to, and nobody could see them.
  const char *backtrace = getenv("SWIFT_BACKTRACE");
  guard.wants_trace = backtrace != NULL && strstr(backtrace, "interactive=no") != NULL;

  // A stack overflow leaves no stack to run a handler on.
  if (guard_stack == NULL) guard_stack = malloc(64 * 1024);
  if (guard_stack != NULL) {
    stack_t stack = {.ss_sp = guard_stack, .ss_size = 64 * 1024};
    sigaltstack(&stack, &guard.stack_before);
  }
  struct sigaction action = {.sa_sigaction = on_crash};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < crash_count; i++) sigaction(crashes[i], &action, &guard.before[i]);
  guard.armed = 1;
}

void cc_guard_disarm(void) {
  if (!guard.armed) return;
  guard.armed = 0;
  for (int i = 0; i < crash_count; i++) sigaction(crashes[i], &guard.before[i], NULL);
  if (guard_stack != NULL) sigaltstack(&guard.stack_before, NULL);
}

void cc_stderr_hide(void) {
  if (hidden.file_fd >= 0 || !isatty(STDERR_FILENO)) return;
  const char *folder = getenv("TMPDIR");
  if (folder == NULL || *folder == 0) folder = "/tmp";
  char path[512];
  size_t length = strlen(folder);
  static const char name[] = "/stderr-XXXXXX";
  if (length + sizeof name > sizeof path) return;
  memcpy(path, folder, length);
  memcpy(path + length, name, sizeof name);
  int file = mkstemp(path);
  if (file < 0) return;
  unlink(path);
  fcntl(file, F_SETFD, FD_CLOEXEC);
  // Appending, because children share the descriptor and must not overwrite each other.
  fcntl(file, F_SETFL, O_APPEND);
  int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (kept < 0 || dup2(file, STDERR_FILENO) < 0) {
    if (kept >= 0) close(kept);
    close(file);
    return;
  }
  hidden.kept_fd = kept;
  hidden.file_fd = file;
}

void cc_stderr_show(void) {
  if (hidden.file_fd < 0) return;
  int file = hidden.file_fd;
  hidden.file_fd = -1;
  dup2(hidden.kept_fd, STDERR_FILENO);
  close(hidden.kept_fd);
  char bytes[4096];
  lseek(file, 0, SEEK_SET);
  ssize_t count;
  while ((count = read(file, bytes, sizeof bytes)) > 0) {
    cc_write_all(STDERR_FILENO, bytes, (size_t)count);
  }
  close(file);
}
