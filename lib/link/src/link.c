#include "cs/link.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/crypto.h"

static void sign(const char *secret, const char *key, int64_t expires_unix_s, char ret_hex[CS_SHA256_HEX_SIZE]) {
    CS_AUTO_BUF signed_text = {0};
    unsigned char mac[CS_SHA256_BYTES];
    cs_buf_printf(&signed_text, "%s\n%" PRId64, key, expires_unix_s);
    cs_hmac_sha256(secret, strlen(secret), signed_text.data, signed_text.size, mac);
    cs_hex_format(mac, sizeof(mac), ret_hex);
}

/* Unreserved characters of RFC 3986 and the "/" between segments stay, ":" and "@" may. */
static void put_encoded(struct cs_buf *out, const char *key) {
    for (const char *c = key; *c != '\0'; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~/:@", *c) != NULL) {
            cs_buf_putc(out, *c);
        } else {
            cs_buf_printf(out, "%%%02X", (unsigned char)*c);
        }
    }
}

char *cs_link_make(const char *public_url, const char *secret, const char *key, int64_t expires_unix_s,
                   struct cs_arena *arena) {
    if (cs_str_empty(key)) {
        return cs_arena_strdup(arena, "");
    }
    CS_AUTO_BUF url = {0};
    char signature[CS_SHA256_HEX_SIZE];
    size_t base = strlen(public_url);
    while (base > 0 && public_url[base - 1] == '/') {
        base--;
    }
    sign(secret, key, expires_unix_s, signature);
    cs_buf_put(&url, public_url, base);
    cs_buf_puts(&url, "/artifacts/");
    put_encoded(&url, key);
    cs_buf_printf(&url, "?expires=%" PRId64 "&signature=%s", expires_unix_s, signature);
    return cs_arena_strndup(arena, url.data, url.size);
}

enum cs_status cs_link_check(const char *secret, const char *key, const char *expires, const char *signature,
                             int64_t now_unix_s, struct cs_err *err) {
    char want[CS_SHA256_HEX_SIZE];
    unsigned char want_mac[CS_SHA256_BYTES];
    unsigned char mac[CS_SHA256_BYTES];
    int64_t expires_unix_s = 0;
    if (strlen(secret) < CS_LINK_SECRET_BYTES_MIN || !cs_parse_i64(expires, 0, INT64_MAX, &expires_unix_s) ||
        signature == NULL || !cs_hex_parse(signature, mac, sizeof(mac))) {
        return cs_fail(err, CS_PERMISSION_DENIED, "link_invalid", "this link is not valid");
    }
    sign(secret, key, expires_unix_s, want);
    if (!cs_hex_parse(want, want_mac, sizeof(want_mac)) || !cs_bytes_eq(want_mac, mac, sizeof(mac))) {
        return cs_fail(err, CS_PERMISSION_DENIED, "link_invalid", "this link is not valid");
    }
    if (now_unix_s >= expires_unix_s) {
        return cs_fail(err, CS_PERMISSION_DENIED, "link_expired", "this link has expired");
    }
    return CS_OK;
}
