/* Jobs and commands in processes of their own, and what they used. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/json.h"
#include "render.h"

enum {
    JOB_THREADS = 2,
    ENOUGH_S = 4,   /* of work, for a ratio to be trusted; */
    ROUNDS_MAX = 10 /* but no more of them */
};

/* Of a child, in memory that it shares with us. */
struct told {
    double copied_share;
    char message[2 * CS_ERR_MESSAGE_MAX];
};

/* ---- the child ---- */

static const char *path_of(const struct media_bench *bench, const char *name) {
    return cs_arena_sprintf(bench->arena, "%s/%s", bench->dir, name);
}

static enum cs_status read_operations(const struct media_bench *bench, const char *text, Callsheet__V1__RunnerJob *wire,
                                      struct cs_err *err) {
    CS_AUTO_JSON *value = NULL;
    CS_TRY(cs_json_parse(text, strlen(text), &value, err));
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    Callsheet__V1__Operation **operations = cs_arena_array(bench->arena, count, sizeof(*operations));
    for (size_t i = 0; i < count; i++) {
        ProtobufCMessage *operation = NULL;
        CS_TRY(cs_json_to_message(json_is_array(value) ? json_array_get(value, i) : value,
                                  &callsheet__v1__operation__descriptor, "", bench->arena, &operation, err));
        operations[i] = (Callsheet__V1__Operation *)operation;
    }
    wire->task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    wire->render = operations[count - 1];
    wire->steps_before = operations;
    wire->n_steps_before = count - 1;
    return CS_OK;
}

static enum cs_status open_files(const struct media_bench *bench, const struct job *job, Callsheet__V1__RunnerJob *wire,
                                 int *inputs, int *outputs, struct cs_err *err) {
    char **names = NULL;
    size_t count = 0;
    for (; job->inputs[wire->inputs] != NULL; wire->inputs++) {
        inputs[wire->inputs] = open(path_of(bench, job->inputs[wire->inputs]), O_RDONLY | O_CLOEXEC);
        if (inputs[wire->inputs] < 0) {
            return cs_fail_errno(err, errno, "opening %s", job->inputs[wire->inputs]);
        }
    }
    cs_catalog_output_names(wire->render, bench->arena, &names, &count);
    wire->outputs = cs_arena_array(bench->arena, BENCH_OUTPUTS_MAX, sizeof(char *));
    for (size_t i = 0; i < count && i < BENCH_OUTPUTS_MAX; i++) {
        const char *name = i == 0 ? job->output : cs_arena_sprintf(bench->arena, "%s-%s", job->output, names[i]);
        wire->outputs[i] = names[i];
        outputs[i] = open(path_of(bench, name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        wire->n_outputs++;
        if (outputs[i] < 0) {
            return cs_fail_errno(err, errno, "opening %s", name);
        }
    }
    return CS_OK;
}

static enum cs_status render(const struct media_bench *bench, const struct job *job, struct told *told,
                             struct cs_err *err) {
    int inputs[BENCH_INPUTS_MAX];
    int outputs[BENCH_OUTPUTS_MAX];
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    Callsheet__V1__RunnerJob wire = CALLSHEET__V1__RUNNER_JOB__INIT;
    Callsheet__V1__RunnerDone *done = NULL;
    limits.threads = JOB_THREADS;
    wire.limits = &limits;
    CS_TRY(read_operations(bench, job->operations, &wire, err));
    CS_TRY(open_files(bench, job, &wire, inputs, outputs, err));
    CS_TRY(med_render_prepare(&wire, err));
    CS_TRY(med_render_run(&wire, inputs, outputs, NULL, &done, bench->arena, err));
    for (size_t i = 0; i < done->n_metrics; i++) {
        if (strcmp(done->metrics[i]->name, "copiedShare") == 0) {
            told->copied_share = done->metrics[i]->value;
        }
    }
    return CS_OK;
}

_Noreturn static void be_child(const struct media_bench *bench, const struct job *job, struct told *told) {
    struct cs_err err = {0};
    if (render(bench, job, told, &err) != CS_OK) {
        (void)snprintf(told->message, sizeof(told->message), "%s: %s: %s", err.path, err.reason, err.message);
        _exit(1);
    }
    _exit(0);
}

/* ---- waiting for it ---- */

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static bool await(pid_t pid, int64_t began_ns, struct usage *ret_usage) {
    struct rusage used;
    int status = 0;
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {
    }
    *ret_usage = (struct usage){
        .cpu_s = seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
        .wall_s = (double)(cs_clock_mono_ns() - began_ns) / 1e9,
        .rss_mb = (double)used.ru_maxrss / 1024,
    };
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

enum cs_status bench_ours(struct media_bench *bench, const struct job *job, struct usage *ret_usage,
                          struct cs_err *err) {
    struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED) {
        return cs_fail_errno(err, errno, "shared memory");
    }
    int64_t began_ns = cs_clock_mono_ns();
    pid_t pid = fork();
    if (pid == 0) {
        be_child(bench, job, told);
    }
    bool good = pid > 0 && await(pid, began_ns, ret_usage);
    ret_usage->copied_share = told->copied_share;
    enum cs_status status =
        good ? CS_OK : cs_fail(err, CS_FAILED_PRECONDITION, "job_failed", "%s: %s", job->operations, told->message);
    (void)munmap(told, sizeof(*told));
    return status;
}

static enum cs_status run_ffmpeg(struct media_bench *bench, const char *arguments, struct usage *ret_usage,
                                 struct cs_err *err) {
    const char *command = cs_arena_sprintf(bench->arena, "exec ffmpeg -nostdin -v error -y %s", arguments);
    int64_t began_ns = cs_clock_mono_ns();
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(bench->dir) == 0) {
            (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        }
        _exit(127);
    }
    return pid > 0 && await(pid, began_ns, ret_usage)
               ? CS_OK
               : cs_fail(err, CS_FAILED_PRECONDITION, "ffmpeg_failed", "ffmpeg %s", arguments);
}

static void keep_cheaper(struct usage *best, const struct usage *usage, bool first) {
    double rss_mb = first || usage->rss_mb > best->rss_mb ? usage->rss_mb : best->rss_mb;
    if (first || usage->cpu_s < best->cpu_s) {
        *best = *usage;
    }
    best->rss_mb = rss_mb;
}

struct usage bench_sum(const struct usage *usages, size_t count) {
    struct usage sum = {0};
    for (size_t i = 0; i < count; i++) {
        sum.cpu_s += usages[i].cpu_s;
        sum.wall_s += usages[i].wall_s;
        sum.rss_mb = usages[i].rss_mb > sum.rss_mb ? usages[i].rss_mb : sum.rss_mb;
    }
    return sum;
}

enum cs_status bench_ffmpeg(struct media_bench *bench, const char *arguments, struct usage *ret_usage,
                            struct cs_err *err) {
    return run_ffmpeg(bench, arguments, ret_usage, err);
}

enum cs_status bench_both(struct media_bench *bench, const struct job *job, struct commands theirs,
                          struct usage *ret_ours, struct usage *ret_theirs, struct cs_err *err) {
    struct usage ours = {0};
    struct usage steps[BENCH_COMMANDS_MAX] = {{0}};
    double spent_s = 0;
    for (int64_t i = 0; i < bench->rounds || (spent_s < ENOUGH_S && i < ROUNDS_MAX); i++) {
        struct usage usage;
        CS_TRY(bench_ours(bench, job, &usage, err));
        keep_cheaper(&ours, &usage, i == 0);
        spent_s += usage.cpu_s;
        for (size_t k = 0; k < theirs.count && k < BENCH_COMMANDS_MAX; k++) {
            CS_TRY(run_ffmpeg(bench, theirs.arguments[k], &usage, err));
            keep_cheaper(&steps[k], &usage, i == 0);
            spent_s += usage.cpu_s;
        }
    }
    bench->rss_max_mb = ours.rss_mb > bench->rss_max_mb ? ours.rss_mb : bench->rss_max_mb;
    *ret_ours = ours;
    memcpy(ret_theirs, steps, sizeof(steps));
    return CS_OK;
}

/* ---- likeness ---- */

/* The last number behind a word in a text. */
static double number_behind(const char *text, const char *word) {
    double number = 0;
    for (const char *found = strstr(text, word); found != NULL; found = strstr(found + 1, word)) {
        number = strtod(found + strlen(word), NULL);
    }
    return number;
}

enum cs_status bench_compare(struct media_bench *bench, const char *output, const char *reference,
                             struct likeness *ret_likeness, struct cs_err *err) {
    char text[65536];
    const char *command = cs_arena_sprintf(
        bench->arena,
        "cd '%s' && ffmpeg -nostdin -hide_banner -i %s -i %s -lavfi "
        "'[0:v]setpts=N/30/TB,split[a][b];[1:v]setpts=N/30/TB,split[c][d];[a][c]psnr[e];[b][d]ssim[f]' "
        "-map '[e]' -map '[f]' -f null - 2>&1 | grep -a 'y:\\|Y:'",
        bench->dir, output, reference);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) {
        return cs_fail_errno(err, errno, "comparing pictures");
    }
    size_t got = fread(text, 1, sizeof(text) - 1, pipe);
    text[got] = '\0';
    if (pclose(pipe) != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "ffmpeg_failed", "%s", command);
    }
    *ret_likeness =
        (struct likeness){.psnr_db = number_behind(text, "PSNR y:"), .ssim = number_behind(text, "SSIM Y:")};
    return CS_OK;
}
