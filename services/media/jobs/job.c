#include "job.h"

#include <string.h>

#include "chunks.h"
#include "cs/base/crash.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "failure_wire.h"
#include "rendering.h"
#include "staging.h"
#include "visits.h"

/* Where the stages lie in a job's whole progress. */
static const double fetching_end = 0.1;
static const double rendering_end = 0.95;

/* ---- progress ---- */

static void report_stage(struct cs_assignment *assignment, const char *stage, double fraction) {
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = (char *)stage;
    progress.fraction = fraction;
    cs_report_progress(assignment, &progress);
}

static void on_staged(double fraction, void *user) {
    const struct med_job *job = user;
    report_stage(job->assignment, "fetching", fraction * fetching_end);
}

static void on_rendered(const Callsheet__V1__Progress *progress, void *user) {
    const struct med_job *job = user;
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

static struct outputs outputs_of(const struct med_job *job) {
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

static enum cs_status start_outputs(const struct med_job *job, struct outputs *outputs, struct cs_err *err) {
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

static Callsheet__V1__Artifact *artifact_of(const struct med_job *job, const struct output *output,
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

static void fill_succeeded(const struct med_job *job, const struct outputs *outputs, Callsheet__V1__RunnerDone *done,
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

/* All but the outputs. */
static void describe(const struct med_job *job, const struct med_inputs *inputs, Callsheet__V1__RunnerJob *wire) {
    callsheet__v1__runner_job__init(wire);
    wire->task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    wire->render = job->assign->operation;
    wire->inputs = (uint32_t)inputs->count;
    wire->steps_before = cs_arena_array(job->arena, job->assign->n_steps_before, sizeof(Callsheet__V1__Operation *));
    for (size_t i = 0; i < job->assign->n_steps_before; i++) {
        wire->steps_before[wire->n_steps_before++] = job->assign->steps_before[i]->operation;
    }
}

static enum cs_status render_into(struct med_job *job, const struct med_inputs *inputs, const struct outputs *outputs,
                                  Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) {
    int *fds = cs_arena_array(job->arena, inputs->count + outputs->count, sizeof(*fds));
    char **names = cs_arena_array(job->arena, outputs->count, sizeof(*names));
    for (size_t i = 0; i < inputs->count; i++) {
        fds[i] = inputs->fds[i];
    }
    for (size_t i = 0; i < outputs->count; i++) {
        fds[inputs->count + i] = outputs->items[i].fd;
        names[i] = cs_arena_strdup(job->arena, outputs->items[i].name);
    }
    Callsheet__V1__RunnerJob wire;
    describe(job, inputs, &wire);
    wire.outputs = names;
    wire.n_outputs = outputs->count;
    size_t fd_count = inputs->count + outputs->count;
    const struct med_rendering rendering = {.stop = job->stop, .progress = on_rendered, .user = job};
    if (job->operation->output != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO) {
        return med_render(job->studio, &wire, fds, fd_count, &rendering, job->arena, ret_done, err);
    }
    struct med_chunks chunks = {
        .studio = job->studio,
        .assignment = job->assignment,
        .hands = job->hands,
        .rendering = &rendering,
        .arena = job->arena,
    };
    enum cs_status status = med_chunks_render(&chunks, &wire, fds, fd_count, ret_done, err);
    job->division = chunks.division;
    return status;
}

/* Leaves the outputs that the run has written; the others are given up. */
static enum cs_status keep_written(struct outputs *outputs, const Callsheet__V1__RunnerDone *done, struct cs_err *err) {
    bool all = done->n_written == 0;
    size_t kept = 0;
    if (done->n_outputs == 0 || done->n_outputs != (all ? outputs->count : done->n_written)) {
        return cs_fail(err, CS_INTERNAL, "bad_report", "the media process did not report its outputs");
    }
    for (size_t i = 0; i < outputs->count; i++) {
        struct output *output = &outputs->items[i];
        if (all || (kept < done->n_written && done->written[kept] == i)) {
            struct output moved = *output;
            output->writer = NULL;
            outputs->items[kept++] = moved;
        } else {
            cs_storage_put_abort(cs_steal(&output->writer));
        }
    }
    if (kept != done->n_outputs) {
        return cs_fail(err, CS_INTERNAL, "bad_report", "the media process reported outputs that it has not");
    }
    outputs->count = kept;
    return CS_OK;
}

static enum cs_status store(struct med_job *job, const struct med_inputs *inputs, struct outputs *outputs,
                            Callsheet__V1__Succeeded *ret_succeeded, struct cs_err *err) {
    Callsheet__V1__RunnerDone *done = NULL;
    CS_TRY(start_outputs(job, outputs, err));
    CS_TRY(render_into(job, inputs, outputs, &done, err));
    CS_TRY(keep_written(outputs, done, err));
    report_stage(job->assignment, "uploading", rendering_end);
    cs_crash_at(CS_CRASH_MEDIA_BEFORE_UPLOAD);
    CS_TRY(commit_outputs(outputs, err));
    cs_crash_at(CS_CRASH_MEDIA_BEFORE_RESULT);
    fill_succeeded(job, outputs, done, ret_succeeded);
    return CS_OK;
}

static enum cs_status render_to_storage(struct med_job *job, const struct med_inputs *inputs,
                                        Callsheet__V1__Succeeded *ret_succeeded, struct cs_err *err) {
    struct outputs outputs = outputs_of(job);
    enum cs_status status = store(job, inputs, &outputs, ret_succeeded, err);
    abort_outputs(&outputs);
    return status;
}

/* Steps must go on in the next one, and what comes last must go on with them. */
static enum cs_status check_operations(const struct med_job *job, struct cs_err *err) {
    const Callsheet__V1__Assign *assign = job->assign;
    if (job->operation == NULL || job->operation->worker != CS_WORKER_MEDIA) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "unknown_operation", "this worker does not know the operation");
    }
    bool fusible = assign->n_steps_before == 0 || cs_catalog_ends_run(assign->operation);
    for (size_t i = 0; i < assign->n_steps_before; i++) {
        fusible = fusible && cs_catalog_fusible(assign->steps_before[i]->operation);
    }
    if (!fusible || assign->n_steps_before >= MED_FUSED_JOBS_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "not_fusible", "these operations cannot be done in one run");
    }
    return CS_OK;
}

/* ---- a chunk for another node ---- */

static enum cs_status stage(struct med_job *job, struct med_inputs *ret_inputs, struct cs_err *err) {
    report_stage(job->assignment, "fetching", 0);
    return med_stage(job->studio, job->assign->inputs, job->assign->n_inputs, job->stop, on_staged, job, ret_inputs,
                     err);
}

static bool is_as_asked(const struct med_job *job, const struct med_division *division) {
    const ProtobufCBinaryData *plan = &job->assign->share->plan;
    return division->count > 0 && plan->len == sizeof(division->plan) &&
           memcmp(plan->data, division->plan, plan->len) == 0;
}

static enum cs_status look_at_share(const struct med_job *job, const struct med_inputs *inputs,
                                    struct med_division *ret_division, struct cs_err *err) {
    Callsheet__V1__RunnerJob wire;
    describe(job, inputs, &wire);
    CS_TRY(med_divide(job->studio, &wire, inputs->fds, job->assign->output_prefix, job->stop, job->arena, ret_division,
                      err));
    return is_as_asked(job, ret_division)
               ? CS_OK
               : cs_fail(err, CS_INVALID_ARGUMENT, "other_plan", "this node would make another output of it");
}

static enum cs_status begin_visit(struct med_job *job, struct med_visit **ret_visit, struct cs_err *err) {
    struct med_inputs inputs;
    struct med_division division;
    CS_TRY(stage(job, &inputs, err));
    enum cs_status status = look_at_share(job, &inputs, &division, err);
    if (status == CS_OK) {
        *ret_visit = med_visit_create(job->assign, &inputs, &division);
    }
    med_inputs_fini(&inputs);
    return status;
}

static enum cs_status make_share(struct med_job *job, struct cs_err *err) {
    const struct med_rendering rendering = {.stop = job->stop};
    struct med_visits *visits = job->studio->visits;
    struct med_visit *visit = med_visits_take(visits, job->assign);
    Callsheet__V1__RunnerJob wire;
    if (visit == NULL) {
        CS_TRY(begin_visit(job, &visit, err));
    }
    uint32_t chunk = job->assign->share->chunk;
    describe(job, &visit->inputs, &wire);
    enum cs_status status =
        chunk < visit->division.count
            ? med_division_make(job->studio, &visit->division, chunk, &wire, visit->inputs.fds, &rendering, err)
            : cs_fail(err, CS_INVALID_ARGUMENT, "no_chunk", "there is no chunk of that number");
    med_visits_keep(visits, visit);
    return status;
}

/* ---- one or the other ---- */

/* Better than to find out when the picture is half made. */
static enum cs_status check_room(const struct med_studio *studio, struct cs_err *err) {
    CS_TRY(med_scratch_need_room(studio->scratch, studio->room_bytes, err));
    return cs_storage_need_room(studio->storage, studio->room_bytes, err);
}

enum cs_status med_job_run(struct med_job *job, Callsheet__V1__Succeeded *ret_succeeded, struct cs_err *err) {
    job->assign = cs_assignment_get(job->assignment);
    job->operation = job->assign->operation != NULL ? cs_catalog_by_case(job->assign->operation->params_case) : NULL;
    job->division = (struct med_division){0};
    CS_TRY(check_operations(job, err));
    CS_TRY(check_room(job->studio, err));
    if (job->assign->share != NULL) {
        callsheet__v1__succeeded__init(ret_succeeded);
        return make_share(job, err);
    }
    struct med_inputs inputs;
    CS_TRY(stage(job, &inputs, err));
    enum cs_status status = render_to_storage(job, &inputs, ret_succeeded, err);
    med_inputs_fini(&inputs);
    return status;
}

void med_job_forget(const struct med_job *job) {
    med_division_forget(job->studio, &job->division);
}
