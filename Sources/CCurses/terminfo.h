#pragma once

#include "CCurses.h"

#include <stddef.h>

// What needs <term.h>. Apart from the rest because it defines some five hundred lower-case macros
// (`lines`, `columns`, `buttons`, ...).

/// Looks `name` up and writes the name to use to `usable`: the same, or a relative that is known.
cc_open_result cc_terminfo_find(const char *name, int out_fd, char *usable, size_t size);

/// Writes what gives a terminal back (mouse, colours, cursor, main screen) to `text`; returns its length.
size_t cc_terminfo_restore_text(bool mouse, bool synchronized, char *text, size_t size);

/// Keeps curses from resetting a palette that the user has set. Call after `newterm`.
void cc_terminfo_keep_palette(void);
