#include "domain/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/crypto.h"

static const char standard_prefix[] = "whsec_";
static const char version_prefix[] = "v1,";

static enum cs_status bad_secret(struct cs_err *err) {
    return cs_fail_at(err, "secret", "bad_secret", "the secret is neither text nor whsec_ with base64");
}

/* The key of the standard signature. */
static enum cs_status decode_key(const char *secret, struct cs_buf *key, struct cs_err *err) {
    if (strnlen(secret, WHK_SECRET_BYTES_MAX + 1) > WHK_SECRET_BYTES_MAX || secret[0] == '\0') {
        return bad_secret(err);
    }
    if (!cs_str_starts(secret, standard_prefix)) {
        cs_buf_puts(key, secret);
        return CS_OK;
    }
    if (!cs_base64_parse(secret + sizeof(standard_prefix) - 1, key) || key->size == 0) {
        return bad_secret(err);
    }
    return CS_OK;
}

static void sign_standard(const struct cs_buf *key, const struct whk_message *message, char ret_text[64]) {
    CS_AUTO_BUF signed_text = {0};
    CS_AUTO_BUF base64 = {0};
    unsigned char mac[CS_SHA256_BYTES];
    cs_buf_printf(&signed_text, "%s.%" PRId64 ".", message->event_id, message->timestamp_s);
    cs_buf_put(&signed_text, message->body, message->body_size);
    cs_hmac_sha256(key->data, key->size, signed_text.data, signed_text.size, mac);
    cs_base64_format(mac, sizeof(mac), &base64);
    (void)snprintf(ret_text, 64, "%s%s", version_prefix, base64.data);
}

enum cs_status whk_sign(const char *secret, const struct whk_message *message, struct whk_signatures *ret_signatures,
                        struct cs_err *err) {
    /* the signed text parts its fields with dots */
    if (!cs_id_valid(message->event_id, WHK_EVENT_ID_BYTES_MAX) || strchr(message->event_id, '.') != NULL) {
        return cs_fail_at(err, "eventId", "bad_event_id", "an event id has 1 to %d letters, digits, _ : -",
                          WHK_EVENT_ID_BYTES_MAX);
    }
    CS_AUTO_BUF key = {0};
    CS_TRY(decode_key(secret, &key, err));
    sign_standard(&key, message, ret_signatures->standard);

    unsigned char mac[CS_SHA256_BYTES];
    cs_hmac_sha256(secret, strlen(secret), message->body, message->body_size, mac);
    cs_hex_format(mac, sizeof(mac), ret_signatures->synthome);
    (void)snprintf(ret_signatures->sha256, sizeof(ret_signatures->sha256), "sha256=%s", ret_signatures->synthome);
    return CS_OK;
}

static bool one_matches(const char *signatures, const char *wanted) {
    size_t length = strlen(wanted);
    bool match = false;
    if (strnlen(signatures, WHK_SIGNATURE_TEXT_BYTES_MAX + 1) > WHK_SIGNATURE_TEXT_BYTES_MAX) {
        return false;
    }
    for (const char *at = signatures; *at != '\0';) {
        size_t size = strcspn(at, " ");
        match |= size == length && cs_bytes_eq(at, wanted, length);
        at += size;
        at += strspn(at, " ");
    }
    return match;
}

const char *whk_verify(const char *secret, const struct whk_message *message, const char *signatures, int64_t now_s) {
    struct whk_signatures wanted;
    struct cs_err err = {0};
    if (whk_sign(secret, message, &wanted, &err) != CS_OK) {
        return cs_str_eq(err.reason, "bad_secret") ? "bad_secret" : "signature_mismatch";
    }
    if (!one_matches(signatures, wanted.standard)) {
        return "signature_mismatch";
    }
    if (message->timestamp_s < now_s - WHK_TOLERANCE_S || message->timestamp_s > now_s + WHK_TOLERANCE_S) {
        return "timestamp_out_of_range";
    }
    return "";
}
