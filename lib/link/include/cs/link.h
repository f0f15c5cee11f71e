/*
 * link: the URL under which an artifact can be fetched from the gateway.
 *
 *     {public_url}/artifacts/{key}?expires={unix seconds}&signature={hex}
 *
 * The signature is HMAC-SHA256(secret, "{key}\n{expires}"): whoever has the link may read that one object until then,
 * so links can be given to players and webhook receivers that hold no API key.
 *
 * A playlist or manifest (.m3u8, .mpd) names the files beside it by relative references, which keep a URL's path and
 * lose its query; its link is that of a folder:
 *
 *     {public_url}/artifacts/@{expires}.{signature}/{key}
 *
 * with HMAC-SHA256(secret, "folder\n{prefix}\n{expires}"), the prefix being the key up to its last "/". It opens each
 * object directly under that prefix and nothing else. No key begins with "@", and none has a line feed, so neither kind
 * of signature can be taken for the other.
 *
 * Threads  pure.
 * Trust    keys to check are valid ones of a storage (cs_storage_key_valid); all else is a stranger's.
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

/* What stands behind "/artifacts/", decoded, is the path of a folder's link when it begins with "@". The key in it, in
 * place; NULL: it is no such link, but a key itself. */
const char *cs_link_folder_key(const char *path);
/* As cs_link_check, for the folder that path's key lies in. */
enum cs_status cs_link_folder_check(const char *secret, const char *path, int64_t now_unix_s,
                                    struct cs_err *err) CS_MUST_USE;

#endif
