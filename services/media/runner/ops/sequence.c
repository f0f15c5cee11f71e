#include "ops/sequence.h"

#include <math.h>

#include "bounds.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "graph/join.h"
#include "graph/sound.h"

static const double image_duration_s = 1;

struct laid {
    struct med_sequence plan;
    struct med_segment *segments; /* one per visual */
    int64_t samples;
};

/* ---- the frame ---- */

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

enum cs_status med_sequence_format(struct med_sequence *sequence, const char *aspect_ratio, const char *frame_rate,
                                   struct cs_err *err) {
    sequence->format = med_format_of(sequence->visuals[0].clip.facts);
    limit_size(sequence->visuals[0].clip.facts, &sequence->format);
    if (!cs_str_empty(aspect_ratio)) {
        uint32_t width = 0;
        uint32_t height = 0;
        if (!cs_reframe_size(aspect_ratio, &width, &height)) {
            return cs_fail_at(err, "aspectRatio", "unknown_ratio", "this aspect ratio is unknown");
        }
        sequence->format.width = (int)width;
        sequence->format.height = (int)height;
    }
    if (!cs_str_empty(frame_rate) && !med_rate_parse(frame_rate, &sequence->format.rate)) {
        return cs_fail_at(err, "frameRate", "bad_frame_rate", "a frame rate is a number or a fraction from 1 to 120");
    }
    return CS_OK;
}

/* ---- where they lie ---- */

static struct med_segment segment_of(const struct med_sequence_item *item) {
    const struct med_facts *facts = item->clip.facts;
    bool still = facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE;
    int64_t natural = facts->video.length_ticks;
    int64_t named = med_ticks_from_seconds(item->duration_s > 0 ? item->duration_s : image_duration_s);
    bool by_name = still || (item->duration_s > 0 && named < natural);
    return (struct med_segment){
        .length_ticks = by_name ? named : natural,
        .named = by_name,
        .hard = item->hard,
        .transition = item->transition,
    };
}

static enum cs_status lay(struct med_job *job, struct laid *laid, struct med_made *made, struct cs_err *err) {
    const struct med_sequence *plan = &laid->plan;
    laid->segments = cs_arena_array(job->arena, plan->visual_count, sizeof(struct med_segment));
    for (size_t i = 0; i < plan->visual_count; i++) {
        laid->segments[i] = segment_of(&plan->visuals[i]);
    }
    made->frames = med_timeline_lay(laid->segments, plan->visual_count, plan->format.rate, plan->joining.frames);
    if (plan->exact) {
        CS_TRY(med_joining_check(&plan->joining, laid->segments, plan->visual_count, err));
        made->frames = med_joining_lay(&plan->joining, laid->segments, plan->visual_count);
    }
    made->samples = med_samples_at_frame(made->frames, plan->format.rate);
    laid->samples = made->samples;
    for (size_t i = 0; i < plan->overlay_count; i++) {
        CS_TRY(med_sound_track_lay(&plan->overlays[i], made->samples, err));
    }
    return med_check_output(&plan->format, made->frames, err);
}

/* ---- pictures ---- */

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct laid *laid = made->self;
    const struct med_sequence *plan = &laid->plan;
    struct med_video **parts = cs_arena_array(graph->arena, plan->visual_count, sizeof(void *));
    (void)err;
    for (size_t i = 0; i < plan->visual_count; i++) {
        parts[i] = med_clip_fitted(graph, &plan->visuals[i].clip, &plan->format, laid->segments[i].frames, &plan->fit);
    }
    *ret_video = med_join_video(graph, parts, laid->segments, plan->visual_count, plan->joining.transition);
    return CS_OK;
}

/* ---- sound ---- */

static struct med_audio *join_sound(struct med_graph *graph, const struct laid *laid) {
    const struct med_sequence *plan = &laid->plan;
    AVRational rate = plan->format.rate;
    struct med_sound_part *parts = cs_arena_array(graph->arena, plan->visual_count, sizeof(*parts));
    for (size_t i = 0; i < plan->visual_count; i++) {
        const struct med_segment *segment = &laid->segments[i];
        int64_t start = med_samples_at_frame(segment->start_frame, rate);
        int64_t end = med_samples_at_frame(segment->start_frame + segment->frames, rate);
        int64_t tail = med_samples_at_frame(segment->start_frame + segment->frames - segment->overlap, rate);
        parts[i].start = start;
        parts[i].overlap = end - tail;
        parts[i].fade = plan->audio_fade_samples;
        parts[i].audio = med_clip_audio(graph, &plan->visuals[i].clip, end - start, plan->visuals[i].volume);
    }
    return med_sound_join(graph, parts, plan->visual_count, laid->samples);
}

/* Cut at the end of the picture; dropped when they would start after it. */
static struct med_audio *lay_over(struct med_graph *graph, const struct laid *laid, struct med_audio *base) {
    const struct med_sequence *plan = &laid->plan;
    struct med_sound_part *layers = cs_arena_array(graph->arena, plan->overlay_count + 1, sizeof(*layers));
    size_t count = 0;
    for (size_t i = 0; i < plan->overlay_count; i++) {
        if (med_sound_track_is_heard(&plan->overlays[i])) {
            layers[count++] = med_sound_track_part(graph, &plan->overlays[i]);
        }
    }
    return count > 0 ? med_sound_mix(graph, base, layers, count) : base;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct laid *laid = made->self;
    (void)err;
    *ret_audio = lay_over(graph, laid, join_sound(graph, laid));
    return CS_OK;
}

/* ---- describing ---- */

static bool overlaps(const struct laid *laid) {
    bool any = false;
    for (size_t i = 0; i < laid->plan.visual_count; i++) {
        any = any || laid->segments[i].overlap > 0;
    }
    return any;
}

/* Each visual's own sound, at its own level, and no other. */
static bool leaves_sound(const struct med_sequence *plan) {
    bool left = plan->overlay_count == 0;
    for (size_t i = 0; i < plan->visual_count; i++) {
        left = left && plan->visuals[i].volume == 1;
    }
    return left;
}

static void list_pieces(struct med_job *job, const struct laid *laid, struct med_made *made) {
    const struct med_sequence *plan = &laid->plan;
    struct med_piece *pieces = cs_arena_array(job->arena, plan->visual_count, sizeof(*pieces));
    for (size_t i = 0; i < plan->visual_count; i++) {
        pieces[i] = (struct med_piece){.clip = &plan->visuals[i].clip, .frames = laid->segments[i].frames};
    }
    made->pieces = pieces;
    made->piece_count = plan->visual_count;
    made->sound_of_pieces = leaves_sound(plan);
}

static bool is_divisible(const struct med_sequence *plan) {
    bool divisible = true;
    for (size_t i = 0; i < plan->visual_count; i++) {
        divisible = divisible && med_clip_is_divisible(&plan->visuals[i].clip);
    }
    return divisible;
}

enum cs_status med_sequence_make(struct med_job *job, const struct med_sequence *sequence, struct med_made *ret_made,
                                 struct cs_err *err) {
    struct laid *laid = cs_arena_alloc(job->arena, sizeof(*laid));
    struct med_made made = {
        .format = sequence->format,
        .self = laid,
        .divisible = is_divisible(sequence),
        .picture = build_picture,
        .sound = build_sound,
    };
    laid->plan = *sequence;
    CS_TRY(lay(job, laid, &made, err));
    if (!overlaps(laid) && sequence->fit.mode == MED_FIT_PAD && sequence->fit.pad_rgb == 0) {
        list_pieces(job, laid, &made);
    }
    *ret_made = made;
    return CS_OK;
}
