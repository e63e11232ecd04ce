#pragma once

// Searches that Swift cannot make with the widest instructions of the machine it runs on.

#include <stdint.h>

/// The quote that ends the JSON text which begins at `text`; NULL if its line or the bytes before `end` end first.
const uint8_t *_Nullable cs_end_of_text(const uint8_t *_Nonnull text, const uint8_t *_Nonnull end);
