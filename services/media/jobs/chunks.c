#include "chunks.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "callsheet/v1/media.pb-c.h"
#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "failure_wire.h"

static const double joining_share = 0.1; /* of the whole work */

enum state { MISSING, RUNNING, DONE };

struct chunk {
    struct run *run;
    size_t index;
    enum state state; /* guarded by the stop's lock */
    int fd;           /* of the finished one; -1 */
    double fraction;  /* guarded by the stop's lock */
    double speed;
};

struct run {
    struct med_chunks *chunks;
    const Callsheet__V1__RunnerJob *wire;
    const int *fds;
    size_t inputs;
    /* below: guarded by the stop's lock */
    bool offered[CS_RUNNER_CHUNKS_MAX]; /* to other nodes, as was said last */
    enum cs_status status;              /* of the first that failed */
    struct cs_err err;
};

static struct med_stop *stop_of(const struct med_chunks *chunks) {
    return chunks->rendering->stop;
}

/* ---- checkpoints ---- */

static void save_checkpoint(struct med_chunks *chunks) {
    uint8_t done[(CS_RUNNER_CHUNKS_MAX + 7) / 8] = {0};
    uint8_t packed[256];
    for (size_t i = 0; i < chunks->division.count; i++) {
        if (chunks->items[i].state == DONE) {
            done[i / 8] |= (uint8_t)(1U << (i % 8));
        }
    }
    Callsheet__V1__ChunksDone message = CALLSHEET__V1__CHUNKS_DONE__INIT;
    message.plan = (ProtobufCBinaryData){.len = sizeof(chunks->division.plan), .data = chunks->division.plan};
    message.done = (ProtobufCBinaryData){.len = (chunks->division.count + 7) / 8, .data = done};
    size_t size = callsheet__v1__chunks_done__pack(&message, packed);
    cs_report_checkpoint(chunks->assignment, packed, size, NULL, NULL);
}

/* Chunks that an earlier attempt made, or somebody for it, are opened. All are looked for: the checkpoint is behind by
 * what was made when the attempt died, and of a run of several jobs none is kept. */
static void take_up(struct med_chunks *chunks) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(chunks->assignment);
    size_t found = 0;
    for (size_t i = 0; assign->attempt > 1 && i < chunks->division.count; i++) {
        struct chunk *chunk = &chunks->items[i];
        struct cs_err err = {0};
        if (med_division_open(chunks->studio, &chunks->division, i, &chunk->fd, &err) == CS_OK) {
            chunk->state = DONE;
            chunk->fraction = 1;
            found++;
        }
    }
    if (found > 0) {
        cs_log_info("goes on with chunks that are done", CS_KV("job", assign->job), CS_KVI("done", found),
                    CS_KVI("chunks", chunks->division.count));
    }
}

/* ---- other nodes ---- */

/* Chunks that nobody here is at, or that somebody elsewhere is. */
static bool is_offered(const struct run *run, size_t index) {
    const struct chunk *chunk = &run->chunks->items[index];
    const struct med_hands *hands = run->chunks->hands;
    return chunk->state != DONE && !hands->made[index] && (chunk->state == MISSING || hands->begun[index]);
}

/* Says what has changed. With the lock held. */
static void offer(struct run *run) {
    const struct med_division *division = &run->chunks->division;
    uint32_t list[CS_RUNNER_CHUNKS_MAX];
    size_t count = 0;
    bool changed = false;
    for (size_t i = 0; i < division->count; i++) {
        bool offered = is_offered(run, i);
        changed = changed || offered != run->offered[i];
        run->offered[i] = offered;
        if (offered) {
            list[count++] = (uint32_t)i;
        }
    }
    if (changed) {
        cs_report_spread(run->chunks->assignment, division->plan, sizeof(division->plan), list, count);
    }
}

/* ---- progress ---- */

static void tell(const struct run *run, double fraction, double speed) {
    const struct med_rendering *whole = run->chunks->rendering;
    const struct med_division *division = &run->chunks->division;
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    double duration_us = (double)division->frames / division->rate * 1e6;
    progress.fraction = fraction;
    progress.media_time_us = (int64_t)(duration_us * fraction);
    progress.media_duration_us = (int64_t)duration_us;
    progress.speed = speed;
    whole->progress(&progress, whole->user);
}

static void on_chunk_progress(const Callsheet__V1__Progress *progress, void *user) {
    struct chunk *mine = user;
    const struct med_chunks *chunks = mine->run->chunks;
    double done = 0;
    double speed = 0;
    med_stop_lock(stop_of(chunks));
    mine->fraction = progress->fraction;
    mine->speed = progress->speed;
    for (size_t i = 0; i < chunks->division.count; i++) {
        done += chunks->items[i].fraction * (double)med_division_frames_of(&chunks->division, i);
        speed += chunks->items[i].state == RUNNING ? chunks->items[i].speed : 0;
    }
    med_stop_unlock(stop_of(chunks));
    tell(mine->run, done / (double)chunks->division.frames * (1 - joining_share), speed);
}

static void on_join_progress(const Callsheet__V1__Progress *progress, void *user) {
    tell(user, 1 - joining_share + progress->fraction * joining_share, progress->speed);
}

/* ---- one chunk ---- */

/* Somebody elsewhere is said to have made it. */
static enum cs_status fetch(struct chunk *chunk, struct cs_err *err) {
    struct med_chunks *chunks = chunk->run->chunks;
    return med_division_open(chunks->studio, &chunks->division, chunk->index, &chunk->fd, err);
}

static enum cs_status make(struct chunk *chunk, struct cs_err *err) {
    const struct run *run = chunk->run;
    struct med_chunks *chunks = run->chunks;
    const struct med_rendering rendering = {.stop = stop_of(chunks),
                                            .unwanted = &chunks->hands->made[chunk->index],
                                            .progress = on_chunk_progress,
                                            .user = chunk};
    CS_TRY(med_division_make(chunks->studio, &chunks->division, chunk->index, run->wire, run->fds, &rendering, err));
    return fetch(chunk, err) == CS_OK ? CS_OK : med_failure_of_storage(err);
}

/* ---- many ---- */

static bool goes_on(const struct run *run) {
    const struct med_chunks *chunks = run->chunks;
    size_t done = 0;
    while (done < chunks->division.count && chunks->items[done].state == DONE) {
        done++;
    }
    return done < chunks->division.count && run->status == CS_OK && !stop_of(chunks)->requested;
}

enum choice { MADE_ELSEWHERE, NOBODY_IS_AT, BEGUN_ELSEWHERE };

static struct chunk *first_of(const struct run *run, enum choice choice) {
    const struct med_hands *hands = run->chunks->hands;
    for (size_t i = 0; i < run->chunks->division.count; i++) {
        enum choice is = hands->made[i] ? MADE_ELSEWHERE : hands->begun[i] ? BEGUN_ELSEWHERE : NOBODY_IS_AT;
        if (run->chunks->items[i].state == MISSING && is == choice) {
            return &run->chunks->items[i];
        }
    }
    return NULL;
}

static void end(struct chunk *chunk, enum cs_status status, const struct cs_err *err) {
    struct run *run = chunk->run;
    chunk->state = status == CS_OK ? DONE : MISSING;
    chunk->fraction = status == CS_OK ? 1 : 0;
    if (status == CS_OK) {
        save_checkpoint(run->chunks);
        cs_crash_at(CS_CRASH_MEDIA_AFTER_CHUNK);
    } else if (run->status == CS_OK) {
        run->status = status;
        run->err = *err;
    }
}

/* One that is not there after all is made here. */
static void take_made(struct chunk *chunk) {
    struct med_chunks *chunks = chunk->run->chunks;
    struct cs_err err = {0};
    chunk->state = RUNNING;
    med_stop_unlock(stop_of(chunks));
    enum cs_status status = fetch(chunk, &err);
    med_stop_lock(stop_of(chunks));
    if (status == CS_OK) {
        end(chunk, status, &err);
        return;
    }
    cs_log_warn("a chunk that another node made is not there, making it", CS_KVI("chunk", chunk->index), CS_KVE(&err));
    chunks->hands->made[chunk->index] = false;
    chunk->state = MISSING;
}

static void make_missing(struct chunk *chunk) {
    struct med_chunks *chunks = chunk->run->chunks;
    struct cs_err err = {0};
    chunk->state = RUNNING;
    offer(chunk->run);
    med_stop_unlock(stop_of(chunks));
    enum cs_status status = make(chunk, &err);
    med_stop_lock(stop_of(chunks));
    if (status != CS_OK && chunks->hands->made[chunk->index]) {
        chunk->state = MISSING; /* others were faster: it is taken next */
    } else {
        end(chunk, status, &err);
    }
}

/* The next piece of work, with the lock held; false when there is none now. The job's own thread has its slot, and
 * takes over what others are at when nothing else is left; one that helps it needs a slot that is idle, for each chunk
 * anew. */
static bool work_once(struct run *run, bool helper) {
    struct med_slots *slots = run->chunks->studio->slots;
    struct chunk *chunk = first_of(run, MADE_ELSEWHERE);
    if (chunk != NULL) {
        take_made(chunk);
        return true;
    }
    chunk = first_of(run, NOBODY_IS_AT);
    chunk = chunk == NULL && !helper ? first_of(run, BEGUN_ELSEWHERE) : chunk;
    if (chunk == NULL || (helper && !med_slots_try_enter(slots))) {
        return false;
    }
    make_missing(chunk);
    if (helper) {
        med_stop_unlock(stop_of(run->chunks));
        med_slots_leave(slots);
        med_stop_lock(stop_of(run->chunks));
    }
    return true;
}

static void work(struct run *run, bool helper) {
    struct med_stop *stop = stop_of(run->chunks);
    med_stop_lock(stop);
    while (goes_on(run)) {
        if (work_once(run, helper)) {
            offer(run);
            med_stop_wake(stop);
        } else {
            (void)med_stop_wait(stop);
        }
    }
    med_stop_unlock(stop);
}

static void *help(void *ctx) {
    work(ctx, true);
    return NULL;
}

static enum cs_status make_all(struct run *run, struct cs_err *err) {
    struct med_chunks *chunks = run->chunks;
    struct med_slots *slots = chunks->studio->slots;
    struct med_slots_watch watch;
    size_t wanted = slots->count - 1;
    wanted = wanted < chunks->division.count - 1 ? wanted : chunks->division.count - 1;
    pthread_t *helpers = cs_arena_array(chunks->arena, wanted + 1, sizeof(*helpers));
    size_t count = 0;
    med_slots_watch(slots, &watch, stop_of(chunks));
    while (count < wanted && pthread_create(&helpers[count], NULL, help, run) == 0) {
        count++; /* one that cannot be had is not needed */
    }
    work(run, false);
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(helpers[i], NULL);
    }
    med_slots_unwatch(slots, &watch);
    CS_TRY(med_stop_check(stop_of(chunks), err));
    *err = run->status != CS_OK ? run->err : *err;
    return run->status;
}

static enum cs_status join(struct run *run, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    struct med_chunks *chunks = run->chunks;
    Callsheet__V1__RunnerJob wire = *run->wire;
    size_t count = chunks->division.count;
    size_t outputs = wire.n_outputs;
    int *fds = cs_arena_array(chunks->arena, run->inputs + count + outputs, sizeof(*fds));
    memcpy(fds, run->fds, run->inputs * sizeof(*fds));
    for (size_t i = 0; i < count; i++) {
        fds[run->inputs + i] = chunks->items[i].fd;
    }
    memcpy(fds + run->inputs + count, run->fds + run->inputs, outputs * sizeof(*fds));
    wire.chunks = (uint32_t)count;
    wire.inputs += wire.chunks;
    const struct med_rendering rendering = {.stop = stop_of(chunks), .progress = on_join_progress, .user = run};
    return med_render(chunks->studio, &wire, fds, run->inputs + count + outputs, &rendering, chunks->arena, ret_done,
                      err);
}

/* ---- the whole ---- */

static void lay_out(struct run *run) {
    struct med_chunks *chunks = run->chunks;
    chunks->items = cs_arena_array(chunks->arena, chunks->division.count, sizeof(*chunks->items));
    for (size_t i = 0; i < chunks->division.count; i++) {
        chunks->items[i] = (struct chunk){.run = run, .index = i, .fd = -1};
    }
}

static void close_all(const struct med_chunks *chunks) {
    for (size_t i = 0; i < chunks->division.count; i++) {
        if (chunks->items[i].fd >= 0) {
            (void)close(chunks->items[i].fd);
        }
    }
}

/* What cannot be put together would not be the next time: another attempt makes all anew. */
static void leave_bad(const struct med_chunks *chunks, enum cs_status status) {
    if (status == CS_INTERNAL) {
        med_division_forget(chunks->studio, &chunks->division);
    }
}

enum cs_status med_chunks_render(struct med_chunks *chunks, Callsheet__V1__RunnerJob *wire, const int *fds,
                                 size_t fd_count, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(chunks->assignment);
    CS_TRY(med_divide(chunks->studio, wire, fds, assign->output_prefix, stop_of(chunks), chunks->arena,
                      &chunks->division, err));
    if (chunks->division.count == 0) {
        return med_render(chunks->studio, wire, fds, fd_count, chunks->rendering, chunks->arena, ret_done, err);
    }
    struct run run = {.chunks = chunks, .wire = wire, .fds = fds, .inputs = wire->inputs};
    lay_out(&run);
    take_up(chunks);
    enum cs_status status = make_all(&run, err);
    if (status == CS_OK) {
        status = join(&run, ret_done, err);
        leave_bad(chunks, status);
    }
    close_all(chunks);
    return status;
}
