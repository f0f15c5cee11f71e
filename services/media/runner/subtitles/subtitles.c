#include "subtitles/subtitles.h"

#include <string.h>

#include "cs/base/text.h"
#include "subtitles/charset.h"
#include "subtitles/lines.h"
#include "subtitles/read.h"

static bool has_line(const char *text, size_t size, const char *start) {
    struct med_lines lines = {text, text + size};
    struct med_line line;
    while (med_line_next(&lines, &line)) {
        if (med_line_starts(&line, start)) {
            return true;
        }
    }
    return false;
}

/* False: none of them. */
static bool format_of(const char *text, size_t size, enum med_subtitle_format *ret_format) {
    const char *at = text + strspn(text, " \t\r\n");
    if (cs_str_starts(at, "WEBVTT")) {
        *ret_format = MED_SUBTITLES_VTT;
    } else if (has_line(text, size, "[Events]") && has_line(text, size, "Dialogue:")) {
        *ret_format = MED_SUBTITLES_ASS;
    } else if (*at == '{' || *at == '[') {
        *ret_format = MED_SUBTITLES_JSON;
    } else if (strstr(text, "-->") != NULL) {
        *ret_format = MED_SUBTITLES_SRT;
    } else {
        return false;
    }
    return true;
}

static enum cs_status bad(struct cs_err *err) {
    return cs_fail(
        err, CS_INVALID_ARGUMENT, "bad_transcript",
        "a transcript is a JSON list of words, each with word, start and end, or an SRT, WebVTT or ASS file");
}

static enum cs_status read_cues(struct med_subtitles *subtitles, bool apart, struct cs_arena *arena,
                                struct cs_err *err) {
    struct med_cue_list list = {.arena = arena};
    if (subtitles->format == MED_SUBTITLES_ASS) {
        med_read_ass(subtitles->text, subtitles->text_bytes, &list, &subtitles->bad_times);
    } else {
        med_read_blocks(subtitles->text, subtitles->text_bytes, subtitles->format == MED_SUBTITLES_VTT, &list,
                        &subtitles->bad_times);
    }
    subtitles->dropped = list.dropped;
    enum cs_status status = med_cue_list_words(&list, apart, &subtitles->words, &subtitles->cues, err);
    med_cue_list_fini(&list);
    return status;
}

/* Each word ends where the next one begins, at the latest. */
static void set_apart(struct med_words *words) {
    for (size_t i = words->count; i-- > 1;) {
        struct med_word *word = &words->items[i - 1];
        word->end_cs = word->end_cs < words->items[i].start_cs ? word->end_cs : words->items[i].start_cs;
        word->start_cs = word->start_cs < word->end_cs ? word->start_cs : word->end_cs;
    }
}

enum cs_status med_subtitles_read(const char *bytes, size_t size_bytes, bool apart, struct cs_arena *arena,
                                  struct med_subtitles *ret_subtitles, struct cs_err *err) {
    struct med_subtitles subtitles = {0};
    CS_AUTO_BUF text = {0};
    cs_buf_puts(&text, "");
    enum med_charset charset = med_charset_decode(bytes, size_bytes, &text);
    subtitles.guessed_encoding = charset == MED_CHARSET_WINDOWS_1251 || charset == MED_CHARSET_WINDOWS_1252;
    subtitles.text = cs_arena_strndup(arena, text.data, text.size);
    subtitles.text_bytes = text.size;
    if (memchr(text.data, '\0', text.size) != NULL || !format_of(subtitles.text, text.size, &subtitles.format)) {
        return bad(err);
    }
    if (subtitles.format == MED_SUBTITLES_JSON) {
        CS_TRY(med_words_from_json(subtitles.text, text.size, arena, &subtitles.words, err));
        size_t count = subtitles.words.count;
        if (apart) {
            set_apart(&subtitles.words);
        }
        subtitles.cues = count > 0 ? subtitles.words.items[count - 1].cue : 0;
    } else {
        CS_TRY(read_cues(&subtitles, apart, arena, err));
    }
    *ret_subtitles = subtitles;
    return CS_OK;
}
