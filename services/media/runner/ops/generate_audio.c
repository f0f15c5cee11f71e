/* Speech from text, by the packaged voices. The output's name decides its format: .wav, .mp3, else AAC in .m4a. */
#include "cs/base/text.h"
#include "generate/speech.h"
#include "graph/sink.h"
#include "ops/ops.h"

static enum med_container container_of(const struct med_job *job) {
    const char *name = job->wire->outputs[0];
    return cs_str_ends(name, ".wav") ? MED_WAV : cs_str_ends(name, ".mp3") ? MED_MP3 : MED_M4A;
}

enum cs_status med_op_generate_audio(struct med_job *job, const Callsheet__V1__GenerateAudio *params,
                                     struct cs_err *err) {
    double speed = params->speed == NULL ? 1 : params->speed->value;
    struct med_audio *speech = NULL;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    if (!(speed >= 0.5 && speed <= 2)) {
        return cs_fail_at(err, "speed", "out_of_range", "a speed is 0.5 to 2");
    }
    if (params->text[0] == '\0') {
        return cs_fail_at(err, "text", "no_speech", "the text is empty");
    }
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    CS_TRY(med_speech(graph, params->text, params->voice, speed, &speech, err));
    Callsheet__V1__MediaFacts *facts = NULL;
    Callsheet__V1__Quality *quality = NULL;
    CS_TRY(med_sink_run(graph, &(struct med_encoding){.container = container_of(job)}, NULL, speech, fd, job->arena,
                        &facts, &quality, err));
    med_job_add_output(job, facts);
    med_job_add_quality(job, quality);
    return CS_OK;
}
