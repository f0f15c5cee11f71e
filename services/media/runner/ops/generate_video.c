/* A preview clip: a moving picture from the prompt, or a slow move over the given picture, with the prompt on it. */
#include <math.h>

#include "cs/catalog.h"
#include "generate/caption.h"
#include "generate/scene.h"
#include "generate/tones.h"
#include "generate/zoom.h"
#include "graph/join.h"
#include "graph/sink.h"
#include "graph/sound.h"
#include "ops/ops.h"
#include "ops/size.h"

static const double duration_default_s = 5;
static const double duration_max_s = 60;
static const AVRational preview_rate = {30, 1};

struct inputs {
    struct med_clip first; /* facts NULL: not given */
    struct med_clip last;
    struct med_clip sound;
};

static enum cs_status read_picture(struct med_job *job, const Callsheet__V1__MediaRef *ref, const char *path,
                                   struct med_clip *ret_clip, struct cs_err *err) {
    if (ref == NULL) {
        return CS_OK;
    }
    CS_TRY(med_job_input(job, ref, path, ret_clip, err));
    if (ret_clip->facts->video.stream < 0) {
        return cs_fail_at(err, path, "no_picture", "the input has no picture");
    }
    return CS_OK;
}

static enum cs_status read_inputs(struct med_job *job, const Callsheet__V1__GenerateVideo *params,
                                  struct inputs *inputs, struct cs_err *err) {
    CS_TRY(read_picture(job, params->image, "image", &inputs->first, err));
    CS_TRY(read_picture(job, params->start_image, "startImage", &inputs->first, err));
    CS_TRY(read_picture(job, params->end_image, "endImage", &inputs->last, err));
    if (params->audio != NULL) {
        CS_TRY(med_job_input(job, params->audio, "audio", &inputs->sound, err));
        if (inputs->sound.facts->audio.stream < 0) {
            return cs_fail_at(err, "audio", "no_audio", "the input has no sound");
        }
    }
    return CS_OK;
}

/* What was asked for, else as long as the given sound, else the default. */
static double duration_of(const Callsheet__V1__GenerateVideo *params, const struct inputs *inputs) {
    double duration = duration_default_s;
    if (params->duration != NULL) {
        duration = params->duration->value;
    } else if (inputs->sound.facts != NULL) {
        duration = med_ticks_to_seconds(inputs->sound.facts->audio.length_ticks);
    }
    return fmin(duration, duration_max_s);
}

static struct med_video *move_over(struct med_graph *graph, const struct inputs *inputs,
                                   const struct med_picture_format *format, int64_t frames) {
    if (inputs->first.facts == NULL) {
        return med_zoom(graph, &inputs->last, format, frames, true);
    }
    if (inputs->last.facts == NULL || frames < 4) {
        return med_zoom(graph, &inputs->first, format, frames, false);
    }
    int64_t overlap = frames / 4;
    int64_t first = (frames + overlap) / 2;
    struct med_segment segments[2] = {
        {.frames = first, .start_frame = 0, .overlap = overlap},
        {.frames = frames + overlap - first, .start_frame = first - overlap},
    };
    struct med_video *parts[2] = {
        med_zoom(graph, &inputs->first, format, segments[0].frames, false),
        med_zoom(graph, &inputs->last, format, segments[1].frames, true),
    };
    return med_join_video(graph, parts, segments, 2, "fade");
}

enum cs_status med_op_generate_video(struct med_job *job, const Callsheet__V1__GenerateVideo *params,
                                     struct cs_err *err) {
    struct inputs inputs = {0};
    struct med_picture_format format = {.rate = preview_rate};
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(med_size_of_generated(params->resolution, params->aspect_ratio, &format, err));
    CS_TRY(read_inputs(job, params, &inputs, err));
    double duration = duration_of(params, &inputs);
    if (!(duration > 0)) {
        return cs_fail_at(err, "duration", "out_of_range", "a duration is 0.1 to 60 seconds");
    }
    int64_t frames = med_frames_at(med_ticks_from_seconds(duration), format.rate);
    frames = frames < 1 ? 1 : frames;
    int64_t samples = med_samples_at_frame(frames, format.rate);
    struct med_seed seed = med_seed_from(params->prompt, params->seed == NULL ? 0 : params->seed->value);

    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    bool given = inputs.first.facts != NULL || inputs.last.facts != NULL;
    struct med_video *picture =
        given ? move_over(graph, &inputs, &format, frames) : med_scene(graph, &format, frames, seed);
    CS_TRY(med_preview_caption(graph, picture, params->prompt, &picture, err));
    struct med_audio *sound =
        inputs.sound.facts != NULL ? med_clip_audio(graph, &inputs.sound, samples, 1) : med_tones(graph, samples, seed);
    Callsheet__V1__MediaFacts *facts = NULL;
    Callsheet__V1__Quality *quality = NULL;
    CS_TRY(med_sink_run(graph, &(struct med_encoding){.container = MED_MP4}, picture, sound, fd, job->arena, &facts,
                        &quality, err));
    med_job_add_output(job, facts);
    med_job_add_quality(job, quality);
    return CS_OK;
}
