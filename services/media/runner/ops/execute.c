/* One executor: steps are described in order, the last one is built and run into its output. */
#include "bounds.h"
#include "copy/copy.h"
#include "cs/base/text.h"
#include "graph/sink.h"
#include "ops/chunk.h"
#include "ops/ops.h"

static enum cs_status describe(struct med_job *job, const Callsheet__V1__Operation *operation,
                               struct med_made *ret_made, struct cs_err *err) {
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_MERGE:
        return med_op_merge(job, operation->merge, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        return med_op_reframe(job, operation->reframe, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_LIP_SYNC:
        return med_op_lip_sync(job, operation->lip_sync, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        return med_op_add_subtitles(job, operation->add_subtitles, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_EXTRACT_AUDIO:
        return med_op_extract_audio(job, operation->extract_audio, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_CUT:
        return med_op_cut(job, operation->cut, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_TRIM:
        return med_op_trim(job, operation->trim, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_SPEED:
        return med_op_speed(job, operation->speed, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_FREEZE:
        return med_op_freeze(job, operation->freeze, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_BRAND:
        return med_op_brand(job, operation->brand, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_LAYER:
        return med_op_layer(job, operation->layer, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_REPLACE_GREEN_SCREEN:
        return med_op_replace_green_screen(job, operation->replace_green_screen, ret_made, err);
    default:
        return cs_fail(err, CS_UNIMPLEMENTED, "operation_unsupported", "this operation is not a media operation");
    }
}

/* ---- steps ---- */

static Callsheet__V1__RunnerStepDone *take_metrics(struct med_job *job) {
    Callsheet__V1__RunnerStepDone *done = cs_arena_alloc(job->arena, sizeof(*done));
    callsheet__v1__runner_step_done__init(done);
    done->metrics = job->metrics;
    done->n_metrics = job->metric_count;
    job->metrics = NULL;
    job->metric_count = 0;
    return done;
}

static enum cs_status describe_steps(struct med_job *job, struct cs_err *err) {
    const Callsheet__V1__RunnerJob *wire = job->wire;
    if (wire->n_steps_before > MED_STEPS_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "too_many_steps", "a job has at most %d steps before its own",
                       MED_STEPS_MAX);
    }
    job->steps = cs_arena_array(job->arena, wire->n_steps_before + 1, sizeof(*job->steps));
    job->done->steps_before = cs_arena_array(job->arena, wire->n_steps_before + 1, sizeof(void *));
    for (size_t i = 0; i < wire->n_steps_before; i++) {
        CS_TRY(describe(job, wire->steps_before[i], &job->steps[i], err));
        job->step_count++;
        job->done->steps_before[job->done->n_steps_before++] = take_metrics(job);
    }
    return CS_OK;
}

/* ---- the output ---- */

static enum med_container container_of(const char *name) {
    static const struct {
        const char *suffix;
        enum med_container container;
    } containers[] = {{".m4a", MED_M4A}, {".mp3", MED_MP3}, {".wav", MED_WAV}};
    for (size_t i = 0; i < CS_COUNT(containers); i++) {
        if (cs_str_ends(name, containers[i].suffix)) {
            return containers[i].container;
        }
    }
    return MED_MP4;
}

/* Progress that starts again, after copying came to nothing, is told when it gets further than before. */
struct furthest {
    const struct med_render_events *events;
    double fraction;
};

static void tell_further(const Callsheet__V1__Progress *progress, void *user) {
    struct furthest *furthest = user;
    if (progress->fraction >= furthest->fraction && furthest->events != NULL && furthest->events->progress != NULL) {
        furthest->fraction = progress->fraction;
        furthest->events->progress(progress, furthest->events->user);
    }
}

/* reason: why it was not copied, or NULL. */
static enum cs_status encode(struct med_job *job, const struct med_made *made, const struct med_render_events *events,
                             const char *reason, int fd, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, events);
    struct med_video *picture = NULL;
    struct med_audio *sound = NULL;
    Callsheet__V1__MediaFacts *facts = NULL;
    Callsheet__V1__Quality *quality = NULL;
    if (made->frames > 0) {
        CS_TRY(med_check_output(&made->format, made->frames, err));
        CS_TRY(med_made_picture(made, graph, &picture, err));
    }
    if (made->samples > 0) {
        CS_TRY(med_made_sound(made, graph, &sound, err));
    }
    CS_TRY(med_sink_run(graph, container_of(job->wire->outputs[0]), picture, sound, fd, job->arena, &facts, &quality,
                        err));
    quality->copy_reason = cs_arena_strdup(job->arena, reason != NULL ? reason : "");
    med_job_add_output(job, facts);
    med_job_add_quality(job, quality);
    return CS_OK;
}

static enum cs_status run(struct med_job *job, const struct med_made *made, int fd, struct cs_err *err) {
    struct furthest furthest = {.events = job->events};
    const struct med_render_events events = {.progress = tell_further, .user = &furthest};
    struct med_copy copy = {0};
    Callsheet__V1__MediaFacts *facts = NULL;
    if (made->pieces == NULL || made->frames == 0) {
        return encode(job, made, &events, NULL, fd, err);
    }
    CS_TRY(med_check_output(&made->format, made->frames, err));
    CS_TRY(med_copy_run(made, job->wire->limits, &events, fd, job->arena, &copy, &facts, err));
    med_job_add_metric(job, "copiedShare", copy.share);
    if (facts == NULL) {
        return encode(job, made, &events, copy.reason, fd, err);
    }
    med_job_add_output(job, facts);
    med_job_add_quality(job, copy.quality);
    return CS_OK;
}

enum cs_status med_execute(struct med_job *job, const Callsheet__V1__Operation *operation, struct cs_err *err) {
    struct med_made made = {0};
    int fd = -1;
    CS_TRY(describe_steps(job, err));
    CS_TRY(describe(job, operation, &made, err));
    if (job->wire->task_case == CALLSHEET__V1__RUNNER_JOB__TASK_SURVEY) {
        med_chunk_survey(job, &made);
        return CS_OK;
    }
    CS_TRY(med_job_output_fd(job, &fd, err));
    if (job->wire->chunk != NULL) {
        return med_chunk_make(job, &made, fd, err);
    }
    CS_TRY(job->wire->chunks > 0 ? med_chunk_join(job, &made, fd, err) : run(job, &made, fd, err));
    return made.finish != NULL ? made.finish(&made, job, fd, err) : CS_OK;
}
