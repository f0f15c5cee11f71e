#include "child.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bounds.h"
#include "cs/runner_wire.h"
#include "render.h"
#include "verdict.h"

_Static_assert((int)MED_CHUNKS_MAX <= (int)CS_RUNNER_CHUNKS_MAX, "clients take as many chunks as are made");

enum { CPU_S_DEFAULT = 4 * 3600 };
static const uint64_t memory_default = UINT64_C(8) << 30;
static const uint64_t output_default = UINT64_C(8) << 30;

struct reporter {
    uint64_t id;
    int pipe;
};

static bool send_report(const struct reporter *reporter, Callsheet__V1__RunnerReport *report) {
    report->id = reporter->id;
    return cs_runner_frame_write(reporter->pipe, (const ProtobufCMessage *)report);
}

static void on_progress(const Callsheet__V1__Progress *progress, void *user) {
    Callsheet__V1__RunnerReport report = CALLSHEET__V1__RUNNER_REPORT__INIT;
    report.report_case = CALLSHEET__V1__RUNNER_REPORT__REPORT_PROGRESS;
    report.progress = (Callsheet__V1__Progress *)progress;
    (void)send_report(user, &report); /* a lost client shows at the last report */
}

static bool report_failed(const struct reporter *reporter, Callsheet__V1__Failed *failed) {
    Callsheet__V1__RunnerReport report = CALLSHEET__V1__RUNNER_REPORT__INIT;
    report.report_case = CALLSHEET__V1__RUNNER_REPORT__REPORT_FAILED;
    report.failed = failed;
    return send_report(reporter, &report);
}

static bool report_done(const struct reporter *reporter, Callsheet__V1__RunnerDone *done) {
    Callsheet__V1__RunnerReport report = CALLSHEET__V1__RUNNER_REPORT__INIT;
    report.report_case = CALLSHEET__V1__RUNNER_REPORT__REPORT_DONE;
    report.done = done;
    return send_report(reporter, &report);
}

static struct med_sandbox_limits limits_of(const Callsheet__V1__RunnerJob *job) {
    static const Callsheet__V1__RunnerLimits none = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    const Callsheet__V1__RunnerLimits *wanted = job->limits != NULL ? job->limits : &none;
    return (struct med_sandbox_limits){
        .memory_bytes = wanted->memory_bytes != 0 ? wanted->memory_bytes : memory_default,
        .output_bytes = wanted->output_bytes != 0 ? wanted->output_bytes : output_default,
        .cpu_s = wanted->cpu_s != 0 ? wanted->cpu_s : CPU_S_DEFAULT,
    };
}

static bool run(const Callsheet__V1__RunnerJob *job, const int *fds, struct reporter *reporter) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    Callsheet__V1__RunnerDone *done = NULL;
    const struct med_render_events events = {.progress = on_progress, .user = reporter};
    if (med_render_run(job, fds, fds + job->inputs, &events, &done, arena, &err) == CS_OK) {
        return report_done(reporter, done);
    }
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    med_render_failed(&err, &failed);
    return report_failed(reporter, &failed);
}

static bool refuse(const struct reporter *reporter, const struct cs_err *err) {
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL;
    failed.code = (char *)err->reason;
    failed.message = (char *)err->message;
    return report_failed(reporter, &failed);
}

/* A fetched input arrives as the descriptor that it was written through. */
static enum cs_status make_read_only(const int *inputs, size_t count, struct cs_err *err) {
    for (size_t i = 0; i < count; i++) {
        if ((fcntl(inputs[i], F_GETFL) & O_ACCMODE) == O_RDONLY) {
            continue;
        }
        char path[32];
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", inputs[i]);
        CS_AUTO_FD int reader = open(path, O_RDONLY | O_CLOEXEC);
        if (reader < 0 || dup3(reader, inputs[i], O_CLOEXEC) < 0) {
            return cs_fail(err, CS_FAILED_PRECONDITION, "sandbox_setup", "an input cannot be made read-only");
        }
    }
    return CS_OK;
}

void med_child_run(const struct med_sandbox *sandbox, pid_t parent, const Callsheet__V1__RunnerJob *job, const int *fds,
                   size_t fd_count) {
    (void)prctl(PR_SET_NAME, "media-job");
    struct reporter reporter = {.id = job->id, .pipe = fds[fd_count - 1]};
    struct med_sandbox_limits limits = limits_of(job);
    struct cs_err err = {0};
    bool reported;
    if (make_read_only(fds, job->inputs, &err) == CS_OK && med_render_prepare(job, &err) == CS_OK &&
        med_sandbox_enter(sandbox, parent, &limits, fds, fd_count, &err) == CS_OK) {
        reported = run(job, fds, &reporter);
    } else {
        reported = refuse(&reporter, &err);
    }
    _exit(reported ? MED_CHILD_REPORTED : MED_CHILD_NOT_REPORTED);
}
