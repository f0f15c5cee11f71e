/* COVERS runner/sandbox.c, runner/sandbox_filter.c: what jobs ask of the kernel, seen from outside by strace: no file
 * but those that the warm-up needs, no socket, no process, whatever the input says. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cs/base/text.h"
#include "cs/conf.h"
#include "cs/json.h"
#include "cs/runner.h"
#include "cs/test.h"
#include "lures.h"
#include "peer.h"
#include "trace.h"

enum {
    WAIT_S = 120, /* a traced job on a busy machine */
    CPU_S = 60,
    THREADS = 2,
    INPUTS_MAX = 2,
    NAMES_MAX = 1024,
};

static const uint64_t memory_bytes = UINT64_C(4) << 30;
static const uint64_t output_bytes = UINT64_C(64) << 20;

/* ---- what may be seen ---- */

struct rule {
    const char *name;      /* of a call; NULL: any */
    const char *arguments; /* a part of them */
    const char *result;    /* its beginning */
};

/* Behind the filter. */
static const struct rule inside[] = {
    /* Threads of the job. glibc asks with clone3 first, whose flags a filter cannot read. */
    {"clone", "CLONE_THREAD", ""},
    {"clone3", "CLONE_THREAD", "-1 ENOSYS"},
    {"rseq", "", "0"},
    {"set_robust_list", "", "0"},
    {"prctl", "PR_SET_NAME", "0"},
    {"exit", "", ""},
    {"exit_group", "", ""},
    {"", "exited with ", ""},
    /* Facts and sizes of descriptors that were handed in. */
    {"newfstatat", ", \"\", ", "0"},
    {"ftruncate", "", "0"},
    /* Facts of the machine, without a file: how much memory and which processors there are;
     * how long it took. */
    {"sysinfo", "", "0"},
    {"sched_getaffinity", "", ""},
    {"getrusage", "", "0"},
    {"getpid", "", ""},
    /* Libraries that ask for a file of the system, are told no, and go on: glibc's clock (it takes UTC), its allocator
     * when it gives memory back, its names of encodings (texts inside containers stay as they are); and what seeds
     * the hash tables of JSON (the time does). */
    {"openat", "\"/etc/localtime\"", "-1 EACCES"},
    {"openat", "\"/proc/sys/vm/overcommit_memory\"", "-1 EACCES"},
    {"openat", "/gconv/gconv-modules", "-1 EACCES"},
    {"openat", "\"/dev/urandom\"", "-1 EACCES"},
};

/* Before it, of calls that name a path: the warm-up of the parent, and a child on its way into the sandbox. */
static const struct rule paths[] = {
    /* The program and its libraries, with what those look at while they are loaded. */
    {"openat", "\"/etc/ld.so.cache\"", ""},
    {"access", "\"/etc/ld.so.preload\"", ""},
    {"openat", "\"/lib/", ""},
    {"openat", "\"/usr/lib/", ""},
    {"openat", "\"/proc/filesystems\"", ""},
    {"openat", "\"/proc/self/status\"", ""},
    {"openat", "\"/proc/sys/crypto/fips_enabled\"", ""},
    {"openat", "\"/sys/devices/system/", ""},
    {NULL, "\"/etc/gcrypt/", ""},
    {NULL, "\"/etc/gnutls/", ""},
    {"statfs", "\"/sys/fs/selinux\"", ""},
    {"statfs", "\"/selinux\"", ""},
    {"access", "\"/etc/selinux/config\"", ""},
    /* Fonts, and for jobs that listen the model of the recogniser. */
    {"openat", "\"/usr/share/fonts/", ""},
    {NULL, "\"/usr/share/pocketsphinx/model/", ""},
    /* The sandbox: an empty root, standard streams of nothing, "take me first when memory runs out". */
    {NULL, "/callsheet-root-", ""},
    {"openat", "\"/dev/null\"", ""},
    {"openat", "\"/proc/self/oom_score_adj\"", ""},
};

static const char *const never[] = {"socket", "socketpair", "connect", "bind",  "listen",
                                    "accept", "accept4",    "vfork",   "ptrace"};

static bool is_among(const struct trace_call *call, const struct rule *rules, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if ((rules[i].name == NULL || cs_str_eq(call->name, rules[i].name)) &&
            strstr(call->arguments, rules[i].arguments) != NULL && cs_str_starts(call->result, rules[i].result)) {
            return true;
        }
    }
    return false;
}

static bool is_expected(const struct trace_call *call, const char *program) {
    for (size_t i = 0; i < CS_COUNT(never); i++) {
        if (cs_str_eq(call->name, never[i])) {
            return false;
        }
    }
    if (call->inside) {
        return is_among(call, inside, CS_COUNT(inside));
    }
    if (cs_str_eq(call->name, "execve")) {
        return call->process == 0 && strstr(call->arguments, program) != NULL;
    }
    /* bytes that travel between the runner and its service may look like a path */
    bool carries_bytes = cs_str_eq(call->name, "recvmsg") || cs_str_eq(call->name, "sendto");
    bool names_path = !carries_bytes && strstr(call->arguments, "\"/") != NULL;
    return !names_path || is_among(call, paths, CS_COUNT(paths));
}

/* ---- jobs ---- */

struct outcome {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;
    bool done;
    Callsheet__V1__FailureClass failure_class;
    char code[64];
};

static void on_ended(const Callsheet__V1__RunnerDone *done, const Callsheet__V1__Failed *failed,
                     const struct cs_err *err, void *user) {
    struct outcome *outcome = user;
    pthread_mutex_lock(&outcome->lock);
    outcome->ended = true;
    outcome->done = done != NULL;
    outcome->failure_class = failed != NULL ? failed->failure_class : 0;
    cs_str_copy(outcome->code, sizeof(outcome->code), failed != NULL ? failed->code : err != NULL ? err->reason : "");
    pthread_cond_broadcast(&outcome->changed);
    pthread_mutex_unlock(&outcome->lock);
}

static void wait_ended(struct outcome *outcome) {
    struct timespec until;
    int failed = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&outcome->lock);
    while (!outcome->ended && failed == 0) {
        failed = pthread_cond_timedwait(&outcome->changed, &outcome->lock, &until);
    }
    pthread_mutex_unlock(&outcome->lock);
    assert_int_equal(failed, 0);
}

/* A runner under strace, and what its jobs were, one after the other. */
struct stage {
    struct cs_arena *arena;
    char dir[64];
    const char *program;
    struct cs_runner *runner;
    struct peer *peer;
    const char *canary;
    const char *clip;
    const char *names[NAMES_MAX];
    size_t count;
};

static bool answer(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    (void)request;
    (void)ctx;
    peer_reply(conn, 404, "", "");
    return false;
}

static const char *place(struct stage *stage, const char *name) {
    return cs_arena_sprintf(stage->arena, "%s/%s", stage->dir, name);
}

static const char *make(struct stage *stage, const char *name, const char *arguments) {
    const char *path = place(stage, name);
    const char *command = cs_arena_sprintf(stage->arena, "ffmpeg -nostdin -v error -y %s '%s'", arguments, path);
    assert_int_equal(system(command), 0);
    return path;
}

static void stage_open(struct stage *stage) {
    memset(stage, 0, sizeof(*stage));
    stage->arena = cs_arena_create();
    (void)snprintf(stage->dir, sizeof(stage->dir), "/tmp/callsheet-trace-XXXXXX");
    assert_non_null(mkdtemp(stage->dir));
    stage->peer = peer_start(answer, NULL);
    stage->clip = make(stage, "clip.mp4",
                       "-f lavfi -i testsrc=s=160x90:r=10:d=1 -f lavfi -i sine=d=1:r=48000 -c:v libx264 -preset "
                       "ultrafast -pix_fmt yuv420p -c:a aac");
    stage->canary = make(stage, "canary.mp4", "-f lavfi -i color=s=64x64:r=5:d=1 -c:v mpeg4");
}

static void stage_close(struct stage *stage) {
    cs_runner_destroy(stage->runner);
    peer_stop(stage->peer);
    CS_AUTO_FREE char *command = cs_sprintf("rm -rf -- '%s'", stage->dir);
    assert_int_equal(system(command), 0);
    cs_arena_destroy(stage->arena);
}
#define AUTO_STAGE __attribute__((cleanup(stage_close))) struct stage

static void stage_run(struct stage *stage, const char *program) {
    struct cs_err err = {0};
    const char *traces = place(stage, "traces");
    assert_int_equal(mkdir(traces, 0700), 0);
    stage->program = program;
    stage->count = 0;
    assert_ok(cs_runner_create(trace_program(stage->arena, traces, program), &stage->runner, &err), &err);
}

/* The runner ends; every call that is not expected is told. Returns how many there were; *ret_first is the first. */
static size_t stage_look(struct stage *stage, struct trace_call *ret_first) {
    size_t unexpected = 0;
    cs_runner_destroy(stage->runner);
    stage->runner = NULL;
    struct trace trace = trace_read(stage->arena, place(stage, "traces"));
    assert_int_equal(trace.processes, stage->count + 1); /* the first one tries the sandbox */
    assert_int_equal(trace.filtered, trace.processes);
    for (size_t i = 0; i < trace.count; i++) {
        const struct trace_call *call = &trace.calls[i];
        if (!is_expected(call, stage->program)) {
            print_message("%s, %s the sandbox: %s(%s = %s\n",
                          call->process < 2 ? "warm-up" : stage->names[call->process - 2],
                          call->inside ? "inside" : "before", call->name, call->arguments, call->result);
            *ret_first = unexpected++ == 0 ? *call : *ret_first;
        }
    }
    const char *command = cs_arena_sprintf(stage->arena, "rm -rf -- '%s'", place(stage, "traces"));
    assert_int_equal(system(command), 0);
    return unexpected;
}

static void run_job(struct stage *stage, Callsheet__V1__RunnerJob *job, const char *const *inputs, const char *name,
                    struct outcome *outcome) {
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    static const struct cs_runner_events events = {.ended = on_ended};
    struct cs_err err = {0};
    int fds[INPUTS_MAX + 1];
    uint64_t id = 0;
    limits.memory_bytes = memory_bytes;
    limits.output_bytes = output_bytes;
    limits.cpu_s = CPU_S;
    limits.threads = THREADS;
    job->limits = &limits;
    for (; inputs[job->inputs] != NULL; job->inputs++) {
        fds[job->inputs] = open(inputs[job->inputs], O_RDONLY | O_CLOEXEC);
        assert_true(fds[job->inputs] >= 0);
    }
    size_t count = job->inputs + job->n_outputs;
    if (job->n_outputs > 0) {
        fds[count - 1] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        assert_true(fds[count - 1] >= 0);
    }
    memset(outcome, 0, sizeof(*outcome));
    (void)pthread_mutex_init(&outcome->lock, NULL);
    (void)pthread_cond_init(&outcome->changed, NULL);
    assert_true(stage->count < NAMES_MAX);
    stage->names[stage->count++] = cs_arena_sprintf(stage->arena, "%s", name);
    assert_ok(cs_runner_start(stage->runner, job, fds, count, &events, outcome, &id, &err), &err);
    wait_ended(outcome);
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
}

static void probe(struct stage *stage, const char *path, struct outcome *outcome) {
    Callsheet__V1__RunnerProbe all = CALLSHEET__V1__RUNNER_PROBE__INIT;
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_PROBE;
    job.probe = &all;
    run_job(stage, &job, (const char *[]){path, NULL}, cs_arena_sprintf(stage->arena, "probe of %s", path), outcome);
}

static void render(struct stage *stage, const char *json, const char *path, struct outcome *outcome) {
    CS_AUTO_JSON *value = NULL;
    ProtobufCMessage *operation = NULL;
    struct cs_err err = {0};
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    char *names[] = {(char *)"output"};
    assert_ok(cs_json_parse(json, strlen(json), &value, &err), &err);
    assert_ok(cs_json_to_message(value, &callsheet__v1__operation__descriptor, "", stage->arena, &operation, &err),
              &err);
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    job.render = (Callsheet__V1__Operation *)operation;
    job.outputs = names;
    job.n_outputs = 1;
    run_job(stage, &job, (const char *[]){path, stage->clip, NULL},
            cs_arena_sprintf(stage->arena, "%s of %s", json, path), outcome);
}

/* It worked, or it is said in a word why it cannot: not that the process came to grief. */
static void check_typed(const struct stage *stage, const struct outcome *outcome) {
    static const char *const griefs[] = {"sandbox_violation", "decoder_crashed", "resource_limit", "child_silent",
                                         "child_lost",        "bad_report",      "runner_died",    "out_of_memory"};
    const char *name = stage->names[stage->count - 1];
    bool typed =
        outcome->done || (outcome->code[0] != '\0' &&
                          (outcome->failure_class == CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT ||
                           outcome->failure_class == CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CODEC_UNSUPPORTED));
    for (size_t i = 0; i < CS_COUNT(griefs); i++) {
        typed = typed && !cs_str_eq(outcome->code, griefs[i]);
    }
    if (!typed) {
        fail_msg("%s: %s", name, outcome->code);
    }
}

/* ---- controls: the trace would show it ---- */

TEST(trace_shows_files_and_connections_of_who_follows_a_lure) {
    AUTO_STAGE stage;
    struct lure lures[LURES_MAX];
    char address[256];
    stage_open(&stage);
    size_t count =
        lures_write(stage.arena, stage.dir, stage.canary, peer_url(stage.peer, "/canary.mp4", address), lures);
    for (size_t i = 0; i < count; i++) {
        if (lures[i].options == NULL) {
            continue;
        }
        int connections = peer_connections(stage.peer);
        const char *traces = cs_arena_sprintf(stage.arena, "%s/control-%zu", stage.dir, i);
        assert_int_equal(mkdir(traces, 0700), 0);
        const char *program = cs_arena_sprintf(
            stage.arena, "timeout 60 ffmpeg -nostdin -v quiet -protocol_whitelist file,http,tcp %s -i '%s' -f null -",
            lures[i].options, lures[i].path);
        (void)!system(trace_command(stage.arena, traces, program));
        struct trace trace = trace_read(stage.arena, traces);
        bool followed = lures[i].file ? trace_find(&trace, "openat", stage.canary) != NULL
                                      : trace_find(&trace, "socket", "AF_INET") != NULL &&
                                            peer_connections(stage.peer) > connections;
        if (!followed) {
            fail_msg("the ffmpeg program does not follow %s, which is no lure then", lures[i].path);
        }
    }
}

TEST(trace_shows_what_is_tried_inside_the_sandbox) {
    static const struct {
        const char *trick;
        const char *call;
    } rows[] = {
        {"open", "openat"},      {"create", "openat"},           {"openat2", "openat2"},
        {"stat", "newfstatat"},  {"socket", "socket"},           {"exec", "execve"},
        {"fork", "clone"},       {"ptrace", "ptrace"},           {"prctl", "prctl"},
        {"kill_parent", "kill"}, {"io_uring", "io_uring_setup"},
    };
    AUTO_STAGE stage;
    stage_open(&stage);
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        Callsheet__V1__Noop noop = CALLSHEET__V1__NOOP__INIT;
        Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
        Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
        struct outcome outcome;
        struct trace_call first = {0};
        noop.payload = (ProtobufCBinaryData){strlen(rows[i].trick), (uint8_t *)rows[i].trick};
        operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
        operation.noop = &noop;
        job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
        job.render = &operation;
        stage_run(&stage, MED_FAKE_RUNNER);
        run_job(&stage, &job, (const char *[]){NULL}, rows[i].trick, &outcome);
        assert_true(stage_look(&stage, &first) > 0);
        assert_string_equal(first.name, rows[i].call);
        assert_true(first.inside);
    }
}

/* ---- what jobs do ---- */

static const char merge_json[] = "{\"merge\":{\"items\":[{\"media\":{\"input\":1},\"duration\":0.3}]}}";
static const char extract_json[] = "{\"extractAudio\":{\"media\":{\"input\":1}}}";
static const char subtitles_json[] = "{\"addSubtitles\":{\"video\":{\"input\":2},\"transcript\":{\"input\":1}}}";

/* Looked at, shown, heard, and read as words. */
static void try_everything(struct stage *stage, const char *path) {
    static const char *const all[] = {
        merge_json,
        extract_json,
        subtitles_json,
        "{\"thumbnail\":{\"video\":{\"input\":1},\"time\":\"50%\"}}",
        "{\"layer\":{\"layers\":[{\"media\":{\"input\":2},\"main\":true},{\"media\":{\"input\":1}}]}}",
    };
    struct outcome outcome;
    probe(stage, path, &outcome);
    check_typed(stage, &outcome);
    for (size_t i = 0; i < CS_COUNT(all); i++) {
        render(stage, all[i], path, &outcome);
        check_typed(stage, &outcome);
    }
}

TEST(lures_reach_no_file_and_no_address) {
    AUTO_STAGE stage;
    struct lure lures[LURES_MAX];
    char address[256];
    struct trace_call first = {0};
    stage_open(&stage);
    size_t count =
        lures_write(stage.arena, stage.dir, stage.canary, peer_url(stage.peer, "/canary.mp4", address), lures);
    stage_run(&stage, MED_RUNNER);
    for (size_t i = 0; i < count; i++) {
        try_everything(&stage, lures[i].path);
    }
    assert_int_equal(stage_look(&stage, &first), 0);
    assert_int_equal(peer_connections(stage.peer), 0);
}

TEST(whole_and_broken_files_reach_nothing_else) {
    AUTO_STAGE stage;
    struct outcome outcome;
    struct trace_call first = {0};
    stage_open(&stage);
    const char *const made[] = {
        make(&stage, "picture.png", "-f lavfi -i testsrc=s=64x64 -frames:v 1"),
        make(&stage, "tone.wav", "-f lavfi -i sine=d=1"),
        make(&stage, "vp9.webm", "-f lavfi -i testsrc=s=64x64:r=10:d=1 -c:v libvpx-vp9 -deadline realtime"),
        place(&stage, "half.mp4"),
        place(&stage, "empty.mp4"),
        place(&stage, "noise.mp4"),
    };
    const char *command =
        cs_arena_sprintf(stage.arena,
                         "cd '%s' && head -c 3000 clip.mp4 > half.mp4 && : > empty.mp4 && "
                         "{ head -c 40 clip.mp4; tr '[\\0-\\177]' '[\\200-\\377]' < clip.mp4; } > noise.mp4",
                         stage.dir);
    assert_int_equal(system(command), 0);
    stage_run(&stage, MED_RUNNER);
    for (size_t i = 0; i < CS_COUNT(made); i++) {
        try_everything(&stage, made[i]);
    }
    render(&stage, merge_json, stage.clip, &outcome);
    assert_true(outcome.done);
    render(&stage, "{\"transcribe\":{\"media\":{\"input\":1}}}", stage.clip, &outcome);
    check_typed(&stage, &outcome);
    assert_int_equal(stage_look(&stage, &first), 0);
}

static void go_through(struct stage *stage, const char *dir_path, const char *json) {
    DIR *dir = opendir(dir_path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct outcome outcome;
        const char *path = cs_arena_sprintf(stage->arena, "%s/%s", dir_path, entry->d_name);
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (json == NULL) {
            try_everything(stage, path);
            continue;
        }
        probe(stage, path, &outcome);
        check_typed(stage, &outcome);
        render(stage, json, path, &outcome);
        check_typed(stage, &outcome);
    }
    (void)closedir(dir);
}

TEST(every_file_of_the_shared_set_reaches_nothing_else) {
    static const struct {
        const char *folder;
        const char *json; /* NULL: everything */
    } rows[] = {{"hostile", NULL},       {"broken", NULL},         {"video", merge_json},        {"images", merge_json},
                {"audio", extract_json}, {"speech", extract_json}, {"subtitles", subtitles_json}};
    const char *media = cs_conf_env("CALLSHEET_TEST_MEDIA");
    if (media == NULL) {
        print_message("skipped: CALLSHEET_TEST_MEDIA names no directory of real media\n");
        skip();
    }
    AUTO_STAGE stage;
    stage_open(&stage);
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct trace_call first = {0};
        stage_run(&stage, MED_RUNNER);
        go_through(&stage, cs_arena_sprintf(stage.arena, "%s/%s", media, rows[i].folder), rows[i].json);
        print_message("%s: %zu jobs\n", rows[i].folder, stage.count);
        assert_int_equal(stage_look(&stage, &first), 0);
    }
}

TEST_MAIN(CS_TEST(trace_shows_files_and_connections_of_who_follows_a_lure),
          CS_TEST(trace_shows_what_is_tried_inside_the_sandbox), CS_TEST(lures_reach_no_file_and_no_address),
          CS_TEST(whole_and_broken_files_reach_nothing_else),
          CS_TEST(every_file_of_the_shared_set_reaches_nothing_else))
