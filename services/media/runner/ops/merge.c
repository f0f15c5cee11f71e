/* Visual items one after the other, normalised to one size and rate, audio items laid over them. */
#include <math.h>

#include "bounds.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "graph/join.h"
#include "graph/sound.h"
#include "ops/fit_words.h"
#include "ops/ops.h"

static const double image_duration_s = 1;
static const double transition_duration_s = 1;

struct item {
    const Callsheet__V1__MergeItem *wire;
    struct med_clip clip;
    double volume;
};

struct plan {
    struct item *visuals;
    struct med_segment *segments; /* one per visual */
    size_t visual_count;
    struct item *overlays;
    size_t overlay_count;
    struct med_picture_format format;
    struct med_fit fit;
    const char *transition;
    int64_t frames;
    int64_t samples;
};

static double value_or(const Google__Protobuf__DoubleValue *value, double absent) {
    return value == NULL ? absent : value->value;
}

static enum cs_status check_item(const Callsheet__V1__MergeItem *wire, const char *path, struct cs_err *err) {
    double volume = value_or(wire->volume, 1);
    double duration = value_or(wire->duration, 1);
    double offset = value_or(wire->offset, 0);
    if (!(volume >= 0 && volume <= 1) || !(duration > 0 && duration < 1e5) || !(offset >= 0 && offset < 1e5)) {
        return cs_fail_at(err, path, "out_of_range", "a volume, duration or offset is out of range");
    }
    return CS_OK;
}

/* Sorts the items by what their content is; a declared type only decides whether a video serves as sound. */
static enum cs_status read_items(struct med_job *job, const Callsheet__V1__Merge *params, struct plan *plan,
                                 struct cs_err *err) {
    plan->visuals = cs_arena_array(job->arena, params->n_items, sizeof(struct item));
    plan->overlays = cs_arena_array(job->arena, params->n_items, sizeof(struct item));
    for (size_t i = 0; i < params->n_items; i++) {
        const Callsheet__V1__MergeItem *wire = params->items[i];
        const char *path = cs_arena_sprintf(job->arena, "items[%zu].media", i);
        struct item item = {.wire = wire, .volume = value_or(wire->volume, 1)};
        CS_TRY(check_item(wire, path, err));
        CS_TRY(med_job_input(job, wire->media, path, &item.clip, err));
        bool as_sound = wire->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO;
        if (item.clip.facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT) {
            return cs_fail_at(err, path, "not_media", "a transcript cannot be merged");
        }
        if (!as_sound && item.clip.facts->video.stream >= 0) {
            plan->visuals[plan->visual_count++] = item;
        } else if (item.clip.facts->audio.stream >= 0) {
            plan->overlays[plan->overlay_count++] = item;
        } else {
            return cs_fail_at(err, path, "no_audio", "the item has no sound");
        }
    }
    if (plan->visual_count == 0) {
        return cs_fail_at(err, "items", "no_visual", "At least 1 visual item (video or image) required for merging");
    }
    return CS_OK;
}

/* A photo has more pixels than a film can: of one beyond 4K, as much as 4K has room for. */
static void limit_size(const struct med_facts *facts, struct med_picture_format *format) {
    bool wide = facts->video.width >= facts->video.height;
    int width = wide ? MED_PHOTO_LONG_MAX : MED_PHOTO_SHORT_MAX;
    int height = wide ? MED_PHOTO_SHORT_MAX : MED_PHOTO_LONG_MAX;
    bool still = facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE;
    if (still && (format->width > width || format->height > height)) {
        struct med_window window =
            med_pad_window(facts->video.width, facts->video.height, (AVRational){1, 1}, width, height);
        format->width = window.width;
        format->height = window.height;
    }
}

static enum cs_status choose_format(const Callsheet__V1__Merge *params, struct plan *plan, struct cs_err *err) {
    plan->format = med_format_of(plan->visuals[0].clip.facts);
    limit_size(plan->visuals[0].clip.facts, &plan->format);
    CS_TRY(med_fit_read(cs_str_empty(params->fit) ? "pad" : params->fit, "fit", params->pad_color, &plan->fit, err));
    if (params->aspect_ratio[0] != '\0') {
        uint32_t width = 0;
        uint32_t height = 0;
        if (!cs_reframe_size(params->aspect_ratio, &width, &height)) {
            return cs_fail_at(err, "aspectRatio", "unknown_ratio", "this aspect ratio is unknown");
        }
        plan->format.width = (int)width;
        plan->format.height = (int)height;
    }
    if (params->frame_rate[0] != '\0' && !med_rate_parse(params->frame_rate, &plan->format.rate)) {
        return cs_fail_at(err, "frameRate", "bad_frame_rate", "a frame rate is a number or a fraction from 1 to 120");
    }
    return CS_OK;
}

static void measure(const struct item *item, struct med_segment *segment) {
    const struct med_facts *facts = item->clip.facts;
    bool still = facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE;
    int64_t natural = facts->video.length_ticks;
    int64_t named = med_ticks_from_seconds(value_or(item->wire->duration, image_duration_s));
    segment->named = still || (item->wire->duration != NULL && named < natural);
    segment->length_ticks = segment->named ? named : natural;
}

static enum cs_status lay(struct med_job *job, const Callsheet__V1__Merge *params, struct plan *plan,
                          struct cs_err *err) {
    int64_t transition_frames = 0;
    if (params->transition != NULL && params->transition->type[0] != '\0') {
        double duration = value_or(params->transition->duration, transition_duration_s);
        plan->transition = cs_transition_name(params->transition->type);
        if (plan->transition == NULL) {
            return cs_fail_at(err, "transition.type", "unknown_transition", "this transition is unknown");
        }
        if (!(duration > 0 && duration <= 60)) {
            return cs_fail_at(err, "transition.duration", "out_of_range", "a transition lasts 0.05 to 10 seconds");
        }
        transition_frames = med_frames_at(med_ticks_from_seconds(duration), plan->format.rate);
        transition_frames = transition_frames < 1 ? 1 : transition_frames;
    }
    plan->segments = cs_arena_array(job->arena, plan->visual_count, sizeof(struct med_segment));
    for (size_t i = 0; i < plan->visual_count; i++) {
        measure(&plan->visuals[i], &plan->segments[i]);
    }
    plan->frames = med_timeline_lay(plan->segments, plan->visual_count, plan->format.rate, transition_frames);
    plan->samples = med_samples_at_frame(plan->frames, plan->format.rate);
    return med_check_output(&plan->format, plan->frames, err);
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct plan *plan = made->self;
    struct med_video **parts = cs_arena_array(graph->arena, plan->visual_count, sizeof(void *));
    (void)err;
    for (size_t i = 0; i < plan->visual_count; i++) {
        parts[i] = med_clip_fitted(graph, &plan->visuals[i].clip, &plan->format, plan->segments[i].frames, &plan->fit);
    }
    *ret_video = med_join_video(graph, parts, plan->segments, plan->visual_count, plan->transition);
    return CS_OK;
}

static struct med_audio *join_sound(struct med_graph *graph, const struct plan *plan) {
    AVRational rate = plan->format.rate;
    struct med_sound_part *parts = cs_arena_array(graph->arena, plan->visual_count, sizeof(*parts));
    for (size_t i = 0; i < plan->visual_count; i++) {
        const struct med_segment *segment = &plan->segments[i];
        int64_t start = med_samples_at_frame(segment->start_frame, rate);
        int64_t end = med_samples_at_frame(segment->start_frame + segment->frames, rate);
        int64_t tail = med_samples_at_frame(segment->start_frame + segment->frames - segment->overlap, rate);
        parts[i].start = start;
        parts[i].overlap = end - tail;
        parts[i].audio = med_clip_audio(graph, &plan->visuals[i].clip, end - start, plan->visuals[i].volume);
    }
    return med_sound_join(graph, parts, plan->visual_count, plan->samples);
}

/* Cut at the end of the picture; dropped when they would start after it. */
static struct med_audio *lay_over(struct med_graph *graph, const struct plan *plan, struct med_audio *base) {
    if (plan->overlay_count == 0) {
        return base;
    }
    struct med_sound_part *layers = cs_arena_array(graph->arena, plan->overlay_count, sizeof(*layers));
    size_t count = 0;
    for (size_t i = 0; i < plan->overlay_count; i++) {
        const struct item *item = &plan->overlays[i];
        int64_t start = llround(value_or(item->wire->offset, 0) * MED_SAMPLE_RATE);
        int64_t length = av_rescale(item->clip.facts->audio.length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
        int64_t named = item->wire->duration == NULL ? length : llround(item->wire->duration->value * MED_SAMPLE_RATE);
        length = named < length ? named : length;
        length = length < plan->samples - start ? length : plan->samples - start;
        if (length > 0) {
            layers[count].start = start;
            layers[count++].audio = med_clip_audio(graph, &item->clip, length, item->volume);
        }
    }
    return med_sound_mix(graph, base, layers, count);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct plan *plan = made->self;
    (void)err;
    *ret_audio = lay_over(graph, plan, join_sound(graph, plan));
    return CS_OK;
}

static void list_pieces(struct med_job *job, const struct plan *plan, struct med_made *made) {
    struct med_piece *pieces = cs_arena_array(job->arena, plan->visual_count, sizeof(*pieces));
    for (size_t i = 0; i < plan->visual_count; i++) {
        pieces[i] = (struct med_piece){.clip = &plan->visuals[i].clip, .frames = plan->segments[i].frames};
    }
    made->pieces = pieces;
    made->piece_count = plan->visual_count;
}

static bool is_divisible(const struct plan *plan) {
    bool divisible = true;
    for (size_t i = 0; i < plan->visual_count; i++) {
        divisible = divisible && med_clip_is_divisible(&plan->visuals[i].clip);
    }
    return divisible;
}

enum cs_status med_op_merge(struct med_job *job, const Callsheet__V1__Merge *params, struct med_made *ret_made,
                            struct cs_err *err) {
    struct plan *plan = cs_arena_alloc(job->arena, sizeof(*plan));
    CS_TRY(read_items(job, params, plan, err));
    CS_TRY(choose_format(params, plan, err));
    CS_TRY(lay(job, params, plan, err));
    med_job_add_metric(job, "itemCount", (double)params->n_items);
    med_job_add_metric(job, "audioCount", (double)plan->overlay_count);
    *ret_made = (struct med_made){
        .format = plan->format,
        .frames = plan->frames,
        .samples = plan->samples,
        .self = plan,
        .divisible = is_divisible(plan),
        .picture = build_picture,
        .sound = build_sound,
    };
    if (plan->transition == NULL && plan->fit.mode == MED_FIT_PAD && plan->fit.pad_rgb == 0) {
        list_pieces(job, plan, ret_made);
    }
    return CS_OK;
}
