/*
 * proxies: whose word about the client's address is taken.
 *
 * A connection of a trusted proxy is taken for that of the last address in X-Forwarded-For that is none of them. What a
 * client writes there itself stands further to the front and counts for nothing.
 *
 * Fails    "bad_setting".
 * Threads  any, once made.
 */
#ifndef GW_API_PROXIES_H
#define GW_API_PROXIES_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

enum { GW_PROXIES_MAX = 64, GW_ADDRESS_BYTES = 16 };

struct gw_proxies;

/* "10.0.0.0/8,127.0.0.1,fd00::/8"; "" none. */
enum cs_status gw_proxies_create(const char *text, struct gw_proxies **ret_proxies, struct cs_err *err) CS_MUST_USE;
void gw_proxies_destroy(struct gw_proxies *proxies); /* NULL is fine */
CS_DEFINE_AUTO(gw_proxies, gw_proxies_destroy)

/* forwarded: X-Forwarded-For, NULL missing. The address as text: peer itself, or one from the arena. */
const char *gw_proxies_client(const struct gw_proxies *proxies, const char *peer, const char *forwarded,
                              struct cs_arena *arena);

/* What tells clients apart: the address, of IPv6 the first half, for the rest is the client's to choose. */
void gw_address_network(const char *address, unsigned char ret_bytes[GW_ADDRESS_BYTES]);

#endif
