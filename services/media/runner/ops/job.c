#include "ops/ops.h"

#include <math.h>

#include "bounds.h"
#include "cs/catalog.h"
#include "graph/streams.h"

enum { METRICS_MAX = 16 };

enum cs_status med_job_input_fd(const struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                int *ret_fd, struct cs_err *err) {
    if (ref == NULL || ref->input == 0 || ref->input > job->wire->inputs) {
        return cs_fail_at(err, path, "no_input", "an input is missing");
    }
    *ret_fd = job->input_fds[ref->input - 1];
    return CS_OK;
}

static enum cs_status step_input(const struct med_job *job, uint32_t step, const char *path, struct med_clip *ret_clip,
                                 struct cs_err *err) {
    if (step > job->step_count) {
        return cs_fail_at(err, path, "no_input", "an input names a step that does not come before it");
    }
    const struct med_made *made = &job->steps[step - 1];
    struct med_facts *facts = cs_arena_alloc(job->arena, sizeof(*facts));
    *facts = med_made_facts(made);
    *ret_clip = (struct med_clip){.fd = -1, .made = made, .facts = facts, .path = cs_arena_strdup(job->arena, path)};
    return CS_OK;
}

enum cs_status med_job_input(const struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                             struct med_clip *ret_clip, struct cs_err *err) {
    int fd = -1;
    if (ref != NULL && ref->step > 0) {
        return step_input(job, ref->step, path, ret_clip, err);
    }
    CS_TRY(med_job_input_fd(job, ref, path, &fd, err));
    struct med_facts *facts = cs_arena_alloc(job->arena, sizeof(*facts));
    if (med_facts_read(fd, facts, err) != CS_OK) {
        return cs_err_at(err, path);
    }
    if (facts->cut_short) {
        (void)cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input ends before its header says");
        return cs_err_at(err, path);
    }
    *ret_clip = (struct med_clip){.fd = fd, .facts = facts, .path = cs_arena_strdup(job->arena, path)};
    return CS_OK;
}

enum cs_status med_job_video_input(const struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                   struct med_clip *ret_clip, struct cs_err *err) {
    CS_TRY(med_job_input(job, ref, path, ret_clip, err));
    if (ret_clip->facts->type != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO) {
        return cs_fail_at(err, path, "no_video", "the input has no moving picture");
    }
    return CS_OK;
}

enum cs_status med_job_output_fd(const struct med_job *job, int *ret_fd, struct cs_err *err) {
    if (job->wire->n_outputs == 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "no_output", "the job names no output");
    }
    *ret_fd = job->output_fds[0];
    return CS_OK;
}

void med_job_add_output(struct med_job *job, Callsheet__V1__MediaFacts *facts) {
    if (job->done->outputs == NULL) {
        job->done->outputs = cs_arena_array(job->arena, CS_JOB_OUTPUTS_MAX, sizeof(void *));
    }
    if (job->done->n_outputs < CS_JOB_OUTPUTS_MAX) {
        job->done->outputs[job->done->n_outputs++] = facts;
    }
}

void med_job_add_written(struct med_job *job, size_t index, Callsheet__V1__MediaFacts *facts) {
    Callsheet__V1__RunnerDone *done = job->done;
    if (done->written == NULL) {
        done->written = cs_arena_array(job->arena, CS_JOB_OUTPUTS_MAX, sizeof(*done->written));
    }
    if (done->n_written < CS_JOB_OUTPUTS_MAX) {
        done->written[done->n_written++] = (uint32_t)index;
        med_job_add_output(job, facts);
    }
}

void med_job_add_quality(struct med_job *job, Callsheet__V1__Quality *quality) {
    Callsheet__V1__RunnerDone *done = job->done;
    if (done->qualities == NULL) {
        done->qualities = cs_arena_array(job->arena, CS_JOB_OUTPUTS_MAX, sizeof(void *));
    }
    if (done->n_outputs > 0 && done->n_qualities < CS_JOB_OUTPUTS_MAX) {
        Callsheet__V1__OutputQuality *of_output = cs_arena_alloc(job->arena, sizeof(*of_output));
        callsheet__v1__output_quality__init(of_output);
        of_output->output = (uint32_t)done->n_outputs - 1;
        of_output->quality = quality;
        done->qualities[done->n_qualities++] = of_output;
    }
}

static void add_metric(struct med_job *job, const char *name, double value, const char *word) {
    if (job->metrics == NULL) {
        job->metrics = cs_arena_array(job->arena, METRICS_MAX, sizeof(void *));
    }
    if (job->metric_count < METRICS_MAX) {
        Callsheet__V1__Metric *metric = cs_arena_alloc(job->arena, sizeof(*metric));
        callsheet__v1__metric__init(metric);
        metric->name = cs_arena_strdup(job->arena, name);
        metric->value = value;
        metric->word = cs_arena_strdup(job->arena, word);
        job->metrics[job->metric_count++] = metric;
    }
}

void med_job_add_metric(struct med_job *job, const char *name, double value) {
    add_metric(job, name, value, "");
}

void med_job_add_word(struct med_job *job, const char *name, const char *word) {
    add_metric(job, name, 0, word);
}

struct med_picture_format med_format_of(const struct med_facts *facts) {
    int width = facts->video.width & ~1;
    int height = facts->video.height & ~1;
    return (struct med_picture_format){
        .width = width < 2 ? 2 : width,
        .height = height < 2 ? 2 : height,
        .rate = med_facts_output_rate(facts),
    };
}

static int even(double side) {
    int rounded = (int)lround(side / 2) * 2;
    return rounded < 2 ? 2 : rounded;
}

struct med_picture_format med_format_within(struct med_picture_format format, int width_max, int height_max) {
    double scale = 1;
    if (width_max > 0 && format.width * scale > width_max) {
        scale = (double)width_max / format.width;
    }
    if (height_max > 0 && format.height * scale > height_max) {
        scale = (double)height_max / format.height;
    }
    if (scale < 1) {
        format.width = even(format.width * scale);
        format.height = even(format.height * scale);
    }
    return format;
}

struct med_length med_length_of(const struct med_facts *facts, AVRational rate) {
    int64_t frames = med_frames_at(facts->video.length_ticks, rate);
    frames = frames < 1 ? 1 : frames;
    return (struct med_length){.frames = frames, .samples = med_samples_at_frame(frames, rate)};
}

bool med_job_is_survey(const struct med_job *job) {
    return job->wire->task_case == CALLSHEET__V1__RUNNER_JOB__TASK_SURVEY;
}

bool med_job_makes_sound(const struct med_job *job) {
    return !med_job_is_survey(job) && job->wire->chunk == NULL;
}

struct med_made med_made_like(const struct med_clip *clip) {
    struct med_made made = {.format = med_format_of(clip->facts)};
    struct med_length length = med_length_of(clip->facts, made.format.rate);
    made.frames = length.frames;
    made.samples = clip->facts->audio.stream >= 0 ? length.samples : 0;
    made.divisible = med_clip_is_divisible(clip);
    return made;
}

enum cs_status med_check_output(const struct med_picture_format *format, int64_t frames, struct cs_err *err) {
    if (format->width > MED_SIDE_MAX || format->height > MED_SIDE_MAX) { /* wide pixels became many */
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_pixels", "an output of %dx%d is beyond %d pixels a side",
                       format->width, format->height, (int)MED_SIDE_MAX);
    }
    if ((int64_t)format->width * format->height > MED_OUTPUT_PIXELS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_pixels", "an output of %dx%d is beyond %d pixels", format->width,
                       format->height, (int)MED_OUTPUT_PIXELS_MAX);
    }
    if (med_ticks_at_frame(frames, format->rate) > (int64_t)MED_DURATION_S_MAX * MED_TICKS_PER_S) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_long", "an output may last %d hours at most",
                       MED_DURATION_S_MAX / 3600);
    }
    return CS_OK;
}

enum cs_status med_op_probe(struct med_job *job, struct cs_err *err) {
    struct med_facts facts;
    if (job->wire->inputs == 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "no_input", "probing needs an input");
    }
    CS_TRY(med_facts_read(job->input_fds[0], &facts, err));
    Callsheet__V1__MediaFacts *wire = NULL;
    med_facts_to_wire(&facts, job->arena, &wire);
    CS_TRY(med_streams_read(job->input_fds[0], &facts, job->arena, wire, err));
    med_job_add_output(job, wire);
    return CS_OK;
}
