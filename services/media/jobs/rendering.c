#include "rendering.h"

#include "failure_wire.h"

enum { CPU_EXTRA_S = 60, CPU_S_MAX = 7 * 24 * 3600 };

struct run {
    const struct med_rendering *how;
    /* below: guarded by the stop's lock */
    bool ended;
    struct cs_buf done; /* packed: the event's message does not outlive it */
    enum cs_status status;
    struct cs_err err;
};

static void on_progress(const Callsheet__V1__Progress *progress, void *user) {
    struct run *run = user;
    if (run->how->progress != NULL) {
        run->how->progress(progress, run->how->user);
    }
}

static void on_ended(const Callsheet__V1__RunnerDone *done, const Callsheet__V1__Failed *failed,
                     const struct cs_err *err, void *user) {
    struct run *run = user;
    med_stop_lock(run->how->stop);
    if (failed != NULL) {
        run->status = med_failure_from_wire(failed, &run->err);
    } else if (err != NULL) {
        run->status = err->status;
        run->err = *err;
    } else {
        size_t size_bytes = callsheet__v1__runner_done__get_packed_size(done);
        CS_AUTO_FREE uint8_t *packed = cs_alloc(size_bytes);
        (void)callsheet__v1__runner_done__pack(done, packed);
        cs_buf_put(&run->done, packed, size_bytes);
    }
    run->ended = true;
    med_stop_wake(run->how->stop);
    med_stop_unlock(run->how->stop);
}

static bool is_unwanted(const struct run *run) {
    return run->how->unwanted != NULL && *run->how->unwanted;
}

/* True when it was ended because nobody wants it. */
static bool wait_end(struct cs_runner *runner, uint64_t id, struct run *run) {
    struct med_stop *stop = run->how->stop;
    med_stop_lock(stop);
    while (!run->ended && !is_unwanted(run) && med_stop_wait(stop)) {
    }
    bool ended = run->ended;
    bool unwanted = !ended && is_unwanted(run);
    med_stop_unlock(stop);
    if (!ended) {
        cs_runner_kill(runner, id);
    }
    med_stop_lock(stop);
    while (!run->ended) {
        med_stop_wait_more(stop);
    }
    med_stop_unlock(stop);
    return unwanted;
}

static uint32_t cpu_limit_s(const struct med_studio *studio, const struct med_stop *stop) {
    int64_t cpu_s = med_stop_left_ms(stop) / 1000 * studio->cores + CPU_EXTRA_S;
    return (uint32_t)(cpu_s < CPU_S_MAX ? cpu_s : CPU_S_MAX);
}

static void *arena_alloc(void *arena, size_t size_bytes) {
    return cs_arena_alloc(arena, size_bytes);
}

static void arena_free(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

static enum cs_status take_done(const struct run *run, struct cs_arena *arena, Callsheet__V1__RunnerDone **ret_done,
                                struct cs_err *err) {
    ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
    *ret_done = callsheet__v1__runner_done__unpack(&allocator, run->done.size, (const uint8_t *)run->done.data);
    return *ret_done != NULL ? CS_OK : cs_fail(err, CS_INTERNAL, "bad_report", "a report cannot be read");
}

static enum cs_status result_of(struct run *run, bool unwanted, struct cs_arena *arena,
                                Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    CS_TRY(med_stop_check(run->how->stop, err));
    if (unwanted) {
        return cs_fail(err, CS_CANCELLED, "unwanted", "nobody needs this any more");
    }
    if (run->status != CS_OK) {
        *err = run->err;
        return run->status;
    }
    return take_done(run, arena, ret_done, err);
}

enum cs_status med_render(const struct med_studio *studio, Callsheet__V1__RunnerJob *job, const int *fds,
                          size_t fd_count, const struct med_rendering *rendering, struct cs_arena *arena,
                          Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    static const struct cs_runner_events events = {.progress = on_progress, .ended = on_ended};
    CS_TRY(med_stop_check(rendering->stop, err));
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    limits.memory_bytes = studio->memory_bytes;
    limits.output_bytes = MED_FILE_BYTES_MAX;
    limits.cpu_s = cpu_limit_s(studio, rendering->stop);
    limits.threads = studio->threads;
    limits.no_gpl_encoders = !studio->gpl_encoders;
    job->limits = &limits;
    struct run run = {.how = rendering};
    uint64_t id;
    enum cs_status status = cs_runner_start(studio->runner, job, fds, fd_count, &events, &run, &id, err);
    job->limits = NULL;
    CS_TRY(status);
    bool unwanted = wait_end(studio->runner, id, &run);
    status = result_of(&run, unwanted, arena, ret_done, err);
    cs_buf_fini(&run.done);
    return status;
}
