/* The sound of an input, as a file of its own. */
#include "graph/sink.h"
#include "graph/timeline.h"
#include "ops/ops.h"

enum cs_status med_op_extract_audio(struct med_job *job, const Callsheet__V1__ExtractAudio *params,
                                    struct cs_err *err) {
    struct med_clip clip;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(med_job_input(job, params->media, "media", &clip, err));
    if (clip.facts->audio.stream < 0) {
        return cs_fail_at(err, "media", "no_audio", "the input has no sound");
    }
    int64_t length_ticks =
        med_facts_length_ticks(clip.facts); /* as long as the whole: what comes late is silence first */
    int64_t samples = av_rescale(length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);

    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_audio *sound = med_clip_audio(graph, &clip, samples < 1 ? 1 : samples, 1);
    Callsheet__V1__MediaFacts *facts = NULL;
    CS_TRY(med_sink_run(graph, MED_MP3, NULL, sound, fd, job->arena, &facts, err));
    med_job_add_output(job, facts);
    return CS_OK;
}
