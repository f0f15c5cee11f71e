#include <string.h>

#include "cs/crypto.h"
#include "cs/test.h"

/* FIPS 180-4 example; GitHub's documented HMAC example. */
TEST(sha256_and_hmac_match_published_vectors) {
    unsigned char digest[CS_SHA256_BYTES];
    char hex[CS_SHA256_HEX_SIZE];
    cs_sha256_of("abc", 3, digest);
    cs_hex_format(digest, sizeof(digest), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *secret = "It's a Secret to Everybody";
    cs_hmac_sha256(secret, strlen(secret), "Hello, World!", 13, digest);
    cs_hex_format(digest, sizeof(digest), hex);
    assert_string_equal(hex, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST(streamed_digest_equals_whole) {
    unsigned char whole[CS_SHA256_BYTES];
    unsigned char streamed[CS_SHA256_BYTES];
    cs_sha256_of("hello world", 11, whole);
    CS_AUTO(cs_sha256) *hash = cs_sha256_create();
    cs_sha256_update(hash, "hello ", 6);
    cs_sha256_update(hash, "world", 5);
    cs_sha256_final(hash, streamed);
    assert_memory_equal(whole, streamed, sizeof(whole));
    assert_true(cs_bytes_eq(whole, streamed, sizeof(whole)));
}

TEST(base64_round_trips_and_refuses_odd_forms) {
    for (size_t size = 0; size < 7; size++) {
        CS_AUTO_BUF text = {0};
        CS_AUTO_BUF back = {0};
        cs_base64_format("abcdef", size, &text);
        assert_true(cs_base64_parse(text.data, &back));
        assert_int_equal(back.size, size);
    }
    CS_AUTO_BUF out = {0};
    static const char *const bad[] = {"a", "ab=", "a===", "ab==cd==", "YQ=A", "YR==", "Y Q=", "\n\n\n\n"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        assert_false(cs_base64_parse(bad[i], &out));
    }
    assert_int_equal(out.size, 0);
}

TEST(hex_parses_exact_lengths_only) {
    unsigned char bytes[2];
    assert_true(cs_hex_parse("0aFF", bytes, 2));
    assert_int_equal(bytes[1], 255);
    assert_false(cs_hex_parse("0aF", bytes, 2));
    assert_false(cs_hex_parse("0aFg", bytes, 2));
}

TEST_MAIN(CS_TEST(sha256_and_hmac_match_published_vectors), CS_TEST(streamed_digest_equals_whole),
          CS_TEST(base64_round_trips_and_refuses_odd_forms), CS_TEST(hex_parses_exact_lengths_only))
