#include "ops/subtitles.h"

#include <math.h>
#include <string.h>

#include "cs/base/text.h"
#include "edit/cue_lint.h"

enum { TEXT_BYTES_MAX = 20000 };

static enum cs_status read_text(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                const struct med_clip *clip, struct med_words *words, struct cs_err *err) {
    double length = med_ticks_to_seconds(clip->facts->video.length_ticks);
    double start = params->start == NULL ? 0 : params->start->value;
    double end = params->end == NULL ? length : params->end->value;
    if (cs_str_empty(params->text) || strlen(params->text) > TEXT_BYTES_MAX) {
        return cs_fail_at(err, "text", "out_of_range", "captions need a text of 1 to %d bytes, words or a transcript",
                          TEXT_BYTES_MAX);
    }
    if (!(start >= 0 && start < 1e5) || !(end > start && end < 1e5)) {
        return cs_fail_at(err, "end", "out_of_range", "captions must end after they start");
    }
    CS_TRY(med_words_from_text(params->text, llround(start * 100), llround(end * 100), job->arena, words, err));
    return words->count > 0 ? CS_OK
                            : cs_fail_at(err, "text", "out_of_range", "the text of the captions is only spaces");
}

static enum cs_status read_source(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                  const struct med_clip *clip, bool apart, struct med_subtitles *said,
                                  struct cs_err *err) {
    if (params->transcript != NULL) {
        return med_job_subtitles(job, params->transcript, "transcript", apart, said, err);
    }
    if (params->n_words > 0) {
        return med_words_from_wire(params->words, params->n_words, job->arena, &said->words, err);
    }
    return read_text(job, params, clip, &said->words, err);
}

enum cs_status med_subtitles_of(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                const struct med_clip *clip, bool apart, struct med_subtitles *ret_said,
                                struct cs_err *err) {
    struct med_subtitles said = {0};
    CS_TRY(read_source(job, params, clip, apart, &said, err));
    if (said.cues > 0) {
        struct med_cues cues = med_cues_of(&said.words, MED_CUES_AS_SAID, job->arena);
        struct med_cue_lint lint = med_cue_lint(&said.words, &cues);
        med_job_add_metric(job, "maxCharsPerLine", (double)lint.characters_per_line);
        med_job_add_metric(job, "maxLines", (double)lint.lines);
        med_job_add_metric(job, "maxCps", lint.characters_per_second);
    }
    *ret_said = said;
    return CS_OK;
}

enum cs_status med_subtitles_write_files(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                         const struct med_words *words, struct cs_err *err) {
    const struct med_transcript_about about = {.language = cs_str_empty(params->language) ? "en" : params->language};
    struct med_cues cues = med_cues_of(words, MED_CUES_AS_SAID, job->arena);
    CS_AUTO_BUF json = {0};
    med_transcript_write(words, &cues, &about, &json);
    CS_TRY(med_job_write_text(job, 1, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT, err));
    return med_job_write_subtitles(job, 2, words, &cues, err);
}
