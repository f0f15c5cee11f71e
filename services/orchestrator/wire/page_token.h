/*
 * page_token: where the next page of a list begins; opaque to clients.
 *
 * Trust    a token comes back from a client: it names a position, nothing more, and lists are a tenant's own anyway.
 */
#ifndef ORC_WIRE_PAGE_TOKEN_H
#define ORC_WIRE_PAGE_TOKEN_H

#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum { ORC_PAGE_SIZE_DEFAULT = 10, ORC_PAGE_SIZE_MAX = 100, ORC_PAGE_TOKEN_BYTES_MAX = 256 };
enum { ORC_LIST_IDS_MAX = 100, ORC_LIST_SKIP_MAX = 10000 };

struct orc_page_start {
    int64_t before_ms;
    char before_id[64]; /* "": from the newest on */
};

char *orc_page_token_format(int64_t created_at_ms, const char *id, struct cs_arena *arena);
/* "" is the start. INVALID_ARGUMENT "bad_page_token" at "pageToken". */
enum cs_status orc_page_token_parse(const char *token, struct orc_page_start *ret_start,
                                    struct cs_err *err) CS_MUST_USE;

#endif
