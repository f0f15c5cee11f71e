/* Captions burnt into the picture; the sound stays. */
#include "captions/document.h"
#include "captions/draw.h"
#include "cs/base/text.h"
#include "ops/subtitles.h"
#include "subtitles/ass_file.h"

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
    double box_radius;
    struct med_words words;
    const Callsheet__V1__AddSubtitles *params; /* the job's */
};

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct subtitles *subtitles = made->self;
    struct med_video *picture =
        med_clip_video(graph, &subtitles->clip, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    return med_draw(graph, picture, subtitles->document, subtitles->document_bytes, &subtitles->fonts,
                    subtitles->box_radius, ret_video, err);
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
    CS_TRY(med_subtitles_of(job, params, &subtitles->clip, false, &said, err));
    subtitles->words = said.words;
    subtitles->params = params;
    med_job_add_metric(job, "wordCount", (double)said.words.count);
    CS_AUTO_BUF document = {0};
    const char *language = cs_str_empty(params->language) ? "en" : params->language;
    if (said.format == MED_SUBTITLES_ASS && params->style == NULL) {
        CS_TRY(med_ass_file(said.text, said.text_bytes, language, job->arena, &document, &subtitles->fonts, err));
    } else {
        CS_TRY(read_style(params, &said, canvas_height, &style, err));
        subtitles->box_radius = style.radius;
        CS_TRY(med_document(&said.words, &style, language, canvas_width, canvas_height, job->arena, &document,
                            &subtitles->fonts, err));
    }
    subtitles->document = cs_arena_copy(job->arena, document.data, document.size);
    subtitles->document_bytes = document.size;
    return CS_OK;
}

static enum cs_status write_files(const struct med_made *made, struct med_job *job, int fd, struct cs_err *err) {
    const struct subtitles *subtitles = made->self;
    (void)fd;
    return med_subtitles_write_files(job, subtitles->params, &subtitles->words, err);
}

enum cs_status med_op_add_subtitles(struct med_job *job, const Callsheet__V1__AddSubtitles *params,
                                    struct med_made *ret_made, struct cs_err *err) {
    struct subtitles *subtitles = cs_arena_alloc(job->arena, sizeof(*subtitles));
    if (cs_str_eq(params->mode, "soft")) {
        return cs_fail_at(err, "mode", "out_of_range", "soft subtitles are no step of a chain: nothing is drawn");
    }
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
