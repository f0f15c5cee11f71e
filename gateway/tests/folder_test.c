#include <string.h>
#include <time.h>

#include "cs/base/log.h"
#include "cs/link.h"
#include "cs/storage.h"
#include "tests/world.h"

#define FOLDER "dev/acme/e1/p/1-aaaa/"

/* A package of acme's, with keys for acme and other, and what lies around it. */
static void folder_up(struct world *world) {
    static const char *const keys[] = {
        FOLDER "master.m3u8",           FOLDER "manifest.mpd",
        FOLDER "video_1080.mp4",        FOLDER "captions.vtt",
        FOLDER "deeper/video.mp4",      "dev/acme/e1/p/2-bbbb/video_1080.mp4",
        "dev/acme/e1/p/video_1080.mp4", "dev/other/e1/p/1-aaaa/video_1080.mp4",
    };
    CS_AUTO(cs_storage) *storage = NULL;
    struct cs_object_info info;
    struct cs_err err = {0};
    world_init(world);
    world->config.api_keys = "key-of-acme=acme,key-of-other=other";
    assert_ok(cs_storage_open(world->directory, &storage, &err), &err);
    for (size_t i = 0; i < CS_COUNT(keys); i++) {
        assert_ok(cs_storage_put(storage, keys[i], WORLD_OBJECT, strlen(WORLD_OBJECT), &info, &err), &err);
    }
}

/* "/artifacts/@{expires}.{signature}/" of a link to FOLDER's playlist. */
static char *door(const char *secret, int64_t seconds_from_now, struct cs_arena *arena) {
    char *url = cs_link_make("", secret, FOLDER "master.m3u8", time(NULL) + seconds_from_now, arena);
    *strstr(url, FOLDER) = '\0';
    return url;
}

TEST(a_player_follows_the_relative_names_of_a_playlist) {
    static const struct {
        const char *name;
        const char *type;
    } files[] = {
        {"master.m3u8", "application/vnd.apple.mpegurl"},
        {"manifest.mpd", "application/dash+xml"},
        {"video_1080.mp4", "video/mp4"},
        {"captions.vtt", "text/vtt"},
    };
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    folder_up(&world);
    world_start(&world);
    const char *open = door(WORLD_SECRET, 60, arena);
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        CS_AUTO_FREE char *target = cs_sprintf("%s" FOLDER "%s", open, files[i].name);
        struct answer answer;
        char text[256];
        http(world.address, "GET", target, "", NULL, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body.data, WORLD_OBJECT);
        assert_string_equal(answer_header(&answer, "Content-Type", text, sizeof(text)), files[i].type);
        answer_fini(&answer);
        http(world.address, "GET", target, "Range: bytes=2-4\r\n", NULL, &answer);
        assert_int_equal(answer.status, 206);
        assert_string_equal(answer.body.data, "234");
        assert_string_equal(answer_header(&answer, "Content-Range", text, sizeof(text)), "bytes 2-4/10");
        answer_fini(&answer);
        http(world.address, "HEAD", target, "", NULL, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer_header(&answer, "Content-Length", text, sizeof(text)), "10");
        answer_fini(&answer);
    }
    world_stop(&world);
}

TEST(x1_the_link_of_a_folder_opens_nothing_around_it) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    static const struct {
        const char *behind; /* the signature */
        int status;
    } cases[] = {
        {FOLDER "deeper/video.mp4", 403},
        {"dev/acme/e1/p/2-bbbb/video_1080.mp4", 403},
        {"dev/acme/e1/p/video_1080.mp4", 403},
        {"dev/other/e1/p/1-aaaa/video_1080.mp4", 403},
        {"dev/acme/e1/m/1/secret.json", 403},
        {"master.m3u8", 403},
        {"dev/acme/e1/p/1-aaaa%2Fdeeper%2Fvideo.mp4", 403},
        {"dev/acme/e1/p/1-aaaa", 403},
        {FOLDER "none.mp4", 404},
        {FOLDER, 404},
        {"", 404},
        {FOLDER "../2-bbbb/video_1080.mp4", 404},
        {FOLDER "..%2F2-bbbb%2Fvideo_1080.mp4", 404},
        {FOLDER "%2e%2e/2-bbbb/video_1080.mp4", 404},
        {FOLDER "deeper/../video_1080.mp4", 404},
        {FOLDER "./video_1080.mp4", 404},
        {FOLDER "/video_1080.mp4", 404},
        {"/" FOLDER "video_1080.mp4", 404},
        {FOLDER "..", 404},
        {FOLDER "%252e%252e/2-bbbb/video_1080.mp4", 404},
        {FOLDER "%5c..%5cvideo_1080.mp4", 404},
        {FOLDER "%0a1000/video_1080.mp4", 404},
        {FOLDER "video_1080.mp4%00.vtt", 400},
    };
    struct world world;
    folder_up(&world);
    world_start(&world);
    const char *open = door(WORLD_SECRET, 60, arena);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO_FREE char *target = cs_sprintf("%s%s", open, cases[i].behind);
        json_decref(ask(&world, "GET", target, "", NULL, cases[i].status));
    }
    world_stop(&world);
}

TEST(a_folders_link_is_refused_when_it_is_old_forged_or_of_an_object) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    static const char acme[] = "X-Api-Key: key-of-acme\r\n";
    struct world world;
    folder_up(&world);
    world_start(&world);
    const char *old = cs_arena_sprintf(arena, "%s" FOLDER "master.m3u8", door(WORLD_SECRET, -60, arena));
    CS_AUTO_JSON *expired = ask(&world, "GET", old, "", NULL, 403);
    assert_string_equal(text_at(expired, "code"), "link_expired");
    const char *object = cs_link_make("", WORLD_SECRET, FOLDER "video_1080.mp4", time(NULL) + 60, arena);
    const char *of_object = strstr(object, "&signature=") + strlen("&signature=");
    const char *expires = cs_arena_strndup(arena, strstr(object, "?expires=") + strlen("?expires="), 10);
    const char *const bad[] = {
        cs_arena_sprintf(arena, "%s" FOLDER "master.m3u8", door("another secret of somebody", 60, arena)),
        cs_arena_sprintf(arena, "/artifacts/@%s.%s/" FOLDER "video_1080.mp4", expires, of_object),
        "/artifacts/@/" FOLDER "master.m3u8",
        "/artifacts/@9999999999./" FOLDER "master.m3u8",
        "/artifacts/@9999999999.0000000000000000000000000000000000000000000000000000000000000000/" FOLDER "master.m3u8",
    };
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        CS_AUTO_JSON *invalid = ask(&world, "GET", bad[i], acme, NULL, 403); /* a key does not mend a link */
        assert_string_equal(text_at(invalid, "code"), "link_invalid");
    }
    json_decref(ask(&world, "GET", "/artifacts/@", acme, NULL, 404));
    json_decref(ask(&world, "GET", "/artifacts/" FOLDER "master.m3u8", acme, NULL, 200));
    json_decref(ask(&world, "GET", "/artifacts/" FOLDER "master.m3u8", "X-Api-Key: key-of-other\r\n", NULL, 404));
    json_decref(ask(&world, "GET", "/artifacts/" FOLDER "master.m3u8", "", NULL, 401));
    json_decref(ask(&world, "DELETE", bad[0], "", NULL, 405));
    world_stop(&world);
}

TEST(players_in_pages_of_a_configured_origin_may_read_parts) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    struct answer answer;
    char text[256];
    folder_up(&world);
    world.config.cors_origin = "https://app.example.com";
    world_start(&world);
    CS_AUTO_FREE char *target = cs_sprintf("%s" FOLDER "video_1080.mp4", door(WORLD_SECRET, 60, arena));
    http(world.address, "OPTIONS", target,
         "Origin: https://app.example.com\r\nAccess-Control-Request-Method: GET\r\n"
         "Access-Control-Request-Headers: range\r\n",
         NULL, &answer);
    assert_int_equal(answer.status, 204);
    assert_string_equal(answer_header(&answer, "Access-Control-Allow-Methods", text, sizeof(text)), "GET, HEAD");
    assert_non_null(strstr(answer_header(&answer, "Access-Control-Allow-Headers", text, sizeof(text)), "Range"));
    answer_fini(&answer);
    http(world.address, "GET", target, "Origin: https://app.example.com\r\nRange: bytes=0-1\r\n", NULL, &answer);
    assert_int_equal(answer.status, 206);
    assert_string_equal(answer_header(&answer, "Access-Control-Allow-Origin", text, sizeof(text)),
                        "https://app.example.com");
    assert_non_null(answer_header(&answer, "Access-Control-Expose-Headers", text, sizeof(text)));
    assert_non_null(strstr(text, "Content-Range"));
    assert_non_null(strstr(text, "Content-Length"));
    answer_fini(&answer);
    world_stop(&world);
}

static void remember_line(const char *line, void *ctx) {
    cs_buf_printf(ctx, "%s\n", line);
}

TEST(sy_141_x3_the_access_log_does_not_tell_what_opens_a_folder) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_BUF lines = {0};
    struct world world;
    folder_up(&world);
    cs_log_capture(remember_line, &lines);
    world_start(&world);
    const char *open = door(WORLD_SECRET, 60, arena);
    CS_AUTO_FREE char *good = cs_sprintf("%s" FOLDER "video_1080.mp4", open);
    CS_AUTO_FREE char *cut = cs_strndup(open, strlen(open) - 1);
    json_decref(ask(&world, "GET", good, "", NULL, 200));
    json_decref(ask(&world, "POST", good, "", NULL, 405));
    json_decref(ask(&world, "GET", cut, "", NULL, 404));
    gw_app_drain(world.app); /* all requests are finished, and logged */
    world_stop(&world);
    cs_log_capture(NULL, NULL);
    assert_non_null(strstr(lines.data, "\"path\":\"/artifacts/@/" FOLDER "video_1080.mp4\""));
    assert_null(strstr(lines.data, strchr(cut, '.') + 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(a_player_follows_the_relative_names_of_a_playlist),
        CS_TEST(x1_the_link_of_a_folder_opens_nothing_around_it),
        CS_TEST(a_folders_link_is_refused_when_it_is_old_forged_or_of_an_object),
        CS_TEST(players_in_pages_of_a_configured_origin_may_read_parts),
        CS_TEST(sy_141_x3_the_access_log_does_not_tell_what_opens_a_folder),
    };
    cs_log_setup("gateway-test", CS_LOG_INFO);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
