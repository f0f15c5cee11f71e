#include "graph/quality.h"

#include <math.h>
#include <stdlib.h>

#include "graph/timeline.h"

enum {
    SAMPLES_OFF_MAX = 2 * MED_SAMPLE_RATE / 25, /* containers and codecs round the end of sound */
    OFFSET_MS_MAX = 80,
};

struct med_video *med_quality_watch_picture(struct med_quality *quality, struct med_graph *graph,
                                            struct med_video *video) {
    quality->frames = video->frames;
    quality->rate = video->format.rate;
    return med_watch_picture(graph, video, &quality->picture);
}

struct med_audio *med_quality_watch_sound(struct med_quality *quality, struct med_graph *graph,
                                          struct med_audio *audio) {
    quality->samples = audio->samples;
    return med_watch_sound(graph, audio, &quality->sound);
}

/* ---- as planned ---- */

static int64_t samples_at_48k(const struct med_facts *facts) {
    return av_rescale(facts->audio.length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
}

static double offset_ms(const struct med_facts *facts) {
    bool both = facts->video.stream >= 0 && facts->audio.stream >= 0;
    return both ? med_ticks_to_seconds(facts->audio.start_ticks - facts->video.start_ticks) * 1000 : 0;
}

static enum cs_status compare(const struct med_quality *quality, const struct med_facts *facts,
                              const struct med_decode_check *check, struct cs_err *err) {
    if (quality->frames > 0) {
        int64_t frames = facts->video.stream < 0 ? 0 : facts->video.frames;
        frames = check->all && check->frames < frames ? check->frames : frames;
        if (frames != quality->frames) {
            return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has %lld of %lld planned frames",
                           (long long)frames, (long long)quality->frames);
        }
    }
    const struct med_imprint *stored = &facts->video.imprint;
    if (quality->imprint.packets > 0 && stored->packets > 0 && !med_imprint_equal(&quality->imprint, stored)) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output's pictures are not those that were written");
    }
    if (quality->samples > 0) {
        int64_t samples = facts->audio.stream < 0 ? 0 : samples_at_48k(facts);
        if (llabs(samples - quality->samples) > SAMPLES_OFF_MAX) {
            return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has %lld of %lld planned samples",
                           (long long)samples, (long long)quality->samples);
        }
    }
    if (fabs(offset_ms(facts)) > OFFSET_MS_MAX) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output's sound begins %.0f ms off its picture",
                       offset_ms(facts));
    }
    return CS_OK;
}

/* ---- the report ---- */

static Callsheet__V1__MediaSpan **spans_to_wire(const struct med_spans *spans, double per_second,
                                                struct cs_arena *arena, size_t *ret_count) {
    Callsheet__V1__MediaSpan **list = cs_arena_array(arena, MED_SPANS_MAX, sizeof(Callsheet__V1__MediaSpan *));
    for (size_t i = 0; i < spans->count; i++) {
        list[i] = cs_arena_alloc(arena, sizeof(*list[i]));
        callsheet__v1__media_span__init(list[i]);
        list[i]->start = (double)spans->items[i].start / per_second;
        list[i]->end = (double)spans->items[i].end / per_second;
    }
    *ret_count = spans->count;
    return list;
}

static Callsheet__V1__LoudnessFacts *loudness_to_wire(const struct med_loudness *loudness, struct cs_arena *arena) {
    Callsheet__V1__LoudnessFacts *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__loudness_facts__init(wire);
    wire->silent = loudness->silent;
    if (!loudness->silent) {
        wire->integrated = loudness->integrated;
        wire->true_peak = loudness->true_peak;
        wire->range = loudness->range;
    }
    return wire;
}

static void picture_to_wire(const struct med_quality *quality, const struct med_facts *facts, struct cs_arena *arena,
                            Callsheet__V1__Quality *wire) {
    double rate = av_q2d(quality->rate);
    int64_t planned = med_ticks_at_frame(quality->frames, quality->rate);
    wire->planned_frame_count = quality->frames;
    wire->planned_duration_us = med_ticks_to_us(planned);
    wire->frame_count = facts->video.frames;
    wire->duration_us = med_ticks_to_us(facts->video.length_ticks);
    wire->black = spans_to_wire(&quality->picture.black, rate, arena, &wire->n_black);
    wire->frozen = spans_to_wire(&quality->picture.frozen, rate, arena, &wire->n_frozen);
}

static void sound_to_wire(const struct med_quality *quality, const struct med_facts *facts, struct cs_arena *arena,
                          Callsheet__V1__Quality *wire) {
    wire->planned_sample_count = quality->samples;
    wire->sample_count = samples_at_48k(facts);
    wire->loudness = loudness_to_wire(&quality->sound.loudness, arena);
    wire->silent = spans_to_wire(&quality->sound.silent, MED_SAMPLE_RATE, arena, &wire->n_silent);
    if (quality->frames == 0) {
        int64_t planned = med_ticks_from(quality->samples, (AVRational){1, MED_SAMPLE_RATE});
        wire->planned_duration_us = med_ticks_to_us(planned);
        wire->duration_us = med_ticks_to_us(facts->audio.length_ticks);
    } else {
        wire->av_offset_ms = offset_ms(facts);
        wire->av_drift_ms = med_ticks_to_seconds(facts->audio.length_ticks - facts->video.length_ticks) * 1000;
    }
}

enum cs_status med_quality_judge(const struct med_quality *quality, int fd, const struct med_facts *facts,
                                 struct cs_arena *arena, Callsheet__V1__Quality **ret_quality, struct cs_err *err) {
    struct med_decode_check check = {0};
    CS_TRY(quality->coded ? med_decode_check_coded(fd, facts, &check, err) : med_decode_check(fd, facts, &check, err));
    CS_TRY(compare(quality, facts, &check, err));
    Callsheet__V1__Quality *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__quality__init(wire);
    if (quality->frames > 0) {
        picture_to_wire(quality, facts, arena, wire);
    }
    if (quality->samples > 0) {
        sound_to_wire(quality, facts, arena, wire);
    }
    wire->decoded_frames = check.frames;
    wire->decoded_samples = check.samples;
    wire->decoded_all = check.all;
    *ret_quality = wire;
    return CS_OK;
}

Callsheet__V1__Quality *med_quality_of_copy(int fd, const struct med_facts *before, const struct med_facts *after,
                                            struct cs_arena *arena) {
    struct med_quality quality = {
        .coded = true,
        .frames = before->video.frames,
        .rate =
            before->video.rate.num > 0 ? before->video.rate : (AVRational){1, 1}, /* of spans, that there are none */
        .samples = before->audio.stream >= 0 ? samples_at_48k(before) : 0,
    };
    struct med_decode_check check = {0};
    struct cs_err ignored = {0};
    Callsheet__V1__Quality *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__quality__init(wire);
    picture_to_wire(&quality, after, arena, wire);
    wire->planned_duration_us = med_ticks_to_us(before->video.length_ticks); /* its rate may vary */
    if (quality.samples > 0) {
        sound_to_wire(&quality, after, arena, wire);
        wire->loudness = NULL; /* nobody listened */
    }
    if (med_decode_check_coded(fd, after, &check, &ignored) == CS_OK) {
        wire->decoded_frames = check.frames;
        wire->decoded_samples = check.samples;
        wire->decoded_all = check.all;
    }
    wire->copied_share = 1;
    return wire;
}
