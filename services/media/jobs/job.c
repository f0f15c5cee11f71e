#include "job.h"

#include <string.h>

#include "chunks.h"
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

/* One file that the job makes. */
struct output {
    const char *name;
    char *key;
    struct cs_storage_writer *writer; /* until it is committed or given up */
    int fd;
    struct cs_object_info info;
};

struct outputs {
    struct output *items;
    size_t count;
};

static struct outputs outputs_of(const struct job *job) {
    char **names = NULL;
    struct outputs outputs = {0};
    cs_catalog_output_names(job->assign->operation, job->arena, &names, &outputs.count);
    outputs.items = cs_arena_array(job->arena, outputs.count, sizeof(struct output));
    for (size_t i = 0; i < outputs.count; i++) {
        outputs.items[i] = (struct output){
            .name = names[i],
            .key = cs_arena_sprintf(job->arena, "%s%s", job->assign->output_prefix, names[i]),
            .fd = -1,
        };
    }
    return outputs;
}

static void abort_outputs(struct outputs *outputs) {
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->items[i].writer != NULL) {
            cs_storage_put_abort(cs_steal(&outputs->items[i].writer));
        }
    }
}

static enum cs_status start_outputs(const struct job *job, struct outputs *outputs, struct cs_err *err) {
    for (size_t i = 0; i < outputs->count; i++) {
        struct output *output = &outputs->items[i];
        if (cs_storage_put_start(job->studio->storage, output->key, MED_FILE_BYTES_MAX, &output->writer, err) !=
            CS_OK) {
            return med_failure_of_storage(err);
        }
        CS_TRY(cs_storage_writer_fd(output->writer, &output->fd, err));
    }
    return CS_OK;
}

/* In order: the main one is last, so that it is there only with all that belongs to it. */
static enum cs_status commit_outputs(struct outputs *outputs, struct cs_err *err) {
    for (size_t i = outputs->count; i-- > 0;) {
        struct output *output = &outputs->items[i];
        if (cs_storage_put_commit(cs_steal(&output->writer), &output->info, err) != CS_OK) {
            return med_failure_of_storage(err);
        }
    }
    return CS_OK;
}

static Callsheet__V1__Artifact *artifact_of(const struct job *job, const struct output *output,
                                            Callsheet__V1__MediaFacts *facts) {
    Callsheet__V1__Artifact *artifact = cs_arena_alloc(job->arena, sizeof(*artifact));
    callsheet__v1__artifact__init(artifact);
    artifact->key = output->key;
    artifact->name = cs_arena_strdup(job->arena, output->name);
    artifact->sha256 = cs_arena_strdup(job->arena, output->info.sha256);
    artifact->size_bytes = output->info.size_bytes;
    artifact->content_type = (char *)cs_catalog_content_type(artifact->name);
    artifact->facts = facts;
    artifact->type = facts->type;
    return artifact;
}

static void fill_succeeded(const struct job *job, const struct outputs *outputs, Callsheet__V1__RunnerDone *done,
                           Callsheet__V1__Succeeded *ret_succeeded) {
    callsheet__v1__succeeded__init(ret_succeeded);
    ret_succeeded->outputs = cs_arena_array(job->arena, outputs->count, sizeof(Callsheet__V1__Artifact *));
    for (size_t i = 0; i < outputs->count; i++) {
        ret_succeeded->outputs[ret_succeeded->n_outputs++] = artifact_of(job, &outputs->items[i], done->outputs[i]);
    }
    for (size_t i = 0; i < done->n_qualities; i++) {
        const Callsheet__V1__OutputQuality *of_output = done->qualities[i];
        if (of_output->output < ret_succeeded->n_outputs) {
            ret_succeeded->outputs[of_output->output]->quality = of_output->quality;
        }
    }
    ret_succeeded->metrics = done->metrics;
    ret_succeeded->n_metrics = done->n_metrics;
    ret_succeeded->steps_before = cs_arena_array(job->arena, done->n_steps_before, sizeof(Callsheet__V1__StepDone *));
    for (size_t i = 0; i < done->n_steps_before; i++) {
        Callsheet__V1__StepDone *step = cs_arena_alloc(job->arena, sizeof(*step));
        callsheet__v1__step_done__init(step);
        step->metrics = done->steps_before[i]->metrics;
        step->n_metrics = done->steps_before[i]->n_metrics;
        ret_succeeded->steps_before[ret_succeeded->n_steps_before++] = step;
    }
}

/* ---- the story ---- */

static void put_steps(const struct job *job, Callsheet__V1__RunnerJob *wire) {
    wire->steps_before = cs_arena_array(job->arena, job->assign->n_steps_before, sizeof(Callsheet__V1__Operation *));
    for (size_t i = 0; i < job->assign->n_steps_before; i++) {
        wire->steps_before[wire->n_steps_before++] = job->assign->steps_before[i]->operation;
    }
}

static enum cs_status render_into(const struct job *job, const struct med_inputs *inputs, const struct outputs *outputs,
                                  struct med_chunks *chunks, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    int *fds = cs_arena_array(job->arena, inputs->count + outputs->count, sizeof(*fds));
    char **names = cs_arena_array(job->arena, outputs->count, sizeof(*names));
    for (size_t i = 0; i < inputs->count; i++) {
        fds[i] = inputs->fds[i];
    }
    for (size_t i = 0; i < outputs->count; i++) {
        fds[inputs->count + i] = outputs->items[i].fd;
        names[i] = cs_arena_strdup(job->arena, outputs->items[i].name);
    }
    Callsheet__V1__RunnerJob wire = CALLSHEET__V1__RUNNER_JOB__INIT;
    put_steps(job, &wire);
    wire.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    wire.render = job->assign->operation;
    wire.inputs = (uint32_t)inputs->count;
    wire.outputs = names;
    wire.n_outputs = outputs->count;
    size_t fd_count = inputs->count + outputs->count;
    CS_TRY(job->operation->output == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO
               ? med_chunks_render(chunks, &wire, fds, fd_count, ret_done, err)
               : med_render(job->studio, &wire, fds, fd_count, job->stop, on_rendered, (void *)job, job->arena,
                            ret_done, err));
    return CS_OK;
}

static enum cs_status store(const struct job *job, const struct med_inputs *inputs, struct outputs *outputs,
                            Callsheet__V1__Succeeded *ret_succeeded, struct cs_err *err) {
    Callsheet__V1__RunnerDone *done = NULL;
    struct med_chunks chunks = {
        .studio = job->studio,
        .assignment = job->assignment,
        .stop = job->stop,
        .progress = on_rendered,
        .user = (void *)job,
        .arena = job->arena,
    };
    CS_TRY(start_outputs(job, outputs, err));
    CS_TRY(render_into(job, inputs, outputs, &chunks, &done, err));
    if (done->n_outputs != outputs->count) {
        return cs_fail(err, CS_INTERNAL, "bad_report", "the media process did not report its outputs");
    }
    report_stage(job->assignment, "uploading", rendering_end);
    cs_crash_at(CS_CRASH_MEDIA_BEFORE_UPLOAD);
    CS_TRY(commit_outputs(outputs, err));
    med_chunks_forget(&chunks);
    cs_crash_at(CS_CRASH_MEDIA_BEFORE_RESULT);
    fill_succeeded(job, outputs, done, ret_succeeded);
    return CS_OK;
}

static enum cs_status render_to_storage(const struct job *job, const struct med_inputs *inputs,
                                        Callsheet__V1__Succeeded *ret_succeeded, struct cs_err *err) {
    struct outputs outputs = outputs_of(job);
    enum cs_status status = store(job, inputs, &outputs, ret_succeeded, err);
    abort_outputs(&outputs);
    return status;
}

/* Steps must go on in the next one, and so must what comes last when there are any. */
static enum cs_status check_operations(const struct job *job, struct cs_err *err) {
    const Callsheet__V1__Assign *assign = job->assign;
    if (job->operation == NULL || job->operation->worker != CS_WORKER_MEDIA) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "unknown_operation", "this worker does not know the operation");
    }
    bool fusible = assign->n_steps_before == 0 || cs_catalog_fusible(assign->operation);
    for (size_t i = 0; i < assign->n_steps_before; i++) {
        fusible = fusible && cs_catalog_fusible(assign->steps_before[i]->operation);
    }
    if (!fusible || assign->n_steps_before >= MED_FUSED_JOBS_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "not_fusible", "these operations cannot be done in one run");
    }
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
    CS_TRY(check_operations(&job, err));
    report_stage(assignment, "fetching", 0);
    struct med_inputs inputs;
    CS_TRY(med_stage(studio, assign->inputs, assign->n_inputs, stop, on_staged, &job, &inputs, err));
    enum cs_status status = render_to_storage(&job, &inputs, ret_succeeded, err);
    med_inputs_fini(&inputs);
    return status;
}
