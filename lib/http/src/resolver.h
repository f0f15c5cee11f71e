/*
 * resolver: names to addresses on threads of its own, because getaddrinfo blocks.
 *
 * Threads  RESOLVER_THREADS_MAX, started when needed. A thread stuck in a lookup outlives destroy and ends by itself;
 * its answer is dropped.
 */
#ifndef CS_HTTP_RESOLVER_H
#define CS_HTTP_RESOLVER_H

#include <stddef.h>

#include "cs/base/err.h"

enum { CS_ADDRESSES_MAX = 64, CS_ADDRESS_SIZE = 46 };

struct cs_addresses {
    size_t count;
    char text[CS_ADDRESSES_MAX][CS_ADDRESS_SIZE];
};

/* Every address of the host; more than CS_ADDRESSES_MAX is a failure. "dns_failed". */
typedef enum cs_status cs_resolve_fn(const char *host, struct cs_addresses *ret_addresses, void *ctx,
                                     struct cs_err *err);
enum cs_status cs_resolve_system(const char *host, struct cs_addresses *ret_addresses, void *ctx, struct cs_err *err);

struct cs_resolver;
/* Answers run on a resolver thread; addresses is NULL and err set, or the reverse. */
typedef void cs_resolved_fn(uint64_t id, const struct cs_addresses *addresses, const struct cs_err *err, void *ctx);

struct cs_resolver *cs_resolver_create(cs_resolve_fn *resolve, void *resolve_ctx, cs_resolved_fn *resolved, void *ctx);
/* No answer comes after it returned. */
void cs_resolver_destroy(struct cs_resolver *resolver);
/* RESOURCE_EXHAUSTED "dns_busy" when too many wait. */
enum cs_status cs_resolver_start(struct cs_resolver *resolver, uint64_t id, const char *host,
                                 struct cs_err *err) CS_MUST_USE;

#endif
