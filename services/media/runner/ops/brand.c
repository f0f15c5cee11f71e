/* A video between its intro and outro, its logo in a corner, its sound at the loudness that listeners expect. */
#include <math.h>

#include "bounds.h"
#include "captions/draw.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "graph/join.h"
#include "graph/loop.h"
#include "graph/loudness.h"
#include "graph/overlay.h"
#include "graph/sound.h"
#include "ops/frame_part.h"
#include "ops/leveling.h"
#include "ops/lower_third.h"
#include "ops/number.h"
#include "ops/ops.h"

enum { PARTS_MAX = 3, LOGO_MARGIN = 10, LOGO_MARGIN_MAX = 1000, LOGO_SIDE_MIN = 2 };

static const double logo_size = 0.1;
static const double logo_opacity = 0.8;
static const double loudness_lufs = -16;
static const double peak_max_db = -1;

struct logo {
    struct med_clip clip;
    struct med_window window;
    double opacity;
    int64_t from; /* frames of the video itself */
    int64_t frames;
};

struct brand {
    struct med_clip parts[PARTS_MAX];
    struct med_segment segments[PARTS_MAX];
    size_t count;
    size_t main; /* the part that is the video */
    struct med_picture_format format;
    int64_t frames;
    bool has_logo;
    struct logo logo;
    struct med_lower_third third;
    struct med_level level;
};

/* ---- parts ---- */

/* An intro or outro. */
static enum cs_status add_frame_part(struct med_job *job, const Callsheet__V1__MediaRef *ref,
                                     const Google__Protobuf__DoubleValue *duration,
                                     const struct med_frame_part_names *names, struct brand *brand,
                                     struct cs_err *err) {
    double seconds = 0;
    if (ref == NULL) { /* its duration is looked at all the same */
        return med_number_read(duration, 1, 0.1, 600, names->duration, &seconds, err);
    }
    CS_TRY(med_frame_part_read(job, ref, duration, names, &brand->parts[brand->count], &brand->segments[brand->count],
                               err));
    brand->count++;
    return CS_OK;
}

static enum cs_status read_parts(struct med_job *job, const Callsheet__V1__Brand *params, struct brand *brand,
                                 struct cs_err *err) {
    static const struct med_frame_part_names intro = {"intro", "introDuration"};
    static const struct med_frame_part_names outro = {"outro", "outroDuration"};
    int64_t fade_frames = 0;
    CS_TRY(add_frame_part(job, params->intro, params->intro_duration, &intro, brand, err));
    brand->main = brand->count++;
    CS_TRY(med_job_video_input(job, params->video, "video", &brand->parts[brand->main], err));
    const struct med_facts *facts = brand->parts[brand->main].facts;
    brand->segments[brand->main].length_ticks = facts->video.length_ticks;
    brand->format = med_format_of(facts);
    CS_TRY(add_frame_part(job, params->outro, params->outro_duration, &outro, brand, err));
    CS_TRY(med_frame_fade_read(params->fade_duration, brand->format.rate, &fade_frames, err));
    brand->frames = med_timeline_lay(brand->segments, brand->count, brand->format.rate, fade_frames);
    return med_check_output(&brand->format, brand->frames, err);
}

/* ---- the logo ---- */

static int even(double value) {
    return (int)lround(value / 2) * 2;
}

static int within(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

/* Its width is a part of the frame's; a tall one is made smaller until it fits. */
static struct med_window place_logo(const struct brand *brand, const struct med_facts *logo, double size, int margin,
                                    bool right, bool bottom) {
    const struct med_picture_format *format = &brand->format;
    double width = format->width * size;
    double scale = fmin(1, (double)format->height * logo->video.width / (width * logo->video.height));
    struct med_window window = {
        .width = within(even(width * scale), LOGO_SIDE_MIN, format->width),
        .height = within(even(width * scale * logo->video.height / logo->video.width), LOGO_SIDE_MIN, format->height),
    };
    int room_x = format->width - window.width;
    int room_y = format->height - window.height;
    window.x = within(right ? room_x - margin : margin, 0, room_x);
    window.y = within(bottom ? room_y - margin : margin, 0, room_y);
    return window;
}

static enum cs_status read_corner(const char *corner, bool *ret_right, bool *ret_bottom, struct cs_err *err) {
    bool known = cs_str_empty(corner) || cs_str_eq(corner, "topLeft") || cs_str_eq(corner, "topRight") ||
                 cs_str_eq(corner, "bottomLeft") || cs_str_eq(corner, "bottomRight");
    if (!known) {
        return cs_fail_at(err, "logoPosition", "unknown_word", "logoPosition names a corner");
    }
    *ret_right = cs_str_empty(corner) || cs_str_eq(corner, "topRight") || cs_str_eq(corner, "bottomRight");
    *ret_bottom = cs_str_empty(corner) || cs_str_starts(corner, "bottom");
    return CS_OK;
}

static bool is_image(const struct med_facts *facts) {
    return facts->video.stream >= 0 && facts->video.width > 0 && facts->video.height > 0 &&
           (facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE || facts->video.codec == AV_CODEC_ID_GIF);
}

static enum cs_status read_logo_time(const Callsheet__V1__Brand *params, struct brand *brand, struct cs_err *err) {
    AVRational rate = brand->format.rate;
    int64_t all = brand->segments[brand->main].frames;
    double start = 0;
    double end = 0;
    CS_TRY(med_number_read(params->logo_start, 0, 0, MED_DURATION_S_MAX, "logoStart", &start, err));
    CS_TRY(med_number_read(params->logo_end, MED_DURATION_S_MAX, 0, MED_DURATION_S_MAX, "logoEnd", &end, err));
    if (end <= start) {
        return cs_fail_at(err, "logoEnd", "out_of_range", "a logo ends after it starts");
    }
    int64_t last = med_frames_at(med_ticks_from_seconds(end), rate);
    brand->logo.from = med_frames_at(med_ticks_from_seconds(start), rate);
    brand->logo.frames = (last < all ? last : all) - brand->logo.from;
    return CS_OK;
}

static enum cs_status read_logo(struct med_job *job, const Callsheet__V1__Brand *params, struct brand *brand,
                                struct cs_err *err) {
    double size = 0;
    bool right = false;
    bool bottom = false;
    uint32_t margin = params->logo_margin != NULL ? params->logo_margin->value : LOGO_MARGIN;
    CS_TRY(med_number_read(params->logo_size, logo_size, 0.01, 1, "logoSize", &size, err));
    CS_TRY(med_number_read(params->logo_opacity, logo_opacity, 0, 1, "logoOpacity", &brand->logo.opacity, err));
    CS_TRY(read_corner(params->logo_position, &right, &bottom, err));
    if (margin > LOGO_MARGIN_MAX) {
        return cs_fail_at(err, "logoMargin", "out_of_range", "logoMargin must be 0 to %d", LOGO_MARGIN_MAX);
    }
    CS_TRY(read_logo_time(params, brand, err));
    if (params->logo == NULL || brand->logo.frames <= 0) {
        return CS_OK; /* or it would begin when all is over */
    }
    CS_TRY(med_job_input(job, params->logo, "logo", &brand->logo.clip, err));
    if (!is_image(brand->logo.clip.facts)) {
        return cs_fail_at(err, "logo", "no_image", "the logo must be an image");
    }
    brand->has_logo = true;
    brand->logo.window = place_logo(brand, brand->logo.clip.facts, size, even(margin), right, bottom);
    return CS_OK;
}

/* ---- the graph ---- */

static struct med_video *lay_logo(const struct brand *brand, struct med_graph *graph, struct med_video *video) {
    const struct logo *logo = &brand->logo;
    const struct med_picture_format format = {
        .width = logo->window.width, .height = logo->window.height, .rate = brand->format.rate};
    const struct med_fit fit = {.mode = MED_FIT_STRETCH, .keep_alpha = true};
    int64_t round = med_frames_at(logo->clip.facts->video.length_ticks, format.rate);
    bool moves = logo->clip.facts->type != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE && round > 0;
    const struct med_overlay over = {
        .picture = moves ? med_loop(graph, &logo->clip, &format, logo->frames, round, &fit)
                         : med_clip_fitted(graph, &logo->clip, &format, logo->frames, &fit),
        .from = logo->from,
        .x = logo->window.x,
        .y = logo->window.y,
        .opacity = logo->opacity,
    };
    return med_overlay(graph, video, &over);
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph,
                                    struct med_video **ret_picture, struct cs_err *err) {
    const struct brand *brand = made->self;
    struct med_video *parts[PARTS_MAX];
    for (size_t i = 0; i < brand->count; i++) {
        parts[i] = med_clip_video(graph, &brand->parts[i], &brand->format, brand->segments[i].frames, MED_FIT_PAD,
                                  MED_ANCHOR_CENTER);
    }
    if (brand->has_logo) {
        parts[brand->main] = lay_logo(brand, graph, parts[brand->main]);
    }
    if (brand->third.document != NULL) {
        CS_TRY(med_draw(graph, parts[brand->main], brand->third.document, brand->third.document_bytes,
                        &brand->third.fonts, 0, &parts[brand->main], err));
    }
    *ret_picture = med_join_video(graph, parts, brand->segments, brand->count, "fade");
    return CS_OK;
}

static bool has_sound(const struct brand *brand) {
    bool found = false;
    for (size_t i = 0; i < brand->count; i++) {
        found = found || brand->parts[i].facts->audio.stream >= 0;
    }
    return found;
}

static struct med_audio *join_sound(struct med_graph *graph, const struct brand *brand, const struct med_level *level) {
    struct med_sound_part parts[PARTS_MAX];
    AVRational rate = brand->format.rate;
    for (size_t i = 0; i < brand->count; i++) {
        const struct med_segment *segment = &brand->segments[i];
        int64_t start = med_samples_at_frame(segment->start_frame, rate);
        int64_t end = med_samples_at_frame(segment->start_frame + segment->frames, rate);
        int64_t tail = med_samples_at_frame(segment->start_frame + segment->frames - segment->overlap, rate);
        parts[i] = (struct med_sound_part){
            .audio = med_clip_audio(graph, &brand->parts[i], end - start, 1), .start = start, .overlap = end - tail};
    }
    struct med_audio *sound = med_sound_join(graph, parts, brand->count, med_samples_at_frame(brand->frames, rate));
    return level->gain_db == 0 ? sound : med_level(graph, sound, level);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct brand *brand = made->self;
    (void)err;
    *ret_audio = join_sound(graph, brand, &brand->level);
    return CS_OK;
}

/* ---- loudness ---- */

static struct med_audio *build_level(struct med_graph *graph, const void *ctx, const struct med_level *level) {
    return join_sound(graph, ctx, level);
}

/* One gain for all of it. */
static enum cs_status choose_level(struct med_job *job, struct brand *brand, double target, struct cs_err *err) {
    const struct med_leveling leveling = {
        .build = build_level,
        .ctx = brand,
        .target = target,
        .true_peak_max = peak_max_db,
        .best_effort = true,
    };
    struct med_leveled leveled = {0};
    CS_TRY(med_leveling_choose(job, &leveling, &leveled, err));
    brand->level = leveled.level;
    if (!leveled.silent) {
        med_job_add_metric(job, "inputLoudness", leveled.input.integrated);
    }
    return CS_OK;
}

/* What a listener gets: the encoded sound. */
static enum cs_status report_loudness(const struct med_made *made, struct med_job *job, int fd, struct cs_err *err) {
    const struct brand *brand = made->self;
    struct med_loudness loudness = {0};
    CS_TRY(med_leveling_measure(job, fd, &loudness, err));
    med_job_add_metric(job, "loudnessGain", brand->level.gain_db);
    med_job_add_metric(job, "peaksLimited", brand->level.limited ? 1 : 0);
    if (!loudness.silent) {
        med_job_add_metric(job, "integratedLoudness", loudness.integrated);
        med_job_add_metric(job, "truePeak", loudness.true_peak);
    }
    return CS_OK;
}

static enum cs_status read_loudness(const Callsheet__V1__Brand *params, double *ret_target, struct cs_err *err) {
    if (params->keep_loudness) {
        return CS_OK;
    }
    return med_number_read(params->loudness, loudness_lufs, CS_LOUDNESS_MIN, CS_LOUDNESS_MAX, "loudness", ret_target,
                           err);
}

static bool is_divisible(const struct brand *brand) {
    bool divisible = true;
    for (size_t i = 0; i < brand->count; i++) {
        divisible = divisible && med_clip_is_divisible(&brand->parts[i]);
    }
    return divisible;
}

enum cs_status med_op_brand(struct med_job *job, const Callsheet__V1__Brand *params, struct med_made *ret_made,
                            struct cs_err *err) {
    struct brand *brand = cs_arena_alloc(job->arena, sizeof(*brand));
    double target = 0;
    CS_TRY(read_loudness(params, &target, err));
    CS_TRY(read_parts(job, params, brand, err));
    CS_TRY(read_logo(job, params, brand, err));
    CS_TRY(med_lower_third_read(job, params->lower_third, &brand->format, brand->segments[brand->main].frames,
                                &brand->third, err));
    bool sounds = has_sound(brand);
    if (sounds && !params->keep_loudness && med_job_makes_sound(job)) {
        CS_TRY(choose_level(job, brand, target, err));
    }
    *ret_made = (struct med_made){
        .format = brand->format,
        .frames = brand->frames,
        .samples = sounds ? med_samples_at_frame(brand->frames, brand->format.rate) : 0,
        .self = brand,
        .divisible = is_divisible(brand),
        .picture = build_picture,
        .sound = build_sound,
        .finish = sounds ? report_loudness : NULL,
    };
    return CS_OK;
}
