/*
 * answer: the header fields of one answer, and what they mean.
 */
#ifndef CS_HTTP_ANSWER_H
#define CS_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/mem.h"

enum {
    CS_HTTP_HEADER_BYTES_MAX = 32 * 1024,
    CS_HTTP_RETRY_AFTER_MAX_MS = 24 * 60 * 60 * 1000,
};

/* "name\0value\0…", names in lower case. */
struct cs_fields {
    struct cs_buf text;
    size_t seen_bytes; /* of the whole section, as received */
};

void cs_fields_fini(struct cs_fields *fields);
/* One line as libcurl gives it; a status line starts over. False beyond CS_HTTP_HEADER_BYTES_MAX. */
bool cs_fields_add(struct cs_fields *fields, const char *line, size_t size);
/* First value, or NULL. */
const char *cs_fields_find(const struct cs_fields *fields, const char *name);

/* From the two fields (either may be NULL) to 0 … CS_HTTP_RETRY_AFTER_MAX_MS; nonsense is 0. */
int64_t cs_retry_after_ms(const char *retry_after, const char *retry_after_ms, int64_t now_unix_ms);

#endif
