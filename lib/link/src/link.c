#include "cs/link.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cs/base/text.h"
#include "cs/crypto.h"

enum { EXPIRES_CHARS_MAX = 20 };

/* The folder a key lies in, with its "/"; 0 bytes of it: none. */
static size_t prefix_length(const char *key) {
    const char *slash = strrchr(key, '/');
    return slash != NULL ? (size_t)(slash + 1 - key) : 0;
}

typedef void sign_fn(const char *secret, const char *key, int64_t expires_unix_s,
                     unsigned char ret_mac[CS_SHA256_BYTES]);

static void sign_text(const char *secret, const struct cs_buf *text, unsigned char ret_mac[CS_SHA256_BYTES]) {
    cs_hmac_sha256(secret, strlen(secret), text->data, text->size, ret_mac);
}

static void sign_key(const char *secret, const char *key, int64_t expires_unix_s,
                     unsigned char ret_mac[CS_SHA256_BYTES]) {
    CS_AUTO_BUF text = {0};
    cs_buf_printf(&text, "%s\n%" PRId64, key, expires_unix_s);
    sign_text(secret, &text, ret_mac);
}

static void sign_folder_of(const char *secret, const char *key, int64_t expires_unix_s,
                           unsigned char ret_mac[CS_SHA256_BYTES]) {
    CS_AUTO_BUF text = {0};
    cs_buf_puts(&text, "folder\n");
    cs_buf_put(&text, key, prefix_length(key));
    cs_buf_printf(&text, "\n%" PRId64, expires_unix_s);
    sign_text(secret, &text, ret_mac);
}

/* Playlists and manifests. */
static bool names_others_beside_it(const char *key) {
    static const char *const extensions[] = {".m3u8", ".mpd"};
    const char *dot = strrchr(key, '.');
    for (size_t i = 0; dot != NULL && i < CS_COUNT(extensions); i++) {
        if (strcasecmp(dot, extensions[i]) == 0) {
            return prefix_length(key) != 0;
        }
    }
    return false;
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

static void put_base(struct cs_buf *out, const char *public_url) {
    size_t base = strlen(public_url);
    while (base > 0 && public_url[base - 1] == '/') {
        base--;
    }
    cs_buf_put(out, public_url, base);
    cs_buf_puts(out, "/artifacts/");
}

char *cs_link_make(const char *public_url, const char *secret, const char *key, int64_t expires_unix_s,
                   struct cs_arena *arena) {
    if (cs_str_empty(key)) {
        return cs_arena_strdup(arena, "");
    }
    CS_AUTO_BUF url = {0};
    unsigned char mac[CS_SHA256_BYTES];
    char signature[CS_SHA256_HEX_SIZE];
    const bool folder = names_others_beside_it(key);
    sign_fn *sign = folder ? sign_folder_of : sign_key;
    sign(secret, key, expires_unix_s, mac);
    cs_hex_format(mac, sizeof(mac), signature);
    put_base(&url, public_url);
    if (folder) {
        cs_buf_printf(&url, "@%" PRId64 ".%s/", expires_unix_s, signature);
    }
    put_encoded(&url, key);
    if (!folder) {
        cs_buf_printf(&url, "?expires=%" PRId64 "&signature=%s", expires_unix_s, signature);
    }
    return cs_arena_strndup(arena, url.data, url.size);
}

static enum cs_status check(sign_fn *sign, const char *secret, const char *key, const char *expires,
                            const char *signature, int64_t now_unix_s, struct cs_err *err) {
    unsigned char want[CS_SHA256_BYTES];
    unsigned char mac[CS_SHA256_BYTES];
    int64_t expires_unix_s = 0;
    if (strlen(secret) < CS_LINK_SECRET_BYTES_MIN || !cs_parse_i64(expires, 0, INT64_MAX, &expires_unix_s) ||
        signature == NULL || !cs_hex_parse(signature, mac, sizeof(mac))) {
        return cs_fail(err, CS_PERMISSION_DENIED, "link_invalid", "this link is not valid");
    }
    sign(secret, key, expires_unix_s, want);
    if (!cs_bytes_eq(want, mac, sizeof(mac))) {
        return cs_fail(err, CS_PERMISSION_DENIED, "link_invalid", "this link is not valid");
    }
    if (now_unix_s >= expires_unix_s) {
        return cs_fail(err, CS_PERMISSION_DENIED, "link_expired", "this link has expired");
    }
    return CS_OK;
}

enum cs_status cs_link_check(const char *secret, const char *key, const char *expires, const char *signature,
                             int64_t now_unix_s, struct cs_err *err) {
    return check(sign_key, secret, key, expires, signature, now_unix_s, err);
}

const char *cs_link_folder_key(const char *path) {
    size_t length = strcspn(path, "/");
    return path[0] != '@' ? NULL : path + length + (path[length] == '/');
}

enum cs_status cs_link_folder_check(const char *secret, const char *path, int64_t now_unix_s, struct cs_err *err) {
    char grant[EXPIRES_CHARS_MAX + 1 + CS_SHA256_HEX_SIZE] = "";
    const char *key = cs_link_folder_key(path);
    size_t length = strcspn(path, "/");
    if (key != NULL && length <= sizeof(grant)) {
        cs_str_copy(grant, length, path + 1); /* between "@" and "/" */
    }
    char *dot = strchr(grant, '.');
    if (dot == NULL || prefix_length(key) == 0) {
        return cs_fail(err, CS_PERMISSION_DENIED, "link_invalid", "this link is not valid");
    }
    *dot = '\0';
    return check(sign_folder_of, secret, key, grant, dot + 1, now_unix_s, err);
}
