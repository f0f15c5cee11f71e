/* What is said, as a transcript with subtitle files. */
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include "cs/catalog.h"
#include "edit/retime.h"
#include "graph/av.h"
#include "graph/progress.h"
#include "graph/timeline.h"
#include "ops/talk.h"
#include "speech/chunks.h"
#include "speech/recognizer.h"

enum { BLOCK = 4800 }; /* samples of 48 kHz */

static struct med_recognizer *ready; /* of this process; opened before the sandbox */

enum cs_status med_transcribe_prepare(struct cs_err *err) {
    return ready != NULL ? CS_OK : med_recognizer_open(&ready, err);
}

static enum cs_status open_converter(SwrContext **ret_converter, struct cs_err *err) {
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    int result = swr_alloc_set_opts2(ret_converter, &mono, AV_SAMPLE_FMT_S16, MED_HEARING_RATE, &stereo,
                                     AV_SAMPLE_FMT_FLT, MED_SAMPLE_RATE, 0, NULL);
    result = result >= 0 ? swr_init(*ret_converter) : result;
    return result >= 0 ? CS_OK : med_av_fail(err, CS_INTERNAL, "resample", result, "resampling sound");
}

static enum cs_status ear_hear(void *self, const int16_t *samples, size_t count, struct cs_err *err) {
    return med_recognizer_hear(self, samples, count, err);
}

static enum cs_status ear_finish(void *self, struct cs_arena *arena, struct med_words *ret_words,
                                 double **ret_confidences, struct cs_err *err) {
    return med_recognizer_finish(self, arena, ret_words, ret_confidences, err);
}

static enum cs_status hear(struct med_chunks *chunks, SwrContext *converter, const float *stereo, int count,
                           struct cs_err *err) {
    int16_t mono[BLOCK];
    uint8_t *out[1] = {(uint8_t *)mono};
    const uint8_t *in[1] = {(const uint8_t *)stereo};
    int got = swr_convert(converter, out, BLOCK, stereo != NULL ? in : NULL, count);
    if (got < 0) {
        return med_av_fail(err, CS_INTERNAL, "resample", got, "resampling sound");
    }
    return med_chunks_hear(chunks, mono, (size_t)got, err);
}

static enum cs_status hear_all(const struct med_job *job, struct med_audio *sound, struct med_chunks *chunks,
                               SwrContext *converter, struct cs_err *err) {
    float stereo[2 * BLOCK];
    struct med_progress progress =
        med_progress_begin(job->events, "transcribing", sound->samples * 1000000 / MED_SAMPLE_RATE);
    for (int64_t done = 0; done < sound->samples;) {
        int64_t left = sound->samples - done;
        int count = left < BLOCK ? (int)left : BLOCK;
        CS_TRY(sound->pull(sound, stereo, (size_t)count, err));
        CS_TRY(hear(chunks, converter, stereo, count, err));
        done += count;
        med_progress_tell(&progress, done * 1000000 / MED_SAMPLE_RATE);
    }
    return hear(chunks, converter, NULL, 0, err);
}

static enum cs_status write_all(struct med_job *job, const struct med_heard *heard, struct cs_err *err) {
    const struct med_transcript_about about = {.language = "en",
                                               .model = MED_RECOGNIZER_MODEL,
                                               .quality = "draft",
                                               .limits = MED_RECOGNIZER_LIMITS,
                                               .confidences = heard->confidences};
    struct med_cues cues = med_cues_of(&heard->words, MED_CUES_ON_FRAMES, job->arena);
    CS_AUTO_BUF json = {0};
    med_transcript_write(&heard->words, &cues, &about, &json);
    CS_TRY(med_job_write_text(job, 0, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT, err));
    CS_TRY(med_job_write_subtitles(job, 1, &heard->words, &cues, err));
    double sum = 0;
    for (size_t i = 0; i < heard->words.count; i++) {
        sum += heard->confidences[i];
    }
    med_job_add_metric(job, "wordCount", (double)heard->words.count);
    med_job_add_metric(job, "averageConfidence", heard->words.count > 0 ? sum / (double)heard->words.count : 0);
    med_job_add_metric(job, "chunks", (double)heard->chunks);
    med_job_add_metric(job, "failedChunks", (double)heard->failed);
    return CS_OK;
}

static enum cs_status transcribe(struct med_job *job, struct med_audio *sound, struct cs_err *err) {
    const struct med_ear ear = {ear_hear, ear_finish, ready};
    struct med_heard heard = {0};
    SwrContext *converter = NULL;
    int64_t samples = av_rescale(sound->samples, MED_HEARING_RATE, MED_SAMPLE_RATE);
    CS_AUTO(med_chunks) *chunks = med_chunks_create(&ear, samples, job->arena);
    CS_TRY(open_converter(&converter, err));
    enum cs_status status = hear_all(job, sound, chunks, converter, err);
    swr_free(&converter);
    CS_TRY(status);
    CS_TRY(med_chunks_finish(chunks, &heard, err));
    return write_all(job, &heard, err);
}

enum cs_status med_op_transcribe(struct med_job *job, const Callsheet__V1__Transcribe *params, struct cs_err *err) {
    struct med_clip clip;
    CS_TRY(med_transcribe_prepare(err));
    CS_TRY(med_job_input(job, params->media, "media", &clip, err));
    if (!cs_spoken_language(params->language)) {
        return cs_fail_at(err, "language", "language_not_supported", "the local recogniser knows English only");
    }
    if (clip.facts->audio.stream < 0) {
        return cs_fail_at(err, "media", "no_audio", "the input has no sound");
    }
    int64_t samples = av_rescale(med_facts_length_ticks(clip.facts), MED_SAMPLE_RATE, MED_TICKS_PER_S);
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    enum cs_status status = transcribe(job, med_clip_audio(graph, &clip, samples < 1 ? 1 : samples, 1), err);
    med_recognizer_close(cs_steal(&ready));
    return status;
}
