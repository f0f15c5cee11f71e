/* Facts as services tell each other. */
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#include <math.h>

#include "graph/facts.h"
#include "graph/timeline.h"

static Callsheet__V1__Rational *rational(AVRational value, struct cs_arena *arena) {
    Callsheet__V1__Rational *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__rational__init(wire);
    wire->num = value.num;
    wire->den = value.den;
    return wire;
}

static int64_t bit_rate(int64_t bytes, int64_t length_ticks) {
    return length_ticks > 0 ? llround((double)bytes * 8 / med_ticks_to_seconds(length_ticks)) : 0;
}

static const char *word(const char *name) {
    return name == NULL ? "unknown" : name;
}

static const char *hdr_word(enum med_hdr hdr) {
    static const char *const words[] = {[MED_SDR] = "", [MED_HDR10] = "hdr10", [MED_PQ] = "pq", [MED_HLG] = "hlg"};
    return words[hdr];
}

static Callsheet__V1__GopFacts *gops_to_wire(const struct med_gops *gops, struct cs_arena *arena) {
    if (gops->pictures == 0 || gops->keyframes == 0) {
        return NULL;
    }
    Callsheet__V1__GopFacts *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__gop_facts__init(wire);
    wire->keyframe_count = gops->keyframes;
    wire->longest = gops->longest;
    wire->average = (double)gops->pictures / (double)gops->keyframes;
    wire->closed = !gops->open;
    wire->reordered = gops->reordered;
    return wire;
}

static void colors_to_wire(const struct med_video_facts *video, struct cs_arena *arena,
                           Callsheet__V1__VideoFacts *wire) {
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(video->pixel_format);
    wire->pixel_format = cs_arena_strdup(arena, word(av_get_pix_fmt_name(video->pixel_format)));
    wire->bit_depth = format != NULL && format->nb_components > 0 ? (uint32_t)format->comp[0].depth : 0;
    wire->color_transfer = cs_arena_strdup(arena, word(av_color_transfer_name(video->transfer)));
    wire->color_primaries = cs_arena_strdup(arena, word(av_color_primaries_name(video->primaries)));
    wire->color_space = cs_arena_strdup(arena, word(av_color_space_name(video->matrix)));
    wire->color_range = cs_arena_strdup(arena, word(av_color_range_name(video->range)));
    wire->hdr = cs_arena_strdup(arena, hdr_word(video->hdr));
    wire->dolby_vision = video->dolby_vision;
    wire->alpha = video->alpha;
}

static Callsheet__V1__VideoFacts *video_to_wire(const struct med_video_facts *video, struct cs_arena *arena) {
    Callsheet__V1__VideoFacts *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__video_facts__init(wire);
    wire->codec = cs_arena_strdup(arena, avcodec_get_name(video->codec));
    wire->width = (uint32_t)video->width;
    wire->height = (uint32_t)video->height;
    wire->frame_rate = rational(video->rate, arena);
    wire->frame_count = video->frames;
    wire->duration_us = med_ticks_to_us(video->length_ticks);
    wire->rotation = video->rotation;
    wire->sample_aspect = rational(video->sample_aspect, arena);
    wire->variable_frame_rate = video->variable_rate;
    colors_to_wire(video, arena, wire);
    wire->interlaced = video->interlaced;
    wire->bit_rate = bit_rate(video->bytes, video->length_ticks);
    wire->gop = gops_to_wire(&video->gops, arena);
    return wire;
}

static Callsheet__V1__AudioFacts *audio_to_wire(const struct med_audio_facts *audio, struct cs_arena *arena) {
    Callsheet__V1__AudioFacts *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__audio_facts__init(wire);
    wire->codec = cs_arena_strdup(arena, avcodec_get_name(audio->codec));
    wire->sample_rate = (uint32_t)audio->sample_rate;
    wire->channels = (uint32_t)audio->channels;
    wire->sample_count = audio->samples;
    wire->duration_us = med_ticks_to_us(audio->length_ticks);
    wire->channel_layout = cs_arena_strdup(arena, audio->layout);
    wire->bit_rate = bit_rate(audio->bytes, audio->length_ticks);
    wire->priming_samples = audio->priming;
    wire->padding_samples = audio->padding;
    return wire;
}

void med_facts_to_wire(const struct med_facts *facts, struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts) {
    Callsheet__V1__MediaFacts *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__media_facts__init(wire);
    wire->type = facts->type;
    wire->container = cs_arena_strdup(arena, facts->container);
    wire->duration_us = med_ticks_to_us(
        facts->video.length_ticks > facts->audio.length_ticks ? facts->video.length_ticks : facts->audio.length_ticks);
    wire->video = facts->video.stream >= 0 ? video_to_wire(&facts->video, arena) : NULL;
    wire->audio = facts->audio.stream >= 0 ? audio_to_wire(&facts->audio, arena) : NULL;
    wire->corrupt = facts->cut_short || facts->corrupt_packets > 0;
    wire->corrupt_packets = facts->corrupt_packets;
    wire->bit_rate =
        (wire->video != NULL ? wire->video->bit_rate : 0) + (wire->audio != NULL ? wire->audio->bit_rate : 0);
    *ret_facts = wire;
}
