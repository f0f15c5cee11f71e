/* COVERS captions/ass_text.c cmap.c document.c fonts.c group.c style.c words.c: from words to an ASS document. */
#include <string.h>

#include "captions/ass_text.h"
#include "captions/cmap.h"
#include "captions/document.h"
#include "captions/fonts.h"
#include "captions/group.h"
#include "captions/style.h"
#include "captions/words.h"
#include "cs/test.h"

static struct cs_arena *arena;
static struct cs_err err;

static struct med_words words_of(const char *text, double end) {
    struct med_words words = {0};
    assert_ok(med_words_from_text(text, 0, (int64_t)(end * 100), arena, &words, &err), &err);
    return words;
}

static struct med_style preset(const char *name) {
    Callsheet__V1__CaptionStyle wire = CALLSHEET__V1__CAPTION_STYLE__INIT;
    struct med_style style;
    wire.preset = (char *)(uintptr_t)name;
    assert_ok(med_style_resolve(&wire, 1920, &style, &err), &err);
    return style;
}

static char *document_of(const struct med_words *words, const struct med_style *style) {
    struct cs_buf out = {0};
    struct med_font_set fonts = {0};
    assert_ok(med_document(words, style, "en", 1080, 1920, arena, &out, &fonts, &err), &err);
    char *copy = cs_arena_strdup(arena, out.data);
    cs_buf_fini(&out);
    return copy;
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        count++;
    }
    return count;
}

/* ---- text ---- */

static char *escaped(const char *text, bool keep_lines) {
    struct cs_buf out = {0};
    struct med_font_set fonts = {0};
    struct med_ass_writer writer = {.out = &out,
                                    .family = "Liberation Sans",
                                    .size = 50,
                                    .language = "en",
                                    .fonts = &fonts,
                                    .keep_lines = keep_lines};
    cs_buf_puts(&out, "");
    med_ass_put(&writer, text, strlen(text));
    char *copy = cs_arena_strdup(arena, out.data);
    cs_buf_fini(&out);
    return copy;
}

TEST(m8_markup_in_text_stays_text) {
    assert_string_equal(escaped("{\\b1}x", false), "\\{\\\xe2\x81\xa0"
                                                   "b1\\}x");
    assert_string_equal(escaped("a\\Nb", false), "a\\\xe2\x81\xa0Nb");
    assert_string_equal(escaped("a\nb\tc\x01", false), "a b c ");
    assert_string_equal(escaped("a\nb", true), "a\\Nb");
    assert_string_equal(escaped("a\nDialogue: 0,x", false), "a Dialogue: 0,x");
}

TEST(broken_utf8_becomes_a_replacement_mark) {
    assert_non_null(strstr(escaped("a\xff"
                                   "b",
                                   false),
                           "\xef\xbf\xbd"));
    assert_non_null(strstr(escaped("a\xe2\x81", false), "\xef\xbf\xbd"));
}

TEST(letters_that_the_font_lacks_come_from_another) {
    const char *text = escaped("ok \xe5\xad\x97 ok", false); /* 字 */
    assert_non_null(strstr(text, "{\\fnNoto Sans CJK"));
    assert_non_null(strstr(text, "{\\fnLiberation Sans\\fs50.0}"));
    assert_string_equal(med_fonts_for(0x5b57, "Liberation Sans", "ja-JP"), "Noto Sans CJK JP");
    assert_string_equal(med_fonts_for(0x5b57, "Liberation Sans", "zh-TW"), "Noto Sans CJK TC");
    assert_string_equal(med_fonts_for(0x627, "Liberation Sans", "ar"), "Noto Sans Arabic");
    assert_string_equal(med_fonts_for('A', "Liberation Sans", "ar"), "Liberation Sans");
    assert_null(med_fonts_for(0x10fffd, "Liberation Sans", "en"));
    assert_string_equal(escaped("a\xf4\x8f\xbf\xbd"
                                "b",
                                false),
                        "ab"); /* of no font */
    assert_true(med_fonts_size_ratio("Noto Sans Arabic", "Liberation Sans") > 1.2);
}

TEST(a_font_shows_libass_all_its_characters) {
    /* one table: a map with two records, basic plane at 100 and full at 200 */
    uint8_t font[12 + 16 + 4 + 16] = {0, 1, 0, 0, 0, 1};
    memcpy(font + 12, "cmap\0\0\0\0\0\0\0\x1c\0\0\0\x14", 16);
    memcpy(font + 28, "\0\0\0\2\0\3\0\1\0\0\0\x64\0\3\0\x0a\0\0\0\xc8", 20);
    for (size_t size = 0; size < sizeof(font); size++) { /* any cut is harmless */
        uint8_t copy[sizeof(font)];
        memcpy(copy, font, sizeof(font));
        assert_int_equal(med_cmap_widen(copy, size), 0);
    }
    assert_int_equal(med_cmap_widen(font, sizeof(font)), 1);
    assert_int_equal(font[28 + 4 + 7], 0xc8);
    uint8_t collection[16] = "ttcf\0\1\0\0\xff\xff\xff\xff\xff\xff\xff";
    assert_int_equal(med_cmap_widen(collection, sizeof(collection)), 0);
}

TEST(font_wishes_find_what_is_installed) {
    assert_string_equal(med_fonts_family("Arial"), "Liberation Sans");
    assert_string_equal(med_fonts_family("times new roman"), "Liberation Serif");
    assert_string_equal(med_fonts_family("Courier New"), "Liberation Mono");
    assert_string_equal(med_fonts_family("/etc/passwd"), "Liberation Sans");
    assert_string_equal(med_fonts_family("dejavu sans"), "DejaVu Sans");
}

TEST(m8_times_are_written_to_the_centisecond) {
    char text[MED_ASS_TIME_SIZE];
    med_ass_time(0, text);
    assert_string_equal(text, "0:00:00.00");
    med_ass_time(366109, text);
    assert_string_equal(text, "1:01:01.09");
    med_ass_time(-4, text);
    assert_string_equal(text, "0:00:00.00");
}

/* ---- words ---- */

TEST(sy_088_words_of_a_text_share_the_interval) {
    struct med_words words = words_of("  one two\nthree ", 1);
    assert_int_equal(words.count, 3);
    assert_string_equal(words.items[2].text, "three");
    assert_int_equal(words.items[0].end_cs, 33);
    assert_int_equal(words.items[1].start_cs, 33);
    assert_int_equal(words.items[2].end_cs, 100);
}

TEST(a_text_without_spaces_is_cut_into_pieces) {
    struct med_words words = words_of("\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97"
                                      "\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97",
                                      1);
    assert_int_equal(words.count, 2);
    assert_int_equal(words.items[0].characters, 8);
    assert_true(words.items[1].glued);
}

TEST(transcripts_are_lists_objects_or_segments) {
    static const char *const good[] = {
        "[{\"word\":\"a\",\"start\":0,\"end\":0.5},{\"word\":\"b\",\"start\":0.5,\"end\":1}]",
        "{\"words\":[{\"text\":\"a\",\"start\":0,\"end\":0.5},{\"text\":\"b\",\"start\":0.5,\"end\":1}]}",
        "{\"segments\":[{\"words\":[{\"word\":\"a\",\"start\":0,\"end\":0.5}]},"
        "{\"words\":[{\"word\":\"b\",\"start\":0.5,\"end\":1}]}]}",
        "[{\"word\":\"b\",\"start\":0.5,\"end\":1},{\"word\":\"a\",\"start\":0,\"end\":0.5},"
        "{\"word\":\" \",\"start\":0,\"end\":9}]",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct med_words words = {0};
        assert_ok(med_words_from_json(good[i], strlen(good[i]), arena, &words, &err), &err);
        assert_int_equal(words.count, 2);
        assert_string_equal(words.items[0].text, "a");
        assert_int_equal(words.items[1].start_cs, 50);
    }
}

TEST(t7_what_has_no_words_with_times_is_refused) {
    static const char *const bad[] = {
        "",
        "{}",
        "7",
        "[1]",
        "[{\"word\":\"a\"}]",
        "[{\"word\":1,\"start\":0,\"end\":1}]",
        "[{\"word\":\"a\",\"start\":-1,\"end\":1}]",
        "[{\"word\":\"a\",\"start\":0,\"end\":1e300}]",
        "{\"segments\":[{}]}",
        "{\"text\":\"um you know\",\"segments\":[{\"id\":0,\"start\":0,\"end\":2,\"text\":\"um you know\"}]}",
        "[{\"word\":\"a\",\"start\":0,\"end\":1}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct med_words words = {0};
        assert_fails(med_words_from_json(bad[i], strlen(bad[i]), arena, &words, &err), &err, CS_INVALID_ARGUMENT,
                     "bad_transcript");
    }
}

/* ---- grouping ---- */

TEST(sy_091_captions_end_at_their_word_count_length_and_width) {
    struct med_style style = preset("default");
    struct med_words words = words_of("a b c d e f g", 7);
    assert_true(style.words_max == 3 && style.duration_max_cs == 300 && style.characters_max == 50);
    assert_int_equal(med_group_words(&words, &style, arena).count, 3);
    style.duration_max_cs = 200;
    assert_int_equal(med_group_words(&words, &style, arena).count, 4);
    style.duration_max_cs = 300;
    style.characters_max = 1;
    assert_int_equal(med_group_words(&words, &style, arena).count, 7);
    style.characters_max = 3; /* "a b" */
    assert_int_equal(med_group_words(&words, &style, arena).count, 4);
}

TEST(captions_never_overlap_and_small_gaps_are_closed) {
    struct med_word items[3] = {
        {.text = "a", .size_bytes = 1, .characters = 1, .start_cs = 0, .end_cs = 90},
        {.text = "b", .size_bytes = 1, .characters = 1, .start_cs = 100, .end_cs = 260}, /* into the next one */
        {.text = "c", .size_bytes = 1, .characters = 1, .start_cs = 200, .end_cs = 300},
    };
    struct med_words words = {items, 3};
    struct med_style style = preset("tiktok");
    struct med_groups groups = med_group_words(&words, &style, arena);
    assert_int_equal(groups.count, 3);
    assert_int_equal(groups.items[0].end_cs, 100);
    assert_int_equal(groups.items[1].end_cs, 200);
    assert_int_equal(groups.items[2].end_cs, 300);
}

/* ---- looks ---- */

TEST(sy_090_presets_have_their_values) {
    static const struct {
        const char *name, *family;
        int size;
        bool bold;
        uint32_t color;
        double outline, shadow;
        int alignment, margin_v;
        uint32_t words;
    } wanted[] = {
        {"", "Liberation Sans", 80, true, 0x00ffffff, 3, 0, 2, 250, 1}, /* tiktok */
        {"tiktok", "Liberation Sans", 80, true, 0x00ffffff, 3, 0, 2, 250, 1},
        {"youtube", "Liberation Sans", 48, false, 0x00ffffff, 0, 0, 2, 100, 5},
        {"story", "Liberation Mono", 52, false, 0x00ffff00, 0, 0, 5, 0, 3},
        {"minimal", "Liberation Sans", 42, false, 0x00dddddd, 2, 0, 2, 80, 4},
        {"cinematic", "Liberation Serif", 40, false, 0x00e0e0e0, 0, 2, 2, 120, 6},
    };
    for (size_t i = 0; i < CS_COUNT(wanted); i++) {
        struct med_style style = preset(wanted[i].name);
        assert_string_equal(style.family, wanted[i].family);
        assert_int_equal((int)style.size, wanted[i].size);
        assert_int_equal(style.bold, wanted[i].bold);
        assert_int_equal(style.color, wanted[i].color);
        assert_int_equal(style.outline_color, 0);
        assert_true(style.outline == wanted[i].outline && style.shadow == wanted[i].shadow);
        assert_int_equal(style.alignment, wanted[i].alignment);
        assert_int_equal(style.margin_v, wanted[i].margin_v);
        assert_int_equal(style.words_max, wanted[i].words);
    }
    struct med_style tiktok = preset("tiktok");
    assert_true(tiktok.highlight && tiktok.active_color == 0x0000ffff && tiktok.inactive_color == 0x00aaaaaa);
    assert_true(tiktok.active_scale == 1.2 && !tiktok.box);
    struct med_style story = preset("story");
    assert_true(story.highlight && story.active_color == 0x00ffffff && story.inactive_color == 0x00888888);
    assert_true(story.active_scale == 1.15 && story.box && story.box_color == 0x40000000);
    assert_true(preset("youtube").box && preset("youtube").box_color == 0x80000000);
    assert_false(preset("youtube").highlight || preset("minimal").highlight || preset("cinematic").highlight);
}

TEST(m8_a_plan_changes_a_preset_without_spoiling_it) {
    Callsheet__V1__CaptionStyle wire = CALLSHEET__V1__CAPTION_STYLE__INIT;
    Google__Protobuf__UInt32Value size = GOOGLE__PROTOBUF__UINT32_VALUE__INIT;
    struct med_style style;
    size.value = 100;
    wire.font_size = &size;
    wire.color = (char *)(uintptr_t) "#f00";
    wire.background_color = (char *)(uintptr_t) "00FF00";
    wire.position = CALLSHEET__V1__CAPTION_POSITION__CAPTION_POSITION_TOP;
    assert_ok(med_style_resolve(&wire, 1920, &style, &err), &err);
    assert_int_equal((int)style.size, 100);
    assert_int_equal(style.color, 0x000000ff);
    assert_int_equal(style.box_color, 0x0000ff00);
    assert_true(style.box);
    assert_int_equal(style.alignment, 8);
    assert_int_equal((int)preset("tiktok").size, 80);
    wire.color = (char *)(uintptr_t) "red; drop";
    assert_fails(med_style_resolve(&wire, 1920, &style, &err), &err, CS_INVALID_ARGUMENT, "bad_color");
    wire.color = (char *)(uintptr_t) "";
    wire.preset = (char *)(uintptr_t) "disco";
    assert_fails(med_style_resolve(&wire, 1920, &style, &err), &err, CS_INVALID_ARGUMENT, "unknown_preset");
}

TEST(sy_093_colors_have_four_spellings_and_one_in_ass) {
    uint32_t color = 0;
    assert_true(med_color_parse("#1a2B3c", &color));
    assert_int_equal(color, 0x003c2b1a);
    assert_true(med_color_parse("fff", &color));
    assert_int_equal(color, 0x00ffffff);
    assert_true(med_color_parse("&H80000000", &color));
    assert_int_equal(color, 0x80000000);
    assert_true(med_color_parse("&H0000FF&", &color));
    assert_int_equal(color, 0x000000ff);
    assert_false(med_color_parse("#12345", &color));
    assert_false(med_color_parse("#12345g", &color));
    assert_false(med_color_parse("&H", &color));
    assert_false(med_color_parse("", &color));
}

/* ---- documents ---- */

TEST(sy_094_the_canvas_of_the_script_is_the_videos) {
    struct med_words words = words_of("one", 1);
    struct med_style style = preset("tiktok");
    struct cs_buf out = {0};
    struct med_font_set fonts = {0};
    const char *text = document_of(&words, &style);
    assert_non_null(strstr(text, "\nScriptType: v4.00+\nPlayResX: 1080\nPlayResY: 1920\nWrapStyle: 0\n"
                                 "ScaledBorderAndShadow: yes\n"));
    assert_ok(med_document(&words, &style, "en", 1922, 1080, arena, &out, &fonts, &err), &err);
    assert_non_null(strstr(out.data, "\nPlayResX: 1922\nPlayResY: 1080\n"));
    cs_buf_fini(&out);
}

TEST(sy_093_sy_095_a_background_makes_a_padded_box_of_its_color) {
    Callsheet__V1__CaptionStyle wire = CALLSHEET__V1__CAPTION_STYLE__INIT;
    Google__Protobuf__UInt32Value border = GOOGLE__PROTOBUF__UINT32_VALUE__INIT;
    Google__Protobuf__DoubleValue padding = GOOGLE__PROTOBUF__DOUBLE_VALUE__INIT;
    struct med_words words = words_of("one", 1);
    struct med_style style;
    wire.preset = (char *)(uintptr_t) "minimal";
    wire.color = (char *)(uintptr_t) "#1a2b3c";
    wire.background_color = (char *)(uintptr_t) "&H80FF0000";
    assert_ok(med_style_resolve(&wire, 1920, &style, &err), &err);
    /* a box around the whole caption (4), no outline, padded by 10 */
    static const char boxed[] = "Style: Default,Liberation Sans,42,&H003C2B1A,&H003C2B1A,&H00000000,&H80FF0000,"
                                "0,0,0,0,100,100,0,0,4,0,%s,2,60,60,80,-1\n";
    assert_non_null(strstr(document_of(&words, &style), cs_arena_sprintf(arena, boxed, "10")));
    padding.value = 24;
    wire.padding = &padding;
    assert_ok(med_style_resolve(&wire, 1920, &style, &err), &err);
    assert_non_null(strstr(document_of(&words, &style), cs_arena_sprintf(arena, boxed, "24")));
    border.value = 1; /* who wants an outline gets one */
    wire.border_style = &border;
    assert_ok(med_style_resolve(&wire, 1920, &style, &err), &err);
    assert_non_null(strstr(document_of(&words, &style), "0,0,0,0,100,100,0,0,1,2,0,2,60,60,80,-1\n"));
}

TEST(sy_092_m8_a_highlight_is_one_event_a_word_without_gaps) {
    struct med_words words = words_of("one two three", 3);
    struct med_style style = preset("story");
    const char *text = document_of(&words, &style);
    assert_int_equal(count_of(text, "Dialogue:"), 3);
    assert_non_null(strstr(text, "Dialogue: 0,0:00:00.00,0:00:01.00,"));
    assert_non_null(strstr(text, "Dialogue: 0,0:00:01.00,0:00:02.00,"));
    assert_non_null(strstr(text, "{\\1c&HFFFFFF&\\1a&H00&\\fscx100\\fscy100\\t(0,70,\\fscx115\\fscy115)}one{\\r}"));
    assert_non_null(strstr(text, "{\\1c&H888888&\\1a&H00&} two"));
    assert_int_equal(count_of(text, "{\\r}"), 3);
}

TEST(without_highlight_a_caption_is_one_event) {
    struct med_words words = words_of("one two three four five six", 6);
    struct med_style style = preset("default");
    style.duration_max_cs = 1000;
    const char *text = document_of(&words, &style);
    assert_int_equal(count_of(text, "Dialogue:"), 2);
    assert_non_null(strstr(text, ",,one two three\n"));
}

TEST(a_typewriter_shows_each_letter_in_its_place) {
    struct med_words words = words_of("abc", 3);
    struct med_style style = preset("default");
    style.animation = CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_TYPEWRITER;
    const char *text = document_of(&words, &style);
    assert_int_equal(count_of(text, "Dialogue:"), 3);
    assert_non_null(strstr(text, ",,a{\\alpha&HFF&}bc\n"));
    assert_non_null(strstr(text, ",,abc\n"));
}

TEST(m8_hostile_text_adds_no_events_and_no_tags) {
    struct med_words words = words_of("{\\p1}m{\\p0} x\nDialogue:,0 \\N{\\fscx900}", 2);
    struct med_style style = preset("minimal");
    const char *text = document_of(&words, &style);
    assert_int_equal(count_of(text, "\nDialogue:"), 1);
    assert_null(strstr(text, "{\\p1}"));
    assert_null(strstr(text, "{\\fscx900}"));
}

static int set_up(void **state) {
    (void)state;
    arena = cs_arena_create();
    return med_fonts_load(&err) == CS_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    cs_arena_destroy(arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(m8_markup_in_text_stays_text),
        CS_TEST(broken_utf8_becomes_a_replacement_mark),
        CS_TEST(letters_that_the_font_lacks_come_from_another),
        CS_TEST(a_font_shows_libass_all_its_characters),
        CS_TEST(font_wishes_find_what_is_installed),
        CS_TEST(m8_times_are_written_to_the_centisecond),
        CS_TEST(sy_088_words_of_a_text_share_the_interval),
        CS_TEST(a_text_without_spaces_is_cut_into_pieces),
        CS_TEST(transcripts_are_lists_objects_or_segments),
        CS_TEST(t7_what_has_no_words_with_times_is_refused),
        CS_TEST(sy_091_captions_end_at_their_word_count_length_and_width),
        CS_TEST(captions_never_overlap_and_small_gaps_are_closed),
        CS_TEST(sy_090_presets_have_their_values),
        CS_TEST(m8_a_plan_changes_a_preset_without_spoiling_it),
        CS_TEST(sy_093_colors_have_four_spellings_and_one_in_ass),
        CS_TEST(sy_094_the_canvas_of_the_script_is_the_videos),
        CS_TEST(sy_093_sy_095_a_background_makes_a_padded_box_of_its_color),
        CS_TEST(sy_092_m8_a_highlight_is_one_event_a_word_without_gaps),
        CS_TEST(without_highlight_a_caption_is_one_event),
        CS_TEST(a_typewriter_shows_each_letter_in_its_place),
        CS_TEST(m8_hostile_text_adds_no_events_and_no_tags),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
