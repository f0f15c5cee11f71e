/* The supervisor with small shell scripts as members. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "up/supervisor.h"

/* Says ready with the address that it is given, or with one of its own; then waits for the end. */
#define SERVE "echo \"ready ${ADDRESS:-127.0.0.1:$$}\" >&3; exec 3>&-; "
#define IDLE "while :; do sleep 100 & wait $!; done"

struct fake {
    const char *script;
    int launches;
};

static enum cs_status launch(void *ctx, const char *address, struct cs_arena *arena, struct cs_process_spec *ret_spec,
                             __attribute__((unused)) struct cs_err *err) {
    struct fake *fake = ctx;
    const char **argv = cs_arena_array(arena, 4, sizeof(*argv));
    const char **environment = cs_arena_array(arena, 2, sizeof(*environment));
    fake->launches++;
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = fake->script;
    environment[0] = cs_arena_sprintf(arena, "ADDRESS=%s", address);
    *ret_spec = (struct cs_process_spec){.argv = argv, .environment = environment};
    return CS_OK;
}

static void add(struct cli_sup *sup, const char *name, int stage, struct fake *fake) {
    cli_sup_add(sup, &(struct cli_member_spec){
                         .name = name, .stage = stage, .stop_signal = SIGTERM, .launch = launch, .ctx = fake});
}

static struct cli_sup *create(int log_fd, int64_t grace_ms) {
    return cli_sup_create(&(struct cli_sup_options){.log_fd = log_fd, .grace_ms = grace_ms});
}

/* Turns until the condition holds. */
#define TURN_UNTIL(sup, condition)                                                                                     \
    do {                                                                                                               \
        struct cs_err turn_err = {0};                                                                                  \
        int64_t turn_deadline_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;                                           \
        while (!(condition)) {                                                                                         \
            assert_true(cs_clock_mono_ms() < turn_deadline_ms);                                                        \
            assert_ok(cli_sup_turn(sup, -1, 100, &turn_err), &turn_err);                                               \
        }                                                                                                              \
    } while (0)

static void stop_all(struct cli_sup *sup) {
    cli_sup_stop(sup);
    TURN_UNTIL(sup, cli_sup_ended(sup));
}

static char *text_of(int fd) {
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = cs_alloc((size_t)size + 1);
    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    return text;
}

TEST(backoff_doubles_up_to_its_limit) {
    static const int64_t want_ms[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    for (size_t i = 0; i < CS_COUNT(want_ms); i++) {
        assert_int_equal(cli_backoff_ms((int)i + 1), want_ms[i]);
    }
    assert_int_equal(cli_backoff_ms(1000000), 5000);
}

TEST(stages_start_in_order_and_stop_in_reverse) {
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct fake first = {.script = "trap 'echo first-stops; exit 0' TERM; echo first-starts; " SERVE IDLE};
    struct fake second = {.script = "trap 'echo second-stops; exit 0' TERM; echo second-starts; " SERVE IDLE};
    CS_AUTO(cli_sup) *sup = create(log_fd, CS_TEST_PATIENCE_MS);
    add(sup, "second", 1, &second);
    add(sup, "first", 0, &first);
    TURN_UNTIL(sup, cli_sup_all_ready(sup));
    stop_all(sup);
    assert_false(cli_sup_killed(sup));
    CS_AUTO_FREE char *text = text_of(log_fd);
    assert_string_equal(text, "first | first-starts\nsecond | second-starts\n"
                              "second | second-stops\nfirst | first-stops\n");
    (void)close(log_fd);
}

TEST(member_that_is_killed_comes_back_with_its_address) {
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct fake fake = {.script = SERVE IDLE};
    struct fake other = {.script = SERVE IDLE};
    CS_AUTO(cli_sup) *sup = create(log_fd, CS_TEST_PATIENCE_MS);
    add(sup, "media", 0, &fake);
    add(sup, "other", 1, &other);
    TURN_UNTIL(sup, cli_sup_all_ready(sup));
    CS_AUTO_FREE char *address = cs_strdup(cli_sup_address(sup, "media"));
    assert_true(cs_str_starts(address, "127.0.0.1:"));
    pid_t pid = cli_sup_member(sup, 0).pid;
    assert_int_equal(kill(pid, SIGKILL), 0);
    TURN_UNTIL(sup, cli_sup_member(sup, 0).restarts == 1);
    assert_string_equal(cli_sup_member(sup, 0).state, "waiting");
    assert_string_equal(cli_sup_member(sup, 1).state, "ready");
    TURN_UNTIL(sup, cli_sup_all_ready(sup));
    assert_int_not_equal(cli_sup_member(sup, 0).pid, pid);
    assert_string_equal(cli_sup_address(sup, "media"), address);
    assert_int_equal(other.launches, 1);
    stop_all(sup);
    (void)close(log_fd);
}

TEST(children_of_a_killed_member_do_not_survive) {
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct fake fake = {.script = "sleep 1000 & echo $!; " SERVE "wait"};
    CS_AUTO(cli_sup) *sup = create(log_fd, CS_TEST_PATIENCE_MS);
    add(sup, "media", 0, &fake);
    TURN_UNTIL(sup, cli_sup_all_ready(sup));
    CS_AUTO_FREE char *text = NULL;
    TURN_UNTIL(sup, lseek(log_fd, 0, SEEK_END) > 0);
    text = text_of(log_fd);
    int64_t grandchild = 0;
    text[strcspn(text, "\n")] = '\0';
    assert_true(cs_parse_i64(text + strlen("media | "), 1, INT32_MAX, &grandchild));
    assert_true(cs_test_pid_alive((pid_t)grandchild));
    assert_int_equal(kill(cli_sup_member(sup, 0).pid, SIGKILL), 0);
    TURN_UNTIL(sup, !cs_test_pid_alive((pid_t)grandchild));
    stop_all(sup);
    (void)close(log_fd);
}

TEST(member_that_ignores_the_stop_is_killed) {
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct fake fake = {.script = "trap '' TERM; " SERVE IDLE};
    CS_AUTO(cli_sup) *sup = create(log_fd, 100);
    add(sup, "deaf", 0, &fake);
    TURN_UNTIL(sup, cli_sup_all_ready(sup));
    pid_t pid = cli_sup_member(sup, 0).pid;
    stop_all(sup);
    assert_true(cli_sup_killed(sup));
    assert_false(cs_test_pid_alive(pid));
    (void)close(log_fd);
}

TEST(member_that_never_becomes_ready_is_given_up) {
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct fake fake = {.script = "echo cannot >&2; exit 2"};
    struct fake later = {.script = SERVE IDLE};
    CS_AUTO(cli_sup) *sup = create(log_fd, CS_TEST_PATIENCE_MS);
    add(sup, "broken", 0, &fake);
    add(sup, "later", 1, &later);
    struct cs_err err = {0};
    enum cs_status status = CS_OK;
    while (status == CS_OK) {
        status = cli_sup_turn(sup, -1, 100, &err);
    }
    assert_fails(status, &err, CS_FAILED_PRECONDITION, "member_failed");
    assert_non_null(strstr(err.message, "broken"));
    assert_int_equal(fake.launches, CLI_START_TRIES);
    assert_int_equal(later.launches, 0);
    CS_AUTO_FREE char *text = text_of(log_fd);
    assert_true(cs_str_starts(text, "broken | cannot\n"));
    (void)close(log_fd);
}

static bool file_appeared(void *ctx, char ret_address[CLI_ADDRESS_MAX]) {
    const char *path = ctx;
    cs_str_copy(ret_address, CLI_ADDRESS_MAX, "probed");
    return access(path, F_OK) == 0;
}

static enum cs_status touch_launch(void *ctx, __attribute__((unused)) const char *address, struct cs_arena *arena,
                                   struct cs_process_spec *ret_spec, __attribute__((unused)) struct cs_err *err) {
    const char **argv = cs_arena_array(arena, 4, sizeof(*argv));
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = cs_arena_sprintf(arena, "touch %s; " IDLE, (const char *)ctx);
    *ret_spec = (struct cs_process_spec){.argv = argv};
    return CS_OK;
}

TEST(member_with_a_probe_is_ready_when_the_probe_says_so) {
    CS_AUTO_TEST_DIR dir = {0};
    cs_test_dir_create(&dir);
    char path[CS_TEST_PATH_MAX + 8];
    (void)snprintf(path, sizeof(path), "%s/up", dir.path);
    CS_AUTO(cli_sup) *sup = create(STDERR_FILENO, CS_TEST_PATIENCE_MS);
    cli_sup_add(
        sup,
        &(struct cli_member_spec){
            .name = "postgres", .stop_signal = SIGINT, .launch = touch_launch, .probe = file_appeared, .ctx = path});
    TURN_UNTIL(sup, cli_sup_all_ready(sup));
    assert_string_equal(cli_sup_address(sup, "postgres"), "probed");
    cli_sup_kill(sup);
    TURN_UNTIL(sup, cli_sup_ended(sup));
}

TEST(long_and_unfinished_lines_of_a_log_arrive) {
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    struct fake fake = {.script =
                            "head -c 100000 /dev/zero | tr '\\0' x; printf '\\nshort\\nno newline'; " SERVE "exit 0"};
    CS_AUTO(cli_sup) *sup = create(log_fd, CS_TEST_PATIENCE_MS);
    add(sup, "m", 0, &fake);
    TURN_UNTIL(sup, cli_sup_member(sup, 0).restarts == 1);
    CS_AUTO_FREE char *text = text_of(log_fd);
    assert_int_equal(strcspn(text, "\n"), strlen("m | ") + 65536);
    assert_non_null(strstr(text, "\nm | short\nm | no newline\n"));
    stop_all(sup);
    (void)close(log_fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(backoff_doubles_up_to_its_limit),
        CS_TEST(stages_start_in_order_and_stop_in_reverse),
        CS_TEST(member_that_is_killed_comes_back_with_its_address),
        CS_TEST(children_of_a_killed_member_do_not_survive),
        CS_TEST(member_that_ignores_the_stop_is_killed),
        CS_TEST(member_that_never_becomes_ready_is_given_up),
        CS_TEST(member_with_a_probe_is_ready_when_the_probe_says_so),
        CS_TEST(long_and_unfinished_lines_of_a_log_arrive),
    };
    cs_log_setup("supervisor_test", CS_LOG_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
