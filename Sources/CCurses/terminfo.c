#include "terminfo.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

/// Terminals that announce a name of their own, which older databases do not have, and behave like
/// a better known one.
static const struct {
  const char *prefix;
  const char *relative;
} relatives[] = {
  {"tmux", "screen-256color"},  {"screen", "screen"},          {"xterm", "xterm-256color"},
  {"alacritty", "xterm-256color"}, {"foot", "xterm-256color"},  {"ghostty", "xterm-256color"},
  {"kitty", "xterm-256color"},  {"wezterm", "xterm-256color"}, {"contour", "xterm-256color"},
  {"rio", "xterm-256color"},    {"konsole", "xterm-256color"}, {"vte", "xterm-256color"},
  {"iterm", "xterm-256color"},  {"mintty", "xterm-256color"},  {"ms-terminal", "xterm-256color"},
};

/// Unlike `initscr`, `setupterm` with a place for its error neither prints nor exits.
static cc_open_result look_up(const char *name, int out_fd) {
  int error = 0;
  if (setupterm(name, out_fd, &error) != OK) return cc_open_unknown_term;
  const char *move = tigetstr("cup");
  return move == NULL || move == (const char *)-1 ? cc_open_too_simple : cc_open_ok;
}

static cc_open_result use(const char *name, int out_fd, char *usable, size_t size) {
  cc_open_result result = look_up(name, out_fd);
  if (result == cc_open_ok) {
    strncpy(usable, name, size - 1);
    usable[size - 1] = 0;
  }
  return result;
}

cc_open_result cc_terminfo_find(const char *name, int out_fd, char *usable, size_t size) {
  if (name == NULL || *name == 0) return cc_open_no_term;
  cc_open_result result = use(name, out_fd, usable, size);
  if (result != cc_open_unknown_term) return result;
  for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++) {
    if (strncmp(name, relatives[i].prefix, strlen(relatives[i].prefix)) != 0) continue;
    if (use(relatives[i].relative, out_fd, usable, size) == cc_open_ok) return cc_open_ok;
  }
  return cc_open_unknown_term;
}

/// Appends `added` without its padding notes (`$<5/>`), which only `tputs` understands.
static size_t append(char *text, size_t used, size_t size, const char *added) {
  if (added == NULL || added == (const char *)-1) return used;
  while (*added != 0 && used + 1 < size) {
    const char *end = added[0] == '$' && added[1] == '<' ? strchr(added, '>') : NULL;
    if (end != NULL) {
      added = end + 1;
    } else {
      text[used++] = *added++;
    }
  }
  return used;
}

size_t cc_terminfo_restore_text(bool mouse, bool synchronized, char *text, size_t size) {
  size_t used = 0;
  if (synchronized) used = append(text, used, size, "\033[?2026l");
  if (mouse) used = append(text, used, size, "\033[?1006l\033[?1002l\033[?1000l");
  used = append(text, used, size, tigetstr("sgr0"));
  used = append(text, used, size, tigetstr("op"));
  used = append(text, used, size, tigetstr("cnorm"));
  used = append(text, used, size, tigetstr("rmcup"));
  used = append(text, used, size, tigetstr("rmkx"));
  return used;
}

void cc_terminfo_keep_palette(void) {
  orig_colors = NULL;
}
