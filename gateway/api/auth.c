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
    bool is_operator;
};

struct gw_auth {
    struct cs_arena *arena;
    struct key *keys;
    size_t key_count;
    bool closed; /* to those without a key: there are keys that are not operators' */
};

static bool tenant_valid(const char *tenant) {
    size_t length = strlen(tenant);
    return length >= 1 && length <= TENANT_BYTES_MAX &&
           tenant[strspn(tenant, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

/* One setting; `setting` is its name in the environment. */
static enum cs_status add_key(struct gw_auth *auth, char *pair, bool is_operator, const char *setting,
                              struct cs_err *err) {
    char *equals = strrchr(pair, '=');
    if (equals == NULL || equals - pair < KEY_BYTES_MIN || !tenant_valid(equals + 1)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_api_keys",
                       "key %zu, of %s, must be KEY=TENANT, the key of at least %d bytes, the tenant of a-z 0-9 _ -",
                       auth->key_count + 1, setting, KEY_BYTES_MIN);
    }
    struct key *key = &auth->keys[auth->key_count++];
    cs_sha256_of(pair, (size_t)(equals - pair), key->digest);
    for (const struct key *other = auth->keys; other != key; other++) {
        if (cs_bytes_eq(other->digest, key->digest, sizeof(key->digest))) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "bad_api_keys", "key %zu, of %s, repeats another one",
                           auth->key_count, setting);
        }
    }
    key->tenant = cs_arena_strdup(auth->arena, equals + 1);
    key->is_operator = is_operator;
    return CS_OK;
}

static size_t count_keys(const char *keys) {
    size_t count = 1;
    for (const char *c = keys; *c != '\0'; c++) {
        count += *c == ',';
    }
    return count;
}

static enum cs_status add_keys(struct gw_auth *auth, const char *keys, bool is_operator, const char *setting,
                               struct cs_err *err) {
    CS_AUTO_FREE char *copy = cs_strdup(keys);
    char *state = NULL;
    size_t before = auth->key_count;
    enum cs_status status = CS_OK;
    for (char *pair = strtok_r(copy, ",", &state); pair != NULL && status == CS_OK;
         pair = strtok_r(NULL, ",", &state)) {
        status = add_key(auth, pair, is_operator, setting, err);
    }
    explicit_bzero(copy, strlen(keys));
    CS_TRY(status);
    if (auth->key_count == before && keys[0] != '\0') { /* keys were meant: not a gateway without any */
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_api_keys", "%s has commas and no key", setting);
    }
    return CS_OK;
}

enum cs_status gw_auth_create(const char *api_keys, const char *operator_keys, struct gw_auth **ret_auth,
                              struct cs_err *err) {
    CS_AUTO(gw_auth) *auth = cs_alloc(sizeof(*auth));
    auth->arena = cs_arena_create();
    auth->keys = cs_arena_array(auth->arena, count_keys(api_keys) + count_keys(operator_keys) + 1, sizeof(*auth->keys));
    CS_TRY(add_keys(auth, api_keys, false, "CALLSHEET_API_KEYS", err));
    auth->closed = auth->key_count != 0;
    CS_TRY(add_keys(auth, operator_keys, true, "CALLSHEET_OPERATOR_KEYS", err));
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
    return auth->closed;
}

const char *gw_auth_key(const char *authorization, const char *api_key) {
    static const char scheme[] = "Bearer ";
    if (authorization != NULL && strncasecmp(authorization, scheme, strlen(scheme)) == 0) {
        return authorization + strlen(scheme);
    }
    return authorization == NULL ? api_key : NULL;
}

/* NULL: nobody has it. Takes the same time wherever it is. */
static const struct key *find_key(const struct gw_auth *auth, const char *given) {
    const struct key *found = NULL;
    unsigned char digest[CS_SHA256_BYTES];
    cs_sha256_of(given, strlen(given), digest);
    for (size_t i = 0; i < auth->key_count; i++) {
        found = cs_bytes_eq(auth->keys[i].digest, digest, sizeof(digest)) ? &auth->keys[i] : found;
    }
    return found;
}

bool gw_auth_is_operator(const struct gw_auth *auth, const char *authorization, const char *api_key) {
    const char *given = gw_auth_key(authorization, api_key);
    const struct key *key = cs_str_empty(given) ? NULL : find_key(auth, given);
    return key != NULL && key->is_operator;
}

enum cs_status gw_auth_tenant(const struct gw_auth *auth, const char *authorization, const char *api_key,
                              const char **ret_tenant, struct cs_err *err) {
    const char *given = gw_auth_key(authorization, api_key);
    const struct key *key = cs_str_empty(given) ? NULL : find_key(auth, given);
    if (key == NULL && !auth->closed) {
        *ret_tenant = default_tenant;
        return CS_OK;
    }
    if (cs_str_empty(given)) {
        return cs_fail(err, CS_UNAUTHENTICATED, "no_credentials", "Missing or invalid Authorization header");
    }
    if (key == NULL) {
        return cs_fail(err, CS_UNAUTHENTICATED, "bad_credentials", "Invalid or inactive API key");
    }
    *ret_tenant = key->tenant;
    return CS_OK;
}
