/*
 * signature: how a receiver can tell that a delivery is ours.
 *
 *     webhook-signature     v1,<base64>       Standard Webhooks 1.0: HMAC-SHA256(key, "{id}.{timestamp}.{body}"); the
 * key is what follows "whsec_" in base64, or the secret's own bytes without that prefix x-webhook-signature
 * sha256=<hex>      HMAC-SHA256(secret's own bytes, body) x-synthome-signature  <hex>             the same digest, bare
 *
 * Threads  pure.
 * Fails    INVALID_ARGUMENT "bad_secret" "bad_event_id". A secret never appears in an error.
 */
#ifndef WHK_SIGNATURE_H
#define WHK_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"

enum {
    WHK_SECRET_BYTES_MAX = 1024,
    WHK_EVENT_ID_BYTES_MAX = 128,
    WHK_SIGNATURE_TEXT_BYTES_MAX = 4096, /* a list of them, while keys rotate */
    WHK_TOLERANCE_S = 5 * 60,
};

struct whk_message {
    const char *event_id; /* the same for every try */
    int64_t timestamp_s;  /* of this try */
    const void *body;
    size_t body_size;
};

struct whk_signatures {
    char standard[64]; /* "v1,…" */
    char sha256[80];   /* "sha256=…" */
    char synthome[72];
};

enum cs_status whk_sign(const char *secret, const struct whk_message *message, struct whk_signatures *ret_signatures,
                        struct cs_err *err) CS_MUST_USE;

/* Whether one of the space-separated signatures is right and the timestamp is near now. "" when valid, else
 * "signature_mismatch", "timestamp_out_of_range" or "bad_secret". Constant-time over the signature's bytes. */
const char *whk_verify(const char *secret, const struct whk_message *message, const char *signatures, int64_t now_s);

#endif
