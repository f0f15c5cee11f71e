/*
 * The client, the warm parent and the sandbox together; the children are attackers (fake_render.c).
 */
#include "cs/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/test.h"

enum { WAIT_S = 20, LIMIT_OUTPUT_BYTES = 64 * 1024, KILL_MS_MAX = 1000 };

/* What a job's events told. */
struct outcome {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool progressed;
    int ended;
    bool done;
    bool lost;
    Callsheet__V1__FailureClass failure_class;
    char code[64];
};

static void outcome_init(struct outcome *outcome) {
    memset(outcome, 0, sizeof(*outcome));
    (void)pthread_mutex_init(&outcome->lock, NULL);
    (void)pthread_cond_init(&outcome->changed, NULL);
}

static void on_progress(const Callsheet__V1__Progress *progress, void *user) {
    (void)progress;
    struct outcome *outcome = user;
    pthread_mutex_lock(&outcome->lock);
    outcome->progressed = true;
    pthread_cond_broadcast(&outcome->changed);
    pthread_mutex_unlock(&outcome->lock);
}

static void on_ended(const Callsheet__V1__RunnerDone *done, const Callsheet__V1__Failed *failed,
                     const struct cs_err *err, void *user) {
    struct outcome *outcome = user;
    pthread_mutex_lock(&outcome->lock);
    outcome->ended++;
    outcome->done = done != NULL;
    outcome->lost = err != NULL;
    outcome->failure_class = failed != NULL ? failed->failure_class : 0;
    cs_str_copy(outcome->code, sizeof(outcome->code), failed != NULL ? failed->code : err != NULL ? err->reason : "");
    pthread_cond_broadcast(&outcome->changed);
    pthread_mutex_unlock(&outcome->lock);
}

static const struct cs_runner_events events = {.progress = on_progress, .ended = on_ended};

static void wait_until(struct outcome *outcome, bool (*reached)(const struct outcome *outcome)) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&outcome->lock);
    int failed = 0;
    while (!reached(outcome) && failed == 0) {
        failed = pthread_cond_timedwait(&outcome->changed, &outcome->lock, &until);
    }
    pthread_mutex_unlock(&outcome->lock);
    assert_int_equal(failed, 0);
}

static bool has_progressed(const struct outcome *outcome) {
    return outcome->progressed;
}

static bool has_ended(const struct outcome *outcome) {
    return outcome->ended > 0;
}

static uint64_t start(struct cs_runner *runner, const char *trick, size_t inputs, size_t outputs, const int *fds,
                      struct outcome *outcome) {
    Callsheet__V1__Noop noop = CALLSHEET__V1__NOOP__INIT;
    noop.payload = (ProtobufCBinaryData){strlen(trick), (uint8_t *)trick};
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    operation.noop = &noop;
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    limits.output_bytes = LIMIT_OUTPUT_BYTES;
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    job.render = &operation;
    job.limits = &limits;
    job.inputs = (uint32_t)inputs;
    CS_AUTO_FREE char **names = cs_alloc_array(outputs, sizeof(*names));
    for (size_t i = 0; i < outputs; i++) {
        names[i] = (char *)"output";
    }
    job.outputs = names;
    job.n_outputs = outputs;
    struct cs_err err = {0};
    uint64_t id = 0;
    outcome_init(outcome);
    assert_ok(cs_runner_start(runner, &job, fds, inputs + outputs, &events, outcome, &id, &err), &err);
    return id;
}

static struct cs_runner *create_program(const char *program) {
    struct cs_err err = {0};
    struct cs_runner *runner = NULL;
    assert_ok(cs_runner_create(program, &runner, &err), &err);
    return runner;
}

static struct cs_runner *create(void) {
    return create_program(MED_FAKE_RUNNER);
}

/* Runs one job to its end with an output that nobody looks at. */
static void run(struct cs_runner *runner, const char *trick, struct outcome *outcome) {
    FILE *file = tmpfile();
    int fd = fileno(file);
    (void)start(runner, trick, 0, 1, &fd, outcome);
    wait_until(outcome, has_ended);
    (void)fclose(file);
}

/* Descriptors of this process, and its children. */
static int count_fds(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

static pid_t runner_pid(void) {
    DIR *tasks = opendir("/proc/self/task");
    long pid = 0;
    for (const struct dirent *entry; pid == 0 && (entry = readdir(tasks)) != NULL;) {
        char children[300];
        (void)snprintf(children, sizeof(children), "/proc/self/task/%s/children", entry->d_name);
        FILE *file = fopen(children, "re");
        if (file != NULL) {
            if (fscanf(file, "%ld", &pid) != 1) {
                pid = 0;
            }
            (void)fclose(file);
        }
    }
    (void)closedir(tasks);
    return (pid_t)pid;
}

TEST(job_reads_its_inputs_and_writes_its_outputs) {
    CS_AUTO(cs_runner) *runner = create();
    FILE *in = tmpfile();
    FILE *out = tmpfile();
    assert_true(fputs("hello", in) >= 0 && fflush(in) == 0);
    const int fds[] = {fileno(in), fileno(out)};
    struct outcome outcome;
    (void)start(runner, "copy", 1, 1, fds, &outcome);
    wait_until(&outcome, has_ended);
    assert_true(outcome.done);
    char bytes[6] = {0};
    assert_int_equal(pread(fileno(out), bytes, 5, 0), 5);
    assert_string_equal(bytes, "hello");
    (void)fclose(in);
    (void)fclose(out);
}

TEST(job_may_have_hundreds_of_files) {
    enum { FILES = 600 };
    CS_AUTO(cs_runner) *runner = create();
    int fds[FILES];
    for (size_t i = 0; i < FILES; i++) {
        fds[i] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        assert_true(fds[i] >= 0);
        char name[8];
        (void)snprintf(name, sizeof(name), "%04zu", i);
        assert_int_equal(i < FILES / 2 ? write(fds[i], name, 4) : 4, 4);
    }
    struct outcome outcome;
    (void)start(runner, "copy", FILES / 2, FILES / 2, fds, &outcome);
    wait_until(&outcome, has_ended);
    assert_true(outcome.done);
    for (size_t i = 0; i < FILES; i++) {
        char bytes[5] = {0};
        assert_int_equal(pread(fds[i], bytes, 4, 0), 4);
        assert_int_equal(strtol(bytes, NULL, 10), i % (FILES / 2));
        (void)close(fds[i]);
    }
}

TEST(inputs_are_for_reading_however_they_were_opened) {
    CS_AUTO(cs_runner) *runner = create();
    int fds[2];
    for (size_t i = 0; i < CS_COUNT(fds); i++) {
        fds[i] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        assert_true(fds[i] >= 0);
    }
    struct outcome outcome;
    (void)start(runner, "write_input", 1, 1, fds, &outcome);
    wait_until(&outcome, has_ended);
    assert_string_equal(outcome.code, "ebadf");
    assert_int_equal(pwrite(fds[0], "ours", 4, 0), 4); /* our own end is as it was */
    (void)close(fds[0]);
    (void)close(fds[1]);
}

TEST(child_may_have_threads) {
    CS_AUTO(cs_runner) *runner = create();
    struct outcome outcome;
    run(runner, "thread", &outcome);
    assert_true(outcome.done);
}

TEST(sandbox_refuses_files_sockets_and_code) {
    static const struct {
        const char *trick;
        const char *code;
    } rows[] = {
        {"socket", "eperm"},     {"open", "eacces"},   {"create", "eacces"}, {"openat2", "eacces"},
        {"code_page", "eacces"}, {"clone3", "enosys"}, {"prctl", "eperm"},   {"stat", "eacces"},
    };
    CS_AUTO(cs_runner) *runner = create();
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct outcome outcome;
        run(runner, rows[i].trick, &outcome);
        print_message("trick %s\n", rows[i].trick);
        assert_string_equal(outcome.code, rows[i].code);
    }
}

TEST(sandbox_kills_who_tries_to_exec_fork_or_trace) {
    static const char *const tricks[] = {"exec", "fork", "ptrace", "kill_parent", "io_uring"};
    CS_AUTO(cs_runner) *runner = create();
    for (size_t i = 0; i < CS_COUNT(tricks); i++) {
        struct outcome outcome;
        run(runner, tricks[i], &outcome);
        print_message("trick %s\n", tricks[i]);
        assert_string_equal(outcome.code, "sandbox_violation");
        assert_int_equal(outcome.failure_class, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL);
    }
}

TEST(machine_without_landlock_and_namespaces_still_stops_attackers) {
    CS_AUTO(cs_runner) *runner = create_program(MED_RUNNER_LACKS_LAYERS);
    struct outcome outcome;
    run(runner, "thread", &outcome);
    assert_true(outcome.done);
    run(runner, "open", &outcome);
    assert_string_equal(outcome.code, "eacces");
    run(runner, "socket", &outcome);
    assert_string_equal(outcome.code, "eperm");
    run(runner, "exec", &outcome);
    assert_string_equal(outcome.code, "sandbox_violation");
}

TEST(machine_without_seccomp_is_refused) {
    struct cs_runner *runner = NULL;
    struct cs_err err = {0};
    assert_fails(cs_runner_create(MED_RUNNER_LACKS_SECCOMP, &runner, &err), &err, CS_FAILED_PRECONDITION, "no_seccomp");
}

TEST(crash_is_the_fault_of_the_input) {
    CS_AUTO(cs_runner) *runner = create();
    struct outcome outcome;
    run(runner, "crash", &outcome);
    assert_string_equal(outcome.code, "decoder_crashed");
    assert_int_equal(outcome.failure_class, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT);
    run(runner, "thread", &outcome);
    assert_true(outcome.done);
}

TEST(limits_of_output_and_memory_hold) {
    CS_AUTO(cs_runner) *runner = create();
    struct outcome outcome;
    run(runner, "write_too_much", &outcome);
    assert_string_equal(outcome.code, "file_too_big");
#ifndef CS_SANITIZED
    run(runner, "eat_memory", &outcome);
    assert_string_equal(outcome.code, "out_of_memory");
#endif
}

TEST(unreadable_reports_end_the_job_and_nothing_else) {
    static const char *const tricks[] = {"garbage", "huge_frame", "bad_text"};
    CS_AUTO(cs_runner) *runner = create();
    for (size_t i = 0; i < CS_COUNT(tricks); i++) {
        struct outcome outcome;
        run(runner, tricks[i], &outcome);
        print_message("trick %s\n", tricks[i]);
        assert_string_equal(outcome.code, "bad_report");
        assert_int_equal(outcome.ended, 1);
    }
    struct outcome outcome;
    run(runner, "leave_silently", &outcome);
    assert_string_equal(outcome.code, "child_silent");
    run(runner, "thread", &outcome);
    assert_true(outcome.done);
}

TEST(kill_is_prompt_and_reported_as_cancelled) {
    CS_AUTO(cs_runner) *runner = create();
    struct outcome outcome;
    uint64_t id = start(runner, "spin", 0, 0, NULL, &outcome);
    wait_until(&outcome, has_progressed);
    int64_t killed_ms = cs_clock_mono_ms();
    cs_runner_kill(runner, id);
    wait_until(&outcome, has_ended);
    assert_true(cs_clock_mono_ms() - killed_ms < KILL_MS_MAX);
    assert_string_equal(outcome.code, "killed");
    assert_int_equal(outcome.failure_class, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CANCELLED);
    cs_runner_kill(runner, id); /* an ended one is fine */
    run(runner, "thread", &outcome);
    assert_true(outcome.done);
}

TEST(death_of_the_runner_fails_its_jobs_and_the_next_one_works) {
    CS_AUTO(cs_runner) *runner = create();
    struct outcome first;
    struct outcome second;
    (void)start(runner, "spin", 0, 0, NULL, &first);
    (void)start(runner, "spin", 0, 0, NULL, &second);
    wait_until(&first, has_progressed);
    wait_until(&second, has_progressed);
    assert_int_equal(kill(runner_pid(), SIGKILL), 0);
    wait_until(&first, has_ended);
    wait_until(&second, has_ended);
    assert_true(first.lost && second.lost);
    assert_string_equal(first.code, "runner_died");
    struct outcome third;
    run(runner, "thread", &third);
    assert_true(third.done);
}

TEST(many_jobs_run_at_once) {
    enum { JOBS = 24 };
    CS_AUTO(cs_runner) *runner = create();
    static struct outcome outcomes[JOBS];
    uint64_t ids[JOBS];
    for (size_t i = 0; i < JOBS; i++) {
        ids[i] = start(runner, i % 2 == 0 ? "thread" : "spin", 0, 0, NULL, &outcomes[i]);
    }
    for (size_t i = 0; i < JOBS; i++) {
        if (i % 2 != 0) {
            cs_runner_kill(runner, ids[i]);
        }
        wait_until(&outcomes[i], has_ended);
        assert_int_equal(outcomes[i].ended, 1);
        assert_int_equal(outcomes[i].done, i % 2 == 0);
    }
}

TEST(nothing_is_left_after_destroy) {
    int before = count_fds();
    struct cs_runner *runner = create();
    struct outcome outcome;
    (void)start(runner, "spin", 0, 0, NULL, &outcome);
    wait_until(&outcome, has_progressed);
    cs_runner_destroy(runner);
    assert_int_equal(outcome.ended, 1);
    assert_false(outcome.done);
    assert_int_equal(count_fds(), before);
    assert_int_equal(runner_pid(), 0);
}

/* A service that is killed in mid-work. */
static void work_and_die(void) {
    struct cs_runner *runner = create();
    struct outcome outcome;
    (void)start(runner, "spin", 0, 0, NULL, &outcome);
    wait_until(&outcome, has_progressed);
    (void)raise(SIGKILL);
}

TEST(death_of_the_service_ends_the_runner_and_its_children) {
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* orphans come to us */
    pid_t service = fork();
    if (service == 0) {
        work_and_die();
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(service, &status, 0), service);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    int orphans = 0;
    while (waitpid(-1, &status, 0) > 0) { /* blocks until all have ended; the test's time limit is the patience */
        orphans++;
    }
    assert_int_equal(errno, ECHILD);
    assert_true(orphans >= 1);
}

TEST(t11_missing_program_is_told_at_create) {
    struct cs_runner *runner = NULL;
    struct cs_err err = {0};
    assert_int_equal(cs_runner_create("/no/such/program", &runner, &err), CS_NOT_FOUND);
    assert_int_equal(cs_runner_create("/bin/true", &runner, &err), CS_UNAVAILABLE);
}

TEST(too_many_files_are_refused) {
    CS_AUTO(cs_runner) *runner = create();
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    job.inputs = CS_RUNNER_FILES_MAX + 1;
    struct outcome outcome;
    struct cs_err err = {0};
    uint64_t id;
    assert_fails(cs_runner_start(runner, &job, NULL, CS_RUNNER_FILES_MAX + 1, &events, &outcome, &id, &err), &err,
                 CS_OUT_OF_RANGE, "too_many_files");
}

TEST_MAIN(CS_TEST(job_reads_its_inputs_and_writes_its_outputs), CS_TEST(job_may_have_hundreds_of_files),
          CS_TEST(inputs_are_for_reading_however_they_were_opened), CS_TEST(child_may_have_threads),
          CS_TEST(sandbox_refuses_files_sockets_and_code), CS_TEST(sandbox_kills_who_tries_to_exec_fork_or_trace),
          CS_TEST(machine_without_landlock_and_namespaces_still_stops_attackers),
          CS_TEST(machine_without_seccomp_is_refused), CS_TEST(crash_is_the_fault_of_the_input),
          CS_TEST(limits_of_output_and_memory_hold), CS_TEST(unreadable_reports_end_the_job_and_nothing_else),
          CS_TEST(kill_is_prompt_and_reported_as_cancelled),
          CS_TEST(death_of_the_runner_fails_its_jobs_and_the_next_one_works), CS_TEST(many_jobs_run_at_once),
          CS_TEST(nothing_is_left_after_destroy), CS_TEST(death_of_the_service_ends_the_runner_and_its_children),
          CS_TEST(t11_missing_program_is_told_at_create), CS_TEST(too_many_files_are_refused))
