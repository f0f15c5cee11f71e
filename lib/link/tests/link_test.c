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

TEST(ex_035_a_link_opens_its_object_until_it_expires) {
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

/* ---- folders ---- */

#define FOLDER "dev/acme/e1/p 1/1-aaaa/"

/* "@{expires}.{signature}" of a link to FOLDER's playlist, without what stands around it. */
static char *grant_of(struct cs_arena *arena, int64_t expires_unix_s) {
    static const char base[] = "http://h/artifacts/";
    char *url = cs_link_make("http://h/", secret, FOLDER "master.m3u8", expires_unix_s, arena);
    assert_memory_equal(url, base, strlen(base));
    char *grant = url + strlen(base);
    char *slash = strchr(grant, '/');
    assert_string_equal(slash, "/dev/acme/e1/p%201/1-aaaa/master.m3u8");
    *slash = '\0';
    return grant;
}

static enum cs_status check_folder(const char *grant, const char *key_in_it, int64_t now_unix_s, struct cs_err *err) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", grant, key_in_it);
    return cs_link_folder_check(secret, path, now_unix_s, err);
}

TEST(playlists_and_manifests_get_the_link_of_their_folder) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    static const char *const folders[] = {"a/b/master.m3u8", "a/b/manifest.mpd", "a/b/video.1.M3U8"};
    static const char *const objects[] = {"a/b/video.mp4", "a/b.m3u8/video", "a/b/m3u8", "master.m3u8",
                                          "a/b/x.m3u8.json"};
    for (size_t i = 0; i < CS_COUNT(folders); i++) {
        const char *url = cs_link_make("", secret, folders[i], 1000, arena);
        assert_memory_equal(url, "/artifacts/@1000.", 17);
        assert_null(strchr(url, '?'));
    }
    for (size_t i = 0; i < CS_COUNT(objects); i++) {
        const char *url = cs_link_make("", secret, objects[i], 1000, arena);
        assert_null(strchr(url, '@'));
        assert_non_null(strstr(url, "?expires=1000&signature="));
    }
}

TEST(the_link_of_a_folder_opens_what_lies_in_it_until_it_expires) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const char *grant = grant_of(arena, 1000);
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", grant, FOLDER "video_1080.mp4");
    assert_string_equal(cs_link_folder_key(path), FOLDER "video_1080.mp4");
    assert_ok(check_folder(grant, FOLDER "master.m3u8", 999, &err), &err);
    assert_ok(check_folder(grant, FOLDER "video_1080.mp4", 999, &err), &err);
    assert_fails(check_folder(grant, FOLDER "video_1080.mp4", 1000, &err), &err, CS_PERMISSION_DENIED, "link_expired");
}

TEST(the_link_of_a_folder_opens_nothing_else) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const char *grant = grant_of(arena, 1000);
    static const char *const keys[] = {
        "dev/acme/e1/p 1/2-bbbb/master.m3u8",
        "dev/other/e1/p 1/1-aaaa/master.m3u8",
        "dev/acme/e1/p 1/master.m3u8",
        FOLDER "deeper/master.m3u8",
        FOLDER "../2-bbbb/master.m3u8",
        "master.m3u8",
        "/" FOLDER "master.m3u8",
        "dev/acme/e1/p 1/1-aaaa//x.mp4",
        "",
        "dev/acme/e1/p 1/1-aaaa",
        FOLDER "\n1000/x",
    };
    for (size_t i = 0; i < CS_COUNT(keys); i++) {
        assert_fails(check_folder(grant, keys[i], 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
    }
}

TEST(a_changed_link_of_a_folder_is_refused) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const char *grant = grant_of(arena, 1000);
    const char *signature = strchr(grant, '.') + 1;
    static const char *const heads[] = {
        "@1001.",
        "@.",
        "@1000",
        "@1000..",
        "@1000.0",
        "@-1.",
        "@1000x.",
        "@",
        "@@1000.",
        "@1000.x.",
        "@00000000000000000000000000000000000000000001000.",
    };
    for (size_t i = 0; i < CS_COUNT(heads); i++) {
        CS_AUTO_FREE char *changed = cs_sprintf("%s%s", heads[i], signature);
        assert_fails(check_folder(changed, FOLDER "a.mp4", 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
    }
    static const char *const unsigned_ones[] = {"@", "@1000.", "@1000", "@1000.00"};
    for (size_t i = 0; i < CS_COUNT(unsigned_ones); i++) {
        assert_fails(check_folder(unsigned_ones[i], FOLDER "a.mp4", 1, &err), &err, CS_PERMISSION_DENIED,
                     "link_invalid");
    }
    char flipped[128];
    (void)snprintf(flipped, sizeof(flipped), "%s", grant);
    flipped[strlen(flipped) - 1] = flipped[strlen(flipped) - 1] == 'a' ? 'b' : 'a';
    assert_fails(check_folder(flipped, FOLDER "a.mp4", 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", grant, FOLDER "a.mp4");
    assert_fails(cs_link_folder_check("0123456789abcdeg", path, 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
    assert_fails(cs_link_folder_check("short", path, 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
    assert_fails(cs_link_folder_check(secret, grant, 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
}

TEST(a_link_of_one_kind_is_none_of_the_other) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const char *expires = NULL;
    const char *signature = NULL;
    split(cs_link_make("", secret, FOLDER "video.mp4", 1000, arena), &expires, &signature);
    CS_AUTO_FREE char *grant = cs_sprintf("@%s.%s", expires, signature);
    assert_fails(check_folder(grant, FOLDER "video.mp4", 1, &err), &err, CS_PERMISSION_DENIED, "link_invalid");
    const char *of_folder = strchr(grant_of(arena, 1000), '.') + 1;
    assert_fails(cs_link_check(secret, FOLDER "master.m3u8", "1000", of_folder, 1, &err), &err, CS_PERMISSION_DENIED,
                 "link_invalid");
    assert_null(cs_link_folder_key(FOLDER "master.m3u8"));
    assert_null(cs_link_folder_key(""));
    assert_string_equal(cs_link_folder_key("@"), "");
}

TEST_MAIN(CS_TEST(ex_035_a_link_opens_its_object_until_it_expires), CS_TEST(anything_changed_is_refused),
          CS_TEST(no_object_has_no_link), CS_TEST(playlists_and_manifests_get_the_link_of_their_folder),
          CS_TEST(the_link_of_a_folder_opens_what_lies_in_it_until_it_expires),
          CS_TEST(the_link_of_a_folder_opens_nothing_else), CS_TEST(a_changed_link_of_a_folder_is_refused),
          CS_TEST(a_link_of_one_kind_is_none_of_the_other))
