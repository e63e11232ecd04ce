#pragma once

#include "CCurses.h"

#include <stddef.h>

// What needs <term.h>. Apart from the rest because it defines some five hundred lower-case macros
// (`lines`, `columns`, `buttons`, ...).

/// Looks `name` up and writes the name to use to `usable`: the same, or a relative that is known.
cc_open_result cc_terminfo_find(const char *name, int out_fd, char *usable, size_t size);

/// Writes what gives a terminal back (mouse, colours, cursor, main screen) to `text`; returns its length.
size_t cc_terminfo_restore_text(bool mouse, bool synchronized, char *text, size_t size);

/// Exchanges `usable`, as found, for a description of the same terminal with 24-bit colours, if there
/// is one and this curses can use it. `name` is what the terminal calls itself.
///
/// Lasts until `cc_terminfo_end_direct`, which must follow once curses is open.
void cc_terminfo_begin_direct(const char *name, int out_fd, char *usable, size_t size);

/// Puts the environment back.
void cc_terminfo_end_direct(void);
