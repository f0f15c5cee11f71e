#include "staging.h"

#include <string.h>

#include "cs/base/text.h"
#include "failure_wire.h"
#include "fetch_wire.h"

enum {
    FETCHES_MAX = 6, /* at once, of one job */
    IDLE_TIMEOUT_MS = 30000,
    REDIRECTS_MAX = 3,
};

struct staging;

struct fetch {
    struct staging *staging;
    size_t input;
    const char *url;
    int fd;
    uint64_t handle;
    /* below: guarded by the stop's lock */
    bool ended;
    double fraction;
    enum cs_status status;
    struct cs_err err;
};

struct staging {
    const struct med_studio *studio;
    struct med_stop *stop;
    med_staging_progress_fn *progress;
    void *user;
    struct cs_http_policy policy;
    size_t input_count;
    struct fetch *fetches;
    size_t fetch_count;
    size_t started; /* only the job's thread */
    /* below: guarded by the stop's lock */
    size_t ended;
    bool failed;
    double opened; /* inputs of storage, which are there at once */
};

/* ---- events of the HTTP loop ---- */

static double fraction_of(const struct staging *staging) {
    double sum = staging->opened;
    for (size_t i = 0; i < staging->fetch_count; i++) {
        sum += staging->fetches[i].fraction;
    }
    return sum / (double)staging->input_count;
}

static void on_progress(uint64_t received, uint64_t expected, void *user) {
    struct fetch *fetch = user;
    struct staging *staging = fetch->staging;
    if (expected == 0 || received > expected) {
        return;
    }
    med_stop_lock(staging->stop);
    fetch->fraction = (double)received / (double)expected;
    double fraction = fraction_of(staging);
    med_stop_unlock(staging->stop);
    staging->progress(fraction, staging->user);
}

static void on_done(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct fetch *fetch = user;
    struct staging *staging = fetch->staging;
    struct cs_err failure = {0};
    enum cs_status status = med_fetch_result(answer, err, &failure);
    med_stop_lock(staging->stop);
    fetch->ended = true;
    fetch->status = status;
    fetch->err = failure;
    fetch->fraction = status == CS_OK ? 1 : fetch->fraction;
    staging->ended++;
    staging->failed = staging->failed || status != CS_OK;
    med_stop_wake(staging->stop);
    med_stop_unlock(staging->stop);
}

/* ---- the job's thread ---- */

static void start_fetch(struct staging *staging, struct fetch *fetch) {
    struct cs_http_request request = {
        .method = "GET",
        .url = fetch->url,
        .timeout_ms = med_stop_left_ms(staging->stop) + 1,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
        .answer_bytes_max = MED_FILE_BYTES_MAX,
        .answer_fd = fetch->fd,
        .guard = &staging->policy,
        .progress = on_progress,
    };
    fetch->handle = cs_http_start(staging->studio->http, &request, on_done, fetch);
}

static void start_more(struct staging *staging) {
    med_stop_lock(staging->stop);
    size_t open = staging->started - staging->ended;
    med_stop_unlock(staging->stop);
    for (; open < FETCHES_MAX && staging->started < staging->fetch_count; open++) {
        start_fetch(staging, &staging->fetches[staging->started++]);
    }
}

static void abort_all(struct staging *staging) {
    for (size_t i = 0; i < staging->started; i++) {
        cs_http_cancel(staging->studio->http, staging->fetches[i].handle); /* one that has ended is fine */
    }
    med_stop_lock(staging->stop);
    while (staging->ended < staging->started) {
        med_stop_wait_more(staging->stop);
    }
    med_stop_unlock(staging->stop);
}

/* Waits until one more fetch ends. False: the rest is of no use. */
static bool wait_for_one(struct staging *staging, size_t ended_before) {
    med_stop_lock(staging->stop);
    bool go_on = !staging->failed;
    while (go_on && staging->ended == ended_before) {
        go_on = med_stop_wait(staging->stop) && !staging->failed;
    }
    med_stop_unlock(staging->stop);
    return go_on;
}

static enum cs_status first_failure(struct staging *staging, struct cs_err *err) {
    CS_TRY(med_stop_check(staging->stop, err));
    for (size_t i = 0; i < staging->started; i++) {
        const struct fetch *fetch = &staging->fetches[i];
        if (fetch->status != CS_OK && fetch->status != CS_CANCELLED) {
            if (err != NULL) {
                *err = fetch->err;
            }
            return cs_wrap(err, "input %zu", fetch->input + 1);
        }
    }
    return CS_OK;
}

static enum cs_status fetch_all(struct staging *staging, struct cs_err *err) {
    bool go_on = true;
    for (size_t ended = 0; go_on && ended < staging->fetch_count; ended++) {
        start_more(staging);
        go_on = wait_for_one(staging, ended);
    }
    abort_all(staging);
    return first_failure(staging, err);
}

/* ---- inputs ---- */

static const char *source_of(const Callsheet__V1__ResolvedInput *input) {
    switch (input->source_case) {
    case CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT:
        return input->artifact->key;
    case CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL:
        return input->url;
    default:
        return NULL;
    }
}

static bool share_earlier(struct med_inputs *staged, Callsheet__V1__ResolvedInput *const *inputs, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (inputs[i]->source_case == inputs[at]->source_case &&
            cs_str_eq(source_of(inputs[i]), source_of(inputs[at]))) {
            staged->fds[at] = staged->fds[i];
            staged->shared[at] = true;
            return true;
        }
    }
    return false;
}

static enum cs_status open_object(const struct med_studio *studio, const char *key, int *ret_fd, struct cs_err *err) {
    enum cs_status status = cs_storage_open_fd(studio->storage, key, ret_fd, NULL, err);
    if (status == CS_NOT_FOUND) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "input_not_found", "the input does not exist in storage");
    }
    return status == CS_OK || status == CS_INVALID_ARGUMENT ? status : med_failure_of_storage(err);
}

static enum cs_status stage_one(struct staging *staging, const Callsheet__V1__ResolvedInput *input, size_t at,
                                int *ret_fd, struct cs_err *err) {
    if (input->source_case == CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT) {
        CS_TRY(open_object(staging->studio, input->artifact->key, ret_fd, err));
        staging->opened += 1;
        return CS_OK;
    }
    if (input->source_case != CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "no_source", "the input names no source");
    }
    if (med_scratch_file(staging->studio->scratch, ret_fd, err) != CS_OK) {
        return med_failure_of_storage(err);
    }
    staging->fetches[staging->fetch_count++] =
        (struct fetch){.staging = staging, .input = at, .url = input->url, .fd = *ret_fd};
    return CS_OK;
}

static enum cs_status stage_all(struct staging *staging, Callsheet__V1__ResolvedInput *const *inputs,
                                struct med_inputs *staged, struct cs_err *err) {
    for (size_t i = 0; i < staged->count; i++) {
        if (share_earlier(staged, inputs, i)) {
            staging->opened += 1;
        } else if (stage_one(staging, inputs[i], i, &staged->fds[i], err) != CS_OK) {
            return cs_wrap(err, "input %zu", i + 1);
        }
    }
    return fetch_all(staging, err);
}

enum cs_status med_stage(const struct med_studio *studio, Callsheet__V1__ResolvedInput *const *inputs, size_t count,
                         struct med_stop *stop, med_staging_progress_fn *progress, void *user,
                         struct med_inputs *ret_inputs, struct cs_err *err) {
    if (count > CS_RUNNER_FILES_MAX - 1) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "too_many_inputs", "a job has at most %d inputs",
                       CS_RUNNER_FILES_MAX - 1);
    }
    CS_AUTO_FREE struct fetch *fetches = cs_alloc_array(count, sizeof(*fetches));
    struct staging staging = {
        .studio = studio,
        .stop = stop,
        .progress = progress,
        .user = user,
        .policy = {.allow_http = true, .allow_private = studio->allow_private_targets, .redirects_max = REDIRECTS_MAX},
        .input_count = count,
        .fetches = fetches,
    };
    struct med_inputs staged = {
        .fds = cs_alloc_array(count, sizeof(int)), .count = count, .shared = cs_alloc_array(count, sizeof(bool))};
    memset(staged.fds, 0xFF, count * sizeof(int));
    enum cs_status status = stage_all(&staging, inputs, &staged, err);
    if (status != CS_OK) {
        med_inputs_fini(&staged);
        return status;
    }
    *ret_inputs = staged;
    return CS_OK;
}

void med_inputs_fini(struct med_inputs *inputs) {
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->fds[i] >= 0 && !inputs->shared[i]) {
            (void)close(inputs->fds[i]);
        }
    }
    free(inputs->fds);
    free(inputs->shared);
    *inputs = (struct med_inputs){0};
}
