/* COVERS domain/signature.c, with published vectors. */
#include <stdio.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/test.h"
#include "domain/signature.h"

/* The example of Standard Webhooks 1.0. */
static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char body[] = "{\"test\": 2432232314}";
static const char signature[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
static const struct whk_message message = {"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof(body) - 1};

TEST(standard_webhooks_vector_is_met) {
    struct whk_signatures signatures;
    struct cs_err err = {0};
    assert_ok(whk_sign(secret, &message, &signatures, &err), &err);
    assert_string_equal(signatures.standard, signature);
}

TEST(github_vector_is_met_over_the_raw_body) {
    struct whk_message hello = {"evt_1", 1, "Hello, World!", 13};
    struct whk_signatures signatures;
    struct cs_err err = {0};
    assert_ok(whk_sign("It's a Secret to Everybody", &hello, &signatures, &err), &err);
    assert_string_equal(signatures.sha256, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    assert_string_equal(signatures.synthome, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST(a_plain_secret_is_its_own_bytes) {
    struct whk_signatures plain;
    struct whk_signatures encoded;
    struct cs_err err = {0};
    assert_ok(whk_sign("abcdefghijklmnopqrstuvwx", &message, &plain, &err), &err);
    assert_ok(whk_sign("whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4", &message, &encoded, &err), &err);
    assert_string_equal(plain.standard, encoded.standard);
    assert_string_not_equal(plain.sha256, encoded.sha256);
}

TEST(bodies_with_any_bytes_are_signed_whole) {
    static const char bytes[] = "a\0b\xff.";
    struct whk_message whole = {"evt_1", 1, bytes, 5};
    struct whk_message part = {"evt_1", 1, bytes, 4};
    struct whk_message empty = {"evt_1", 1, NULL, 0};
    struct whk_signatures a;
    struct whk_signatures b;
    struct cs_err err = {0};
    assert_ok(whk_sign(secret, &whole, &a, &err), &err);
    assert_ok(whk_sign(secret, &part, &b, &err), &err);
    assert_string_not_equal(a.standard, b.standard);
    assert_string_not_equal(a.sha256, b.sha256);
    assert_ok(whk_sign(secret, &empty, &b, &err), &err);
}

TEST(bad_secrets_and_event_ids_are_refused_without_showing_them) {
    static const char *const secrets[] = {"", "whsec_", "whsec_not base64!", "whsec_YQ"};
    static const char *const ids[] = {"", "has.dot", "has blank", "a\nb"};
    struct whk_signatures signatures;
    for (size_t i = 0; i < CS_COUNT(secrets); i++) {
        struct cs_err err = {0};
        assert_fails(whk_sign(secrets[i], &message, &signatures, &err), &err, CS_INVALID_ARGUMENT, "bad_secret");
        assert_string_equal(err.path, "secret");
        assert_null(strstr(err.message, "not base64"));
        assert_string_equal(whk_verify(secrets[i], &message, signature, message.timestamp_s), "bad_secret");
    }
    for (size_t i = 0; i < CS_COUNT(ids); i++) {
        struct whk_message odd = {ids[i], 1, body, 1};
        struct cs_err err = {0};
        assert_fails(whk_sign(secret, &odd, &signatures, &err), &err, CS_INVALID_ARGUMENT, "bad_event_id");
    }
    char longest[WHK_SECRET_BYTES_MAX + 2];
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    struct cs_err err = {0};
    assert_fails(whk_sign(longest, &message, &signatures, &err), &err, CS_INVALID_ARGUMENT, "bad_secret");
}

TEST(x7_a_delivery_verifies_within_five_minutes) {
    assert_string_equal(whk_verify(secret, &message, signature, message.timestamp_s), "");
    assert_string_equal(whk_verify(secret, &message, signature, message.timestamp_s + 300), "");
    assert_string_equal(whk_verify(secret, &message, signature, message.timestamp_s - 300), "");
    assert_string_equal(whk_verify(secret, &message, signature, message.timestamp_s + 301), "timestamp_out_of_range");
    assert_string_equal(whk_verify(secret, &message, signature, message.timestamp_s - 301), "timestamp_out_of_range");
}

TEST(one_right_signature_in_a_list_is_enough) {
    char list[256];
    (void)snprintf(list, sizeof(list), "v1,AAAA v1a,xyz  %s v2,zzz", signature);
    assert_string_equal(whk_verify(secret, &message, list, message.timestamp_s), "");
}

TEST(anything_else_is_a_mismatch) {
    static const char *const wrong[] = {"",
                                        " ",
                                        "v1,",
                                        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=",
                                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
                                        "v1a,g0hM9SsE"};
    for (size_t i = 0; i < CS_COUNT(wrong); i++) {
        assert_string_equal(whk_verify(secret, &message, wrong[i], message.timestamp_s), "signature_mismatch");
    }
    struct whk_message other = message;
    other.timestamp_s++;
    assert_string_equal(whk_verify(secret, &other, signature, message.timestamp_s), "signature_mismatch");
    other = message;
    other.event_id = "msg_other";
    assert_string_equal(whk_verify(secret, &other, signature, message.timestamp_s), "signature_mismatch");
    assert_string_equal(whk_verify("whsec_AAAA", &message, signature, message.timestamp_s), "signature_mismatch");
}

TEST_MAIN(CS_TEST(standard_webhooks_vector_is_met), CS_TEST(github_vector_is_met_over_the_raw_body),
          CS_TEST(a_plain_secret_is_its_own_bytes), CS_TEST(bodies_with_any_bytes_are_signed_whole),
          CS_TEST(bad_secrets_and_event_ids_are_refused_without_showing_them),
          CS_TEST(x7_a_delivery_verifies_within_five_minutes), CS_TEST(one_right_signature_in_a_list_is_enough),
          CS_TEST(anything_else_is_a_mismatch))
