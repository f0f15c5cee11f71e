#include <string.h>

#include "callsheet/v1/operations.pb-c.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "callsheet/v1/webhooks.pb-c.h"
#include "cs/rpc.h"
#include "cs/test.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "guard.h"

#define SIGN callsheet__v1__sign_request__descriptor
#define TREE google__protobuf__descriptor_proto__descriptor

enum { TAG_BYTES_3 = (3 << 3) | 2 };

static enum cs_status unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t size,
                             struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    enum cs_status status = cs_rpc_message_unpack(descriptor, bytes, size, &message, err);
    if (status == CS_OK) {
        cs_rpc_message_free(message);
    }
    return status;
}

#define assert_malformed(descriptor, literal)                                                                          \
    do {                                                                                                               \
        struct cs_err malformed_err = {0};                                                                             \
        assert_fails(unpack(&(descriptor), literal, sizeof(literal) - 1, &malformed_err), &malformed_err,              \
                     CS_INVALID_ARGUMENT, "malformed_message");                                                        \
    } while (0)

TEST(message_comes_back_from_its_bytes) {
    Callsheet__V1__SignRequest sign = CALLSHEET__V1__SIGN_REQUEST__INIT;
    sign.secret = (char *)"schl\xC3\xBCssel";
    sign.timestamp_s = -5;
    sign.body = (ProtobufCBinaryData){3, (uint8_t *)"\0\xFF\1"};
    uint8_t bytes[64];
    size_t size = protobuf_c_message_pack(&sign.base, bytes);
    struct cs_err err = {0};
    ProtobufCMessage *message = NULL;
    assert_ok(cs_rpc_message_unpack(&SIGN, bytes, size, &message, &err), &err);
    const Callsheet__V1__SignRequest *back = (const Callsheet__V1__SignRequest *)message;
    assert_string_equal(back->secret, sign.secret);
    assert_int_equal(back->timestamp_s, -5);
    assert_int_equal(back->body.len, 3);
    assert_memory_equal(back->body.data, "\0\xFF\1", 3);
    cs_rpc_message_free(message);

    CS_AUTO(cs_arena) *arena = cs_arena_create();
    assert_ok(cs_rpc_message_unpack_arena(&SIGN, bytes, size, arena, &message, &err), &err);
    assert_string_equal(((const Callsheet__V1__SignRequest *)message)->secret, sign.secret);
}

TEST(empty_bytes_are_an_empty_message) {
    struct cs_err err = {0};
    assert_ok(unpack(&SIGN, "", 0, &err), &err);
    assert_ok(unpack(&SIGN, NULL, 0, &err), &err);
}

TEST(unknown_fields_are_let_through) {
    struct cs_err err = {0};
    static const char bytes[] = "\xA2\x06\x03"
                                "abc"
                                "\xA8\x06\x01"
                                "\xAD\x06"
                                "1234"
                                "\xA9\x06"
                                "12345678";
    assert_ok(unpack(&SIGN, bytes, sizeof(bytes) - 1, &err), &err);
}

TEST(string_that_is_not_utf8_is_malformed) {
    assert_malformed(SIGN, "\x0A\x02\xC3\x28");
    assert_malformed(SIGN, "\x0A\x03\xED\xA0\x80"); /* a surrogate */
    assert_malformed(SIGN, "\x0A\x02\xC0\xAF");     /* overlong */
}

TEST(string_with_an_embedded_nul_is_malformed) {
    assert_malformed(SIGN, "\x0A\x03"
                           "a\0b");
}

TEST(bytes_field_may_hold_anything) {
    struct cs_err err = {0};
    static const char bytes[] = "\x22\x03\xC3\x00\xFF";
    assert_ok(unpack(&SIGN, bytes, sizeof(bytes) - 1, &err), &err);
}

TEST(broken_wire_is_malformed) {
    assert_malformed(SIGN, "\x0A"); /* no length */
    assert_malformed(SIGN, "\x0A\x05"
                           "abc"); /* longer than what is there */
    assert_malformed(SIGN, "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
    assert_malformed(SIGN, "\x80");                                             /* a key without an end */
    assert_malformed(SIGN, "\x02\x01z");                                        /* field number 0 */
    assert_malformed(SIGN, "\x0B\x0C");                                         /* a group */
    assert_malformed(SIGN, "\x0E\x01");                                         /* wire type 6 */
    assert_malformed(SIGN, "\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"); /* a number of 11 bytes */
    assert_malformed(SIGN, "\x19"
                           "1234"); /* half a 64 bit number */
}

TEST(field_of_the_wrong_wire_type_is_malformed) {
    assert_malformed(SIGN, "\x08\x01");     /* a string as a number */
    assert_malformed(SIGN, "\x1A\x01\x01"); /* a number as bytes */
    assert_malformed(SIGN, "\x20\x01");     /* bytes as a number */
}

/* A message nested depth times into field 3 of DescriptorProto, which contains itself. */
static size_t nest(unsigned char *end, unsigned depth) {
    unsigned char *at = end;
    size_t size = 0;
    for (unsigned i = 1; i < depth; i++) {
        unsigned char length[10];
        size_t length_size = 0;
        for (size_t rest = size; length_size == 0 || rest != 0; rest >>= 7) {
            length[length_size++] = (unsigned char)((rest & 0x7F) | (rest >> 7 != 0 ? 0x80 : 0));
        }
        at -= length_size;
        memcpy(at, length, length_size);
        *--at = TAG_BYTES_3;
        size = (size_t)(end - at);
    }
    return size;
}

TEST(nesting_is_limited) {
    static unsigned char bytes[128 * 1024];
    unsigned char *end = bytes + sizeof(bytes);
    struct cs_err err = {0};
    size_t size = nest(end, CS_RPC_NESTING_MAX);
    assert_ok(unpack(&TREE, end - size, size, &err), &err);
    size = nest(end, CS_RPC_NESTING_MAX + 1);
    assert_fails(unpack(&TREE, end - size, size, &err), &err, CS_INVALID_ARGUMENT, "malformed_message");
    size = nest(end, 20000); /* would overrun the stack of protobuf-c's decoder */
    assert_fails(unpack(&TREE, end - size, size, &err), &err, CS_INVALID_ARGUMENT, "malformed_message");
}

/* Many tiny elements: each costs far more memory than its two bytes. */
TEST(memory_that_a_message_would_need_is_limited) {
    CS_AUTO_BUF bytes = {0};
    size_t count = RPC_UNPACKED_BYTES_MAX / sizeof(Google__Protobuf__DescriptorProto);
    for (size_t i = 0; i < count; i++) {
        cs_buf_putc(&bytes, TAG_BYTES_3);
        cs_buf_putc(&bytes, 0);
    }
    assert_true(bytes.size < CS_RPC_MESSAGE_BYTES_MAX);
    struct cs_err err = {0};
    assert_fails(unpack(&TREE, bytes.data, bytes.size, &err), &err, CS_INVALID_ARGUMENT, "malformed_message");
    assert_non_null(strstr(err.message, "memory"));
}

/* The decoder would merge them in quadratic time. */
TEST(submessage_that_repeats_without_being_repeated_is_limited) {
    struct cs_err err = {0};
    CS_AUTO_BUF bytes = {0};
    for (int i = 0; i <= RPC_MERGES_MAX; i++) { /* CreateExecutionRequest.plan */
        cs_buf_putc(&bytes, TAG_BYTES_3);
        cs_buf_putc(&bytes, 0);
    }
    assert_ok(unpack(&callsheet__v1__create_execution_request__descriptor, bytes.data, bytes.size, &err), &err);
    cs_buf_putc(&bytes, TAG_BYTES_3);
    cs_buf_putc(&bytes, 0);
    assert_fails(unpack(&callsheet__v1__create_execution_request__descriptor, bytes.data, bytes.size, &err), &err,
                 CS_INVALID_ARGUMENT, "malformed_message");
}

/* Whatever the bytes are, the answer is a message or an error; the sanitizers watch the rest. */
TEST(random_changes_of_a_message_never_do_harm) {
    const void *set = NULL;
    size_t set_size = 0;
    cs_rpc_descriptor_set(&set, &set_size);
    size_t size = set_size < 4096 ? set_size : 4096;
    unsigned char bytes[4096];
    uint32_t seed = 12345;
    int accepted = 0;
    for (int round = 0; round < 3000; round++) {
        memcpy(bytes, set, size);
        for (int i = 0; i < 1 + round % 8; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[(seed >> 8) % size] = (unsigned char)(seed >> 24);
        }
        seed = seed * 1664525 + 1013904223;
        struct cs_err err;
        size_t length = round % 2 == 0 ? size : (seed >> 8) % size;
        accepted += unpack(&google__protobuf__file_descriptor_set__descriptor, bytes, length, &err) == CS_OK;
        (void)unpack(&TREE, bytes, length, &err);
    }
    assert_true(accepted < 3000);
}

TEST_MAIN(CS_TEST(message_comes_back_from_its_bytes), CS_TEST(empty_bytes_are_an_empty_message),
          CS_TEST(unknown_fields_are_let_through), CS_TEST(string_that_is_not_utf8_is_malformed),
          CS_TEST(string_with_an_embedded_nul_is_malformed), CS_TEST(bytes_field_may_hold_anything),
          CS_TEST(broken_wire_is_malformed), CS_TEST(field_of_the_wrong_wire_type_is_malformed),
          CS_TEST(nesting_is_limited), CS_TEST(memory_that_a_message_would_need_is_limited),
          CS_TEST(submessage_that_repeats_without_being_repeated_is_limited),
          CS_TEST(random_changes_of_a_message_never_do_harm))
