/*
 * range: which part of an object a request wants (RFC 9110 §13, §14).
 *
 * Threads  pure.
 */
#ifndef GW_HTTP_RANGE_H
#define GW_HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum gw_range_kind {
    GW_RANGE_WHOLE,         /* no range, or one that we need not understand: answer 200 */
    GW_RANGE_PART,          /* 206 */
    GW_RANGE_UNSATISFIABLE, /* 416 */
};

struct gw_range {
    enum gw_range_kind kind;
    uint64_t offset;
    uint64_t size;
};

/* header: the value of Range, or NULL. One range only; several are answered whole. */
struct gw_range gw_range_parse(const char *header, uint64_t object_size);
/* Whether a list of entity tags (If-None-Match) has this one, by weak comparison; "*" has all. list may be NULL. */
bool gw_etag_listed(const char *list, const char *etag);

#endif
