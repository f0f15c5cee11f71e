/*
 * framing: refuses requests whose length two servers could read differently (request smuggling), which libmicrohttpd
 * lets pass, and bodies that we do not read.
 *
 *     struct gw_framing framing = {0};
 *     gw_framing_header(&framing, "Content-Length", "5"); … for every header
 *     CS_TRY(gw_framing_check(&framing, &err));
 *
 * Fails    INVALID_ARGUMENT "bad_framing", after which the connection must be closed.
 * Threads  pure.
 */
#ifndef GW_HTTP_FRAMING_H
#define GW_HTTP_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"

struct gw_framing {
    unsigned lengths;    /* Content-Length headers */
    unsigned encodings;  /* Transfer-Encoding headers */
    unsigned hosts;      /* Host headers */
    bool bad_length;     /* not plain digits */
    bool bad_encoding;   /* not exactly "chunked" */
    bool bad_name;       /* a header's name is not a token */
    bool has_body;       /* chunked, or a length above 0 */
    uint64_t body_bytes; /* of Content-Length */
};

void gw_framing_header(struct gw_framing *framing, const char *name, const char *value);
enum cs_status gw_framing_check(const struct gw_framing *framing, struct cs_err *err) CS_MUST_USE;

#endif
