/* The sound of an input, as a file of its own. */
#include "cs/catalog.h"
#include "graph/timeline.h"
#include "ops/ops.h"

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    (void)err;
    *ret_audio = med_clip_audio(graph, made->self, made->samples, 1);
    return CS_OK;
}

/* own_rate: the sound's, which stays where nobody asks for another and the format has it. */
static enum cs_status read_encoding(const Callsheet__V1__ExtractAudio *params, int own_rate,
                                    struct med_encoding *encoding, struct cs_err *err) {
    uint32_t wanted = params->sample_rate != NULL ? params->sample_rate->value : 0;
    uint32_t rate = cs_sound_rate(params->format, wanted != 0 ? wanted : (uint32_t)own_rate);
    uint32_t channels = params->channels != NULL ? params->channels->value : 2;
    if (wanted != 0 && rate != wanted) {
        return cs_fail_at(err, "sampleRate", "out_of_range", "this format has no sample rate of %u Hz", wanted);
    }
    if (channels < 1 || channels > 2) {
        return cs_fail_at(err, "channels", "out_of_range", "sound has 1 or 2 channels");
    }
    encoding->sound_rate = (int)rate;
    encoding->sound_channels = (int)channels;
    encoding->sound_bits_per_s = params->bitrate_kbps != NULL ? (int64_t)params->bitrate_kbps->value * 1000 : 0;
    return CS_OK;
}

enum cs_status med_op_extract_audio(struct med_job *job, const Callsheet__V1__ExtractAudio *params,
                                    struct med_made *ret_made, struct cs_err *err) {
    struct med_clip *clip = cs_arena_alloc(job->arena, sizeof(*clip));
    struct med_made made = {.self = clip, .sound = build_sound};
    CS_TRY(med_job_input(job, params->media, "media", clip, err));
    if (clip->facts->audio.stream < 0) {
        return cs_fail_at(err, "media", "no_audio", "the input has no sound");
    }
    CS_TRY(read_encoding(params, clip->facts->audio.sample_rate, &made.encoding, err));
    int64_t length_ticks =
        med_facts_length_ticks(clip->facts); /* as long as the whole: what comes late is silence first */
    int64_t samples = av_rescale(length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
    made.samples = samples < 1 ? 1 : samples;
    *ret_made = made;
    return CS_OK;
}
