#include "generate/caption.h"

#include <string.h>

#include "captions/ass_text.h"
#include "captions/draw.h"
#include "graph/timeline.h"

enum {
    PROMPT_CHARACTERS = 220, /* shown; a longer one ends in an ellipsis */
    MARGIN = 64,
    MARK_WIDTH = 244,
};

/* Bytes of at most PROMPT_CHARACTERS characters, ending at a word when cut. */
static size_t shown_length(const char *prompt, bool *ret_cut) {
    const char *end = prompt + strlen(prompt);
    const char *at = prompt;
    const char *last_space = NULL;
    int count = 0;
    while (at < end && count < PROMPT_CHARACTERS) {
        if (*at == ' ') {
            last_space = at;
        }
        (void)med_utf8_next(&at, end);
        count++;
    }
    *ret_cut = at < end;
    if (*ret_cut && last_space != NULL && count > 0 && last_space - prompt > (at - prompt) / 2) {
        at = last_space;
    }
    return (size_t)(at - prompt);
}

static int font_size(size_t length) {
    return length < 40 ? 68 : length < 90 ? 56 : length < 150 ? 46 : 38;
}

/* What is written stays inside the middle 9:16 of the picture, where a later reframe to portrait leaves it whole. */
static int side_margin(int width, int height) {
    int portrait = height * 9 / 16;
    return (width > portrait ? (width - portrait) / 2 : 0) + MARGIN / 2;
}

static void put_header(struct cs_buf *out, int width, int height, int size) {
    int side = side_margin(width, height);
    cs_buf_printf(out,
                  "[Script Info]\nScriptType: v4.00+\nPlayResX: %d\nPlayResY: %d\nWrapStyle: 0\n"
                  "ScaledBorderAndShadow: yes\nYCbCr Matrix: None\n\n[V4+ Styles]\n"
                  "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, "
                  "Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, "
                  "Alignment, MarginL, MarginR, MarginV, Encoding\n"
                  "Style: Prompt,Noto Sans,%d,&H00FFFFFF,&H00FFFFFF,&H60000000,&H80000000,-1,0,0,0,100,100,0,0,1,0,0,5,"
                  "%d,%d,%d,-1\n"
                  "Style: Mark,Noto Sans,34,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,-1,0,0,0,100,100,6,0,1,0,0,7,"
                  "0,0,0,-1\n\n[Events]\n"
                  "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n",
                  width, height, size, side, side, MARGIN);
}

/* A pill with a red dot, at the top in the middle. */
static void put_mark(struct cs_buf *out, int width, const char *end) {
    int left = (width - MARK_WIDTH) / 2;
    cs_buf_printf(
        out,
        "Dialogue: 0,0:00:00.00,%s,Mark,,0,0,0,,{\\pos(%d,%d)\\an7\\1c&H101010&\\1a&H58&\\p1}"
        "m 32 0 l 212 0 b 230 0 244 14 244 32 b 244 50 230 64 212 64 l 32 64 b 14 64 0 50 0 32 b 0 14 14 0 32 0"
        "{\\p0}\n",
        end, left, MARGIN);
    cs_buf_printf(out,
                  "Dialogue: 1,0:00:00.00,%s,Mark,,0,0,0,,{\\pos(%d,%d)\\an7\\1c&H4040FF&\\p1}"
                  "m 10 0 b 16 0 20 4 20 10 b 20 16 16 20 10 20 b 4 20 0 16 0 10 b 0 4 4 0 10 0{\\p0}\n",
                  end, left + 26, MARGIN + 22);
    cs_buf_printf(out, "Dialogue: 1,0:00:00.00,%s,Mark,,0,0,0,,{\\pos(%d,%d)\\an4}PREVIEW\n", end, left + 60,
                  MARGIN + 32);
}

static void put_prompt(struct cs_buf *out, const char *prompt, int size, const char *end, struct med_font_set *fonts) {
    bool cut = false;
    size_t length = shown_length(prompt, &cut);
    struct med_ass_writer writer = {.out = out, .family = "Noto Sans", .size = size, .language = "", .fonts = fonts};
    /* the shadow under it, blurred, then the words */
    for (int layer = 0; layer < 2; layer++) {
        cs_buf_printf(out, "Dialogue: %d,0:00:00.00,%s,Prompt,,0,0,0,,{\\fad(450,350)%s}", layer + 1, end,
                      layer == 0 ? "\\bord7\\blur12\\1a&HFF&\\3c&H000000&\\3a&H70&" : "");
        med_ass_put(&writer, prompt, length);
        cs_buf_puts(out, cut ? "…\n" : "\n");
    }
}

enum cs_status med_preview_caption(struct med_graph *graph, struct med_video *video, const char *prompt,
                                   struct med_video **ret_video, struct cs_err *err) {
    int width = 0;
    int height = 0;
    char end[MED_ASS_TIME_SIZE];
    struct med_font_set fonts = {0};
    CS_AUTO_BUF document = {0};
    med_canvas(&video->format, &width, &height);
    med_ass_time(med_ticks_at_frame(video->frames, video->format.rate) * 100 / MED_TICKS_PER_S + 1, end);
    med_font_set_add(&fonts, "Noto Sans");
    int size = font_size(strlen(prompt));
    put_header(&document, width, height, size);
    put_mark(&document, width, end);
    if (prompt[0] != '\0') {
        put_prompt(&document, prompt, size, end, &fonts);
    }
    return med_draw(graph, video, document.data, document.size, &fonts, 0, ret_video, err);
}
