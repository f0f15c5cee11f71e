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
                                 const struct med_clip *clip, struct med_subtitles *said, struct cs_err *err) {
    if (params->transcript != NULL) {
        return med_job_subtitles(job, params->transcript, "transcript", false, said, err);
    }
    if (params->n_words > 0) {
        return med_words_from_wire(params->words, params->n_words, job->arena, &said->words, err);
    }
    return read_text(job, params, clip, &said->words, err);
}

/* Whole lines of a subtitle file want another look than single words, when the plan wants none. */
static enum cs_status read_style(const Callsheet__V1__AddSubtitles *params, const struct med_subtitles *said,
                                 int canvas_height, struct med_style *style, struct cs_err *err) {
    Callsheet__V1__CaptionStyle plain = CALLSHEET__V1__CAPTION_STYLE__INIT;
    if (params->style != NULL) {
        plain = *params->style;
    }
    if (said->cues > 0 && cs_str_empty(plain.preset)) {
        plain.preset = (char *)(uintptr_t) "default";
    }
    return med_style_resolve(&plain, canvas_height, style, err);
}

struct subtitles {
    struct med_clip clip;
    const char *document;
    size_t document_bytes;
    struct med_font_set fonts;
    struct med_words words;
    const char *language;
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
    struct med_subtitles said = {0};
    struct med_style style;
    int canvas_width = 0;
    int canvas_height = 0;
    med_canvas(format, &canvas_width, &canvas_height);
    CS_TRY(read_words(job, params, &subtitles->clip, &said, err));
    CS_TRY(read_style(params, &said, canvas_height, &style, err));
    CS_AUTO_BUF document = {0};
    subtitles->language = cs_str_empty(params->language) ? "en" : params->language;
    subtitles->words = said.words;
    CS_TRY(med_document(&said.words, &style, subtitles->language, canvas_width, canvas_height, job->arena, &document,
                        &subtitles->fonts, err));
    subtitles->document = cs_arena_copy(job->arena, document.data, document.size);
    subtitles->document_bytes = document.size;
    med_job_add_metric(job, "wordCount", (double)said.words.count);
    return CS_OK;
}

/* What is shown, as files. */
static enum cs_status write_files(const struct med_made *made, struct med_job *job, int fd, struct cs_err *err) {
    const struct subtitles *subtitles = made->self;
    const struct med_transcript_about about = {.language = subtitles->language};
    struct med_cues cues = med_cues_of(&subtitles->words, MED_CUES_AS_SAID, job->arena);
    CS_AUTO_BUF json = {0};
    (void)fd;
    med_transcript_write(&subtitles->words, &cues, &about, &json);
    CS_TRY(med_job_write_text(job, 1, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT, err));
    return med_job_write_subtitles(job, 2, &subtitles->words, &cues, err);
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
    made.finish = params->subtitle_files ? write_files : NULL;
    *ret_made = made;
    return CS_OK;
}
