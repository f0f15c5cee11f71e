#include "job.h"

#include <string.h>

#include "cs/base/crash.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "failure_wire.h"
#include "rendering.h"
#include "staging.h"

/* Where the stages lie in a job's whole progress. */
static const double fetching_end = 0.1;
static const double rendering_end = 0.95;

struct job {
    const struct med_studio *studio;
    struct cs_assignment *assignment;
    const Callsheet__V1__Assign *assign;
    const struct cs_operation *operation;
    struct med_stop *stop;
    struct cs_arena *arena;
};

/* ---- progress ---- */

static void report_stage(struct cs_assignment *assignment, const char *stage, double fraction) {
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = (char *)stage;
    progress.fraction = fraction;
    cs_report_progress(assignment, &progress);
}

static void on_staged(double fraction, void *user) {
    const struct job *job = user;
    report_stage(job->assignment, "fetching", fraction * fetching_end);
}

static void on_rendered(const Callsheet__V1__Progress *progress, void *user) {
    const struct job *job = user;
    Callsheet__V1__Progress scaled = *progress;
    scaled.stage = (char *)"rendering";
    scaled.fraction = fetching_end + progress->fraction * (rendering_end - fetching_end);
    cs_report_progress(job->assignment, &scaled);
}

/* ---- output ---- */

static const struct {
    const char *suffix;
    const char *content_type;
} content_types[] = {
    {".mp4", "video/mp4"},   {".webm", "video/webm"}, {".png", "image/png"},  {".jpg", "image/jpeg"},
    {".webp", "image/webp"}, {".m4a", "audio/mp4"},   {".mp3", "audio/mpeg"}, {".wav", "audio/wav"},
};

static const char *content_type_of(const char *name) {
    for (size_t i = 0; i < CS_COUNT(content_types); i++) {
        if (cs_str_ends(name, content_types[i].suffix)) {
            return content_types[i].content_type;
        }
    }
    return "application/octet-stream";
}

static char *output_key(const struct job *job) {
    return cs_arena_sprintf(job->arena, "%s%s", job->assign->output_prefix, job->operation->output_name);
}

static void fill_succeeded(const struct job *job, const struct cs_object_info *info, Callsheet__V1__RunnerDone *done,
                           Callsheet__V1__Succeeded *ret_succeeded) {
    Callsheet__V1__Artifact *artifact = cs_arena_alloc(job->arena, sizeof(*artifact));
    callsheet__v1__artifact__init(artifact);
    artifact->key = output_key(job);
    artifact->name = cs_arena_strdup(job->arena, job->operation->output_name);
    artifact->sha256 = cs_arena_strdup(job->arena, info->sha256);
    artifact->size_bytes = info->size_bytes;
    artifact->content_type = (char *)content_type_of(artifact->name);
    artifact->facts = done->outputs[0];
    artifact->type = artifact->facts->type;
    callsheet__v1__succeeded__init(ret_succeeded);
    ret_succeeded->outputs = cs_arena_alloc(job->arena, sizeof(Callsheet__V1__Artifact *));
    ret_succeeded->outputs[0] = artifact;
    ret_succeeded->n_outputs = 1;
    ret_succeeded->metrics = done->metrics;
    ret_succeeded->n_metrics = done->n_metrics;
}

/* ---- the story ---- */

static enum cs_status render_into(const struct job *job, const struct med_inputs *inputs, int output,
                                  Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    int *fds = cs_arena_array(job->arena, inputs->count + 1, sizeof(*fds));
    for (size_t i = 0; i < inputs->count; i++) {
        fds[i] = inputs->fds[i];
    }
    fds[inputs->count] = output;
    char *name = cs_arena_strdup(job->arena, job->operation->output_name);
    Callsheet__V1__RunnerJob wire = CALLSHEET__V1__RUNNER_JOB__INIT;
    wire.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    wire.render = job->assign->operation;
    wire.inputs = (uint32_t)inputs->count;
    wire.outputs = &name;
    wire.n_outputs = 1;
    CS_TRY(med_render(job->studio, &wire, fds, inputs->count + 1, job->stop, on_rendered, (void *)job, job->arena,
                      ret_done, err));
    if ((*ret_done)->n_outputs != 1) {
        return cs_fail(err, CS_INTERNAL, "bad_report", "the media process did not report its output");
    }
    return CS_OK;
}

static enum cs_status render_to_storage(const struct job *job, const struct med_inputs *inputs,
                                        Callsheet__V1__Succeeded *ret_succeeded, struct cs_err *err) {
    struct cs_storage_writer *writer = NULL;
    if (cs_storage_put_start(job->studio->storage, output_key(job), MED_FILE_BYTES_MAX, &writer, err) != CS_OK) {
        return med_failure_of_storage(err);
    }
    int output;
    Callsheet__V1__RunnerDone *done = NULL;
    enum cs_status status = cs_storage_writer_fd(writer, &output, err);
    if (status == CS_OK) {
        status = render_into(job, inputs, output, &done, err);
    }
    if (status != CS_OK) {
        cs_storage_put_abort(writer);
        return status;
    }
    report_stage(job->assignment, "uploading", rendering_end);
    struct cs_object_info info;
    cs_crash_at(CS_CRASH_MEDIA_BEFORE_UPLOAD);
    if (cs_storage_put_commit(writer, &info, err) != CS_OK) {
        return med_failure_of_storage(err);
    }
    cs_crash_at(CS_CRASH_MEDIA_BEFORE_RESULT);
    fill_succeeded(job, &info, done, ret_succeeded);
    return CS_OK;
}

enum cs_status med_job_run(const struct med_studio *studio, struct cs_assignment *assignment, struct med_stop *stop,
                           struct cs_arena *arena, Callsheet__V1__Succeeded *ret_succeeded, struct cs_err *err) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(assignment);
    struct job job = {
        .studio = studio,
        .assignment = assignment,
        .assign = assign,
        .operation = assign->operation != NULL ? cs_catalog_by_case(assign->operation->params_case) : NULL,
        .stop = stop,
        .arena = arena,
    };
    if (job.operation == NULL || job.operation->worker != CS_WORKER_MEDIA) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "unknown_operation", "this worker does not know the operation");
    }
    report_stage(assignment, "fetching", 0);
    struct med_inputs inputs;
    CS_TRY(med_stage(studio, assign->inputs, assign->n_inputs, stop, on_staged, &job, &inputs, err));
    enum cs_status status = render_to_storage(&job, &inputs, ret_succeeded, err);
    med_inputs_fini(&inputs);
    return status;
}
