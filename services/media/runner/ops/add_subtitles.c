/* Captions burnt into the picture; the sound stays. */
#include <math.h>
#include <string.h>

#include "captions/document.h"
#include "captions/draw.h"
#include "captions/words.h"
#include "cs/base/text.h"
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

struct subtitles {
    struct med_clip clip;
    const char *document;
    size_t document_bytes;
    struct med_font_set fonts;
};

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct subtitles *subtitles = made->self;
    struct med_video *picture =
        med_clip_video(graph, &subtitles->clip, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    return med_draw(graph, picture, subtitles->document, subtitles->document_bytes, &subtitles->fonts, ret_video, err);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct subtitles *subtitles = made->self;
    (void)err;
    *ret_audio = med_clip_audio(graph, &subtitles->clip, made->samples, 1);
    return CS_OK;
}

static enum cs_status write_document(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                     const struct med_picture_format *format, struct subtitles *subtitles,
                                     struct cs_err *err) {
    struct med_words words = {0};
    struct med_style style;
    int canvas_width = 0;
    int canvas_height = 0;
    med_canvas(format, &canvas_width, &canvas_height);
    CS_TRY(med_style_resolve(params->style, canvas_height, &style, err));
    CS_TRY(read_words(job, params, &subtitles->clip, &words, err));
    CS_AUTO_BUF document = {0};
    const char *language = cs_str_empty(params->language) ? "en" : params->language;
    CS_TRY(med_document(&words, &style, language, canvas_width, canvas_height, job->arena, &document, &subtitles->fonts,
                        err));
    subtitles->document = cs_arena_copy(job->arena, document.data, document.size);
    subtitles->document_bytes = document.size;
    med_job_add_metric(job, "wordCount", (double)words.count);
    return CS_OK;
}

enum cs_status med_op_add_subtitles(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                    struct med_made *ret_made, struct cs_err *err) {
    struct subtitles *subtitles = cs_arena_alloc(job->arena, sizeof(*subtitles));
    CS_TRY(med_job_video_input(job, params->video, "video", &subtitles->clip, err));
    struct med_made made = med_made_like(&subtitles->clip);
    CS_TRY(med_check_output(&made.format, made.frames, err));
    CS_TRY(write_document(job, params, &made.format, subtitles, err));
    made.self = subtitles;
    made.picture = build_picture;
    made.sound = build_sound;
    *ret_made = made;
    return CS_OK;
}
