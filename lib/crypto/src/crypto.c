#include "cs/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

struct cs_sha256 {
    EVP_MD_CTX *ctx;
};

struct cs_sha256 *cs_sha256_create(void) {
    struct cs_sha256 *hash = cs_alloc(sizeof(*hash));
    hash->ctx = EVP_MD_CTX_new();
    if (hash->ctx == NULL || EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL) != 1) {
        abort(); /* only without memory */
    }
    return hash;
}

void cs_sha256_destroy(struct cs_sha256 *hash) {
    if (hash != NULL) {
        EVP_MD_CTX_free(hash->ctx);
        free(hash);
    }
}

void cs_sha256_update(struct cs_sha256 *hash, const void *bytes, size_t size_bytes) {
    (void)EVP_DigestUpdate(hash->ctx, bytes, size_bytes);
}

void cs_sha256_final(struct cs_sha256 *hash, unsigned char ret_digest[CS_SHA256_BYTES]) {
    (void)EVP_DigestFinal_ex(hash->ctx, ret_digest, NULL);
}

void cs_sha256_of(const void *bytes, size_t size_bytes, unsigned char ret_digest[CS_SHA256_BYTES]) {
    (void)EVP_Digest(bytes, size_bytes, ret_digest, NULL, EVP_sha256(), NULL);
}

void cs_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size_bytes,
                    unsigned char ret_mac[CS_SHA256_BYTES]) {
    unsigned int length = CS_SHA256_BYTES;
    (void)HMAC(EVP_sha256(), key, (int)key_size, bytes, size_bytes, ret_mac, &length);
}

bool cs_bytes_eq(const void *a, const void *b, size_t size_bytes) {
    return CRYPTO_memcmp(a, b, size_bytes) == 0;
}

void cs_hex_format(const void *bytes, size_t size_bytes, char *ret_text) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size_bytes; i++) {
        ret_text[2 * i] = digits[at[i] >> 4U];
        ret_text[2 * i + 1] = digits[at[i] & 15U];
    }
    ret_text[2 * size_bytes] = '\0';
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool cs_hex_parse(const char *text, void *ret_bytes, size_t size_bytes) {
    if (strlen(text) != 2 * size_bytes) {
        return false;
    }
    unsigned char *at = ret_bytes;
    for (size_t i = 0; i < size_bytes; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        at[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

void cs_base64_format(const void *bytes, size_t size_bytes, struct cs_buf *out) {
    char *text = cs_alloc((size_bytes + 2) / 3 * 4 + 1);
    int length = EVP_EncodeBlock((unsigned char *)text, bytes, (int)size_bytes);
    cs_buf_put(out, text, (size_t)length);
    free(text);
}

bool cs_base64_parse(const char *text, struct cs_buf *out) {
    size_t length = strlen(text);
    size_t padding = length >= 2 && text[length - 1] == '=' ? 1U + (text[length - 2] == '=') : 0U;
    if (length % 4 != 0 || length > INT32_MAX / 2 || strcspn(text, "=") + padding != length) {
        return false;
    }
    unsigned char *bytes = cs_alloc(length / 4 * 3 + 1);
    int decoded = length == 0 ? 0 : EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    CS_AUTO_BUF canonical = {0};
    bool valid = decoded >= 0;
    if (valid) {
        size_t size_bytes = (size_t)decoded - padding;
        cs_base64_format(bytes, size_bytes, &canonical);
        valid = strcmp(canonical.data, text) == 0; /* also refuses white space and stray bits */
        if (valid) {
            cs_buf_put(out, bytes, size_bytes);
        }
    }
    OPENSSL_cleanse(bytes, length / 4 * 3 + 1);
    free(bytes);
    return valid;
}
