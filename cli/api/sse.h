/*
 * sse: reads server-sent events (HTML Living Standard §9.2) from pieces of a stream.
 *
 * Limits   an event beyond CLI_SSE_BYTES_MAX is an error.
 */
#ifndef CLI_API_SSE_H
#define CLI_API_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/mem.h"

enum { CLI_SSE_BYTES_MAX = 64 << 20 };

struct cli_sse {
    struct cs_buf line; /* not complete yet */
    struct cs_buf name;
    struct cs_buf data;
    bool has_data;
    bool after_cr; /* a "\n" that comes next belongs to it */
};

/* Calls event for each whole event ("message" when it has no name). false: event said so, or the limit was passed. */
bool cli_sse_feed(struct cli_sse *sse, const char *bytes, size_t size,
                  bool (*event)(const char *name, const char *data, size_t size, void *ctx), void *ctx);
void cli_sse_fini(struct cli_sse *sse);

#endif
