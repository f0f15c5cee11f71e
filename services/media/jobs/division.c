#include "division.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/conf.h"
#include "failure_wire.h"

enum { SAMPLE_BYTES = 64 << 10 };

/* ---- names ---- */

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

static void name_plan(const struct med_studio *studio, const Callsheet__V1__RunnerJob *whole, const int *fds,
                      const Callsheet__V1__RunnerSurvey *survey, unsigned char ret_plan[CS_SHA256_BYTES]) {
    CS_AUTO(cs_sha256) *hash = cs_sha256_create();
    cs_sha256_update(hash, cs_version(), strlen(cs_version()));
    hash_number(hash, studio->threads); /* encoders give other bytes with another number */
    hash_number(hash, studio->gpl_encoders ? 1 : 0);
    hash_message(hash, &survey->base);
    hash_message(hash, &whole->render->base);
    for (size_t i = 0; i < whole->n_steps_before; i++) {
        hash_message(hash, &whole->steps_before[i]->base);
    }
    for (size_t i = 0; i < whole->inputs; i++) {
        hash_input(hash, fds[i]);
    }
    cs_sha256_final(hash, ret_plan);
}

/* Beside the attempts of the job: any of them finds it. */
static const char *folder_of(const unsigned char plan[CS_SHA256_BYTES], const char *output_prefix,
                             struct cs_arena *arena) {
    size_t length = strlen(output_prefix);
    char name[17];
    while (length > 0 && output_prefix[length - 1] == '/') {
        length--;
    }
    while (length > 0 && output_prefix[length - 1] != '/') {
        length--;
    }
    cs_hex_format(plan, 8, name);
    return cs_arena_sprintf(arena, "%.*schunks-%s/", (int)length, output_prefix, name);
}

static char *key_of(const struct med_division *division, size_t index) {
    return cs_sprintf("%s%zu.mp4", division->folder, index);
}

/* ---- dividing ---- */

static uint64_t input_bytes(const int *fds, size_t count) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat facts;
        total += fstat(fds[i], &facts) == 0 && facts.st_size > 0 ? (uint64_t)facts.st_size : 0;
    }
    return total;
}

/* It comes out of the sandbox: no product may overflow. */
static bool is_sane(const Callsheet__V1__RunnerSurvey *found) {
    return found != NULL && found->rate != NULL && found->rate->num > 0 && found->rate->den > 0 && found->frames > 0 &&
           found->frames <= INT64_MAX / CS_RUNNER_CHUNKS_MAX && found->chunk_frames > 0 &&
           found->chunk_frames <= found->frames && found->chunks > 0 && found->chunks <= CS_RUNNER_CHUNKS_MAX &&
           found->frames > (int64_t)(found->chunks - 1) * found->chunk_frames &&
           found->frames <= (int64_t)found->chunks * found->chunk_frames;
}

/* *ret_survey is NULL when there is nothing to divide. */
static enum cs_status survey(const struct med_studio *studio, const Callsheet__V1__RunnerJob *whole, const int *fds,
                             struct med_stop *stop, struct cs_arena *arena,
                             const Callsheet__V1__RunnerSurvey **ret_survey, struct cs_err *err) {
    Callsheet__V1__RunnerJob wire = *whole;
    Callsheet__V1__RunnerDone *done = NULL;
    struct cs_err why = {0};
    *ret_survey = NULL;
    if (input_bytes(fds, whole->inputs) < MED_DIVISION_INPUT_BYTES_MIN) {
        return CS_OK;
    }
    wire.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_SURVEY;
    wire.survey = whole->render;
    wire.outputs = NULL;
    wire.n_outputs = 0;
    if (med_render(studio, &wire, fds, whole->inputs, &(struct med_rendering){.stop = stop}, arena, &done, &why) !=
        CS_OK) {
        return med_stop_check(stop, err);
    }
    const Callsheet__V1__RunnerSurvey *found = done->survey;
    bool divisible =
        is_sane(found) && found->chunks > 1 && whole->inputs + found->chunks + whole->n_outputs <= CS_RUNNER_FILES_MAX;
    *ret_survey = divisible ? found : NULL;
    return CS_OK;
}

enum cs_status med_divide(const struct med_studio *studio, const Callsheet__V1__RunnerJob *whole, const int *fds,
                          const char *output_prefix, struct med_stop *stop, struct cs_arena *arena,
                          struct med_division *ret_division, struct cs_err *err) {
    const Callsheet__V1__RunnerSurvey *found = NULL;
    CS_TRY(survey(studio, whole, fds, stop, arena, &found, err));
    *ret_division = (struct med_division){0};
    if (found != NULL) {
        ret_division->count = found->chunks;
        ret_division->frames = found->frames;
        ret_division->chunk_frames = found->chunk_frames;
        ret_division->rate = (double)found->rate->num / (double)found->rate->den;
        name_plan(studio, whole, fds, found, ret_division->plan);
        ret_division->folder = folder_of(ret_division->plan, output_prefix, arena);
    }
    return CS_OK;
}

int64_t med_division_frames_of(const struct med_division *division, size_t index) {
    int64_t left = division->frames - (int64_t)index * division->chunk_frames;
    return left < division->chunk_frames ? left : division->chunk_frames;
}

/* ---- a chunk ---- */

static enum cs_status render_into(const struct med_studio *studio, const struct med_division *division, size_t index,
                                  const Callsheet__V1__RunnerJob *whole, const int *fds, int fd,
                                  const struct med_rendering *rendering, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__RunnerJob wire = *whole;
    Callsheet__V1__RunnerChunk range = CALLSHEET__V1__RUNNER_CHUNK__INIT;
    Callsheet__V1__RunnerDone *done = NULL;
    char *name = "chunk.mp4";
    int *all = cs_arena_array(arena, whole->inputs + 1, sizeof(*all));
    memcpy(all, fds, whole->inputs * sizeof(*all));
    all[whole->inputs] = fd;
    range.first_frame = (int64_t)index * division->chunk_frames;
    range.frames = med_division_frames_of(division, index);
    wire.chunk = &range;
    wire.outputs = &name;
    wire.n_outputs = 1;
    return med_render(studio, &wire, all, whole->inputs + 1, rendering, arena, &done, err);
}

enum cs_status med_division_make(const struct med_studio *studio, const struct med_division *division, size_t index,
                                 const Callsheet__V1__RunnerJob *whole, const int *fds,
                                 const struct med_rendering *rendering, struct cs_err *err) {
    CS_AUTO_FREE char *key = key_of(division, index);
    struct cs_storage_writer *writer = NULL;
    struct cs_object_info info;
    int fd = -1;
    if (cs_storage_put_start(studio->storage, key, MED_FILE_BYTES_MAX, &writer, err) != CS_OK) {
        return med_failure_of_storage(err);
    }
    enum cs_status status = cs_storage_writer_fd(writer, &fd, err);
    status = status == CS_OK ? render_into(studio, division, index, whole, fds, fd, rendering, err) : status;
    if (status != CS_OK) {
        cs_storage_put_abort(writer);
        return status;
    }
    return cs_storage_put_commit(writer, &info, err) == CS_OK ? CS_OK : med_failure_of_storage(err);
}

enum cs_status med_division_open(const struct med_studio *studio, const struct med_division *division, size_t index,
                                 int *ret_fd, struct cs_err *err) {
    CS_AUTO_FREE char *key = key_of(division, index);
    return cs_storage_open_fd(studio->storage, key, ret_fd, NULL, err);
}

void med_division_forget(const struct med_studio *studio, const struct med_division *division) {
    for (size_t i = 0; i < division->count; i++) {
        struct cs_err err = {0};
        CS_AUTO_FREE char *key = key_of(division, i);
        enum cs_status status = cs_storage_delete(studio->storage, key, &err);
        if (status != CS_OK && status != CS_NOT_FOUND) {
            cs_log_warn("a chunk stays in storage", CS_KV("key", key), CS_KVE(&err));
        }
    }
}
