/* COVERS subtitles/charset.c cue_list.c lines.c markup.c read_ass.c read_blocks.c subtitles.c times.c, timed_text.c
 * ass_file.c, edit/cues.c cue_lint.c: files of subtitles in, words, and files out again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captions/fonts.h"
#include "cs/test.h"
#include "edit/cue_lint.h"
#include "edit/retime.h"
#include "subtitles/ass_file.h"
#include "subtitles/charset.h"
#include "subtitles/subtitles.h"
#include "subtitles/timed_text.h"

static struct cs_arena *arena;
static struct cs_err err;

static struct med_subtitles read_bytes(const char *bytes, size_t size) {
    struct med_subtitles subtitles = {0};
    assert_ok(med_subtitles_read(bytes, size, false, arena, &subtitles, &err), &err);
    return subtitles;
}

static struct med_subtitles read_text(const char *text) {
    return read_bytes(text, strlen(text));
}

static char *written(const struct med_words *words, enum med_subtitle_format format) {
    struct med_cues cues = med_cues_of(words, MED_CUES_AS_SAID, arena);
    const struct med_transcript_about about = {.language = "en"};
    CS_AUTO_BUF out = {0};
    cs_buf_puts(&out, "");
    switch (format) {
    case MED_SUBTITLES_SRT:
        med_cues_write_srt(words, &cues, &out);
        break;
    case MED_SUBTITLES_VTT:
        med_cues_write_vtt(words, &cues, &out);
        break;
    case MED_SUBTITLES_ASS:
        med_cues_write_ass(words, &cues, &out);
        break;
    default:
        med_transcript_write(words, &cues, &about, &out);
        break;
    }
    return cs_arena_strdup(arena, out.data);
}

/* As SRT: the shortest way to see everything. */
static char *shown(const struct med_subtitles *subtitles) {
    return written(&subtitles->words, MED_SUBTITLES_SRT);
}

#define assert_shown(text, want)                                                                                       \
    do {                                                                                                               \
        struct med_subtitles read_ = read_text(text);                                                                  \
        assert_string_equal(shown(&read_), want);                                                                      \
    } while (0)

#define CUE "1\n00:00:01,000 --> 00:00:02,000\n"

/* ---- encodings ---- */

static char *decoded(const char *bytes, size_t size, enum med_charset want) {
    CS_AUTO_BUF out = {0};
    cs_buf_puts(&out, "");
    assert_int_equal(med_charset_decode(bytes, size, &out), want);
    return cs_arena_strdup(arena, out.data);
}

TEST(a_text_is_read_in_whatever_encoding_it_was_saved) {
    assert_string_equal(decoded("\xef\xbb\xbfgr\xc3\xbcn", 8, MED_CHARSET_UTF8), "gr\xc3\xbcn");
    assert_string_equal(decoded("gr\xc3\xbcn", 5, MED_CHARSET_UTF8), "gr\xc3\xbcn");
    assert_string_equal(decoded("\xff\xfe"
                                "a\0\xfc\0\x3d\xd8\x00\xde",
                                10, MED_CHARSET_UTF16LE),
                        "a\xc3\xbc\xf0\x9f\x98\x80");
    assert_string_equal(decoded("\xfe\xff\0a\0\xfc", 6, MED_CHARSET_UTF16BE), "a\xc3\xbc");
    assert_string_equal(decoded("\0a\0b", 4, MED_CHARSET_UTF16BE), "ab");
    assert_string_equal(decoded("a\0b\0", 4, MED_CHARSET_UTF16LE), "ab");
    assert_string_equal(decoded("gr\xfcn \x80 5", 8, MED_CHARSET_WINDOWS_1252), "gr\xc3\xbcn \xe2\x82\xac 5");
    assert_string_equal(decoded("\xc2\xf1\xb8", 3, MED_CHARSET_WINDOWS_1251), "\xd0\x92\xd1\x81\xd1\x91");
    assert_string_equal(decoded("", 0, MED_CHARSET_UTF8), "");
}

TEST(halves_of_characters_become_replacement_marks) {
    assert_string_equal(decoded("\xff\xfe\x3d\xd8"
                                "a\0",
                                6, MED_CHARSET_UTF16LE),
                        "\xef\xbf\xbd"
                        "a");
    assert_string_equal(decoded("\xff\xfe\x00\xde", 4, MED_CHARSET_UTF16LE), "\xef\xbf\xbd");
    assert_string_equal(decoded("\xff\xfe\x3d\xd8", 4, MED_CHARSET_UTF16LE), "\xef\xbf\xbd");
    assert_string_equal(decoded("\xef\xbb\xbf\xff", 4, MED_CHARSET_UTF8), "\xef\xbf\xbd");
}

/* ---- times ---- */

TEST(times_are_read_as_far_as_they_can_be_understood_and_counted) {
    static const struct {
        const char *line;
        const char *want; /* NULL: dropped */
        size_t bad;
    } cases[] = {
        {"00:00:01,000 --> 00:00:02,500", "00:00:01,000 --> 00:00:02,500", 0},
        {"00:00:01,000-->00:00:02,500 X1:1 Y1:2", "00:00:01,000 --> 00:00:02,500", 0},
        {"00:00:01,5 --> 00:00:02,5000", "00:00:01,500 --> 00:00:02,500", 1},
        {"00:00:001.2 --> 0:0:2.5", "00:00:01,200 --> 00:00:02,500", 1},
        {"00:01 --> 00:02", "00:00:01,000 --> 00:00:02,000", 1},
        {"00:00:01:20 --> 00:00:02:50", "00:00:01,200 --> 00:00:02,500", 1},
        {"00:00:01,994 --> 00:00:02,996", "00:00:01,990 --> 00:00:03,000", 0},
        {"25:00:00,000 --> 25:00:01,000", "25:00:00,000 --> 25:00:01,000", 0},
        {"00:00:05,000 --> 00:00:04,000", NULL, 0},
        {"00:00:05,000 --> 00:00:05,000", NULL, 0},
        {"99:59:59,999 --> 100:00:10,000", NULL, 0},
        {"9999999999999999999:00:00,000 --> 9999999999999999999:00:10,000", NULL, 0},
        {"soon --> later", NULL, 1},
        {"-->", NULL, 1},
        {"1 --> 2", NULL, 1},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct med_subtitles read = read_text(cs_arena_sprintf(arena, "1\n%s\nhi\n", cases[i].line));
        assert_int_equal(read.bad_times, cases[i].bad);
        assert_int_equal(read.dropped, cases[i].want == NULL);
        const char *want = cases[i].want == NULL ? "" : cs_arena_sprintf(arena, "1\n%s\nhi\n\n", cases[i].want);
        assert_string_equal(shown(&read), want);
    }
}

/* ---- SRT and WebVTT ---- */

TEST(cues_are_found_without_numbers_and_without_blank_lines) {
    assert_shown("00:00:01,000 --> 00:00:02,000\r\none\r\n\r\n00:00:03,000 --> 00:00:04,000\r\ntwo",
                 CUE "one\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n\n");
    assert_shown("1\n00:00:01,000 --> 00:00:02,000\none\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n",
                 CUE "one\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n\n");
    assert_shown("1\r\r\n00:00:01,000 --> 00:00:02,000\r\r\none\r\r\ntwo\r\r\n\r\r\nlost\r\r\n", CUE "one\ntwo\n\n");
    assert_shown("1\r00:00:01,000 --> 00:00:02,000\rone\r\r", CUE "one\n\n");
    assert_shown("1\n00:00:01,000 --> 00:00:02,000\n7\n2\n00:00:03,000 --> 00:00:04,000\n",
                 CUE "7\n\n"); /* a number may be said */
}

TEST(cues_are_sorted_and_may_overlap) {
    static const char text[] =
        "1\n00:00:03,000 --> 00:00:05,000\nlate\n\n2\n00:00:01,000 --> 00:00:04,000\nearly bird\n\n"
        "3\n00:00:03,000 --> 00:00:06,000\nmore\n";
    assert_shown(text, "1\n00:00:01,000 --> 00:00:04,000\nearly bird\n\n2\n00:00:03,000 --> 00:00:05,000\nlate\n\n"
                       "3\n00:00:03,000 --> 00:00:06,000\nmore\n\n");
    struct med_subtitles apart = {0};
    assert_ok(med_subtitles_read(text, strlen(text), true, arena, &apart, &err), &err);
    assert_string_equal(shown(&apart), "1\n00:00:01,000 --> 00:00:03,000\nearly bird\n\n"
                                       "2\n00:00:03,000 --> 00:00:06,000\nlate\nmore\n\n");
}

TEST(srt_keeps_looks_and_nothing_else_of_its_markup) {
    assert_shown(CUE "<i>a <b>b</b></i> c\n", CUE "<i>a</i> <b><i>b</i></b> c\n\n");
    assert_shown(CUE "un<B>believ</B>able\n", CUE "un<b>believ</b>able\n\n");
    assert_shown(CUE "<font color=\"#ff8000\" size=9>a <font color=red>b</font> c</font> d\n", CUE
                 "<font color=\"#ff8000\">a</font> <font color=\"#ff0000\">b</font> <font color=\"#ff8000\">c</font> "
                 "d\n\n");
    assert_shown(CUE "<script>x</script><img src=x onerror=alert(1)>y\n", CUE "xy\n\n");
    assert_shown(CUE "a < b <3 > c & </ d <>\n", CUE "a < b <3 > c & </ d <>\n\n");
    assert_shown(CUE "{\\an8\\fs400\\p1}m 0 0 l 9 9{\\p0}up { \\an2}\n", CUE "up { \\an2}\n\n");
    assert_shown(CUE "</i></b></font>a<u>\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n",
                 CUE "a\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n\n"); /* an open tag ends with its cue */
}

TEST(webvtt_knows_its_header_notes_settings_entities_and_voices) {
    static const char text[] =
        "WEBVTT - title\n\nSTYLE\n::cue { color: red }\n\nNOTE\nnot shown\n\nid\n00:01.000 --> 00:02.000 line:80%\n"
        "<v Anna><i.x>a</i> &amp; &lt;b&gt; &#65;&#x42;&nope; {\\an8}</v>\n<00:00:01.500><c.red>c</c>\n";
    struct med_subtitles read = read_text(text);
    assert_int_equal(read.format, MED_SUBTITLES_VTT);
    assert_int_equal(read.bad_times, 0);
    assert_string_equal(shown(&read), CUE "<i>a</i> & <b> AB&nope; {\\an8}\nc\n\n");
    assert_non_null(strstr(written(&read.words, MED_SUBTITLES_VTT), "<i>a</i> &amp; &lt;b&gt; AB&amp;nope; "));
}

/* ---- ASS ---- */

TEST(ass_events_are_read_by_the_names_of_their_columns) {
    static const char text[] =
        "[Script Info]\nPlayResX: 300\n[V4+ Styles]\nFormat: Name\nStyle: Default\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, Text\n"
        "Comment: 0,0:00:00.00,0:00:09.00,Default,,hidden\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,Default,Olly,{\\pos(1,2)\\b1}a{\\b0}, b\\Nc\\hd {note}e\n"
        "Dialogue: 0,0:00:01:00,0:00:02:00,Default,Olly,{\\c&H0000FF&}red{\\r}{\\p1}m 0 0{\\p0}\n"
        "[Fonts]\nDialogue: 0,0:00:05.00,0:00:06.00,Default,,no\n";
    struct med_subtitles read = read_text(text);
    assert_int_equal(read.format, MED_SUBTITLES_ASS);
    assert_int_equal(read.bad_times, 1);
    assert_string_equal(shown(&read), CUE "<font color=\"#ff0000\">red</font>\n\n2\n00:00:03,000 --> 00:00:04,000\n"
                                          "<b>a</b>, b\nc\xc2\xa0"
                                          "d e\n\n");
}

static char *ass_document_of(const char *text, size_t size) {
    struct med_font_set fonts = {0};
    CS_AUTO_BUF out = {0};
    cs_buf_puts(&out, "");
    assert_ok(med_ass_file(text, size, "ja", arena, &out, &fonts, &err), &err);
    return cs_arena_strdup(arena, out.data);
}

static const char foreign[] =
    "[Script Info]\nTitle: x\nPlayResX: 300\n[Fonts]\nfontname: a.ttf\n!!!\n[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize\nStyle: Sign,No Such Font,30\nStyle: Serif, Times New Roman,30\n"
    "[Events]\nFormat: Layer, Start, End, Style, Text\nComment: 0,0:00:00.00,0:00:01.00,Sign,hidden\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,Serif,{note}{\\pos(1,2)\\fnArial\\b1}a\xe5\xad\x97{\\rSign}b\\N{\\p1}m 0 "
    "0{\\p0}\n"
    "[Graphics]\nfilename: b.png\n!!!\n";

TEST(an_ass_file_keeps_styles_and_effects_and_gets_fonts_that_are_there) {
    assert_ok(med_fonts_load(&err), &err);
    assert_string_equal(
        ass_document_of(foreign, sizeof(foreign) - 1),
        "[Script Info]\nPlayResX: 300\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
        "Style: Sign,Liberation Sans,30\nStyle: Serif,Liberation Serif,30\n[Events]\n"
        "Format: Layer, Start, End, Style, Text\nDialogue: 0,0:00:01.00,0:00:02.00,Serif,"
        "{\\pos(1,2)\\fnLiberation Sans\\b1}a{\\fnNoto Sans CJK JP}\xe5\xad\x97{\\fnLiberation Sans}{\\rSign}b"
        "\\N{\\p1}m 0 0{\\p0}\n");
}

TEST(any_part_of_an_ass_file_is_harmless) {
    assert_ok(med_fonts_load(&err), &err);
    for (size_t from = 0; from < sizeof(foreign) - 1; from += 3) {
        for (size_t size = 0; from + size < sizeof(foreign); size += 5) {
            char *copy = malloc(size + 1);
            memcpy(copy, foreign + from, size);
            copy[size] = '\0';
            assert_null(strstr(ass_document_of(copy, size), "!!!"));
            free(copy);
        }
    }
}

TEST(what_is_no_subtitle_file_is_refused) {
    static const char *const bad[] = {"", "hello", "WEB", "[Events]\n", "{\"cuts\":[]}", "\177ELF\001"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct med_subtitles subtitles = {0};
        assert_fails(med_subtitles_read(bad[i], strlen(bad[i]), false, arena, &subtitles, &err), &err,
                     CS_INVALID_ARGUMENT, "bad_transcript");
    }
    struct med_subtitles nuls = {0};
    assert_fails(med_subtitles_read("-->\0\0\0x", 8, false, arena, &nuls, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_transcript");
    assert_string_equal(shown(&(struct med_subtitles){.words = read_text("WEBVTT\n").words}), ""); /* nothing is said */
}

TEST(any_part_of_a_file_is_read_or_refused) {
    static const char text[] =
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<b>a &amp; &#x41; <font color=\"red\">\xe5\xad\x97</b>\n\n"
        "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,{\\i1\\c&Hff&}x\\N{\\p1\\";
    for (size_t from = 0; from < sizeof(text) - 1; from++) {
        for (size_t size = 0; from + size < sizeof(text); size++) {
            struct med_subtitles subtitles = {0};
            char *copy = malloc(size + 1);
            memcpy(copy, text + from, size);
            (void)!med_subtitles_read(copy, size, true, arena, &subtitles, &err);
            free(copy);
        }
    }
}

TEST(more_words_than_a_job_takes_are_refused) {
    CS_AUTO_BUF text = {0};
    struct med_subtitles subtitles = {0};
    cs_buf_puts(&text, CUE);
    for (size_t i = 0; i < 30000; i++) {
        cs_buf_puts(&text, "a ");
    }
    assert_fails(med_subtitles_read(text.data, text.size, false, arena, &subtitles, &err), &err, CS_OUT_OF_RANGE,
                 "too_many_words");
}

/* ---- there and back ---- */

static const char story[] =
    "1\n00:00:00,040 --> 00:00:01,990\nOne <i>two</i>\nthree\n\n"
    "2\n00:00:02,000 --> 00:00:02,330\n\xe5\xb7\xa6\xe3\x81\xab\xe8\xa6\x8b\xe3\x81\x88\xe3\x82\x8b"
    "\xe3\x81\xae\xe3\x81\xaf\xe5\xb7\xa6\xe5\xb7\xa6\xe5\xb7\xa6\n\n"
    "3\n01:00:00,000 --> 01:00:10,120\n{ \\x } a & b\n\n";

static const char story_vtt[] =
    "WEBVTT\n\n00:00:00.040 --> 00:00:01.990\nOne two\nthree\n\n"
    "00:00:02.000 --> 00:00:02.330\n\xe5\xb7\xa6\xe3\x81\xab\xe8\xa6\x8b\xe3\x81\x88\xe3\x82\x8b"
    "\xe3\x81\xae\xe3\x81\xaf\xe5\xb7\xa6\xe5\xb7\xa6\xe5\xb7\xa6\n\n"
    "01:00:00.000 --> 01:00:10.120\n{ \\x } a &amp; b\n\n";

TEST(srt_to_json_to_webvtt_to_ass_and_back_keeps_times_lines_and_words) {
    struct med_subtitles srt = read_text(story);
    assert_string_equal(shown(&srt), story);
    struct med_subtitles json = read_text(written(&srt.words, MED_SUBTITLES_JSON));
    assert_int_equal(json.format, MED_SUBTITLES_JSON);
    assert_string_equal(written(&json.words, MED_SUBTITLES_VTT), story_vtt); /* words have no looks in JSON */
    struct med_subtitles vtt = read_text(story_vtt);
    struct med_subtitles ass = read_text(written(&vtt.words, MED_SUBTITLES_ASS));
    assert_int_equal(ass.format, MED_SUBTITLES_ASS);
    assert_int_equal(ass.bad_times, 0);
    assert_int_equal(ass.words.count, srt.words.count);
    for (size_t i = 0; i < ass.words.count; i++) {
        assert_int_equal(ass.words.items[i].start_cs, srt.words.items[i].start_cs);
        assert_int_equal(ass.words.items[i].end_cs, srt.words.items[i].end_cs);
        assert_int_equal(ass.words.items[i].cue, srt.words.items[i].cue);
        assert_int_equal(ass.words.items[i].line, srt.words.items[i].line);
    }
    struct med_subtitles looks = read_text(written(&srt.words, MED_SUBTITLES_ASS));
    assert_non_null(strstr(shown(&looks), "One <i>two</i>\nthree\n"));
}

TEST(ta_045_cues_of_a_subtitle_file_follow_a_cut_as_cues) {
    static const char plan_json[] = "{\"cuts\":[{\"start\":0,\"end\":2,\"type\":\"keep\"},{\"start\":2,\"end\":4,"
                                    "\"type\":\"cut\"},{\"start\":4,\"end\":9,\"type\":\"keep\"}]}";
    static const char text[] = "1\n00:00:00,500 --> 00:00:01,500\nstays as\nit is\n\n2\n00:00:01,000 --> 00:00:05,000\n"
                               "aaaa bbbb cccc dddd\n\n3\n00:00:02,500 --> 00:00:03,500\ngone\n\n"
                               "4\n00:00:06,000 --> 00:00:07,000\nlate\n";
    struct med_subtitles said = {0};
    struct med_words after = {0};
    struct med_cut_plan plan = {0};
    const struct med_cut_clock clock = {.rate = {25, 1}};
    assert_ok(med_subtitles_read(text, strlen(text), true, arena, &said, &err), &err);
    assert_ok(med_cut_plan_read(plan_json, strlen(plan_json), 900, arena, &plan, &err), &err);
    (void)med_retime(&said.words, &plan, &clock, arena, &after);
    struct med_cues cues = med_cues_of(&after, MED_CUES_ON_FRAMES, arena);
    CS_AUTO_BUF out = {0};
    med_cues_write_srt(&after, &cues, &out);
    assert_string_equal(out.data, "1\n00:00:00,500 --> 00:00:01,000\nstays as\nit is\n\n"
                                  "2\n00:00:01,000 --> 00:00:02,000\naaaa bbbb cccc\n\n"
                                  "3\n00:00:04,000 --> 00:00:05,000\nlate\n\n");
}

TEST(cues_are_measured_by_their_lines_and_speed) {
    struct med_subtitles read =
        read_text(CUE "four words are here\ntwo more\n\n2\n00:00:03,000 --> 00:00:03,500\nquick one\n");
    struct med_cues cues = med_cues_of(&read.words, MED_CUES_AS_SAID, arena);
    struct med_cue_lint lint = med_cue_lint(&read.words, &cues);
    assert_int_equal(lint.characters_per_line, 19);
    assert_int_equal(lint.lines, 2);
    assert_true(lint.characters_per_second == 28); /* of the first: 19, a break, and 8 in a second */
}

/* ---- timed text ---- */

TEST(samples_of_a_text_track_have_no_gaps_and_mark_looks) {
    struct med_subtitles read = read_text(
        CUE "a <b>b c</b>\n\n2\n00:00:03,000 --> 00:00:09,000\nend\n\n3\n00:00:10,000 --> 00:00:11,000\nno\n");
    struct med_cues cues = med_cues_of(&read.words, MED_CUES_AS_SAID, arena);
    struct med_timed_text text = med_timed_text_of(&read.words, &cues, 5000, arena);
    static const int64_t starts[] = {0, 1000, 2000, 3000};
    assert_int_equal(text.count, 4);
    assert_int_equal(text.cues, 2);
    for (size_t i = 0; i < text.count; i++) {
        assert_int_equal(text.samples[i].start_ms, starts[i]);
        assert_int_equal(text.samples[i].duration_ms, i + 1 < text.count ? starts[i + 1] - starts[i] : 2000);
    }
    assert_int_equal(text.samples[0].size_bytes, 2);
    static const uint8_t styled[] = {0, 5, 'a', ' ', 'b', ' ', 'c', 0, 0, 0,  22,   's',  't',  'y', 'l',
                                     0, 1, 0,   2,   0,   5,   0,   1, 1, 18, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(text.samples[1].size_bytes, sizeof(styled));
    assert_memory_equal(text.samples[1].bytes, styled, sizeof(styled));
}

TEST(languages_have_codes_of_three_letters) {
    static const char *const cases[][2] = {{"en-US", "eng"}, {"DE", "deu"}, {"pt_BR", "por"}, {"jpn", "jpn"},
                                           {"fil", "fil"},   {"xx", "und"}, {"", "und"},      {"english", "und"}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        char code[4];
        med_language_code(cases[i][0], code);
        assert_string_equal(code, cases[i][1]);
    }
}

/* ---- files that people have ---- */

static char *file_of(const char *name, size_t *ret_size) {
    const char *root = getenv("CALLSHEET_TEST_MEDIA");
    FILE *file = root == NULL ? NULL : fopen(cs_arena_sprintf(arena, "%s/%s", root, name), "rb");
    if (file == NULL) {
        print_message("skipped without CALLSHEET_TEST_MEDIA: %s\n", name);
        return NULL;
    }
    char *bytes = cs_arena_alloc(arena, 1 << 20);
    *ret_size = fread(bytes, 1, 1 << 20, file);
    (void)fclose(file);
    return bytes;
}

TEST(real_files_of_all_kinds_are_read_and_come_back_the_same) {
    static const struct {
        const char *name;
        enum med_subtitle_format format;
        size_t cues;
        size_t bad;
        size_t dropped;
        bool guessed;
        const char *says;
    } files[] = {
        {"subtitles/bad_timestamps.srt", MED_SUBTITLES_SRT, 3, 2, 0, false,
         "00:00:02,350 --> 00:00:03,460\nThis should"},
        {"subtitles/css_styles.vtt", MED_SUBTITLES_VTT, 4, 0, 0, false, "\nThis is a reference by element\n"},
        {"subtitles/elephants_dream_ar.vtt", MED_SUBTITLES_VTT, 77, 0, 0, false, "طاحنات الرؤوس..."},
        {"subtitles/elephants_dream_ar_rtl.srt", MED_SUBTITLES_SRT, 77, 0, 0, false, "كل شيئ آمن\nآمن كلية\n"},
        {"subtitles/elephants_dream_en.vtt", MED_SUBTITLES_VTT, 78, 0, 0, false,
         "\nEverything is safe.\nPerfectly safe.\n"},
        {"subtitles/elephants_dream_ja.vtt", MED_SUBTITLES_VTT, 77, 0, 0, false, "\nすべて安全\n完璧に安全だ\n"},
        {"subtitles/elephants_dream_ja_cjk.ass", MED_SUBTITLES_ASS, 77, 0, 0, false, "\nすべて安全\n完璧に安全だ\n"},
        {"subtitles/elephants_dream_ru.vtt", MED_SUBTITLES_VTT, 84, 0, 0, false, "Слева мы видим..."},
        {"subtitles/elephants_dream_ru_windows1251.srt", MED_SUBTITLES_SRT, 84, 0, 0, true, "Слева мы видим..."},
        {"subtitles/friday_en.vtt", MED_SUBTITLES_VTT, 5, 0, 0, false, "Tell me, is the lord of the universe in?"},
        {"subtitles/positions_and_layers.ssa", MED_SUBTITLES_ASS, 6, 4, 0, false,
         "\nThird subtitle, (only last counts).\n"},
        {"subtitles/sintel_de.vtt", MED_SUBTITLES_VTT, 14, 0, 0, false, "Es ist töricht"},
        {"subtitles/sintel_en.vtt", MED_SUBTITLES_VTT, 14, 0, 0, false, "\n[Test]\n"},
        {"subtitles/sintel_es.vtt", MED_SUBTITLES_VTT, 14, 0, 0, false, "Tienes suerte de que aún"},
        {"subtitles/styled_embedded_font_and_graphic.ass", MED_SUBTITLES_ASS, 1, 0, 0, false,
         "\nText with custom font\n"},
        {"subtitles/typical_tags.srt", MED_SUBTITLES_SRT, 14, 10, 0, false, "\nThis is the third subtitle.\n"},
        {"subtitles/typical_utf16le.srt", MED_SUBTITLES_SRT, 3, 0, 0, false, "\nThis is the third subtitle.\n"},
        {"hostile/subtitle_markup_injection.srt", MED_SUBTITLES_SRT, 2, 0, 3, false, "\nalert(document.cookie)\n"},
    };
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        size_t size = 0;
        const char *bytes = file_of(files[i].name, &size);
        if (bytes == NULL) {
            continue;
        }
        struct med_subtitles read = read_bytes(bytes, size);
        print_message("%s: %zu cues, %zu malformed times, %zu dropped\n", files[i].name, read.cues, read.bad_times,
                      read.dropped);
        assert_int_equal(read.format, files[i].format);
        assert_int_equal(read.cues, files[i].cues);
        assert_int_equal(read.bad_times, files[i].bad);
        assert_int_equal(read.dropped, files[i].dropped);
        assert_int_equal(read.guessed_encoding, files[i].guessed);
        assert_non_null(strstr(shown(&read), files[i].says));
        struct med_subtitles ass = read_text(written(&read.words, MED_SUBTITLES_ASS));
        assert_string_equal(shown(&ass), shown(&read));
    }
}

static int set_up(void **user) {
    (void)user;
    err = (struct cs_err){0};
    arena = cs_arena_create();
    return 0;
}

static int tear_down(void **user) {
    (void)user;
    cs_arena_destroy(arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(a_text_is_read_in_whatever_encoding_it_was_saved),
        CS_TEST(halves_of_characters_become_replacement_marks),
        CS_TEST(times_are_read_as_far_as_they_can_be_understood_and_counted),
        CS_TEST(cues_are_found_without_numbers_and_without_blank_lines),
        CS_TEST(cues_are_sorted_and_may_overlap),
        CS_TEST(srt_keeps_looks_and_nothing_else_of_its_markup),
        CS_TEST(webvtt_knows_its_header_notes_settings_entities_and_voices),
        CS_TEST(ass_events_are_read_by_the_names_of_their_columns),
        CS_TEST(an_ass_file_keeps_styles_and_effects_and_gets_fonts_that_are_there),
        CS_TEST(any_part_of_an_ass_file_is_harmless),
        CS_TEST(what_is_no_subtitle_file_is_refused),
        CS_TEST(any_part_of_a_file_is_read_or_refused),
        CS_TEST(more_words_than_a_job_takes_are_refused),
        CS_TEST(srt_to_json_to_webvtt_to_ass_and_back_keeps_times_lines_and_words),
        CS_TEST(ta_045_cues_of_a_subtitle_file_follow_a_cut_as_cues),
        CS_TEST(cues_are_measured_by_their_lines_and_speed),
        CS_TEST(samples_of_a_text_track_have_no_gaps_and_mark_looks),
        CS_TEST(languages_have_codes_of_three_letters),
        CS_TEST(real_files_of_all_kinds_are_read_and_come_back_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
