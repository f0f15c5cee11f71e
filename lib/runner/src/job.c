#include "job.h"

#include <errno.h>
#include <unistd.h>

#include "cs/runner_wire.h"
#include "report.h"

enum { READ_BYTES = 64 * 1024 };

void cs_runner_job_free(struct cs_runner_job *job) {
    if (job->pipe >= 0) {
        (void)close(job->pipe);
    }
    cs_buf_fini(&job->in);
    callsheet__v1__runner_report__free_unpacked(job->final, NULL);
    callsheet__v1__runner_report__free_unpacked(job->verdict, NULL);
    free(job);
}

static void job_failed(struct cs_runner_job *job, const char *code, const char *message) {
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL;
    failed.code = (char *)code;
    failed.message = (char *)message;
    job->events.ended(NULL, &failed, NULL, job->user);
}

void cs_runner_job_ended(struct cs_runner_job *job) {
    if (job->unreadable) {
        job_failed(job, "bad_report", "the media process sent a report that cannot be read");
    } else if (job->verdict != NULL && job->verdict->report_case == CALLSHEET__V1__RUNNER_REPORT__REPORT_FAILED) {
        job->events.ended(NULL, job->verdict->failed, NULL, job->user);
    } else if (job->final != NULL && job->final->report_case == CALLSHEET__V1__RUNNER_REPORT__REPORT_DONE) {
        job->events.ended(job->final->done, NULL, NULL, job->user);
    } else if (job->final != NULL) {
        job->events.ended(NULL, job->final->failed, NULL, job->user);
    } else if (job->lost) {
        struct cs_err err;
        (void)cs_fail(&err, CS_UNAVAILABLE, "runner_died", "the media runner died during the job");
        job->events.ended(NULL, NULL, &err, job->user);
    } else {
        job_failed(job, "child_silent", "the media process ended without a report");
    }
}

bool cs_runner_job_is_over(const struct cs_runner_job *job) {
    return job->pipe < 0 && (job->verdict != NULL || job->lost);
}

static void job_take(struct cs_runner_job *job, Callsheet__V1__RunnerReport *report) {
    if (report == NULL) {
        job->unreadable = true;
    } else if (report->report_case == CALLSHEET__V1__RUNNER_REPORT__REPORT_PROGRESS) {
        if (job->final == NULL && job->events.progress != NULL) {
            job->events.progress(report->progress, job->user);
        }
        callsheet__v1__runner_report__free_unpacked(report, NULL);
    } else if (job->final == NULL) {
        job->final = report;
    } else {
        callsheet__v1__runner_report__free_unpacked(report, NULL);
    }
}

static void job_close_pipe(struct cs_runner_job *job) {
    (void)close(job->pipe);
    job->pipe = -1;
}

void cs_runner_job_read(struct cs_runner_job *job) {
    char bytes[READ_BYTES];
    ssize_t got = read(job->pipe, bytes, sizeof(bytes));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (got <= 0) {
        job_close_pipe(job);
        return;
    }
    if (job->unreadable) {
        return; /* it has been killed; what it still says is dropped */
    }
    cs_buf_put(&job->in, bytes, (size_t)got);
    const uint8_t *body;
    size_t size_bytes;
    size_t offset = 0;
    while (!job->unreadable &&
           cs_runner_frame_next(&job->in, &offset, CS_RUNNER_REPORT_BYTES_MAX, &body, &size_bytes, &job->unreadable)) {
        job_take(job, cs_runner_report_parse(body, size_bytes));
    }
    cs_runner_buf_consume(&job->in, offset);
}
