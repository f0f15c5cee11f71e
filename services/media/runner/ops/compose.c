#include "ops/compose.h"

#include <math.h>

#include "bounds.h"
#include "cs/base/text.h"
#include "cs/placement.h"
#include "graph/black.h"
#include "graph/join.h"
#include "graph/loop.h"
#include "graph/overlay.h"
#include "graph/sound.h"
#include "ops/number.h"

#define FIT(word) CALLSHEET__V1__LAYER_FIT__LAYER_FIT_##word

static const double key_similarity = 0.25;
static const double key_blend = 0.05;

struct part {
    struct med_clip clip;
    const char *path;
    double seconds; /* 0: not said */
    int64_t frames; /* that it fills */
};

struct layer {
    const struct med_layer_wire *wire;
    struct part *parts;
    size_t count;
    int64_t from; /* frame of the output */
    int64_t frames;
    struct cs_placed placed;
    struct med_fit fit;
    struct med_key key;
    double opacity;
    double volume;
};

struct composition {
    struct layer *layers;         /* as in the plan */
    const struct layer **ordered; /* the lowest first */
    size_t count;
    struct layer *main;
    struct med_picture_format format;
    int64_t frames;
    bool sounds;
};

static bool is_image(const struct part *part) {
    return part->clip.facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE;
}

/* Pictures that move without being films go on for ever elsewhere too. */
static bool is_animation(const struct part *part) {
    enum AVCodecID codec = part->clip.facts->video.codec;
    return codec == AV_CODEC_ID_GIF || codec == AV_CODEC_ID_APNG || codec == AV_CODEC_ID_WEBP;
}

static bool loops(const struct layer *layer, const struct part *part) {
    const Google__Protobuf__BoolValue *loop = layer->wire->item->loop;
    return !is_image(part) && (loop != NULL ? loop->value : is_animation(part));
}

/* ---- reading ---- */

static enum cs_status in_range(const struct med_layer_wire *wire, const char *name, double value, double min,
                               double max, struct cs_err *err) {
    if (value >= min && value <= max) {
        return CS_OK;
    }
    (void)cs_fail_at(err, name, "out_of_range", "%s must be from %g to %g", name, min, max);
    return cs_err_at(err, wire->path);
}

static enum cs_status read_part(struct med_job *job, const Callsheet__V1__MediaRef *media, double seconds,
                                const char *path, struct part *part, struct cs_err *err) {
    CS_TRY(med_job_input(job, media, path, &part->clip, err));
    part->path = path;
    part->seconds = seconds;
    if (part->clip.facts->video.stream < 0 || part->clip.facts->video.width < 1 || part->clip.facts->video.height < 1) {
        return cs_fail_at(err, path, "no_video", "a layer must be a video or an image");
    }
    return CS_OK;
}

static enum cs_status read_parts(struct med_job *job, struct layer *layer, struct cs_err *err) {
    const struct med_layer_wire *wire = layer->wire;
    bool timeline = wire->item->n_timeline > 0;
    layer->count = timeline ? wire->item->n_timeline : 1;
    if (layer->count > MED_LAYER_PARTS_MAX) {
        return cs_fail_at(err, wire->parts_path, "too_many", "at most %d media follow one another in a layer",
                          MED_LAYER_PARTS_MAX);
    }
    layer->parts = cs_arena_array(job->arena, layer->count, sizeof(*layer->parts));
    for (size_t i = 0; timeline && i < layer->count; i++) {
        const Callsheet__V1__LayerPart *part = wire->item->timeline[i];
        const char *path = cs_arena_sprintf(job->arena, "%s[%zu]%s", wire->parts_path, i, wire->part_member);
        double seconds = med_number_or(part->duration, 0);
        CS_TRY(in_range(wire, "duration", seconds, 0, MED_DURATION_S_MAX, err));
        CS_TRY(read_part(job, part->media, seconds, path, &layer->parts[i], err));
    }
    return timeline ? CS_OK : read_part(job, wire->item->media, 0, wire->media_path, &layer->parts[0], err);
}

static enum cs_status read_key(struct layer *layer, struct cs_err *err) {
    const struct med_layer_wire *wire = layer->wire;
    const Callsheet__V1__LayerItem *item = wire->item;
    const char *color = cs_str_empty(item->chroma_key_color) ? "0x00FF00" : item->chroma_key_color;
    if (!item->chroma_key) {
        return CS_OK;
    }
    layer->key.similarity = med_number_or(item->similarity, key_similarity);
    layer->key.blend = med_number_or(item->blend, key_blend);
    CS_TRY(in_range(wire, "similarity", layer->key.similarity, 0.01, 1, err));
    CS_TRY(in_range(wire, "blend", layer->key.blend, 0, 1, err));
    if (!cs_key_color(color, &layer->key.rgb)) {
        (void)cs_fail_at(err, "chromaKeyColor", "bad_color", "a colour to make transparent is written 0x00FF00");
        return cs_err_at(err, wire->path);
    }
    layer->fit.key = &layer->key;
    return CS_OK;
}

static enum cs_status read_layer(struct med_job *job, struct layer *layer, bool main, struct cs_err *err) {
    const struct med_layer_wire *wire = layer->wire;
    layer->opacity = med_number_or(wire->item->opacity, 1);
    layer->volume = med_number_or(wire->item->volume, main ? 1 : 0);
    CS_TRY(in_range(wire, "opacity", layer->opacity, 0, 1, err));
    CS_TRY(in_range(wire, "volume", layer->volume, 0, 1, err));
    CS_TRY(in_range(wire, "start", med_number_or(wire->item->start, 0), 0, MED_DURATION_S_MAX, err));
    CS_TRY(in_range(wire, "duration", med_number_or(wire->item->duration, 1), 0.001, MED_DURATION_S_MAX, err));
    CS_TRY(read_key(layer, err));
    return read_parts(job, layer, err);
}

static enum cs_status read_layers(struct med_job *job, const struct med_compose_wish *wish, struct composition *all,
                                  struct cs_err *err) {
    if (wish->count == 0 || wish->count > MED_LAYERS_MAX) {
        return cs_fail_at(err, "layers", "out_of_range", "there are 1 to %d layers", MED_LAYERS_MAX);
    }
    if (wish->main >= wish->count) {
        return cs_fail_at(err, "layers", "no_main_layer",
                          "No main layer found: one layer must have media or be marked as main");
    }
    all->count = wish->count;
    all->layers = cs_arena_array(job->arena, all->count, sizeof(*all->layers));
    all->main = &all->layers[wish->main];
    for (size_t i = 0; i < all->count; i++) {
        all->layers[i].wire = &wish->layers[i];
        CS_TRY(read_layer(job, &all->layers[i], i == wish->main, err));
    }
    return CS_OK;
}

/* ---- the canvas ---- */

/* What a layer's size is before it is placed: that of the biggest of its media. */
static struct cs_size natural_size(const struct layer *layer) {
    struct cs_size size = {0};
    for (size_t i = 0; i < layer->count; i++) {
        const struct med_video_facts *video = &layer->parts[i].clip.facts->video;
        size.width = video->width > size.width ? video->width : size.width;
        size.height = video->height > size.height ? video->height : size.height;
    }
    return size;
}

static int even_side(double side) {
    int floored = (int)side & ~1;
    return floored < 2 ? 2 : floored;
}

static enum cs_status read_canvas(const struct med_compose_wish *wish, struct composition *all, struct cs_err *err) {
    struct cs_size own = natural_size(all->main);
    double width = wish->width;
    double height = wish->height;
    if (width > MED_SIDE_MAX || height > MED_SIDE_MAX) {
        return cs_fail_at(err, width > MED_SIDE_MAX ? "outputWidth" : "outputHeight", "out_of_range",
                          "an output has at most %d pixels a side", (int)MED_SIDE_MAX);
    }
    if (width > 0 || height > 0) {
        width = width > 0 ? width : fmin(height * own.width / own.height, MED_SIDE_MAX + 2.0);
        height = height > 0 ? height : fmin(width * own.height / own.width, MED_SIDE_MAX + 2.0);
    } else {
        width = own.width;
        height = own.height;
    }
    all->format.width = even_side(width);
    all->format.height = even_side(height);
    all->format.rate = med_facts_output_rate(all->main->parts[0].clip.facts);
    return CS_OK;
}

/* ---- time ---- */

static int64_t own_ticks(const struct part *part) {
    if (part->seconds > 0) {
        return med_ticks_from_seconds(part->seconds);
    }
    return is_image(part) ? 0 : part->clip.facts->video.length_ticks;
}

/* How long a layer is by itself; 0: as long as the others want. */
static int64_t layer_ticks(const struct layer *layer) {
    int64_t ticks = 0;
    if (layer->wire->item->duration != NULL) {
        return med_ticks_from_seconds(layer->wire->item->duration->value);
    }
    for (size_t i = 0; i < layer->count; i++) {
        int64_t own = own_ticks(&layer->parts[i]);
        if (own <= 0) {
            return 0;
        }
        ticks += own;
    }
    return ticks;
}

static int64_t start_ticks(const struct layer *layer) {
    return med_ticks_from_seconds(med_number_or(layer->wire->item->start, 0));
}

static enum cs_status read_length(const struct med_compose_wish *wish, struct composition *all, struct cs_err *err) {
    int64_t ticks = med_ticks_from_seconds(wish->seconds);
    if (ticks <= 0 && layer_ticks(all->main) > 0) {
        ticks = start_ticks(all->main) + layer_ticks(all->main);
    }
    for (size_t i = 0; ticks <= 0 && i < all->count; i++) {
        int64_t own = layer_ticks(&all->layers[i]);
        ticks = own > 0 ? start_ticks(&all->layers[i]) + own : 0;
    }
    if (ticks <= 0) {
        return cs_fail_at(err, "outputDuration", "no_duration", "nothing says how long the output is");
    }
    int64_t frames = med_frames_at(ticks, all->format.rate);
    all->frames = frames < 1 ? 1 : frames;
    return med_check_output(&all->format, all->frames, err);
}

/* Media of a timeline without a length share what the others leave. Ends are rounded once each, so nothing adds up. */
static enum cs_status share_time(struct layer *layer, AVRational rate, struct cs_err *err) {
    int64_t whole = med_ticks_at_frame(layer->frames, rate);
    int64_t said = 0;
    int64_t open = 0;
    for (size_t i = 0; i < layer->count; i++) {
        said += med_ticks_from_seconds(layer->parts[i].seconds);
        open += layer->parts[i].seconds <= 0;
    }
    if (open > 0 && layer->count > 1 && said >= whole) {
        return cs_fail_at(err, layer->wire->parts_path, "timeline_too_long",
                          "the durations that are given leave no time for the media without one");
    }
    int64_t at = 0;
    int64_t begun = 0;
    for (size_t i = 0; i < layer->count; i++) {
        struct part *part = &layer->parts[i];
        at += part->seconds > 0 ? med_ticks_from_seconds(part->seconds) : (whole - said) / open;
        int64_t end = i + 1 == layer->count && open > 0 ? layer->frames : med_frames_at(at, rate);
        end = end > layer->frames ? layer->frames : end;
        part->frames = end - begun;
        begun = end;
    }
    layer->frames = begun;
    return CS_OK;
}

/* A main timeline's media have their own lengths. */
static void keep_own_lengths(struct layer *layer) {
    for (size_t i = 0; i < layer->count; i++) {
        struct part *part = &layer->parts[i];
        part->seconds = part->seconds > 0 ? part->seconds : med_ticks_to_seconds(own_ticks(part));
    }
}

static enum cs_status lay_in_time(struct composition *all, struct layer *layer, struct cs_err *err) {
    const Callsheet__V1__LayerItem *item = layer->wire->item;
    AVRational rate = all->format.rate;
    layer->from = med_frames_at(start_ticks(layer), rate);
    layer->frames = all->frames - layer->from;
    if (item->duration != NULL) {
        int64_t wanted = med_frames_at(med_ticks_from_seconds(item->duration->value), rate);
        wanted = wanted < 1 ? 1 : wanted;
        layer->frames = wanted < layer->frames ? wanted : layer->frames;
    }
    if (layer->frames <= 0) {
        layer->frames = 0; /* it would begin when all is over */
        return CS_OK;
    }
    if (layer == all->main && layer->count > 1) {
        keep_own_lengths(layer);
    }
    return share_time(layer, rate, err);
}

/* ---- places ---- */

static enum cs_status place(const struct composition *all, struct layer *layer, struct cs_err *err) {
    const struct med_layer_wire *wire = layer->wire;
    struct cs_size canvas = {all->format.width, all->format.height};
    Callsheet__V1__LayerFit fit = wire->item->fit;
    if (cs_placement(wire->item->placement, fit, canvas, natural_size(layer), &layer->placed, err) != CS_OK) {
        (void)cs_err_at(err, "placement");
        return cs_err_at(err, wire->path);
    }
    bool alone = layer->count == 1;
    layer->fit.keep_alpha = true;
    layer->fit.mode = fit == FIT(STRETCH) || (fit == FIT(CONTAIN) && alone) ? MED_FIT_STRETCH
                      : fit == FIT(CONTAIN)                                 ? MED_FIT_PAD
                                                                            : MED_FIT_CROP;
    return CS_OK;
}

/* By z_index; of the same, as in the plan. */
static void put_in_order(struct med_job *job, struct composition *all) {
    all->ordered = cs_arena_array(job->arena, all->count, sizeof(struct layer *));
    for (size_t i = 0; i < all->count; i++) {
        size_t at = i;
        for (; at > 0 && all->ordered[at - 1]->wire->item->z_index > all->layers[i].wire->item->z_index; at--) {
            all->ordered[at] = all->ordered[at - 1];
        }
        all->ordered[at] = &all->layers[i];
    }
}

/* ---- picture ---- */

/* Frames after which a part begins again; 0: it does not. */
static int64_t round_of(const struct composition *all, const struct layer *layer, const struct part *part) {
    int64_t round = med_frames_at(part->clip.facts->video.length_ticks, all->format.rate);
    round = round < 1 ? 1 : round;
    return loops(layer, part) && round < part->frames ? round : 0;
}

static struct med_video *part_picture(const struct composition *all, struct med_graph *graph, const struct layer *layer,
                                      const struct part *part) {
    const struct med_picture_format format = {
        .width = layer->placed.size.width, .height = layer->placed.size.height, .rate = all->format.rate};
    int64_t round = round_of(all, layer, part);
    return round > 0 ? med_loop(graph, &part->clip, &format, part->frames, round, &layer->fit)
                     : med_clip_fitted(graph, &part->clip, &format, part->frames, &layer->fit);
}

static struct med_video *layer_picture(const struct composition *all, struct med_graph *graph,
                                       const struct layer *layer) {
    struct med_video **pads = cs_arena_array(graph->arena, layer->count, sizeof(struct med_video *));
    struct med_segment *segments = cs_arena_array(graph->arena, layer->count, sizeof(*segments));
    size_t count = 0;
    int64_t start = 0;
    for (size_t i = 0; i < layer->count; i++) {
        if (layer->parts[i].frames > 0) {
            segments[count] = (struct med_segment){.frames = layer->parts[i].frames, .start_frame = start};
            pads[count++] = part_picture(all, graph, layer, &layer->parts[i]);
            start += layer->parts[i].frames;
        }
    }
    return count == 1 ? pads[0] : med_join_video(graph, pads, segments, count, NULL);
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct composition *all = made->self;
    struct med_video *video = med_black(graph, &all->format, all->frames);
    (void)err;
    for (size_t i = 0; i < all->count; i++) {
        const struct layer *layer = all->ordered[i];
        if (layer->frames > 0 && layer->opacity > 0) {
            const struct med_overlay over = {
                .picture = layer_picture(all, graph, layer),
                .x = layer->placed.x,
                .y = layer->placed.y,
                .opacity = layer->opacity,
                .from = layer->from,
            };
            video = med_overlay(graph, video, &over);
        }
    }
    *ret_video = video;
    return CS_OK;
}

/* ---- sound ---- */

static bool is_heard(const struct layer *layer) {
    bool sounds = false;
    for (size_t i = 0; i < layer->count; i++) {
        sounds = sounds || layer->parts[i].clip.facts->audio.stream >= 0;
    }
    return sounds && layer->frames > 0 && layer->volume > 0;
}

static int64_t sample_at(const struct composition *all, int64_t frame) {
    return med_samples_at_frame(frame, all->format.rate);
}

static struct med_audio *part_sound(const struct composition *all, struct med_graph *graph, const struct layer *layer,
                                    const struct part *part, int64_t samples) {
    int64_t round = round_of(all, layer, part);
    bool silent = part->clip.facts->audio.stream < 0;
    return round > 0 && !silent ? med_loop_audio(graph, &part->clip, samples, all->format.rate, round, layer->volume)
                                : med_clip_audio(graph, &part->clip, samples, layer->volume);
}

static struct med_audio *layer_sound(const struct composition *all, struct med_graph *graph,
                                     const struct layer *layer) {
    struct med_sound_part *parts = cs_arena_array(graph->arena, layer->count, sizeof(*parts));
    int64_t first = sample_at(all, layer->from);
    int64_t frame = layer->from;
    size_t count = 0;
    for (size_t i = 0; i < layer->count; i++) {
        const struct part *part = &layer->parts[i];
        int64_t start = sample_at(all, frame);
        int64_t end = sample_at(all, frame + part->frames);
        if (end > start) {
            parts[count++] = (struct med_sound_part){.audio = part_sound(all, graph, layer, part, end - start),
                                                     .start = start - first};
        }
        frame += part->frames;
    }
    return count == 1 ? parts[0].audio : med_sound_join(graph, parts, count, sample_at(all, frame) - first);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct composition *all = made->self;
    struct med_sound_part *heard = cs_arena_array(graph->arena, all->count, sizeof(*heard));
    size_t count = 0;
    (void)err;
    for (size_t i = 0; i < all->count; i++) {
        const struct layer *layer = &all->layers[i];
        if (is_heard(layer)) {
            heard[count++] =
                (struct med_sound_part){.audio = layer_sound(all, graph, layer), .start = sample_at(all, layer->from)};
        }
    }
    bool alone = count == 1 && heard[0].start == 0 && heard[0].audio->samples == made->samples;
    *ret_audio = alone ? heard[0].audio : med_sound_mix(graph, med_sound_silence(graph, made->samples), heard, count);
    return CS_OK;
}

/* ---- the operation ---- */

static bool is_divisible(const struct composition *all) {
    bool divisible = true;
    for (size_t i = 0; i < all->count; i++) {
        for (size_t k = 0; k < all->layers[i].count; k++) {
            divisible = divisible && med_clip_is_divisible(&all->layers[i].parts[k].clip);
        }
    }
    return divisible;
}

enum cs_status med_compose(struct med_job *job, const struct med_compose_wish *wish, struct med_made *ret_made,
                           struct cs_err *err) {
    struct composition *all = cs_arena_alloc(job->arena, sizeof(*all));
    CS_TRY(read_layers(job, wish, all, err));
    CS_TRY(read_canvas(wish, all, err));
    CS_TRY(read_length(wish, all, err));
    for (size_t i = 0; i < all->count; i++) {
        CS_TRY(lay_in_time(all, &all->layers[i], err));
        CS_TRY(place(all, &all->layers[i], err));
        all->sounds = all->sounds || is_heard(&all->layers[i]);
    }
    put_in_order(job, all);
    *ret_made = (struct med_made){
        .format = all->format,
        .frames = all->frames,
        .samples = all->sounds ? sample_at(all, all->frames) : 0,
        .self = all,
        .divisible = is_divisible(all),
        .picture = build_picture,
        .sound = build_sound,
    };
    return CS_OK;
}
