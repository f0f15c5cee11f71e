#include "studio.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cs/catalog.h"
#include "cs/json.h"
#include "cs/test.h"

void studio_open(struct studio *studio) {
    *studio = (struct studio){.arena = cs_arena_create()};
    snprintf(studio->dir, sizeof(studio->dir), "/tmp/callsheet-render-XXXXXX");
    assert_non_null(mkdtemp(studio->dir));
    assert_ok(med_render_warm_up(&studio->err), &studio->err);
}

void studio_close(struct studio *studio) {
    DIR *dir = opendir(studio->dir);
    for (struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(studio->dir);
    cs_arena_destroy(studio->arena);
}

char *studio_path(struct studio *studio, const char *name) {
    return cs_arena_sprintf(studio->arena, "%s/%s", studio->dir, name);
}

const char *studio_make(struct studio *studio, const char *name, const char *ffmpeg_arguments) {
    const char *path = studio_path(studio, name);
    const char *command =
        cs_arena_sprintf(studio->arena, "ffmpeg -nostdin -v error -y %s '%s'", ffmpeg_arguments, path);
    if (system(command) != 0) {
        fail_msg("%s", command);
    }
    return path;
}

const char *studio_write(struct studio *studio, const char *name, const void *bytes, size_t size_bytes) {
    const char *path = studio_path(studio, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    fclose(file);
    return path;
}

char *studio_read(struct studio *studio, const char *name, size_t *ret_size) {
    FILE *file = fopen(studio_path(studio, name), "rb");
    struct stat facts;
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &facts), 0);
    size_t size = (size_t)facts.st_size;
    char *bytes = cs_arena_alloc(studio->arena, size + 1);
    assert_int_equal(fread(bytes, 1, size, file), size);
    bytes[size] = '\0';
    (void)fclose(file);
    if (ret_size != NULL) {
        *ret_size = size;
    }
    return bytes;
}

void studio_same(struct studio *studio, const char *a, const char *b) {
    size_t size_a = 0;
    size_t size_b = 0;
    const char *bytes_a = studio_read(studio, a, &size_a);
    const char *bytes_b = studio_read(studio, b, &size_b);
    if (size_a != size_b || memcmp(bytes_a, bytes_b, size_a) != 0) {
        fail_msg("%s and %s differ", a, b);
    }
}

const char *studio_real(struct studio *studio, const char *name) {
    const char *root = getenv("CALLSHEET_TEST_MEDIA");
    const char *path = root == NULL ? NULL : cs_arena_sprintf(studio->arena, "%s/%s", root, name);
    if (path == NULL || access(path, R_OK) != 0) {
        print_message("skipped without CALLSHEET_TEST_MEDIA: %s\n", name);
        return NULL;
    }
    return path;
}

/* ---- jobs ---- */

static void watch(const Callsheet__V1__Progress *progress, void *user) {
    struct studio *studio = user;
    studio->progress_calls++;
    studio->progress_fell |= progress->fraction < studio->progress_last;
    studio->progress_last = progress->fraction;
}

/* What the operation makes besides its main output, under its usual names. */
static void add_more_outputs(struct studio *studio, Callsheet__V1__RunnerJob *job) {
    char **names = NULL;
    size_t count = 0;
    if (job->task_case == CALLSHEET__V1__RUNNER_JOB__TASK_RENDER) {
        cs_catalog_output_names(job->render, studio->arena, &names, &count);
    }
    for (size_t i = 1; i < count; i++) {
        job->outputs[job->n_outputs++] = names[i];
    }
}

static enum cs_status run(struct studio *studio, Callsheet__V1__RunnerJob *job, const char *output,
                          const char *const *inputs) {
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    const struct med_render_events events = {.progress = watch, .user = studio};
    char *names[CS_JOB_OUTPUTS_MAX] = {(char *)(uintptr_t)output};
    int output_fds[CS_JOB_OUTPUTS_MAX];
    int input_fds[STUDIO_INPUTS_MAX];
    limits.threads = 2;
    limits.output_bytes = (uint64_t)studio->output_bytes_max;
    limits.no_gpl_encoders = studio->no_gpl_encoders;
    job->limits = &limits;
    for (; inputs[job->inputs] != NULL; job->inputs++) {
        input_fds[job->inputs] = open(inputs[job->inputs], O_RDONLY | O_CLOEXEC);
        assert_true(input_fds[job->inputs] >= 0);
    }
    job->outputs = names;
    job->n_outputs = output == NULL ? 0 : 1;
    add_more_outputs(studio, job);
    for (size_t i = 0; i < job->n_outputs; i++) {
        output_fds[i] = open(studio_path(studio, names[i]), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(output_fds[i] >= 0);
    }
    studio->err = (struct cs_err){0};
    studio->progress_last = 0;
    Callsheet__V1__RunnerDone *done = NULL;
    enum cs_status status = med_render_run(job, input_fds, output_fds, &events, &done, studio->arena, &studio->err);
    studio->done = done;
    for (uint32_t i = 0; i < job->inputs; i++) {
        close(input_fds[i]);
    }
    for (size_t i = 0; i < job->n_outputs; i++) {
        close(output_fds[i]);
    }
    return status;
}

/* Of one operation, or of a list whose last one is the job's own. */
static Callsheet__V1__RunnerJob read_job(struct studio *studio, const char *operation_json) {
    CS_AUTO_JSON *value = NULL;
    assert_ok(cs_json_parse(operation_json, strlen(operation_json), &value, &studio->err), &studio->err);
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    Callsheet__V1__Operation **operations = cs_arena_array(studio->arena, count, sizeof(*operations));
    for (size_t i = 0; i < count; i++) {
        ProtobufCMessage *operation = NULL;
        assert_ok(cs_json_to_message(json_is_array(value) ? json_array_get(value, i) : value,
                                     &callsheet__v1__operation__descriptor, "", studio->arena, &operation,
                                     &studio->err),
                  &studio->err);
        operations[i] = (Callsheet__V1__Operation *)operation;
    }
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    job.render = operations[count - 1];
    job.steps_before = operations;
    job.n_steps_before = count - 1;
    return job;
}

enum cs_status studio_run(struct studio *studio, const char *operation_json, const char *output,
                          const char *const *inputs) {
    Callsheet__V1__RunnerJob job = read_job(studio, operation_json);
    return run(studio, &job, output, inputs);
}

const Callsheet__V1__RunnerSurvey *studio_survey(struct studio *studio, const char *operation_json,
                                                 const char *const *inputs) {
    Callsheet__V1__RunnerJob job = read_job(studio, operation_json);
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_SURVEY;
    assert_ok(run(studio, &job, NULL, inputs), &studio->err);
    assert_non_null(studio->done->survey);
    return studio->done->survey;
}

enum cs_status studio_chunk(struct studio *studio, const char *operation_json, const char *output, int64_t first_frame,
                            int64_t frames, const char *const *inputs) {
    Callsheet__V1__RunnerJob job = read_job(studio, operation_json);
    Callsheet__V1__RunnerChunk chunk = CALLSHEET__V1__RUNNER_CHUNK__INIT;
    chunk.first_frame = first_frame;
    chunk.frames = frames;
    job.chunk = &chunk;
    return run(studio, &job, output, inputs);
}

enum cs_status studio_join(struct studio *studio, const char *operation_json, const char *output, uint32_t chunks,
                           const char *const *inputs) {
    Callsheet__V1__RunnerJob job = read_job(studio, operation_json);
    job.chunks = chunks;
    return run(studio, &job, output, inputs);
}

enum cs_status studio_probe(struct studio *studio, const char *path) {
    Callsheet__V1__RunnerProbe probe = CALLSHEET__V1__RUNNER_PROBE__INIT;
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_PROBE;
    job.probe = &probe;
    return run(studio, &job, NULL, (const char *[]){path, NULL});
}

const Callsheet__V1__MediaFacts *studio_must(struct studio *studio, const char *operation_json, const char *output,
                                             const char *const *inputs) {
    assert_ok(studio_run(studio, operation_json, output, inputs), &studio->err);
    assert_int_equal(studio->done->n_outputs, 1);
    return studio->done->outputs[0];
}

/* ---- looking ---- */

static void *read_all(struct studio *studio, const char *arguments, size_t *ret_size) {
    const char *command = cs_arena_sprintf(studio->arena, "ffmpeg -nostdin -v error %s -", arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    struct cs_buf bytes = {0};
    char chunk[65536];
    for (size_t got = 0; (got = fread(chunk, 1, sizeof(chunk), pipe)) > 0;) {
        cs_buf_put(&bytes, chunk, got);
    }
    if (pclose(pipe) != 0) {
        fail_msg("%s", command);
    }
    *ret_size = bytes.size;
    return cs_buf_steal(&bytes);
}

static void *read_output(struct studio *studio, const char *output, const char *how, size_t *ret_size) {
    return read_all(studio, cs_arena_sprintf(studio->arena, "-i '%s/%s' %s", studio->dir, output, how), ret_size);
}

static uint8_t *read_frames(struct studio *studio, const char *output, const char *format, size_t frame_bytes,
                            size_t *ret_frames) {
    size_t size = 0;
    const char *how = cs_arena_sprintf(studio->arena, "-map 0:v:0 -vsync 0 -f rawvideo -pix_fmt %s", format);
    uint8_t *frames = read_output(studio, output, how, &size);
    assert_int_equal(size % frame_bytes, 0);
    *ret_frames = size / frame_bytes;
    return frames;
}

uint8_t *studio_grey(struct studio *studio, const char *output, int width, int height, size_t *ret_frames) {
    return read_frames(studio, output, "gray", (size_t)width * (size_t)height, ret_frames);
}

uint8_t *studio_brightness(struct studio *studio, const char *output, size_t *ret_frames) {
    return read_output(studio, output, "-map 0:v:0 -vsync 0 -vf scale=1:1:flags=area,format=gray -f rawvideo",
                       ret_frames);
}

uint8_t *studio_rgb(struct studio *studio, const char *output, int width, int height, size_t *ret_frames) {
    return read_frames(studio, output, "rgb24", 3 * (size_t)width * (size_t)height, ret_frames);
}

float *studio_sound(struct studio *studio, const char *output, size_t *ret_samples) {
    size_t size = 0;
    float *samples =
        read_output(studio, output, "-map 0:a:0 -af 'pan=mono|c0=0.5*c0+0.5*c1' -ar 48000 -f f32le", &size);
    *ret_samples = size / sizeof(float);
    return samples;
}

float *studio_sound_in_time(struct studio *studio, const char *output, size_t *ret_samples) {
    size_t size = 0;
    const char *command =
        cs_arena_sprintf(studio->arena,
                         "-copyts -i '%s/%s' -map 0:a:0 -af "
                         "'aresample=48000:async=1:min_hard_comp=10:first_pts=0,pan=mono|c0=0.5*c0+0.5*c1' -f f32le",
                         studio->dir, output);
    float *samples = read_all(studio, command, &size);
    *ret_samples = size / sizeof(float);
    return samples;
}

double studio_loudest(const float *samples, size_t from, size_t count) {
    double loudest = 0;
    for (size_t i = from; i < from + count; i++) {
        double size = samples[i] < 0 ? -samples[i] : samples[i];
        loudest = size > loudest ? size : loudest;
    }
    return loudest;
}

double studio_level(struct studio *studio, const char *output, const char *which) {
    char command[1024];
    char line[512];
    double value = NAN;
    (void)snprintf(command, sizeof(command), "ffmpeg -nostdin -i %s -af ebur128=peak=true -f null - 2>&1",
                   studio_path(studio, output));
    FILE *report = popen(command, "r");
    assert_non_null(report);
    bool summary = false;
    while (fgets(line, sizeof(line), report) != NULL) {
        summary = summary || strstr(line, "Summary:") != NULL;
        char *found = summary ? strstr(line, which) : NULL;
        if (found != NULL) {
            value = strtod(found + strlen(which), NULL);
        }
    }
    assert_int_equal(pclose(report), 0);
    assert_false(isnan(value));
    return value;
}

double studio_metric(const struct studio *studio, const char *name) {
    for (size_t i = 0; i < studio->done->n_metrics; i++) {
        if (strcmp(studio->done->metrics[i]->name, name) == 0) {
            return studio->done->metrics[i]->value;
        }
    }
    return NAN;
}

const char *studio_word(const struct studio *studio, const char *name) {
    for (size_t i = 0; i < studio->done->n_metrics; i++) {
        if (strcmp(studio->done->metrics[i]->name, name) == 0) {
            return studio->done->metrics[i]->word;
        }
    }
    return "";
}
