#include "wire/external_token.h"

#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/crypto.h"

enum { PARTS = 6 };

static const char purpose[] = "callsheet: reports about external jobs";

static void sign(const char *secret, const struct orc_external_token *token, unsigned char ret_mac[CS_SHA256_BYTES]) {
    unsigned char key[CS_SHA256_BYTES];
    CS_AUTO_BUF signed_text = {0};
    cs_hmac_sha256(secret, strlen(secret), purpose, sizeof(purpose) - 1, key);
    cs_buf_printf(&signed_text, "%s\n%s\n%s\n%u", token->tenant, token->execution, token->job, token->attempt);
    cs_hmac_sha256(key, sizeof(key), signed_text.data, signed_text.size, ret_mac);
}

char *orc_external_token_format(const char *secret, const struct orc_external_token *token, struct cs_arena *arena) {
    unsigned char mac[CS_SHA256_BYTES];
    char hex[CS_SHA256_HEX_SIZE];
    sign(secret, token, mac);
    cs_hex_format(mac, sizeof(mac), hex);
    return cs_arena_sprintf(arena, "ext.%s.%s.%u.%s.%s", token->tenant, token->execution, token->attempt, hex,
                            token->job);
}

enum cs_status orc_external_unknown(struct cs_err *err) {
    return cs_fail(err, CS_NOT_FOUND, "no_such_work", "there is no work to report about with this token");
}

/* parts: "ext", tenant, execution, attempt, HMAC, job. */
static bool read_parts(char *const *parts, struct orc_external_token *token) {
    struct cs_err why = {0};
    int64_t attempt = 0;
    bool good = cs_str_eq(parts[0], "ext") && orc_tenant_check(parts[1], &why) == CS_OK &&
                cs_id_valid(parts[2], CS_ID_LENGTH) && cs_parse_i64(parts[3], 1, UINT32_MAX, &attempt) &&
                cs_id_valid(parts[5], ORC_JOB_ID_BYTES_MAX);
    if (good) {
        cs_str_copy(token->tenant, sizeof(token->tenant), parts[1]);
        cs_str_copy(token->execution, sizeof(token->execution), parts[2]);
        cs_str_copy(token->job, sizeof(token->job), parts[5]);
        token->attempt = (uint32_t)attempt;
    }
    return good;
}

enum cs_status orc_external_token_parse(const char *secret, const char *text, struct orc_external_token *ret_token,
                                        struct cs_err *err) {
    char copy[ORC_EXTERNAL_TOKEN_BYTES_MAX + 1];
    char *parts[PARTS];
    char *rest = copy;
    size_t count = 0;
    unsigned char given[CS_SHA256_BYTES];
    unsigned char want[CS_SHA256_BYTES];
    struct orc_external_token token = {0};
    if (strlen(text) >= sizeof(copy)) {
        return orc_external_unknown(err);
    }
    memcpy(copy, text, strlen(text) + 1);
    while (rest != NULL && count < PARTS - 1) {
        parts[count++] = strsep(&rest, ".");
    }
    parts[PARTS - 1] = rest; /* an id may have dots */
    if (rest == NULL || !read_parts(parts, &token) || !cs_hex_parse(parts[PARTS - 2], given, sizeof(given))) {
        return orc_external_unknown(err);
    }
    sign(secret, &token, want);
    if (!cs_bytes_eq(want, given, sizeof(want))) {
        return orc_external_unknown(err);
    }
    *ret_token = token;
    return CS_OK;
}
