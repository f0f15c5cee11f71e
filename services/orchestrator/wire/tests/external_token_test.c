/* Tokens of external attempts. */
#include "wire/external_token.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/test.h"

#define SECRET "0123456789abcdef"

static const struct orc_external_token sample = {
    .tenant = "acme", .execution = "0123456789abcdefghijk", .job = "scene.1:v-2", .attempt = 3};

TEST(a_token_names_its_attempt_and_comes_back) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_external_token read;
    struct cs_err err = {0};
    assert_ok(orc_external_token_parse(SECRET, orc_external_token_format(SECRET, &sample, arena), &read, &err), &err);
    assert_string_equal(read.tenant, sample.tenant);
    assert_string_equal(read.execution, sample.execution);
    assert_string_equal(read.job, sample.job);
    assert_int_equal(read.attempt, sample.attempt);
}

TEST(a_token_with_any_byte_changed_is_none) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    char *token = orc_external_token_format(SECRET, &sample, arena);
    struct orc_external_token read;
    for (size_t i = 0; i < strlen(token); i++) {
        struct cs_err err = {0};
        char kept = token[i];
        token[i] = kept == '1' ? '2' : '1';
        assert_fails(orc_external_token_parse(SECRET, token, &read, &err), &err, CS_NOT_FOUND, "no_such_work");
        token[i] = kept;
    }
}

TEST(what_is_no_token_is_refused_alike) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const char *token = orc_external_token_format(SECRET, &sample, arena);
    char huge[2 * ORC_EXTERNAL_TOKEN_BYTES_MAX];
    memset(huge, '.', sizeof(huge));
    huge[sizeof(huge) - 1] = '\0';
    const char *const bad[] = {"",
                               ".",
                               ".....",
                               "ext",
                               "ext.acme",
                               "ext.acme.x.1.00.",
                               huge,
                               cs_arena_sprintf(arena, "%sx", token),
                               cs_arena_sprintf(arena, " %s", token)};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct orc_external_token read;
        struct cs_err err = {0};
        assert_fails(orc_external_token_parse(SECRET, bad[i], &read, &err), &err, CS_NOT_FOUND, "no_such_work");
    }
    struct orc_external_token read;
    struct cs_err err = {0};
    assert_fails(orc_external_token_parse("another secret of ours", token, &read, &err), &err, CS_NOT_FOUND,
                 "no_such_work");
}

TEST(the_longest_names_fit) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_external_token longest = {.execution = "0123456789abcdefghijk", .attempt = UINT32_MAX};
    struct orc_external_token read;
    struct cs_err err = {0};
    memset(longest.tenant, 'a', ORC_TENANT_BYTES_MAX);
    memset(longest.job, 'j', ORC_JOB_ID_BYTES_MAX);
    assert_ok(orc_external_token_parse(SECRET, orc_external_token_format(SECRET, &longest, arena), &read, &err), &err);
    assert_string_equal(read.job, longest.job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(a_token_names_its_attempt_and_comes_back),
        CS_TEST(a_token_with_any_byte_changed_is_none),
        CS_TEST(what_is_no_token_is_refused_alike),
        CS_TEST(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
