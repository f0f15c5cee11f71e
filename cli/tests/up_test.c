/* `callsheet up` with a real PostgreSQL and fake services in a directory of their own. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "cs/test.h"
#include "cs/test_support.h"

enum { MEMBERS = 6 };

static const char *const names[MEMBERS] = {"postgres", "media", "providers", "webhooks", "orchestrator", "gateway"};

struct world {
    struct cs_test_dir dir;
    char program[CS_TEST_PATH_MAX + 32]; /* dir/bin/callsheet */
    char data[CS_TEST_PATH_MAX + 32];
};

static void link_fake(const char *bin, const char *name) {
    CS_AUTO_FREE char *from = cs_sprintf("%s/cli_fake_service", CS_TESTS_DIR);
    CS_AUTO_FREE char *to = cs_sprintf("%s/callsheet-%s", bin, name);
    assert_int_equal(symlink(from, to), 0);
}

static void world_create(struct world *world) {
    struct cs_err err = {0};
    cs_test_dir_create(&world->dir);
    CS_AUTO_FREE char *bin = cs_sprintf("%s/bin", world->dir.path);
    assert_int_equal(mkdir(bin, 0700), 0);
    (void)snprintf(world->program, sizeof(world->program), "%s/callsheet", bin);
    (void)snprintf(world->data, sizeof(world->data), "%s/a/data", world->dir.path);
    const char *copy[] = {"/bin/cp", CS_BIN_DIR "/callsheet", world->program, NULL};
    assert_ok(cs_process_run(&(struct cs_process_spec){.argv = copy}, CS_TEST_PATIENCE_MS, &err), &err);
    for (size_t i = 1; i < MEMBERS; i++) {
        link_fake(bin, names[i]);
    }
}

static void up(const struct world *world, struct cs_test_program *program) {
    const char *const arguments[] = {
        "up", "--data-dir", world->data, "--listen", "127.0.0.1:0", "--slots", "3", "--allow-private-targets", NULL};
    const char *const environment[] = {"CALLSHEET_API_KEYS=k1=t1", "CALLSHEET_LISTEN=1.2.3.4:5", "DATABASE_URL",
                                       "CALLSHEET_SLOTS=5",        "REPLICATE_API_TOKEN=paid",   NULL};
    cs_test_program_start(program, world->program, arguments, environment, CS_TEST_READY_STDOUT);
}

static json_t *processes(const struct world *world) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/processes.json", world->data);
    json_t *list = json_load_file(path, 0, NULL);
    assert_non_null(list);
    return list;
}

static json_t *member(json_t *list, const char *name) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        if (cs_str_eq(json_string_value(json_object_get(entry, "name")), name)) {
            return entry;
        }
    }
    fail_msg("no process named %s", name);
    return NULL;
}

static pid_t pid_of(const struct world *world, const char *name) {
    CS_AUTO_JSON *list = processes(world);
    return (pid_t)json_integer_value(json_object_get(member(list, name), "pid"));
}

static char *address_of(const struct world *world, const char *name) {
    CS_AUTO_JSON *list = processes(world);
    return cs_strdup(json_string_value(json_object_get(member(list, name), "address")));
}

static char *log_of(const struct cs_test_program *program) {
    off_t size = lseek(program->log_fd, 0, SEEK_END);
    char *text = cs_alloc((size_t)size + 1);
    assert_int_equal(pread(program->log_fd, text, (size_t)size, 0), size);
    return text;
}

/* Whether a process is an end of ours: no member is alive, and nobody works in the data directory. */
struct gone {
    pid_t pids[MEMBERS];
    const char *data;
};

static bool all_gone(void *ctx) {
    const struct gone *gone = ctx;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (cs_test_pid_alive(gone->pids[i])) {
            return false;
        }
    }
    /* PostgreSQL's own children leave when they notice; their directory shows them. */
    CS_AUTO_FREE char *script = cs_sprintf(
        "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = %s/postgres/data ] && exit 1; done; exit 0", gone->data);
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct cs_err err = {0};
    return cs_process_run(&(struct cs_process_spec){.argv = argv}, CS_TEST_PATIENCE_MS, &err) == CS_OK;
}

static struct gone all_pids(const struct world *world) {
    struct gone gone = {.data = world->data};
    for (size_t i = 0; i < MEMBERS; i++) {
        gone.pids[i] = pid_of(world, names[i]);
        assert_true(cs_test_pid_alive(gone.pids[i]));
    }
    return gone;
}

TEST(stack_comes_up_and_goes_down_without_a_trace) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    up(&world, &program);
    assert_true(cs_str_starts(program.address, "http://127.0.0.1:"));
    struct gone gone = all_pids(&world);
    assert_int_equal(cs_test_program_stop(&program), 0);
    assert_true(all_gone(&gone));
    cs_test_dir_remove(&world.dir);
}

TEST(services_get_their_addresses_and_only_their_secrets) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    up(&world, &program);
    CS_AUTO_FREE char *media = address_of(&world, "media");
    CS_AUTO_FREE char *providers = address_of(&world, "providers");
    CS_AUTO_FREE char *webhooks = address_of(&world, "webhooks");
    CS_AUTO_FREE char *orchestrator = address_of(&world, "orchestrator");
    CS_AUTO_FREE char *workers = cs_sprintf("orchestrator | arg %s,%s,%s\n", media, providers, webhooks);
    CS_AUTO_FREE char *dialled = cs_sprintf("gateway | arg %s\n", orchestrator);
    CS_AUTO_FREE char *text = log_of(&program);
    assert_non_null(strstr(text, workers));
    assert_non_null(strstr(text, dialled));
    assert_non_null(strstr(text, "gateway | env CALLSHEET_API_KEYS=k1=t1\n"));
    assert_null(strstr(text, "orchestrator | env CALLSHEET_API_KEYS"));
    assert_non_null(strstr(text, "orchestrator | env DATABASE_URL=postgresql://callsheet@/callsheet?host="));
    assert_null(strstr(text, "media | env DATABASE_URL"));
    assert_null(strstr(text, "media | env CALLSHEET_LINK_SECRET"));
    assert_null(strstr(text, "1.2.3.4"));
    assert_null(strstr(text, "env CALLSHEET_SLOTS")); /* is of rendering, and only some render */
    assert_non_null(strstr(text, "providers | env REPLICATE_API_TOKEN=paid\n"));
    assert_null(strstr(text, "media | env REPLICATE_API_TOKEN"));
    assert_null(strstr(text, "webhooks | env REPLICATE_API_TOKEN"));
    assert_non_null(strstr(text, "media | env CALLSHEET_SERVICE_TOKEN="));
    CS_AUTO_FREE char *token_path = cs_sprintf("%s/service-token", world.data);
    struct stat info;
    assert_int_equal(stat(token_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(cs_test_program_stop(&program), 0);
    cs_test_dir_remove(&world.dir);
}

static void up_with_two(const struct world *world, struct cs_test_program *program) {
    const char *const arguments[] = {"up",          "--data-dir",      world->data, "--listen",
                                     "127.0.0.1:0", "--orchestrators", "2",         NULL};
    cs_test_program_start(program, world->program, arguments, NULL, CS_TEST_READY_STDOUT);
}

TEST(orchestrators_have_names_that_stay_and_the_gateway_knows_all) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    up_with_two(&world, &program);
    CS_AUTO_FREE char *first = address_of(&world, "orchestrator");
    CS_AUTO_FREE char *second = address_of(&world, "orchestrator-2");
    CS_AUTO_FREE char *dialled = cs_sprintf("gateway | arg %s,%s\n", first, second);
    CS_AUTO_FREE char *text = log_of(&program);
    assert_non_null(strstr(text, dialled));
    assert_non_null(strstr(text, "orchestrator | arg --replica\norchestrator | arg orchestrator\n"));
    assert_non_null(strstr(text, "orchestrator-2 | arg --replica\norchestrator-2 | arg orchestrator-2\n"));
    assert_int_equal(cs_test_program_stop(&program), 0);
    cs_test_dir_remove(&world.dir);
}

TEST(media_services_have_scratch_directories_of_their_own_and_the_orchestrator_knows_all) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    const char *const arguments[] = {"up", "--data-dir", world.data, "--listen", "127.0.0.1:0", "--media", "2", NULL};
    cs_test_program_start(&program, world.program, arguments, NULL, CS_TEST_READY_STDOUT);
    CS_AUTO_FREE char *first = address_of(&world, "media");
    CS_AUTO_FREE char *second = address_of(&world, "media-2");
    CS_AUTO_FREE char *dialled = cs_sprintf("orchestrator | arg %s,%s,", first, second);
    CS_AUTO_FREE char *scratch = cs_sprintf("media-2 | arg %s/scratch/media-2\n", world.data);
    CS_AUTO_FREE char *text = log_of(&program);
    assert_non_null(strstr(text, dialled));
    assert_non_null(strstr(text, scratch));
    assert_int_equal(cs_test_program_stop(&program), 0);
    cs_test_dir_remove(&world.dir);
}

struct change {
    const struct world *world;
    const char *name;
    pid_t old_pid;
};

static bool came_back(void *ctx) {
    const struct change *change = ctx;
    CS_AUTO_JSON *list = processes(change->world);
    json_t *entry = member(list, change->name);
    pid_t pid = (pid_t)json_integer_value(json_object_get(entry, "pid"));
    return pid != 0 && pid != change->old_pid && cs_str_eq(json_string_value(json_object_get(entry, "state")), "ready");
}

TEST(each_process_that_is_killed_comes_back_at_its_address) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    up(&world, &program);
    for (size_t i = 0; i < MEMBERS; i++) {
        CS_AUTO_FREE char *address = address_of(&world, names[i]);
        struct change change = {&world, names[i], pid_of(&world, names[i])};
        assert_int_equal(kill(change.old_pid, SIGKILL), 0);
        cs_test_await(came_back, &change, names[i]);
        CS_AUTO_FREE char *again = address_of(&world, names[i]);
        assert_string_equal(again, address);
    }
    struct gone gone = all_pids(&world);
    assert_int_equal(cs_test_program_stop(&program), 0);
    assert_true(all_gone(&gone));
    cs_test_dir_remove(&world.dir);
}

TEST(nothing_survives_kill_9_and_the_next_start_works) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    up(&world, &program);
    CS_AUTO_FREE char *text = log_of(&program);
    struct gone gone = all_pids(&world);
    cs_test_program_kill(&program);
    cs_test_await(all_gone, &gone, "everything ends with its supervisor");
    cs_test_program_fini(&program);
    up(&world, &program);
    (void)all_pids(&world);
    /* The secrets are the same. */
    CS_AUTO_FREE char *again = log_of(&program);
    const char *token = strstr(text, "env CALLSHEET_SERVICE_TOKEN=");
    CS_AUTO_FREE char *line = cs_strndup(token, strcspn(token, "\n"));
    assert_non_null(strstr(again, line));
    assert_int_equal(cs_test_program_stop(&program), 0);
    cs_test_dir_remove(&world.dir);
}

TEST(second_up_on_the_same_directory_is_refused) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    up(&world, &program);
    const char *const arguments[] = {"up", "--data-dir", world.data, "--listen", "127.0.0.1:0", NULL};
    CS_AUTO_TEST_PROGRAM second = {0};
    cs_test_program_start(&second, world.program, arguments, NULL, CS_TEST_READY_NONE);
    assert_int_equal(cs_test_program_wait(&second), 1);
    CS_AUTO_FREE char *text = log_of(&second);
    CS_AUTO_FREE char *pid = cs_sprintf("another `callsheet up` (process %d)", (int)program.process.pid);
    assert_non_null(strstr(text, pid));
    (void)all_pids(&world);
    assert_int_equal(cs_test_program_stop(&program), 0);
    cs_test_dir_remove(&world.dir);
}

TEST(service_that_cannot_start_ends_up_with_its_name) {
    struct world world;
    world_create(&world);
    CS_AUTO_FREE char *path = cs_sprintf("%s/bin/callsheet-media", world.dir.path);
    assert_int_equal(unlink(path), 0);
    const char *const arguments[] = {"up", "--data-dir", world.data, "--listen", "127.0.0.1:0", NULL};
    CS_AUTO_TEST_PROGRAM program = {0};
    cs_test_program_start(&program, world.program, arguments, NULL, CS_TEST_READY_NONE);
    assert_int_equal(cs_test_program_wait(&program), 1);
    CS_AUTO_FREE char *text = log_of(&program);
    assert_non_null(strstr(text, "callsheet-media: No such file or directory"));
    cs_test_dir_remove(&world.dir);
}

TEST(address_in_use_is_said_before_anything_starts) {
    struct world world;
    world_create(&world);
    CS_AUTO_TEST_PROGRAM program = {0};
    up(&world, &program);
    CS_AUTO_FREE char *other = cs_sprintf("%s/other", world.dir.path);
    const char *const arguments[] = {"up", "--data-dir", other, "--listen", program.address + strlen("http://"), NULL};
    CS_AUTO_TEST_PROGRAM second = {0};
    cs_test_program_start(&second, world.program, arguments, NULL, CS_TEST_READY_NONE);
    assert_int_equal(cs_test_program_wait(&second), 1);
    CS_AUTO_FREE char *text = log_of(&second);
    assert_non_null(strstr(text, "Address already in use"));
    assert_int_equal(cs_test_program_stop(&program), 0);
    cs_test_dir_remove(&world.dir);
}

TEST_MAIN(CS_TEST(stack_comes_up_and_goes_down_without_a_trace),
          CS_TEST(services_get_their_addresses_and_only_their_secrets),
          CS_TEST(orchestrators_have_names_that_stay_and_the_gateway_knows_all),
          CS_TEST(media_services_have_scratch_directories_of_their_own_and_the_orchestrator_knows_all),
          CS_TEST(each_process_that_is_killed_comes_back_at_its_address),
          CS_TEST(nothing_survives_kill_9_and_the_next_start_works),
          CS_TEST(second_up_on_the_same_directory_is_refused), CS_TEST(service_that_cannot_start_ends_up_with_its_name),
          CS_TEST(address_in_use_is_said_before_anything_starts))
