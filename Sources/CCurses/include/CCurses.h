#pragma once

// One terminal, driven through curses. No curses type appears here: half of its macros do not
// reach Swift, its globals are rejected there, and its names collide with everything.
//
// Not thread-safe: call everything from the thread that opened the terminal. The terminal is given
// back by `cc_close`, at `exit`, and when the process crashes.

#include <stdbool.h>
#include <stdint.h>

#define CC_ENUM(name) \
  enum __attribute__((enum_extensibility(closed))) name : int32_t; \
  typedef enum name name; \
  enum __attribute__((enum_extensibility(closed))) name : int32_t

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Locale

/// Takes the character set from the environment and tells whether it is UTF-8.
///
/// A variable that names a UTF-8 locale which is not installed counts as UTF-8 too: without this,
/// every letter beyond ASCII would be shown blank. Leaves number and date formats alone.
bool cc_prepare_locale(void);

/// Columns the C library, and so curses, gives to a scalar; -1 if it would not be shown.
int32_t cc_scalar_width(uint32_t scalar);

// MARK: - Opening

/// Why a terminal could not be opened.
CC_ENUM(cc_open_result) {
  cc_open_ok = 0,
  /// Standard output is not a terminal, or there is none to read keys from.
  cc_open_not_a_terminal,
  /// TERM is not set.
  cc_open_no_term,
  /// TERM names a terminal that the terminfo database does not have.
  cc_open_unknown_term,
  /// The terminal cannot move its cursor.
  cc_open_too_simple,
  /// Pipe, memory or curses itself failed.
  cc_open_failed,
};

typedef struct {
  /// Where keys come from. -1: standard input, or the controlling terminal if that is none.
  int32_t in_fd;
  /// Where the screen is.
  int32_t out_fd;
  /// Name of the terminal; NULL takes TERM.
  const char *term;
  /// What to call the program when it crashed.
  const char *program;
  /// Whether colours may be used at all.
  bool color;
  /// Whether to ask for mouse events.
  bool mouse;
} cc_options;

/// Opens the terminal. Standard error, if it is a terminal, is kept aside until `cc_close`.
cc_open_result cc_open(const cc_options *options);

/// Gives the terminal back as it was and prints what was written to standard error meanwhile. May
/// be called at any time and any number of times.
void cc_close(void);

/// Closes, then ends the process by this signal, so that whoever waits for it sees the true cause.
void cc_die(int32_t signal) __attribute__((noreturn));

// MARK: - Facts

/// Colours the terminal has: 0, 8, 16, 88, 256, or 0x1000000 for direct colours.
int32_t cc_colors(void);

/// Its size.
void cc_size(int32_t *columns, int32_t *rows);

/// Descriptor that becomes readable when there are keys; -1 when closed.
int32_t cc_input_fd(void);

// MARK: - Showing

enum { cc_bold = 1, cc_dim = 2, cc_italic = 4, cc_underline = 8, cc_reverse = 16 };

/// A cell. `width` is 1 or 2; cells with width 0 (right halves) are skipped.
typedef struct {
  uint32_t scalar;
  /// Number of a colour, or 0xRRGGBB if colours are direct; -1 for the terminal's own.
  int32_t foreground;
  int32_t background;
  uint8_t attributes;
  uint8_t width;
} cc_cell;

/// Hands `count` cells to curses, the first at column `x`, row `y`. Shown by the next `cc_flush`.
void cc_put(int32_t x, int32_t y, const cc_cell *cells, int32_t count);

/// Shows what was put, in one synchronized update.
void cc_flush(void);

/// Blanks everything put so far.
void cc_clear(void);

/// Makes the next flush repaint every cell, whatever curses believes is there.
void cc_repaint(void);

// MARK: - Hearing

CC_ENUM(cc_event_kind) {
  cc_event_none,
  /// `code` is a scalar, control characters included.
  cc_event_character,
  /// `code` is one of `cc_key`, or `cc_key_function` plus the number of the function key.
  cc_event_key,
  /// `code` is one of `cc_mouse`.
  cc_event_mouse,
  /// The terminal is gone.
  cc_event_hang_up,
};

CC_ENUM(cc_key) {
  cc_key_up, cc_key_down, cc_key_left, cc_key_right, cc_key_home, cc_key_end, cc_key_page_up,
  cc_key_page_down, cc_key_enter, cc_key_back_tab, cc_key_backspace, cc_key_delete, cc_key_insert,
  cc_key_function = 256,
};

CC_ENUM(cc_mouse) {
  cc_mouse_press, cc_mouse_middle_press, cc_mouse_secondary_press, cc_mouse_wheel_up,
  cc_mouse_wheel_down,
};

typedef struct {
  cc_event_kind kind;
  int32_t code;
  int32_t x;
  int32_t y;
} cc_event;

/// The next key or mouse event, without waiting. `cc_event_none` if there is none.
cc_event cc_next_event(void);

// MARK: - Signals

enum {
  cc_signal_interrupt = 1 << 0,
  cc_signal_terminate = 1 << 1,
  cc_signal_hang_up = 1 << 2,
  cc_signal_quit = 1 << 3,
  cc_signal_resize = 1 << 4,
  cc_signal_stop = 1 << 5,
  cc_signal_continue = 1 << 6,
};

/// Descriptor that becomes readable when a signal arrived; -1 when closed.
int32_t cc_signal_fd(void);

/// The signals that arrived since the last call, as bits.
uint32_t cc_take_signals(void);

/// Takes over the terminal's present size. Everything must be put again.
void cc_resize(void);

/// Gives the terminal back, stops the process group, and returns when it is continued, with the
/// terminal taken again. Everything must be put again.
void cc_suspend(void);

/// Takes the terminal again after the process was stopped without `cc_suspend`.
void cc_resume(void);

#ifdef __cplusplus
}
#endif
