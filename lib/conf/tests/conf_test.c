#include <stdlib.h>
#include <string.h>

#include "cs/conf.h"
#include "cs/test.h"

struct config {
    const char *listen;
    int64_t slots;
    int64_t grace_ms;
    int64_t upload_bytes;
    bool insecure;
    const char *key;
};

static const struct cs_conf_option options[] = {
    {"listen", "T_LISTEN", CS_CONF_STRING, offsetof(struct config, listen), "127.0.0.1:0", .help = "address"},
    {"slots", "T_SLOTS", CS_CONF_INT, offsetof(struct config, slots), "2", 1, 64, .help = "slots"},
    {"grace", NULL, CS_CONF_DURATION, offsetof(struct config, grace_ms), "30s", .help = "grace"},
    {"upload-max", NULL, CS_CONF_SIZE, offsetof(struct config, upload_bytes), "8GiB", .help = "limit"},
    {"insecure", NULL, CS_CONF_BOOL, offsetof(struct config, insecure), "false", .help = "switch"},
    {"key", "T_KEY", CS_CONF_STRING, offsetof(struct config, key), "", .secret = true, .help = "secret"},
};
static const struct cs_conf_spec spec = {"t", "a test", "[FILE]", options, CS_COUNT(options)};

static enum cs_status load(char **argv, struct cs_arena *arena, struct config *config, const char ***rest,
                           struct cs_err *err) {
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    enum cs_conf_outcome outcome;
    return cs_conf_load(&spec, argc, argv, arena, config, &outcome, rest, err);
}

TEST(flag_beats_environment_beats_default) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct config config = {0};
    const char **rest = NULL;
    struct cs_err err = {0};
    (void)setenv("T_LISTEN", "env:1", 1);
    (void)setenv("T_SLOTS", "3", 1);
    char *argv[] = {"t", "--slots=4", "--grace", "250ms", "--insecure", "a.json", NULL};
    assert_ok(load(argv, arena, &config, &rest, &err), &err);
    (void)unsetenv("T_LISTEN");
    (void)unsetenv("T_SLOTS");
    assert_string_equal(config.listen, "env:1");
    assert_int_equal(config.slots, 4);
    assert_int_equal(config.grace_ms, 250);
    assert_int_equal(config.upload_bytes, 8LL << 30);
    assert_true(config.insecure);
    assert_string_equal(rest[0], "a.json");
    assert_null(rest[1]);
}

TEST(flags_may_follow_positional_arguments) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct config config = {0};
    const char **rest = NULL;
    struct cs_err err = {0};
    char *argv[] = {"t", "a.json", "--slots", "5", "b.json", "--nope=1", NULL};
    assert_fails(load(argv, arena, &config, &rest, &err), &err, CS_INVALID_ARGUMENT, "bad_flag");
    assert_string_equal(err.message, "there is no flag --nope; see --help");
    char *good[] = {"t", "a.json", "--slots", "5", "--", "--b.json", NULL};
    assert_ok(load(good, arena, &config, &rest, &err), &err);
    assert_int_equal(config.slots, 5);
    assert_string_equal(rest[0], "a.json");
    assert_string_equal(rest[1], "--b.json");
}

TEST(bad_values_name_the_setting) {
    static char *const bad[][3] = {{"t", "--slots=65", NULL}, {"t", "--slots=x", NULL},    {"t", "--grace=5", NULL},
                                   {"t", "--nope", NULL},     {"t", "--key=secret", NULL}, {"t", "--slots", NULL}};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct config config = {0};
        const char **rest = NULL;
        struct cs_err err = {0};
        char *argv[] = {bad[i][0], bad[i][1], NULL};
        assert_int_equal(load(argv, arena, &config, &rest, &err), CS_INVALID_ARGUMENT);
        assert_null(strstr(err.message, "secret"));
    }
}

TEST(a_bad_environment_blocks_neither_help_nor_the_flag_that_says_it_better) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct config config = {0};
    const char **rest = NULL;
    struct cs_err err = {0};
    enum cs_conf_outcome outcome;
    char *help[] = {"t", "--help", NULL};
    char *plain[] = {"t", NULL};
    char *flag[] = {"t", "--slots=4", NULL};
    (void)setenv("T_SLOTS", "many", 1);
    assert_ok(cs_conf_load(&spec, 2, help, arena, &config, &outcome, &rest, &err), &err);
    assert_int_equal(outcome, CS_CONF_EXIT);
    assert_ok(load(flag, arena, &config, &rest, &err), &err);
    assert_int_equal(config.slots, 4);
    assert_fails(load(plain, arena, &config, &rest, &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
    (void)unsetenv("T_SLOTS");
}

TEST(addresses_split) {
    char host[CS_HOST_MAX];
    uint16_t port = 0;
    struct cs_err err = {0};
    assert_ok(cs_conf_host_port("[::1]:80", host, &port, &err), &err);
    assert_string_equal(host, "::1");
    assert_int_equal(port, 80);
    static const char *const bad[] = {"", "a", "a:", ":1", "a:65536", "::1:80", "a:-1"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        assert_fails(cs_conf_host_port(bad[i], host, &port, &err), &err, CS_INVALID_ARGUMENT, "bad_address");
    }
}

TEST_MAIN(CS_TEST(flag_beats_environment_beats_default), CS_TEST(flags_may_follow_positional_arguments),
          CS_TEST(bad_values_name_the_setting),
          CS_TEST(a_bad_environment_blocks_neither_help_nor_the_flag_that_says_it_better), CS_TEST(addresses_split))
