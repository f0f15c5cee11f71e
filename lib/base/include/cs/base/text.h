/*
 * text: small questions about strings.
 */
#ifndef CS_BASE_TEXT_H
#define CS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool cs_str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool cs_str_starts(const char *text, const char *prefix);
bool cs_str_ends(const char *text, const char *suffix);
bool cs_str_empty(const char *text); /* NULL or "" */

/* Copies as much as fits, always terminated, never cutting a UTF-8 sequence in two. */
void cs_str_copy(char *ret_text, size_t capacity, const char *text);

/* Well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF) without NUL. */
bool cs_utf8_valid(const char *bytes, size_t size_bytes);

/* Makes text UTF-8: unless it is already, "?" takes the place of every byte beyond ASCII. */
void cs_utf8_repair(char *text);

/* Whole text as a number within [min, max]; false and untouched otherwise. */
bool cs_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value);
bool cs_parse_f64(const char *text, double min, double max, double *ret_value);

/* "2026-11-24T17:25:03.123Z" */
enum { CS_ISO8601_SIZE = 32 };
void cs_format_iso8601(int64_t unix_ms, char ret_text[CS_ISO8601_SIZE]);
/* "2026-01-31T12:00:00Z", with or without a fraction, or with an offset such as +01:00; from 1970 on. */
bool cs_parse_iso8601(const char *text, int64_t *ret_unix_ms);

#endif
