/*
 * targets: the list of worker addresses in the configuration, and what they resolve to.
 */
#ifndef ORC_LINKS_TARGETS_H
#define ORC_LINKS_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    ORC_TARGETS_MAX = 256,
    ORC_TARGET_ADDRESSES_MAX = 256, /* of one name; the rest are not dialled */
    ORC_ADDRESS_SIZE = 64,          /* "[v6]:port" with NUL */
};

struct orc_target {
    char *host;
    uint16_t port;
    bool literal; /* an address, never resolved again */
};

/* "a:1, b.internal:2"; "" gives none. INVALID_ARGUMENT "bad_workers". Free with orc_targets_free. */
enum cs_status orc_targets_parse(const char *list, struct orc_target **ret_targets, size_t *ret_count,
                                 struct cs_err *err) CS_MUST_USE;
void orc_targets_free(struct orc_target *targets, size_t count);

/* All addresses of the target as "host:port", without duplicates; blocks on DNS. UNAVAILABLE "dns_failed". */
enum cs_status orc_target_resolve(const struct orc_target *target,
                                  char (*ret_addresses)[ORC_ADDRESS_SIZE], /* ORC_TARGET_ADDRESSES_MAX of them */
                                  size_t *ret_count, struct cs_err *err) CS_MUST_USE;

#endif
