/* The sound of an input, as a file of its own. */
#include "graph/timeline.h"
#include "ops/ops.h"

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    (void)err;
    *ret_audio = med_clip_audio(graph, made->self, made->samples, 1);
    return CS_OK;
}

enum cs_status med_op_extract_audio(struct med_job *job, const Callsheet__V1__ExtractAudio *params,
                                    struct med_made *ret_made, struct cs_err *err) {
    struct med_clip *clip = cs_arena_alloc(job->arena, sizeof(*clip));
    CS_TRY(med_job_input(job, params->media, "media", clip, err));
    if (clip->facts->audio.stream < 0) {
        return cs_fail_at(err, "media", "no_audio", "the input has no sound");
    }
    int64_t length_ticks =
        med_facts_length_ticks(clip->facts); /* as long as the whole: what comes late is silence first */
    int64_t samples = av_rescale(length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
    *ret_made = (struct med_made){.samples = samples < 1 ? 1 : samples, .self = clip, .sound = build_sound};
    return CS_OK;
}
