/*
 * link: the URL under which an artifact can be fetched from the gateway.
 *
 *     {public_url}/artifacts/{key}?expires={unix seconds}&signature={hex}
 *
 * The signature is HMAC-SHA256(secret, "{key}\n{expires}"): whoever has the link may read that one object until then,
 * so links can be given to players and webhook receivers that hold no API key.
 *
 * Threads  pure.
 */
#ifndef CS_LINK_H
#define CS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum { CS_LINK_SECRET_BYTES_MIN = 16 };

/* "" for an empty key. key's bytes are percent-encoded where a URL needs it. */
char *cs_link_make(const char *public_url, const char *secret, const char *key, int64_t expires_unix_s,
                   struct cs_arena *arena);

/* Constant-time. PERMISSION_DENIED "link_expired" or "link_invalid". key is decoded. */
enum cs_status cs_link_check(const char *secret, const char *key, const char *expires, const char *signature,
                             int64_t now_unix_s, struct cs_err *err) CS_MUST_USE;

#endif
