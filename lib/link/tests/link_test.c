#include <stdio.h>
#include <string.h>

#include "cs/link.h"
#include "cs/test.h"

static const char secret[] = "0123456789abcdef";
static const char key[] = "dev/acme/e1/job 1/2/final@1:a+b.mp4";

/* Cuts "…?expires=E&signature=S" into its parts, in place. */
static void split(char *url, const char **ret_expires, const char **ret_signature) {
    char *expires = strstr(url, "?expires=");
    char *signature = strstr(url, "&signature=");
    assert_non_null(expires);
    assert_non_null(signature);
    *signature = '\0';
    *ret_expires = expires + strlen("?expires=");
    *ret_signature = signature + strlen("&signature=");
}

TEST(a_link_opens_its_object_until_it_expires) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const char *expires = NULL;
    const char *signature = NULL;
    char *url = cs_link_make("http://127.0.0.1:8080/", secret, key, 1000, arena);
    assert_true(
        strncmp(url, "http://127.0.0.1:8080/artifacts/dev/acme/e1/job%201/2/final@1:a%2Bb.mp4?expires=1000&", 84) == 0);
    split(url, &expires, &signature);
    assert_ok(cs_link_check(secret, key, expires, signature, 999, &err), &err);
    assert_fails(cs_link_check(secret, key, expires, signature, 1000, &err), &err, CS_PERMISSION_DENIED,
                 "link_expired");
}

TEST(anything_changed_is_refused) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const char *expires = NULL;
    const char *signature = NULL;
    split(cs_link_make("https://x", secret, key, 1000, arena), &expires, &signature);
    const struct {
        const char *secret;
        const char *key;
        const char *expires;
        const char *signature;
    } cases[] = {
        {"0123456789abcdeg", key, expires, signature},
        {secret, "dev/acme/e1/job 1/2/other.mp4", expires, signature},
        {secret, key, "1001", signature},
        {secret, key, "", signature},
        {secret, key, NULL, signature},
        {secret, key, "1000x", signature},
        {secret, key, "-1", signature},
        {secret, key, expires, ""},
        {secret, key, expires, NULL},
        {secret, key, expires, "zz"},
        {"", key, expires, signature},
        {"short", key, expires, signature},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        assert_fails(cs_link_check(cases[i].secret, cases[i].key, cases[i].expires, cases[i].signature, 1, &err), &err,
                     CS_PERMISSION_DENIED, "link_invalid");
    }
    char flipped[80];
    (void)snprintf(flipped, sizeof(flipped), "%s", signature);
    flipped[0] = flipped[0] == 'a' ? 'b' : 'a';
    assert_fails(cs_link_check(secret, key, expires, flipped, 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
}

TEST(no_object_has_no_link) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    assert_string_equal(cs_link_make("https://x", secret, "", 1000, arena), "");
    assert_string_equal(cs_link_make("https://x", secret, NULL, 1000, arena), "");
}

TEST_MAIN(CS_TEST(a_link_opens_its_object_until_it_expires), CS_TEST(anything_changed_is_refused),
          CS_TEST(no_object_has_no_link))
