#include "render.h"

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <malloc.h>
#include <stdlib.h>

#include "captions/fonts.h"
#include "cs/base/text.h"
#include "ops/ops.h"

enum cs_status med_render_warm_up(struct cs_err *err) {
    av_log_set_level(AV_LOG_QUIET);
    (void)setenv("SVT_LOG", "0", 1); /* an AV1 encoder that would write to the standard error */
    mallopt(M_ARENA_MAX, 2);         /* many threads, little of their own; keeps the address space small */
    (void)avcodec_find_encoder_by_name("libx264");
    (void)avfilter_get_by_name("scale");
    (void)av_guess_format("mp4", NULL, NULL);
    return med_fonts_load(err);
}

enum cs_status med_render_prepare(const Callsheet__V1__RunnerJob *job, struct cs_err *err) {
    /* what hears is never a step before another */
    bool hears = job->task_case == CALLSHEET__V1__RUNNER_JOB__TASK_RENDER && job->render != NULL &&
                 job->render->params_case == CALLSHEET__V1__OPERATION__PARAMS_TRANSCRIBE;
    return hears ? med_transcribe_prepare(err) : CS_OK;
}

static enum cs_status run_operation(struct med_job *job, const Callsheet__V1__Operation *operation,
                                    struct cs_err *err) {
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO:
        return med_op_generate_video(job, operation->generate_video, err);
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_IMAGE:
        return med_op_generate_image(job, operation->generate_image, err);
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_AUDIO:
        return med_op_generate_audio(job, operation->generate_audio, err);
    case CALLSHEET__V1__OPERATION__PARAMS_GIF:
        return med_op_gif(job, operation->gif, err);
    case CALLSHEET__V1__OPERATION__PARAMS_THUMBNAIL:
        return med_op_thumbnail(job, operation->thumbnail, err);
    case CALLSHEET__V1__OPERATION__PARAMS_PACKAGE:
        return med_op_package(job, operation->package, err);
    case CALLSHEET__V1__OPERATION__PARAMS_TRANSCRIBE:
        return med_op_transcribe(job, operation->transcribe, err);
    case CALLSHEET__V1__OPERATION__PARAMS_PLAN_CUTS:
        return med_op_plan_cuts(job, operation->plan_cuts, err);
    case CALLSHEET__V1__OPERATION__PARAMS_RETIME_SUBTITLES:
        return med_op_retime_subtitles(job, operation->retime_subtitles, err);
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        return cs_str_eq(operation->add_subtitles->mode, "soft") && job->wire->n_steps_before == 0
                   ? med_op_soft_subtitles(job, operation->add_subtitles, err)
                   : med_execute(job, operation, err);
    default:
        return med_execute(job, operation, err);
    }
}

enum cs_status med_render_run(const Callsheet__V1__RunnerJob *job, const int *input_fds, const int *output_fds,
                              const struct med_render_events *events, Callsheet__V1__RunnerDone **ret_done,
                              struct cs_arena *arena, struct cs_err *err) {
    Callsheet__V1__RunnerDone *done = cs_arena_alloc(arena, sizeof(*done));
    callsheet__v1__runner_done__init(done);
    struct med_job run = {
        .wire = job,
        .input_fds = input_fds,
        .output_fds = output_fds,
        .events = events,
        .arena = arena,
        .done = done,
    };
    switch (job->task_case) {
    case CALLSHEET__V1__RUNNER_JOB__TASK_RENDER:
        CS_TRY(run_operation(&run, job->render, err));
        break;
    case CALLSHEET__V1__RUNNER_JOB__TASK_SURVEY:
        CS_TRY(med_execute(&run, job->survey, err));
        break;
    case CALLSHEET__V1__RUNNER_JOB__TASK_PROBE:
        CS_TRY(med_op_probe(&run, err));
        break;
    default:
        return cs_fail(err, CS_INVALID_ARGUMENT, "no_task", "the job has no task");
    }
    done->metrics = run.metrics;
    done->n_metrics = run.metric_count;
    *ret_done = done;
    return CS_OK;
}

static Callsheet__V1__FailureClass class_of(enum cs_status status) {
    switch (status) {
    case CS_INVALID_ARGUMENT:
    case CS_OUT_OF_RANGE:
    case CS_DATA_LOSS:
    case CS_NOT_FOUND:
    case CS_FAILED_PRECONDITION:
        return CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT;
    case CS_UNIMPLEMENTED:
        return CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CODEC_UNSUPPORTED;
    case CS_UNAVAILABLE:
    case CS_RESOURCE_EXHAUSTED:
    case CS_ABORTED:
        return CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT;
    case CS_DEADLINE_EXCEEDED:
        return CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TIMEOUT;
    case CS_CANCELLED:
        return CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CANCELLED;
    default:
        return CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL;
    }
}

void med_render_failed(const struct cs_err *err, Callsheet__V1__Failed *ret_failed) {
    callsheet__v1__failed__init(ret_failed);
    ret_failed->failure_class = class_of(err->status);
    ret_failed->code = (char *)(uintptr_t)err->reason;
    ret_failed->message = (char *)(uintptr_t)err->message;
    ret_failed->retry_after_ms = err->retry_after_ms;
}
