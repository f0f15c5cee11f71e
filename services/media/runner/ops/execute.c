/* One executor: steps are described in order, the last one is built and run into its output. */
#include <sys/stat.h>
#include <unistd.h>

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
    case CALLSHEET__V1__OPERATION__PARAMS_MIX_AUDIO:
        return med_op_mix_audio(job, operation->mix_audio, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_LOUDNESS:
        return med_op_loudness(job, operation->loudness, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_CUT:
        return med_op_cut(job, operation->cut, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_TRIM:
        return med_op_trim(job, operation->trim, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_SPEED:
        return med_op_speed(job, operation->speed, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_TRANSITIONS:
        return med_op_transitions(job, operation->transitions, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_REVERSE:
        return med_op_reverse(job, operation->reverse, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_STITCH:
        return med_op_stitch(job, operation->stitch, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_FREEZE:
        return med_op_freeze(job, operation->freeze, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_BRAND:
        return med_op_brand(job, operation->brand, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_LAYER:
        return med_op_layer(job, operation->layer, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_REPLACE_GREEN_SCREEN:
        return med_op_replace_green_screen(job, operation->replace_green_screen, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_OVERLAY_TEXT:
        return med_op_overlay_text(job, operation->overlay_text, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_CONVERT:
        return med_op_convert(job, operation->convert, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_DENOISE:
        return med_op_denoise(job, operation->denoise, ret_made, err);
    case CALLSHEET__V1__OPERATION__PARAMS_STABILISE:
        return med_op_stabilise(job, operation->stabilise, ret_made, err);
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

enum cs_status med_describe_steps(struct med_job *job, struct cs_err *err) {
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

/* Progress that starts again, after copying came to nothing or a file was not good, is told when it gets further than before. */
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

/* A finished file. */
struct finished {
    Callsheet__V1__MediaFacts *facts;
    Callsheet__V1__Quality *quality;
};

static enum cs_status encode(struct med_job *job, const struct med_made *made, const struct med_encoding *encoding,
                             const struct med_render_events *events, int fd, struct finished *ret_finished,
                             struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, events);
    struct med_video *picture = NULL;
    struct med_audio *sound = NULL;
    if (made->frames > 0) {
        CS_TRY(med_check_output(&made->format, made->frames, err));
        CS_TRY(med_made_picture(made, graph, &picture, err));
    }
    if (made->samples > 0) {
        CS_TRY(med_made_sound(made, graph, &sound, err));
    }
    return med_sink_run(graph, encoding, picture, sound, fd, job->arena, &ret_finished->facts, &ret_finished->quality,
                        err);
}

/* ---- within so many bytes ---- */

enum { TRIES_MAX = 4 };
static const double spare = 0.93; /* of what would have been just enough */

/* Progress of tries of which nobody knows how many there will be: each gets half of what is left. */
struct tries {
    const struct med_render_events *events;
    double done;
};

static void on_progress(const Callsheet__V1__Progress *progress, void *user) {
    const struct tries *tries = user;
    if (tries->events != NULL && tries->events->progress != NULL) {
        Callsheet__V1__Progress scaled = *progress;
        scaled.fraction = tries->done + progress->fraction * (1 - tries->done) / 2;
        tries->events->progress(&scaled, tries->events->user);
    }
}

/* What came out too big is made again at a lower rate. */
static enum cs_status encode_within(struct med_job *job, const struct med_made *made,
                                    const struct med_encoding *encoding, int fd, struct finished *ret_finished,
                                    struct cs_err *err) {
    struct tries tries = {.events = job->events};
    const struct med_render_events events = {.progress = on_progress, .user = &tries};
    struct med_encoding next = *encoding;
    for (int i = 0; i < TRIES_MAX; i++) {
        struct stat file;
        if (ftruncate(fd, 0) != 0) {
            return cs_fail(err, CS_UNAVAILABLE, "write_failed", "the output cannot be written anew");
        }
        CS_TRY(encode(job, made, &next, &events, fd, ret_finished, err));
        if (fstat(fd, &file) != 0) {
            return cs_fail(err, CS_UNAVAILABLE, "read_failed", "the output cannot be measured");
        }
        if (file.st_size <= made->bytes_max) {
            return CS_OK;
        }
        tries.done += (1 - tries.done) / 2;
        next.bits_per_s = (int64_t)((double)next.bits_per_s * spare * (double)made->bytes_max / (double)file.st_size);
    }
    return cs_fail(err, CS_OUT_OF_RANGE, "target_size_too_small",
                   "even the coarsest picture needs more than %lld bytes", (long long)made->bytes_max);
}

/* ---- until it is good ---- */

static enum cs_status encode_until_good(struct med_job *job, const struct med_made *made,
                                        const struct med_encoding *encoding, int fd, struct finished *ret_finished,
                                        struct cs_err *err) {
    struct furthest furthest = {.events = job->events};
    const struct med_render_events events = {.progress = tell_further, .user = &furthest};
    for (bool again = true; again;) {
        if (ftruncate(fd, 0) != 0) {
            return cs_fail(err, CS_UNAVAILABLE, "write_failed", "the output cannot be written anew");
        }
        CS_TRY(encode(job, made, encoding, &events, fd, ret_finished, err));
        CS_TRY(made->judge(made, job, fd, &again, err));
    }
    return CS_OK;
}

/* ---- copied, or encoded ---- */

static enum cs_status copy_or_encode(struct med_job *job, const struct med_made *made,
                                     const struct med_encoding *encoding, int fd, struct finished *ret_finished,
                                     struct cs_err *err) {
    struct furthest furthest = {.events = job->events};
    const struct med_render_events events = {.progress = tell_further, .user = &furthest};
    struct med_copy copy = {0};
    CS_TRY(med_check_output(&made->format, made->frames, err));
    CS_TRY(med_copy_run(made, job->wire->limits, &events, fd, job->arena, &copy, &ret_finished->facts, err));
    med_job_add_metric(job, "copiedShare", copy.share);
    if (ret_finished->facts != NULL) {
        ret_finished->quality = copy.quality;
        return CS_OK;
    }
    CS_TRY(encode(job, made, encoding, &events, fd, ret_finished, err));
    ret_finished->quality->copy_reason = cs_arena_strdup(job->arena, copy.reason != NULL ? copy.reason : "");
    return CS_OK;
}

static enum cs_status run(struct med_job *job, const struct med_made *made, int fd, struct cs_err *err) {
    struct med_encoding encoding = made->encoding;
    struct finished finished = {0};
    encoding.container = med_container_of(job->wire->outputs[0]);
    if (made->bytes_max > 0) {
        CS_TRY(encode_within(job, made, &encoding, fd, &finished, err));
    } else if (made->pieces != NULL && made->frames > 0 && encoding.container == MED_MP4) {
        CS_TRY(copy_or_encode(job, made, &encoding, fd, &finished, err));
    } else if (made->judge != NULL) {
        CS_TRY(encode_until_good(job, made, &encoding, fd, &finished, err));
    } else {
        CS_TRY(encode(job, made, &encoding, job->events, fd, &finished, err));
    }
    med_job_add_output(job, finished.facts);
    med_job_add_quality(job, finished.quality);
    return CS_OK;
}

enum cs_status med_execute(struct med_job *job, const Callsheet__V1__Operation *operation, struct cs_err *err) {
    struct med_made made = {0};
    int fd = -1;
    CS_TRY(med_describe_steps(job, err));
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
