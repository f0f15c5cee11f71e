/*
 * crypto: digests, message authentication and text forms of bytes, on OpenSSL.
 *
 * Threads  functions are pure; a struct cs_sha256 belongs to one thread.
 * Trust    cs_bytes_eq takes the same time whatever the bytes; use it for everything secret.
 */
#ifndef CS_CRYPTO_H
#define CS_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/auto.h"
#include "cs/base/mem.h"

enum {
    CS_SHA256_BYTES = 32,
    CS_SHA256_HEX_SIZE = 65, /* with NUL */
};

struct cs_sha256;

struct cs_sha256 *cs_sha256_create(void);
void cs_sha256_destroy(struct cs_sha256 *hash);
void cs_sha256_update(struct cs_sha256 *hash, const void *bytes, size_t size_bytes);
void cs_sha256_final(struct cs_sha256 *hash, unsigned char ret_digest[CS_SHA256_BYTES]); /* once */

CS_DEFINE_AUTO(cs_sha256, cs_sha256_destroy)

void cs_sha256_of(const void *bytes, size_t size_bytes, unsigned char ret_digest[CS_SHA256_BYTES]);
void cs_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size_bytes,
                    unsigned char ret_mac[CS_SHA256_BYTES]);

bool cs_bytes_eq(const void *a, const void *b, size_t size_bytes);

/* Lower-case hex, with NUL; ret_text has room for 2 * size_bytes + 1. */
void cs_hex_format(const void *bytes, size_t size_bytes, char *ret_text);
/* Exactly size_bytes bytes from hex of either case; false otherwise. */
bool cs_hex_parse(const char *text, void *ret_bytes, size_t size_bytes);

/* Standard base64 with padding (RFC 4648 §4). */
void cs_base64_format(const void *bytes, size_t size_bytes, struct cs_buf *out);
/* Appends to out; false (out unchanged) when text is not canonical base64. */
bool cs_base64_parse(const char *text, struct cs_buf *out);

#endif
