#include "CCurses.h"

#include "guard.h"
#include "terminfo.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

static struct {
  bool is_open;
  pid_t process;
  SCREEN *screen;
  FILE *in;
  FILE *out;
  int in_fd;
  int out_fd;
  /// The terminal's modes before curses.
  struct termios modes;
  /// What gives the screen back, in case curses cannot.
  char restore[512];
  size_t restore_length;
  /// Keys are read through this. Reading through a window that is shown would show it first.
  WINDOW *keys;
  mmask_t mouse;
  bool synchronized;
  bool has_default_colors;
  int colors;
  /// One row, converted.
  cchar_t *row;
  int row_size;
} term = {.in_fd = -1, .out_fd = -1};

// MARK: - Locale

static bool is_utf8_name(const char *name) {
  for (; name != NULL && *name != 0; name++) {
    if (strncasecmp(name, "UTF-8", 5) == 0 || strncasecmp(name, "UTF8", 4) == 0) return true;
  }
  return false;
}

bool cc_prepare_locale(void) {
  setlocale(LC_CTYPE, "");
  if (is_utf8_name(nl_langinfo(CODESET))) return true;
  // The first one that is set decides, as in `setlocale`.
  const char *name = getenv("LC_ALL");
  if (name == NULL || *name == 0) name = getenv("LC_CTYPE");
  if (name == NULL || *name == 0) name = getenv("LANG");
  if (!is_utf8_name(name)) return false;
  static const char *const fallbacks[] = {"C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8"};
  for (size_t i = 0; i < sizeof fallbacks / sizeof *fallbacks; i++) {
    if (setlocale(LC_CTYPE, fallbacks[i]) != NULL && is_utf8_name(nl_langinfo(CODESET))) {
      return true;
    }
  }
  return false;
}

int32_t cc_scalar_width(uint32_t scalar) {
  return wcwidth((wchar_t)scalar);
}

// MARK: - Signals

static const struct {
  int number;
  uint32_t bit;
} caught[] = {
  {SIGINT, cc_signal_interrupt}, {SIGTERM, cc_signal_terminate}, {SIGHUP, cc_signal_hang_up},
  {SIGQUIT, cc_signal_quit},     {SIGWINCH, cc_signal_resize},   {SIGTSTP, cc_signal_stop},
  {SIGCONT, cc_signal_continue},
};
enum { caught_count = sizeof caught / sizeof *caught };

static struct sigaction caught_before[caught_count];
static int signal_pipe[2] = {-1, -1};

/// Only one byte down a pipe: next to nothing is allowed in a handler, least of all Swift.
static void on_signal(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t ignored = write(signal_pipe[1], &byte, 1);
  (void)ignored;
  errno = saved;
}

static void catch_signal(int number) {
  struct sigaction action = {.sa_handler = on_signal};
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

static bool catch_signals(void) {
  if (pipe(signal_pipe) != 0) return false;
  for (int i = 0; i < 2; i++) {
    fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
    // A full pipe must not block a handler; the signals in it are enough.
    fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
  }
  for (int i = 0; i < caught_count; i++) {
    sigaction(caught[i].number, NULL, &caught_before[i]);
    // Whoever started us with hang-ups or interrupts ignored meant it.
    if (caught_before[i].sa_handler == SIG_IGN) continue;
    catch_signal(caught[i].number);
  }
  return true;
}

static void release_signals(void) {
  if (signal_pipe[0] < 0) return;
  for (int i = 0; i < caught_count; i++) sigaction(caught[i].number, &caught_before[i], NULL);
  close(signal_pipe[0]);
  close(signal_pipe[1]);
  signal_pipe[0] = signal_pipe[1] = -1;
}

int32_t cc_signal_fd(void) {
  return signal_pipe[0];
}

uint32_t cc_take_signals(void) {
  uint32_t bits = 0;
  unsigned char bytes[64];
  ssize_t count;
  if (signal_pipe[0] < 0) return 0;
  while ((count = read(signal_pipe[0], bytes, sizeof bytes)) > 0) {
    for (ssize_t i = 0; i < count; i++) {
      for (int j = 0; j < caught_count; j++) {
        if (caught[j].number == bytes[i]) bits |= caught[j].bit;
      }
    }
  }
  return bits;
}

// MARK: - Opening and closing

static void close_at_exit(void) {
  cc_close();
}

/// A descriptor of our own for reading keys, -1 if there is nothing to read them from.
static int open_input(int in_fd, int out_fd) {
  if (in_fd >= 0) return isatty(in_fd) ? fcntl(in_fd, F_DUPFD_CLOEXEC, 3) : -1;
  if (isatty(STDIN_FILENO)) return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
#ifdef __APPLE__
  // There, poll refuses /dev/tty; the terminal's real name works.
  const char *name = ttyname(out_fd);
  if (name == NULL) name = "/dev/tty";
#else
  (void)out_fd;
  const char *name = "/dev/tty";
#endif
  return open(name, O_RDWR | O_CLOEXEC | O_NOCTTY);
}

static void show_mouse(bool on) {
  mousemask(on ? term.mouse : 0, NULL);
}

static cc_open_result open_screen(const cc_options *options, const char *name) {
  // Otherwise a LINES exported by the shell wins over the terminal's real size.
  use_env(TRUE);
#if defined(NCURSES_EXT_FUNCS) && NCURSES_EXT_FUNCS
  use_tioctl(TRUE);
#endif
  term.in = fdopen(term.in_fd, "r");
  term.out = fdopen(term.out_fd, "w");
  if (term.in == NULL || term.out == NULL) return cc_open_failed;
  term.screen = newterm(name, term.out, term.in);
  if (term.screen == NULL) return cc_open_failed;
  cc_terminfo_keep_palette();
#if defined(NCURSES_EXT_FUNCS) && NCURSES_EXT_FUNCS
  // By default a lone Escape key takes a whole second.
  set_escdelay(25);
#endif
  cbreak();
  noecho();
  nonl();
  curs_set(0);
  term.colors = 0;
  if (options->color && has_colors() && start_color() == OK) {
    term.has_default_colors = use_default_colors() == OK;
    term.colors = COLORS;
  }
  term.keys = newpad(1, 1);
  if (term.keys == NULL) return cc_open_failed;
  keypad(term.keys, TRUE);
  nodelay(term.keys, TRUE);
  if (term.mouse != 0) {
    // By default curses waits 167 ms to tell a click from a press.
    mouseinterval(0);
    show_mouse(true);
  }
  // At first curses is in a state where each cursor movement is a write of its own: 200 of them
  // for the first frame instead of 10. Leaving and entering once ends it.
  endwin();
  wnoutrefresh(stdscr);
  doupdate();
  curs_set(0);
  return cc_open_ok;
}

cc_open_result cc_open(const cc_options *options) {
  if (term.is_open) return cc_open_failed;
  cc_prepare_locale();
  if (!isatty(options->out_fd)) return cc_open_not_a_terminal;

  char name[128];
  const char *wanted = options->term != NULL ? options->term : getenv("TERM");
  cc_open_result result = cc_terminfo_find(wanted, options->out_fd, name, sizeof name);
  if (result != cc_open_ok) return result;

  int in_fd = open_input(options->in_fd, options->out_fd);
  if (in_fd < 0) return cc_open_not_a_terminal;
  term.in_fd = in_fd;
  term.out_fd = fcntl(options->out_fd, F_DUPFD_CLOEXEC, 3);
  term.process = getpid();
  // Before newterm, which already changes them.
  if (term.out_fd < 0 || tcgetattr(term.in_fd, &term.modes) != 0 || !catch_signals()) {
    close(term.in_fd);
    if (term.out_fd >= 0) close(term.out_fd);
    term.in_fd = term.out_fd = -1;
    release_signals();
    return cc_open_failed;
  }
  term.is_open = true;
  term.mouse = 0;
  if (options->mouse) {
    term.mouse = BUTTON1_PRESSED | BUTTON2_PRESSED | BUTTON3_PRESSED | BUTTON4_PRESSED;
#ifdef BUTTON5_PRESSED
    term.mouse |= BUTTON5_PRESSED;
#endif
  }
  // Terminals ignore modes they do not know, except for a few very old ones.
  term.synchronized = strncmp(name, "linux", 5) != 0 && strncmp(name, "vt", 2) != 0;
  term.restore_length = cc_terminfo_restore_text(
    options->mouse, term.synchronized, term.restore, sizeof term.restore);

  static bool registered = false;
  if (!registered) {
    registered = true;
    atexit(close_at_exit);
  }
  cc_guard_arm(
    options->program, term.in_fd, term.out_fd, term.restore, term.restore_length, &term.modes);
  cc_stderr_hide();
  result = open_screen(options, name);
  if (result != cc_open_ok) cc_close();
  return result;
}

void cc_close(void) {
  // A forked child that exits must not touch its parent's terminal.
  if (!term.is_open || getpid() != term.process) return;
  term.is_open = false;
  if (term.screen != NULL) {
    if (term.mouse != 0) show_mouse(false);
    if (!isendwin()) endwin();
  }
  // Curses restores most of this itself, but not if it was interrupted half-way.
  tcsetattr(term.in_fd, TCSADRAIN, &term.modes);
  cc_guard_disarm();
  cc_stderr_show();
  release_signals();
  if (term.keys != NULL) delwin(term.keys);
  if (term.screen != NULL) delscreen(term.screen);
  if (term.in != NULL) fclose(term.in); else close(term.in_fd);
  if (term.out != NULL) fclose(term.out); else close(term.out_fd);
  free(term.row);
  memset(&term, 0, sizeof term);
  term.in_fd = term.out_fd = -1;
}

void cc_die(int32_t number) {
  cc_close();
  signal(number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  raise(number);
  _exit(128 + number);
}

// MARK: - Facts

int32_t cc_colors(void) {
  return term.colors;
}

void cc_size(int32_t *columns, int32_t *rows) {
  *columns = *rows = 0;
  if (!term.is_open) return;
  // Not the terminal's own answer: that may be 0x0, for which curses has a replacement.
  *columns = getmaxx(stdscr);
  *rows = getmaxy(stdscr);
}

int32_t cc_input_fd(void) {
  return term.in_fd;
}

// MARK: - Showing

/// The number of a colour pair, allocated when first used.
static int pair_for(int foreground, int background) {
  if (term.colors == 0) return 0;
  if (!term.has_default_colors) {
    if (foreground < 0) foreground = COLOR_WHITE;
    if (background < 0) background = COLOR_BLACK;
  }
  if (foreground < 0 && background < 0) return 0;
#if defined(NCURSES_EXT_COLORS) && NCURSES_EXT_COLORS >= 20170401
  int pair = alloc_pair(foreground, background);
  return pair > 0 ? pair : 0;
#else
  static struct {
    short foreground, background;
  } pairs[256];
  static int count = 1;
  for (int i = 1; i < count; i++) {
    if (pairs[i].foreground == foreground && pairs[i].background == background) return i;
  }
  if (count >= 256 || count >= COLOR_PAIRS) return 0;
  if (init_pair((short)count, (short)foreground, (short)background) != OK) return 0;
  pairs[count].foreground = (short)foreground;
  pairs[count].background = (short)background;
  return count++;
#endif
}

static attr_t attributes_for(uint8_t bits) {
  attr_t attributes = A_NORMAL;
  if (bits & cc_bold) attributes |= WA_BOLD;
  if (bits & cc_dim) attributes |= WA_DIM;
#ifdef WA_ITALIC
  if (bits & cc_italic) attributes |= WA_ITALIC;
#endif
  if (bits & cc_underline) attributes |= WA_UNDERLINE;
  if (bits & cc_reverse) attributes |= WA_REVERSE;
  return attributes;
}

void cc_put(int32_t x, int32_t y, const cc_cell *cells, int32_t count) {
  if (!term.is_open || count <= 0) return;
  if (count > term.row_size) {
    cchar_t *row = realloc(term.row, (size_t)count * sizeof *row);
    if (row == NULL) return;
    term.row = row;
    term.row_size = count;
  }
  int used = 0;
  int pair = 0;
  const cc_cell *last = NULL;
  for (int i = 0; i < count; i++) {
    const cc_cell *cell = &cells[i];
    if (cell->width == 0) continue;
    if (
      last == NULL || last->foreground != cell->foreground ||
      last->background != cell->background) {
      pair = pair_for(cell->foreground, cell->background);
      last = cell;
    }
    wchar_t text[2] = {(wchar_t)cell->scalar, 0};
    // The pair goes in twice: a short cannot hold the numbers above 32767.
#if defined(NCURSES_EXT_COLORS) && NCURSES_EXT_COLORS >= 20170401
    int extended = pair;
    setcchar(
      &term.row[used++], text, attributes_for(cell->attributes), (short)pair, &extended);
#else
    setcchar(&term.row[used++], text, attributes_for(cell->attributes), (short)pair, NULL);
#endif
  }
  if (wmove(stdscr, y, x) == OK) wadd_wchnstr(stdscr, term.row, used);
}

void cc_flush(void) {
  if (!term.is_open) return;
  wnoutrefresh(stdscr);
  // Not through curses: it would write to standard output, in the wrong order.
  if (term.synchronized) cc_write_all(term.out_fd, "\033[?2026h", 8);
  doupdate();
  if (term.synchronized) cc_write_all(term.out_fd, "\033[?2026l", 8);
}

void cc_clear(void) {
  if (term.is_open) werase(stdscr);
}

void cc_repaint(void) {
  if (term.is_open) clearok(curscr, TRUE);
}

// MARK: - Hearing

static cc_event key_event(int32_t key) {
  return (cc_event){.kind = cc_event_key, .code = key};
}

/// What curses reported as `code`; none for what nobody needs.
static cc_event event_for_key(wint_t code) {
  if (code >= KEY_F(1) && code <= KEY_F(63)) {
    return key_event(cc_key_function + (int32_t)(code - KEY_F0));
  }
  switch (code) {
    case KEY_UP: return key_event(cc_key_up);
    case KEY_DOWN: return key_event(cc_key_down);
    case KEY_LEFT: return key_event(cc_key_left);
    case KEY_RIGHT: return key_event(cc_key_right);
    case KEY_HOME:
    case KEY_FIND:
    case KEY_A1: return key_event(cc_key_home);
    case KEY_END:
    case KEY_SELECT:
    case KEY_LL:
    case KEY_C1: return key_event(cc_key_end);
    case KEY_PPAGE:
    case KEY_A3: return key_event(cc_key_page_up);
    case KEY_NPAGE:
    case KEY_C3: return key_event(cc_key_page_down);
    case KEY_ENTER: return key_event(cc_key_enter);
    case KEY_BTAB: return key_event(cc_key_back_tab);
    case KEY_BACKSPACE: return key_event(cc_key_backspace);
    case KEY_DC: return key_event(cc_key_delete);
    case KEY_IC: return key_event(cc_key_insert);
    default: return (cc_event){.kind = cc_event_none};
  }
}

static cc_event event_for_mouse(void) {
  cc_event none = {.kind = cc_event_none};
  MEVENT mouse;
  if (getmouse(&mouse) != OK) return none;
  cc_event event = {.kind = cc_event_mouse, .x = mouse.x, .y = mouse.y};
  if (mouse.bstate & BUTTON1_PRESSED) {
    event.code = cc_mouse_press;
  } else if (mouse.bstate & BUTTON2_PRESSED) {
    event.code = cc_mouse_middle_press;
  } else if (mouse.bstate & BUTTON3_PRESSED) {
    event.code = cc_mouse_secondary_press;
  } else if (mouse.bstate & BUTTON4_PRESSED) {
    event.code = cc_mouse_wheel_up;
#ifdef BUTTON5_PRESSED
  } else if (mouse.bstate & BUTTON5_PRESSED) {
    event.code = cc_mouse_wheel_down;
#endif
  } else {
    return none;
  }
  return event;
}

/// Once a terminal is gone, curses reports "no key" for ever.
static bool is_gone(void) {
  struct pollfd state = {.fd = term.in_fd, .events = POLLIN};
  if (poll(&state, 1, 0) <= 0) return false;
#ifdef __APPLE__
  return (state.revents & (POLLHUP | POLLERR)) != 0;
#else
  return (state.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
#endif
}

cc_event cc_next_event(void) {
  cc_event none = {.kind = cc_event_none};
  while (term.is_open) {
    wint_t code = 0;
    int kind = wget_wch(term.keys, &code);
    if (kind == ERR) return is_gone() ? (cc_event){.kind = cc_event_hang_up} : none;
    if (kind == OK) return (cc_event){.kind = cc_event_character, .code = (int32_t)code};
    cc_event event = code == KEY_MOUSE ? event_for_mouse() : event_for_key(code);
    if (event.kind != cc_event_none) return event;
  }
  return none;
}

// MARK: - Size and sleep

void cc_resize(void) {
  if (!term.is_open) return;
  struct winsize size;
  if (ioctl(term.out_fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
    // Not `resizeterm`, which also invents a key press.
    resize_term(size.ws_row, size.ws_col);
  }
  werase(stdscr);
  clearok(curscr, TRUE);
}

void cc_resume(void) {
  if (!term.is_open) return;
  reset_prog_mode();
  show_mouse(true);
  cc_resize();
  // Only this returns to the alternate screen; own output before it would land in the scrollback.
  cc_flush();
  curs_set(0);
}

void cc_suspend(void) {
  if (!term.is_open) return;
  def_prog_mode();
  show_mouse(false);
  endwin();
  tcsetattr(term.in_fd, TCSADRAIN, &term.modes);
  signal(SIGTSTP, SIG_DFL);
  // The whole group, so that whatever feeds us sleeps too. Returns when we are continued, or at
  // once if there is no shell that could continue us.
  kill(0, SIGTSTP);
  catch_signal(SIGTSTP);
  cc_resume();
}
