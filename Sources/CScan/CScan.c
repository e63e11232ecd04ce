#include "CScan.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/// Whether an odd number of backslashes stands before a byte.
static bool is_escaped(const uint8_t *text, const uint8_t *byte) {
  const uint8_t *before = byte;
  while (before > text && before[-1] == '\\') before--;
  return (byte - before) & 1;
}

/// The same for a text of which nothing is left to find before `searched`.
static const uint8_t *by_library(const uint8_t *text, const uint8_t *searched, const uint8_t *end) {
  const uint8_t *from = searched;
  while (from < end) {
    const uint8_t *quote = memchr(from, '"', (size_t)(end - from));
    if (!quote) return NULL;
    if (!is_escaped(text, quote))
      return memchr(searched, '\n', (size_t)(quote - searched)) ? NULL : quote;
    from = quote + 1;
  }
  return NULL;
}

#if defined(__x86_64__)
#include <immintrin.h>

/// A bit for each byte that is not zero.
__attribute__((target("avx2"))) static inline uint64_t bits(__m256i low, __m256i high) {
  return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

/// Sixty-four bytes at a time are compared with both.
__attribute__((target("avx2"))) static const uint8_t *by_vectors(
    const uint8_t *text, const uint8_t *end) {
  const __m256i quote = _mm256_set1_epi8('"'), newline = _mm256_set1_epi8('\n');
  const __m256i escape = _mm256_set1_epi8('\\');
  const uint8_t *p = text;
  for (; end - p >= 64; p += 64) {
    __m256i low = _mm256_loadu_si256((const __m256i *)p);
    __m256i high = _mm256_loadu_si256((const __m256i *)(p + 32));
    __m256i low_quotes = _mm256_cmpeq_epi8(low, quote), low_ends = _mm256_cmpeq_epi8(low, newline);
    __m256i high_quotes = _mm256_cmpeq_epi8(high, quote), high_ends = _mm256_cmpeq_epi8(high, newline);
    __m256i found = _mm256_or_si256(
        _mm256_or_si256(low_quotes, low_ends), _mm256_or_si256(high_quotes, high_ends));
    if (_mm256_testz_si256(found, found)) continue;
    uint64_t ends = bits(low_ends, high_ends);
    uint64_t quotes = bits(low_quotes, high_quotes);
    uint64_t escapes = bits(_mm256_cmpeq_epi8(low, escape), _mm256_cmpeq_epi8(high, escape));
    // Where backslashes stand alone, as they nearly always do, the byte behind each is no end.
    if (!(escapes & escapes << 1) && (p == text || p[-1] != '\\')) quotes &= ~(escapes << 1);
    for (; quotes; quotes &= quotes - 1) {
      const uint8_t *place = p + __builtin_ctzll(quotes);
      // A newline among the bits below that of the quote.
      if (ends & (quotes ^ (quotes - 1))) return NULL;
      if (!is_escaped(text, place)) return place;
    }
    if (ends) return NULL;
  }
  return by_library(text, p, end);
}
#endif

const uint8_t *cs_end_of_text(const uint8_t *text, const uint8_t *end) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return by_vectors(text, end);
#endif
  return by_library(text, text, end);
}
