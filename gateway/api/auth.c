#include "api/auth.h"

#include <string.h>
#include <strings.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/crypto.h"

enum { KEY_BYTES_MIN = 8, TENANT_BYTES_MAX = 64 };

static const char default_tenant[] = "default";

struct key {
    unsigned char digest[CS_SHA256_BYTES];
    const char *tenant;
};

struct gw_auth {
    struct cs_arena *arena;
    struct key *keys;
    size_t key_count;
};

static bool tenant_valid(const char *tenant) {
    size_t length = strlen(tenant);
    return length >= 1 && length <= TENANT_BYTES_MAX &&
           tenant[strspn(tenant, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static enum cs_status add_key(struct gw_auth *auth, char *pair, struct cs_err *err) {
    char *equals = strrchr(pair, '=');
    if (equals == NULL || equals - pair < KEY_BYTES_MIN || !tenant_valid(equals + 1)) {
        return cs_fail(
            err, CS_INVALID_ARGUMENT, "bad_api_keys",
            "entry %zu of CALLSHEET_API_KEYS must be KEY=TENANT, the key of at least %d bytes, the tenant of "
            "a-z 0-9 _ -",
            auth->key_count + 1, KEY_BYTES_MIN);
    }
    struct key *key = &auth->keys[auth->key_count++];
    cs_sha256_of(pair, (size_t)(equals - pair), key->digest);
    for (const struct key *other = auth->keys; other != key; other++) {
        if (cs_bytes_eq(other->digest, key->digest, sizeof(key->digest))) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "bad_api_keys", "entry %zu of CALLSHEET_API_KEYS repeats a key",
                           auth->key_count);
        }
    }
    key->tenant = cs_arena_strdup(auth->arena, equals + 1);
    return CS_OK;
}

enum cs_status gw_auth_create(const char *api_keys, struct gw_auth **ret_auth, struct cs_err *err) {
    CS_AUTO(gw_auth) *auth = cs_alloc(sizeof(*auth));
    CS_AUTO_FREE char *copy = cs_strdup(api_keys);
    char *state = NULL;
    size_t count = 1;
    for (const char *c = api_keys; *c != '\0'; c++) {
        count += *c == ',';
    }
    auth->arena = cs_arena_create();
    auth->keys = cs_arena_array(auth->arena, count, sizeof(*auth->keys));
    for (char *pair = strtok_r(copy, ",", &state); pair != NULL; pair = strtok_r(NULL, ",", &state)) {
        CS_TRY(add_key(auth, pair, err));
    }
    explicit_bzero(copy, strlen(api_keys));
    if (auth->key_count == 0 && api_keys[0] != '\0') { /* keys were meant: not a gateway without any */
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_api_keys", "CALLSHEET_API_KEYS has commas and no key");
    }
    *ret_auth = cs_steal(&auth);
    return CS_OK;
}

void gw_auth_destroy(struct gw_auth *auth) {
    if (auth != NULL) {
        cs_arena_destroy(auth->arena);
        free(auth);
    }
}

bool gw_auth_has_keys(const struct gw_auth *auth) {
    return auth->key_count != 0;
}

const char *gw_auth_key(const char *authorization, const char *api_key) {
    static const char scheme[] = "Bearer ";
    if (authorization != NULL && strncasecmp(authorization, scheme, strlen(scheme)) == 0) {
        return authorization + strlen(scheme);
    }
    return authorization == NULL ? api_key : NULL;
}

enum cs_status gw_auth_tenant(const struct gw_auth *auth, const char *authorization, const char *api_key,
                              const char **ret_tenant, struct cs_err *err) {
    const char *given = gw_auth_key(authorization, api_key);
    const char *tenant = NULL;
    unsigned char digest[CS_SHA256_BYTES];
    if (auth->key_count == 0) {
        *ret_tenant = default_tenant;
        return CS_OK;
    }
    if (cs_str_empty(given)) {
        return cs_fail(err, CS_UNAUTHENTICATED, "no_credentials", "Missing or invalid Authorization header");
    }
    cs_sha256_of(given, strlen(given), digest);
    for (size_t i = 0; i < auth->key_count; i++) {
        tenant = cs_bytes_eq(auth->keys[i].digest, digest, sizeof(digest)) ? auth->keys[i].tenant : tenant;
    }
    if (tenant == NULL) {
        return cs_fail(err, CS_UNAUTHENTICATED, "bad_credentials", "Invalid or inactive API key");
    }
    *ret_tenant = tenant;
    return CS_OK;
}
