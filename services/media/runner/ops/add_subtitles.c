/* Captions burnt into the picture; the sound stays. */
#include <math.h>
#include <string.h>

#include "captions/document.h"
#include "captions/draw.h"
#include "captions/words.h"
#include "cs/base/text.h"
#include "graph/sink.h"
#include "ops/talk.h"

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

static enum cs_status read_words(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                 const struct med_clip *clip, struct med_words *words, struct cs_err *err) {
    if (params->transcript != NULL) {
        return med_job_words(job, params->transcript, "transcript", words, err);
    }
    if (params->n_words > 0) {
        return med_words_from_wire(params->words, params->n_words, job->arena, words, err);
    }
    return read_text(job, params, clip, words, err);
}

enum cs_status med_op_add_subtitles(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                    struct cs_err *err) {
    struct med_clip clip;
    struct med_words words = {0};
    struct med_style style;
    struct med_font_set fonts = {0};
    int canvas_width = 0;
    int canvas_height = 0;
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &clip, err));
    struct med_picture_format format = med_format_of(clip.facts);
    struct med_length length = med_length_of(clip.facts, format.rate);
    CS_TRY(med_check_output(&format, length.frames, err));
    med_canvas(&format, &canvas_width, &canvas_height);
    CS_TRY(med_style_resolve(params->style, canvas_height, &style, err));
    CS_TRY(read_words(job, params, &clip, &words, err));
    CS_AUTO_BUF document = {0};
    const char *language = cs_str_empty(params->language) ? "en" : params->language;
    CS_TRY(med_document(&words, &style, language, canvas_width, canvas_height, job->arena, &document, &fonts, err));

    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_video *picture = med_clip_video(graph, &clip, &format, length.frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    CS_TRY(med_draw(graph, picture, document.data, document.size, &fonts, &picture, err));
    struct med_audio *sound = clip.facts->audio.stream < 0 ? NULL : med_clip_audio(graph, &clip, length.samples, 1);
    Callsheet__V1__MediaFacts *facts = NULL;
    CS_TRY(med_sink_run(graph, MED_MP4, picture, sound, fd, job->arena, &facts, err));
    med_job_add_output(job, facts);
    med_job_add_metric(job, "wordCount", (double)words.count);
    return CS_OK;
}
