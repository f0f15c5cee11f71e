#include "chunks.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "callsheet/v1/media.pb-c.h"
#include "cs/base/crash.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/conf.h"
#include "failure_wire.h"

enum { SAMPLE_BYTES = 64 << 10 };

static const double joining_share = 0.1; /* of the whole work */

enum state { MISSING, RUNNING, DONE };

struct chunk {
    struct run *run;
    size_t index;
    int64_t first_frame;
    int64_t frames;
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
    int64_t frames;
    double rate;
    /* below: guarded by the stop's lock */
    enum cs_status status; /* of the first that failed */
    struct cs_err err;
};

/* ---- names ---- */

/* Beside the attempts of the job: any of them finds it. */
static char *key_of(const struct med_chunks *chunks, size_t index, struct cs_arena *arena) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(chunks->assignment);
    size_t length = strlen(assign->output_prefix);
    char plan[17];
    while (length > 0 && assign->output_prefix[length - 1] == '/') {
        length--;
    }
    while (length > 0 && assign->output_prefix[length - 1] != '/') {
        length--;
    }
    cs_hex_format(chunks->plan, 8, plan);
    return cs_arena_sprintf(arena, "%.*schunks-%s/%zu.mp4", (int)length, assign->output_prefix, plan, index);
}

static void hash_number(struct cs_sha256 *hash, uint64_t number) {
    cs_sha256_update(hash, &number, sizeof(number));
}

static void hash_message(struct cs_sha256 *hash, const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    CS_AUTO_FREE uint8_t *packed = cs_alloc(size + 1);
    (void)protobuf_c_message_pack(message, packed);
    hash_number(hash, size);
    cs_sha256_update(hash, packed, size);
}

/* An input by what it is: size and both ends, which for media hold what describes the rest. */
static void hash_input(struct cs_sha256 *hash, int fd) {
    char bytes[SAMPLE_BYTES];
    struct stat facts;
    off_t size = fstat(fd, &facts) == 0 ? facts.st_size : 0;
    off_t tail = size > SAMPLE_BYTES ? size - SAMPLE_BYTES : 0;
    hash_number(hash, (uint64_t)size);
    for (int end = 0; end < 2; end++) {
        ssize_t got = pread(fd, bytes, sizeof(bytes), end == 0 ? 0 : tail);
        cs_sha256_update(hash, bytes, got > 0 ? (size_t)got : 0);
    }
}

static void name_plan(struct med_chunks *chunks, const Callsheet__V1__RunnerJob *wire, const int *fds,
                      const Callsheet__V1__RunnerSurvey *survey) {
    CS_AUTO(cs_sha256) *hash = cs_sha256_create();
    cs_sha256_update(hash, cs_version(), strlen(cs_version()));
    hash_number(hash, chunks->studio->threads); /* encoders give other bytes with another number */
    hash_message(hash, &survey->base);
    hash_message(hash, &wire->render->base);
    for (size_t i = 0; i < wire->n_steps_before; i++) {
        hash_message(hash, &wire->steps_before[i]->base);
    }
    for (size_t i = 0; i < wire->inputs; i++) {
        hash_input(hash, fds[i]);
    }
    cs_sha256_final(hash, chunks->plan);
}

/* ---- checkpoints ---- */

static void save_checkpoint(struct med_chunks *chunks) {
    uint8_t done[(CS_RUNNER_CHUNKS_MAX + 7) / 8] = {0};
    uint8_t packed[256];
    for (size_t i = 0; i < chunks->count; i++) {
        if (chunks->items[i].state == DONE) {
            done[i / 8] |= (uint8_t)(1U << (i % 8));
        }
    }
    Callsheet__V1__ChunksDone message = CALLSHEET__V1__CHUNKS_DONE__INIT;
    message.plan = (ProtobufCBinaryData){.len = sizeof(chunks->plan), .data = chunks->plan};
    message.done = (ProtobufCBinaryData){.len = (chunks->count + 7) / 8, .data = done};
    size_t size = callsheet__v1__chunks_done__pack(&message, packed);
    cs_report_checkpoint(chunks->assignment, packed, size, NULL, NULL);
}

/* A chunk that an earlier attempt made is opened; one that is not there any more is made again. */
static void take_up(struct med_chunks *chunks) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(chunks->assignment);
    Callsheet__V1__ChunksDone *before =
        callsheet__v1__chunks_done__unpack(NULL, assign->checkpoint.len, assign->checkpoint.data);
    size_t found = 0;
    bool ours = before != NULL && before->plan.len == sizeof(chunks->plan) &&
                memcmp(before->plan.data, chunks->plan, sizeof(chunks->plan)) == 0;
    for (size_t i = 0; ours && i < chunks->count && i / 8 < before->done.len; i++) {
        struct chunk *chunk = &chunks->items[i];
        struct cs_err err = {0};
        bool made = (before->done.data[i / 8] >> (i % 8) & 1) != 0;
        if (made && cs_storage_open_fd(chunks->studio->storage, key_of(chunks, i, chunks->arena), &chunk->fd, NULL,
                                       &err) == CS_OK) {
            chunk->state = DONE;
            chunk->fraction = 1;
            found++;
        }
    }
    if (found > 0) {
        cs_log_info("goes on with chunks that are done", CS_KV("job", assign->job), CS_KVI("done", found),
                    CS_KVI("chunks", chunks->count));
    }
    if (before != NULL) {
        callsheet__v1__chunks_done__free_unpacked(before, NULL);
    }
}

/* ---- progress ---- */

static void tell(const struct run *run, double fraction, double speed) {
    const struct med_chunks *chunks = run->chunks;
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    double duration_us = (double)run->frames / run->rate * 1e6;
    progress.fraction = fraction;
    progress.media_time_us = (int64_t)(duration_us * fraction);
    progress.media_duration_us = (int64_t)duration_us;
    progress.speed = speed;
    chunks->progress(&progress, chunks->user);
}

static void on_chunk_progress(const Callsheet__V1__Progress *progress, void *user) {
    struct chunk *mine = user;
    const struct med_chunks *chunks = mine->run->chunks;
    double done = 0;
    double speed = 0;
    med_stop_lock(chunks->stop);
    mine->fraction = progress->fraction;
    mine->speed = progress->speed;
    for (size_t i = 0; i < chunks->count; i++) {
        done += chunks->items[i].fraction * (double)chunks->items[i].frames;
        speed += chunks->items[i].state == RUNNING ? chunks->items[i].speed : 0;
    }
    med_stop_unlock(chunks->stop);
    tell(mine->run, done / (double)mine->run->frames * (1 - joining_share), speed);
}

static void on_join_progress(const Callsheet__V1__Progress *progress, void *user) {
    tell(user, 1 - joining_share + progress->fraction * joining_share, progress->speed);
}

/* ---- one chunk ---- */

static enum cs_status render_into(struct chunk *chunk, int fd, struct cs_arena *arena, struct cs_err *err) {
    const struct run *run = chunk->run;
    struct med_chunks *chunks = run->chunks;
    Callsheet__V1__RunnerJob wire = *run->wire;
    Callsheet__V1__RunnerChunk range = CALLSHEET__V1__RUNNER_CHUNK__INIT;
    Callsheet__V1__RunnerDone *done = NULL;
    char *name = "chunk.mp4";
    int *fds = cs_arena_array(arena, run->inputs + 1, sizeof(*fds));
    memcpy(fds, run->fds, run->inputs * sizeof(*fds));
    fds[run->inputs] = fd;
    range.first_frame = chunk->first_frame;
    range.frames = chunk->frames;
    wire.chunk = &range;
    wire.outputs = &name;
    wire.n_outputs = 1;
    return med_render(chunks->studio, &wire, fds, run->inputs + 1, chunks->stop, on_chunk_progress, chunk, arena, &done,
                      err);
}

static enum cs_status make(struct chunk *chunk, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct med_chunks *chunks = chunk->run->chunks;
    struct cs_storage *storage = chunks->studio->storage;
    struct cs_storage_writer *writer = NULL;
    struct cs_object_info info;
    int fd = -1;
    const char *key = key_of(chunks, chunk->index, arena);
    if (cs_storage_put_start(storage, key, MED_FILE_BYTES_MAX, &writer, err) != CS_OK) {
        return med_failure_of_storage(err);
    }
    enum cs_status status = cs_storage_writer_fd(writer, &fd, err);
    status = status == CS_OK ? render_into(chunk, fd, arena, err) : status;
    if (status != CS_OK) {
        cs_storage_put_abort(writer);
        return status;
    }
    if (cs_storage_put_commit(writer, &info, err) != CS_OK ||
        cs_storage_open_fd(storage, key, &chunk->fd, NULL, err) != CS_OK) {
        return med_failure_of_storage(err);
    }
    return CS_OK;
}

/* ---- many ---- */

static struct chunk *next_missing(const struct run *run) {
    for (size_t i = 0; i < run->chunks->count && run->status == CS_OK && !run->chunks->stop->requested; i++) {
        if (run->chunks->items[i].state == MISSING) {
            return &run->chunks->items[i];
        }
    }
    return NULL;
}

static void end(struct chunk *chunk, enum cs_status status, const struct cs_err *err) {
    struct run *run = chunk->run;
    chunk->state = status == CS_OK ? DONE : MISSING;
    chunk->fraction = status == CS_OK ? 1 : 0;
    if (status != CS_OK && run->status == CS_OK) {
        run->status = status;
        run->err = *err;
    }
    if (status == CS_OK) {
        save_checkpoint(run->chunks);
        cs_crash_at(CS_CRASH_MEDIA_AFTER_CHUNK);
    }
    med_stop_wake(run->chunks->stop);
}

/* The job's own thread has its slot; a helper needs one that is idle, for each chunk anew. */
static void work(struct run *run, bool helper) {
    struct med_stop *stop = run->chunks->stop;
    struct med_slots *slots = run->chunks->studio->slots;
    struct chunk *chunk;
    med_stop_lock(stop);
    while ((chunk = next_missing(run)) != NULL) {
        if (helper && !med_slots_try_enter(slots)) {
            (void)med_stop_wait(stop);
            continue;
        }
        struct cs_err err = {0};
        chunk->state = RUNNING;
        med_stop_unlock(stop);
        enum cs_status status = make(chunk, &err);
        if (helper) {
            med_slots_leave(slots);
        }
        med_stop_lock(stop);
        end(chunk, status, &err);
    }
    med_stop_unlock(stop);
}

static void *help(void *ctx) {
    work(ctx, true);
    return NULL;
}

static enum cs_status make_all(struct run *run, struct cs_err *err) {
    struct med_chunks *chunks = run->chunks;
    size_t wanted = chunks->studio->slots->count - 1;
    wanted = wanted < chunks->count - 1 ? wanted : chunks->count - 1;
    pthread_t *helpers = cs_arena_array(chunks->arena, wanted + 1, sizeof(*helpers));
    size_t count = 0;
    while (count < wanted && pthread_create(&helpers[count], NULL, help, run) == 0) {
        count++; /* one that cannot be had is not needed */
    }
    work(run, false);
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(helpers[i], NULL);
    }
    CS_TRY(med_stop_check(chunks->stop, err));
    *err = run->status != CS_OK ? run->err : *err;
    return run->status;
}

static enum cs_status join(struct run *run, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    struct med_chunks *chunks = run->chunks;
    Callsheet__V1__RunnerJob wire = *run->wire;
    size_t outputs = wire.n_outputs;
    int *fds = cs_arena_array(chunks->arena, run->inputs + chunks->count + outputs, sizeof(*fds));
    memcpy(fds, run->fds, run->inputs * sizeof(*fds));
    for (size_t i = 0; i < chunks->count; i++) {
        fds[run->inputs + i] = chunks->items[i].fd;
    }
    memcpy(fds + run->inputs + chunks->count, run->fds + run->inputs, outputs * sizeof(*fds));
    wire.chunks = (uint32_t)chunks->count;
    wire.inputs += wire.chunks;
    return med_render(chunks->studio, &wire, fds, run->inputs + chunks->count + outputs, chunks->stop, on_join_progress,
                      run, chunks->arena, ret_done, err);
}

/* ---- the whole ---- */

static uint64_t input_bytes(const int *fds, size_t count) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat facts;
        total += fstat(fds[i], &facts) == 0 && facts.st_size > 0 ? (uint64_t)facts.st_size : 0;
    }
    return total;
}

/* *ret_survey is NULL when the render is to be made in one go, also when it will fail: then it says why. */
static enum cs_status survey(const struct med_chunks *chunks, const Callsheet__V1__RunnerJob *whole, const int *fds,
                             const Callsheet__V1__RunnerSurvey **ret_survey, struct cs_err *err) {
    Callsheet__V1__RunnerJob wire = *whole;
    Callsheet__V1__RunnerDone *done = NULL;
    struct cs_err why = {0};
    *ret_survey = NULL;
    if (input_bytes(fds, whole->inputs) < MED_CHUNKS_INPUT_BYTES_MIN) {
        return CS_OK;
    }
    wire.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_SURVEY;
    wire.survey = whole->render;
    wire.outputs = NULL;
    wire.n_outputs = 0;
    if (med_render(chunks->studio, &wire, fds, whole->inputs, chunks->stop, NULL, NULL, chunks->arena, &done, &why) !=
        CS_OK) {
        return med_stop_check(chunks->stop, err);
    }
    const Callsheet__V1__RunnerSurvey *found = done->survey;
    bool sane = found != NULL && found->frames > 0 && found->rate != NULL && found->rate->num > 0 &&
                found->rate->den > 0 && found->chunk_frames > 0 && found->chunks <= CS_RUNNER_CHUNKS_MAX &&
                found->frames > (int64_t)(found->chunks - 1) * found->chunk_frames &&
                found->frames <= (int64_t)found->chunks * found->chunk_frames;
    *ret_survey = sane && found->chunks > 1 && whole->inputs + found->chunks + whole->n_outputs <= CS_RUNNER_FILES_MAX
                      ? found
                      : NULL;
    return CS_OK;
}

static void lay_out(struct run *run, const Callsheet__V1__RunnerSurvey *found) {
    struct med_chunks *chunks = run->chunks;
    run->frames = found->frames;
    run->rate = (double)found->rate->num / (double)found->rate->den;
    chunks->count = found->chunks;
    chunks->items = cs_arena_array(chunks->arena, chunks->count, sizeof(*chunks->items));
    for (size_t i = 0; i < chunks->count; i++) {
        int64_t first = (int64_t)i * found->chunk_frames;
        int64_t left = found->frames - first;
        chunks->items[i] = (struct chunk){.run = run,
                                          .index = i,
                                          .first_frame = first,
                                          .frames = left < found->chunk_frames ? left : found->chunk_frames,
                                          .fd = -1};
    }
}

static void close_all(const struct med_chunks *chunks) {
    for (size_t i = 0; i < chunks->count; i++) {
        if (chunks->items[i].fd >= 0) {
            (void)close(chunks->items[i].fd);
        }
    }
}

enum cs_status med_chunks_render(struct med_chunks *chunks, Callsheet__V1__RunnerJob *wire, const int *fds,
                                 size_t fd_count, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    const Callsheet__V1__RunnerSurvey *found = NULL;
    chunks->count = 0;
    CS_TRY(survey(chunks, wire, fds, &found, err));
    if (found == NULL) {
        return med_render(chunks->studio, wire, fds, fd_count, chunks->stop, chunks->progress, chunks->user,
                          chunks->arena, ret_done, err);
    }
    struct run run = {.chunks = chunks, .wire = wire, .fds = fds, .inputs = wire->inputs};
    name_plan(chunks, wire, fds, found);
    lay_out(&run, found);
    take_up(chunks);
    enum cs_status status = make_all(&run, err);
    if (status == CS_OK) {
        status = join(&run, ret_done, err);
    }
    close_all(chunks);
    return status;
}

void med_chunks_forget(const struct med_chunks *chunks) {
    for (size_t i = 0; i < chunks->count; i++) {
        struct cs_err err = {0};
        if (cs_storage_delete(chunks->studio->storage, key_of(chunks, i, chunks->arena), &err) != CS_OK) {
            cs_log_warn("a chunk stays in storage", CS_KVI("chunk", i), CS_KVE(&err));
        }
    }
}
