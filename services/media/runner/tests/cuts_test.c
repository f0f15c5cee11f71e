/* COVERS edit/cut_plan.c cut_plan_json.c levels.c refine.c retime.c stretch.c cues.c: what of a talk stays, and its
 * words afterwards. */
#include <libavutil/rational.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "edit/cut_plan.h"
#include "edit/refine.h"
#include "edit/retime.h"
#include "edit/stretch.h"

static struct cs_arena *arena;
static struct cs_err err;

/* "hello 0 50, um 60 80": a word, its start and its end in centiseconds. */
static struct med_words words_of(const char *text) {
    struct med_words words = {.items = cs_arena_array(arena, 4000, sizeof(struct med_word))};
    while (*text != '\0') {
        struct med_word *word = &words.items[words.count];
        char name[64];
        long start = 0;
        long end = 0;
        int used = 0;
        assert_int_equal(sscanf(text, "%63[^0-9] %ld %ld%n", name, &start, &end, &used), 3);
        for (size_t i = strlen(name); i > 0 && name[i - 1] == ' '; i--) {
            name[i - 1] = '\0';
        }
        word->text = cs_arena_strdup(arena, name);
        word->size_bytes = word->characters = strlen(word->text);
        word->start_cs = start;
        word->end_cs = end;
        words.count++;
        text += used;
        text += strspn(text, ", ");
    }
    return words;
}

/* Words of half a second without pauses. */
static void talk(struct med_words *words, int64_t from_cs, int64_t to_cs) {
    for (int64_t at_cs = from_cs; at_cs < to_cs; at_cs += 50) {
        words->items[words->count++] = (struct med_word){.text = "word",
                                                         .size_bytes = 4,
                                                         .characters = 4,
                                                         .start_cs = at_cs,
                                                         .end_cs = at_cs + 50 < to_cs ? at_cs + 50 : to_cs};
    }
}

static struct med_cut_plan plan_of(const struct med_words *words, int64_t duration_cs,
                                   const struct med_cut_rules *rules) {
    const struct med_cut_rules usual = med_cut_rules_default();
    struct med_cut_plan plan = {0};
    assert_ok(med_cut_plan_make(words, duration_cs, rules != NULL ? rules : &usual, arena, &plan, &err), &err);
    return plan;
}

/* "keep 0-550 content, cut 550-700 silence_1500ms" */
static char *shown(const struct med_cut_plan *plan) {
    CS_AUTO_BUF out = {0};
    for (size_t i = 0; i < plan->count; i++) {
        const struct med_cut_span *span = &plan->spans[i];
        cs_buf_printf(&out, "%s%s %ld-%ld %s", i > 0 ? ", " : "", span->keep ? "keep" : "cut", (long)span->start_cs,
                      (long)span->end_cs, span->reason);
    }
    return cs_arena_strdup(arena, out.data != NULL ? out.data : "");
}

#define assert_plan(words, duration, want)                                                                             \
    do {                                                                                                               \
        struct med_words spoken_ = words;                                                                              \
        struct med_cut_plan made = plan_of(&spoken_, duration, NULL);                                                  \
        assert_string_equal(shown(&made), want);                                                                       \
    } while (0)

static struct med_words golden(void) {
    struct med_words words = words_of("");
    talk(&words, 0, 550);
    talk(&words, 700, 1200);
    talk(&words, 1400, 1850);
    talk(&words, 2000, 2500);
    return words;
}

TEST(ta_030_ta_038_a_pause_of_a_second_and_a_half_is_cut) {
    assert_plan(golden(), 2500,
                "keep 0-550 content, cut 550-700 silence_1500ms, keep 700-1200 content, cut 1200-1400 silence_2000ms, "
                "keep 1400-1850 content, cut 1850-2000 silence_1500ms, keep 2000-2500 content");
    struct med_words words = words_of("");
    talk(&words, 0, 550);
    talk(&words, 699, 1200);
    assert_plan(words, 1200, "keep 0-1200 content");
}

TEST(ta_039_t8_the_plan_reaches_from_zero_to_the_end_of_the_media) {
    struct med_words words = words_of("");
    talk(&words, 200, 800);
    assert_plan(words, 1000, "cut 0-200 silence_2000ms, keep 200-800 content, cut 800-1000 silence_2000ms");
    assert_plan(words, 900, "cut 0-200 silence_2000ms, keep 200-900 content");
    struct med_words late = words_of("word 950 990, word 1200 1300");
    assert_plan(late, 1000, "cut 0-950 silence_9500ms, keep 950-1000 content");
}

TEST(ta_031_t8_fillers_go_with_a_margin_that_no_neighbour_feels) {
    struct med_words words = words_of("");
    talk(&words, 0, 400);
    words.items[words.count++] = (struct med_word){.text = "Um,", .size_bytes = 3, .start_cs = 420, .end_cs = 450};
    talk(&words, 460, 900);
    assert_plan(words, 900, "keep 0-400 content, cut 400-460 filler_word_um, keep 460-900 content");
    struct med_words wide = words_of("");
    talk(&wide, 0, 400);
    wide.items[wide.count++] = (struct med_word){.text = "Um,", .size_bytes = 3, .start_cs = 440, .end_cs = 460};
    talk(&wide, 480, 900);
    assert_plan(wide, 900, "keep 0-410 content, cut 410-480 filler_word_um, keep 480-900 content");
}

TEST(ta_031_t7_a_filler_may_have_two_words) {
    struct med_words words = words_of("");
    talk(&words, 0, 400);
    words.items[words.count++] = (struct med_word){.text = "you", .size_bytes = 3, .start_cs = 420, .end_cs = 450};
    words.items[words.count++] = (struct med_word){.text = "know", .size_bytes = 4, .start_cs = 450, .end_cs = 490};
    talk(&words, 510, 900);
    assert_plan(words, 900, "keep 0-400 content, cut 400-510 filler_word_you_know, keep 510-900 content");
    words.items[9].text = "knew";
    assert_plan(words, 900, "keep 0-900 content");
}

TEST(ta_032_cuts_that_are_near_become_one_unless_something_is_said_between) {
    struct med_words words = words_of("");
    talk(&words, 0, 400);
    words.items[words.count++] = (struct med_word){.text = "um", .size_bytes = 2, .start_cs = 430, .end_cs = 480};
    talk(&words, 700, 1100);
    assert_plan(words, 1100, "keep 0-400 content, cut 400-700 filler_word_um+silence_2200ms, keep 700-1100 content");
    struct med_words said = words_of("");
    talk(&said, 0, 400);
    said.items[said.count++] = (struct med_word){.text = "um", .size_bytes = 2, .start_cs = 430, .end_cs = 480};
    said.items[said.count++] = (struct med_word){.text = "no", .size_bytes = 2, .start_cs = 500, .end_cs = 520};
    talk(&said, 700, 1100);
    assert_plan(said, 1100, "keep 0-520 content, cut 520-700 silence_1800ms, keep 700-1100 content");
}

TEST(ta_033_cuts_below_half_a_second_are_dropped) {
    struct med_words words = words_of("");
    talk(&words, 0, 400);
    words.items[words.count++] = (struct med_word){.text = "uh", .size_bytes = 2, .start_cs = 405, .end_cs = 440};
    talk(&words, 445, 900);
    assert_plan(words, 900, "keep 0-900 content");
}

TEST(ta_034_what_is_too_short_joins_its_neighbour_and_only_silence_is_cut) {
    struct med_words words = words_of("");
    talk(&words, 0, 500);
    talk(&words, 700, 800);
    talk(&words, 1000, 1500);
    assert_plan(words, 1500, "keep 0-800 content, cut 800-1000 silence_2000ms, keep 1000-1500 content");
    struct med_words first = words_of("");
    talk(&first, 0, 100);
    talk(&first, 300, 800);
    assert_plan(first, 800, "keep 0-800 content");
    struct med_words hush = words_of("um 60 120");
    talk(&hush, 200, 800);
    assert_plan(hush, 800, "cut 0-150 too_short_0.30s+filler_word_um, keep 150-800 content");
    struct med_words alone = words_of("word 10 90");
    assert_plan(alone, 100, "keep 0-100 content");
}

TEST(ta_035_what_is_too_long_is_split_in_its_pauses_else_evenly) {
    struct med_cut_rules rules = med_cut_rules_default();
    rules.max_keep_cs = 1000;
    struct med_words words = words_of("");
    talk(&words, 0, 700);
    talk(&words, 760, 1600);
    struct med_cut_plan plan = plan_of(&words, 1600, &rules);
    assert_string_equal(shown(&plan), "keep 0-730 content, keep 730-1600 content");
    struct med_words even = words_of("");
    talk(&even, 0, 2400);
    plan = plan_of(&even, 2400, &rules);
    assert_string_equal(shown(&plan), "keep 0-800 content, keep 800-1600 content, keep 1600-2400 content");
}

TEST(of_thousands_of_fillers_in_a_row_the_first_are_the_reason) {
    enum { FILLERS = 19000 };
    struct med_words words = {.items = cs_arena_array(arena, FILLERS + 1, sizeof(struct med_word))};
    talk(&words, 0, 50);
    for (int64_t i = 1; i <= FILLERS; i++) {
        words.items[words.count++] = (struct med_word){
            .text = "um", .size_bytes = 2, .characters = 2, .start_cs = i * 50, .end_cs = i * 50 + 50};
    }
    struct med_cut_plan plan = plan_of(&words, (FILLERS + 1) * 50, NULL);
    assert_int_equal(plan.count, 2);
    assert_false(plan.spans[1].keep);
    assert_true(strncmp(plan.spans[1].reason, "filler_word_um+filler_word_um", 29) == 0);
    assert_true(strlen(plan.spans[1].reason) < 2 * MED_CUT_REASON_BYTES_MAX);
}

TEST(nothing_said_leaves_nothing) {
    struct med_words words = words_of("");
    assert_plan(words, 1000, "cut 0-1000 silence_10000ms");
    assert_plan(words, 100, "keep 0-100 content");
}

/* ---- whatever is said ---- */

static uint32_t state;

static uint32_t below(uint32_t limit) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % limit;
}

static struct med_words random_talk(int64_t *ret_duration_cs) {
    static const char *const said[] = {"um", "you", "know", "like", "word", "we", "so", "Actually,"};
    struct med_words words = words_of("");
    int64_t at_cs = below(300);
    for (uint32_t i = below(200); i > 0; i--) {
        const char *text = said[below(8)];
        int64_t length_cs = 5 + below(60);
        words.items[words.count++] =
            (struct med_word){.text = text, .size_bytes = strlen(text), .start_cs = at_cs, .end_cs = at_cs + length_cs};
        at_cs += length_cs + (below(4) == 0 ? below(400) : below(30));
    }
    *ret_duration_cs = at_cs + below(300) + 1;
    return words;
}

static bool is_filler(const struct med_words *words, size_t i) {
    static const char *const fillers[] = {"um", "like", "so", "Actually,"};
    for (size_t k = 0; k < 4; k++) {
        if (strcmp(words->items[i].text, fillers[k]) == 0) {
            return true;
        }
    }
    bool you = strcmp(words->items[i].text, "you") == 0;
    return you ? i + 1 < words->count && strcmp(words->items[i + 1].text, "know") == 0
               : strcmp(words->items[i].text, "know") == 0 && i > 0 && strcmp(words->items[i - 1].text, "you") == 0;
}

static void check_plan(const struct med_words *words, const struct med_cut_plan *plan, int64_t duration_cs) {
    int64_t at_cs = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct med_cut_span *span = &plan->spans[i];
        assert_int_equal(span->start_cs, at_cs);
        assert_true(span->end_cs > span->start_cs);
        assert_true(span->keep || i == 0 || plan->spans[i - 1].keep); /* no two cuts in a row */
        assert_true(span->confidence >= 0 && span->confidence <= 1);
        at_cs = span->end_cs;
        for (size_t k = 0; !span->keep && k < words->count; k++) {
            bool touched = words->items[k].start_cs < span->end_cs && words->items[k].end_cs > span->start_cs;
            assert_true(!touched || is_filler(words, k)); /* no word is cut, or cut into */
        }
    }
    assert_int_equal(at_cs, duration_cs);
}

TEST(ta_037_ta_039_any_talk_gives_a_whole_plan_that_loses_no_word_and_is_always_the_same) {
    const struct med_cut_rules rules = med_cut_rules_default();
    const struct med_cut_method method = {0};
    for (state = 1; state < 3000; state += 7) {
        uint32_t seed = state;
        int64_t duration_cs = 0;
        CS_AUTO_BUF first = {0};
        CS_AUTO_BUF again = {0};
        struct med_words words = random_talk(&duration_cs);
        struct med_cut_plan plan = plan_of(&words, duration_cs, NULL);
        struct med_cut_plan twin = plan_of(&words, duration_cs, NULL);
        check_plan(&words, &plan, duration_cs);
        med_cut_plan_write(&plan, &rules, &method, &first);
        med_cut_plan_write(&twin, &rules, &method, &again);
        assert_string_equal(first.data, again.data);
        cs_arena_destroy(arena);
        arena = cs_arena_create();
        state = seed;
    }
}

/* ---- sound ---- */

/* "40 0.5, 20 0": for so many centiseconds so loud. */
static struct med_levels levels_of(const char *text) {
    struct med_levels levels;
    float stereo[2 * MED_LEVEL_SAMPLES];
    med_levels_begin(&levels, (int64_t)10000 * MED_LEVEL_SAMPLES, arena);
    while (*text != '\0') {
        long steps = 0;
        double size = 0;
        int used = 0;
        assert_int_equal(sscanf(text, "%ld %lf%n", &steps, &size, &used), 2);
        for (size_t i = 0; i < CS_COUNT(stereo); i++) {
            stereo[i] = (float)(i / 2 % 2 == 0 ? size : -size);
        }
        for (; steps > 0; steps--) {
            med_levels_add(&levels, stereo, MED_LEVEL_SAMPLES);
        }
        text += used;
        text += strspn(text, ", ");
    }
    med_levels_end(&levels);
    return levels;
}

static char *sounds_of(const struct med_levels *levels, int64_t margin_cs) {
    struct med_words sounds = {0};
    CS_AUTO_BUF out = {0};
    assert_ok(med_levels_sounds(levels, margin_cs, arena, &sounds, &err), &err);
    cs_buf_puts(&out, "");
    for (size_t i = 0; i < sounds.count; i++) {
        cs_buf_printf(&out, "%s%ld-%ld", i > 0 ? " " : "", (long)sounds.items[i].start_cs,
                      (long)sounds.items[i].end_cs);
    }
    return cs_arena_strdup(arena, out.data);
}

TEST(silence_is_what_is_near_to_the_recordings_own_noise) {
    struct med_levels quiet = levels_of("200 0.0001, 300 0.1, 200 0.0001, 100 0.2, 100 0.0001");
    struct med_levels noisy = levels_of("200 0.01, 300 0.1, 200 0.01, 100 0.2, 100 0.01");
    assert_string_equal(sounds_of(&quiet, 0), "200-500 700-800");
    assert_string_equal(sounds_of(&noisy, 0), "200-500 700-800");
    assert_true(noisy.floor_db > -41 && noisy.floor_db < -39 && quiet.floor_db < -79);
    assert_string_equal(sounds_of(&noisy, 20), "180-520 680-820");
    assert_true(med_levels_quiet(&noisy, 400, 600) == 0.5);
}

TEST(clicks_are_no_sounds_and_breaths_no_silences) {
    struct med_levels levels = levels_of("200 0, 9 0.5, 191 0, 100 0.5, 19 0, 100 0.5, 200 0");
    assert_string_equal(sounds_of(&levels, 0), "400-619");
    levels = levels_of("200 0, 10 0.5, 190 0, 100 0.5, 20 0, 100 0.5, 200 0");
    assert_string_equal(sounds_of(&levels, 0), "200-210 400-500 520-620");
    assert_string_equal(sounds_of(&levels, 10), "190-220 390-630"); /* margins that touch */
}

TEST(without_loud_parts_all_is_silence_and_without_quiet_parts_nothing_is) {
    struct med_levels hum = levels_of("500 0.0005");
    struct med_levels rain = levels_of("500 0.2, 300 0.25");
    assert_string_equal(sounds_of(&hum, 20), "");
    assert_string_equal(sounds_of(&rain, 0), "0-800");
    struct med_levels none = levels_of("");
    assert_string_equal(sounds_of(&none, 0), "");
}

TEST(cuts_move_to_the_quietest_place_that_no_word_feels) {
    const struct med_cut_rules rules = med_cut_rules_default();
    struct med_words words = words_of("one 0 500, two 700 1200");
    /* quietest at 504 … 508 behind the first word, and just before the second one */
    struct med_levels levels = levels_of("504 0.1, 4 0.001, 92 0.05, 50 0.05, 43 0.05, 4 0.001, 503 0.1");
    struct med_cut_plan plan = plan_of(&words, 1200, NULL);
    med_cut_plan_snap(&plan, &words, &rules, &levels, 8);
    assert_string_equal(shown(&plan), "keep 0-504 content, cut 504-697 silence_2000ms, keep 697-1200 content");
    plan = plan_of(&words, 1200, NULL);
    med_cut_plan_snap(&plan, &words, &rules, &levels, 3);
    assert_string_equal(shown(&plan), "keep 0-500 content, cut 500-697 silence_2000ms, keep 697-1200 content");
    words = words_of("one 0 500, early 690 695, two 700 1200"); /* not into a word, wherever it is quiet */
    plan = plan_of(&words, 1200, NULL);
    med_cut_plan_snap(&plan, &words, &rules, &levels, 8);
    assert_int_equal(plan.spans[1].end_cs, 690);
}

TEST(ta_038_equal_silence_moves_no_cut) {
    const struct med_cut_rules rules = med_cut_rules_default();
    struct med_words words = golden();
    struct med_levels levels = levels_of("550 0.1, 150 0, 500 0.1, 200 0, 450 0.1, 150 0, 500 0.1");
    struct med_cut_plan plan = plan_of(&words, 2500, NULL);
    char *before = shown(&plan);
    med_cut_plan_snap(&plan, &words, &rules, &levels, 0);
    assert_string_equal(shown(&plan), before);
}

TEST(a_cut_never_becomes_shorter_than_the_rules_allow) {
    struct med_cut_rules rules = med_cut_rules_default();
    rules.min_cut_cs = 148;
    struct med_words words = words_of("one 0 500, two 650 1200");
    struct med_levels levels = levels_of("507 0.1, 2 0, 134 0.1, 2 0, 555 0.1");
    struct med_cut_plan plan = plan_of(&words, 1200, &rules);
    med_cut_plan_snap(&plan, &words, &rules, &levels, 8);
    assert_true(plan.spans[1].end_cs - plan.spans[1].start_cs >= 148);
}

TEST(ta_037_any_talk_over_any_sound_is_cut_between_words) {
    const struct med_cut_rules rules = med_cut_rules_default();
    for (state = 1; state < 700; state += 7) {
        uint32_t seed = state;
        int64_t duration_cs = 0;
        struct med_words words = random_talk(&duration_cs);
        struct med_cut_plan plan = plan_of(&words, duration_cs, NULL);
        struct med_levels levels;
        med_levels_begin(&levels, duration_cs * MED_LEVEL_SAMPLES, arena);
        for (int64_t i = 0; i < duration_cs; i++) {
            float stereo[2] = {(float)below(1000) / 1000, 0};
            for (int k = 0; k < MED_LEVEL_SAMPLES; k++) {
                med_levels_add(&levels, stereo, 1);
            }
        }
        med_levels_end(&levels);
        med_cut_plan_snap(&plan, &words, &rules, &levels, 8);
        check_plan(&words, &plan, duration_cs);
        cs_arena_destroy(arena);
        arena = cs_arena_create();
        state = seed;
    }
}

TEST(a_cut_says_what_was_said_and_how_loud_it_is_there) {
    struct med_words words =
        words_of("a 0 90, b 100 190, c 200 290, d 300 390, e 400 500, um 520 540, f 560 650, g 660 900");
    struct med_levels levels = levels_of("510 0.1, 10 0.001, 30 0.1, 10 0.01, 340 0.1");
    struct med_cut_plan plan = plan_of(&words, 900, NULL);
    med_cut_plan_explain(&plan, &words, arena);
    assert_string_equal(plan.spans[1].text, "b c d e [um] f g");
    assert_null(plan.spans[0].text);
    double loudest = med_cut_plan_measure(&plan, &levels);
    assert_true(loudest <= 0 && loudest == (plan.spans[1].start_db > plan.spans[1].end_db ? plan.spans[1].start_db
                                                                                          : plan.spans[1].end_db));
    assert_true(plan.spans[1].confidence == 0.9);
}

TEST(a_silence_in_which_something_sounds_is_less_certain) {
    struct med_words words = words_of("one 0 500, two 900 1400");
    struct med_levels levels = levels_of("500 0.1, 100 0.0001, 100 0.1, 200 0.0001, 500 0.1");
    struct med_cut_plan plan = plan_of(&words, 1400, NULL);
    (void)med_cut_plan_measure(&plan, &levels);
    assert_true(plan.spans[1].confidence == 0.75);
}

/* ---- JSON ---- */

TEST(ta_036_a_plan_is_written_with_two_decimals_and_read_again) {
    const struct med_cut_rules rules = med_cut_rules_default();
    const struct med_cut_method method = {0};
    struct med_words words = golden();
    struct med_cut_plan plan = plan_of(&words, 2500, NULL);
    struct med_cut_plan read = {0};
    CS_AUTO_BUF out = {0};
    med_cut_plan_write(&plan, &rules, &method, &out);
    assert_non_null(strstr(out.data, "\"schemaVersion\": \"1.0.0\""));
    assert_non_null(strstr(out.data, "\"start\": \"5.50\""));
    assert_non_null(strstr(out.data, "\"end\": \"7.00\""));
    assert_non_null(strstr(out.data, "\"minPauseMs\": 1500"));
    assert_ok(med_cut_plan_read(out.data, out.size, 2500, arena, &read, &err), &err);
    assert_string_equal(shown(&read), shown(&plan));
}

TEST(ta_036_times_may_be_written_in_four_ways) {
    static const char json[] = "{\"cuts\":[{\"start\":0,\"end\":\"1.5\",\"type\":\"keep\"},"
                               "{\"start\":\"0:01.5\",\"end\":\"1:05.25\",\"type\":\"cut\"},"
                               "{\"start\":\"0:01:05.25\",\"end\":\"70.00\",\"type\":\"keep\"}]}";
    struct med_cut_plan plan = {0};
    assert_ok(med_cut_plan_read(json, strlen(json), 7000, arena, &plan, &err), &err);
    assert_string_equal(shown(&plan), "keep 0-150 , cut 150-6525 , keep 6525-7000 ");
}

TEST(ta_041_a_span_that_begins_behind_the_end_has_no_length) {
    static const char json[] = "{\"cuts\":[{\"start\":0,\"end\":10,\"type\":\"keep\"},"
                               "{\"start\":10.01,\"end\":10.03,\"type\":\"cut\"}]}";
    struct med_cut_plan plan = {0};
    assert_ok(med_cut_plan_read(json, strlen(json), 1000, arena, &plan, &err), &err);
    assert_int_equal(plan.spans[1].start_cs, 1000);
    assert_int_equal(plan.spans[1].end_cs, 1000);
}

TEST(ta_041_plans_that_make_no_sense_are_refused) {
    static const char *const cases[] = {
        "nonsense",
        "{}",
        "{\"cuts\":[]}",
        "{\"cuts\":[{\"start\":0,\"end\":1,\"type\":\"cut\"}]}",
        "{\"cuts\":[{\"start\":0,\"end\":1,\"type\":\"hold\"}]}",
        "{\"cuts\":[{\"start\":1,\"end\":1,\"type\":\"keep\"}]}",
        "{\"cuts\":[{\"start\":0,\"end\":1,\"type\":\"speed\"}]}",
        "{\"cuts\":[{\"start\":0,\"end\":1,\"type\":\"speed\",\"factor\":11}]}",
        "{\"cuts\":[{\"start\":0,\"end\":1,\"type\":\"speed\",\"factor\":\"2\"}]}",
        "{\"cuts\":[{\"start\":0,\"end\":11,\"type\":\"keep\"}]}",
        "{\"cuts\":[{\"start\":-1,\"end\":1,\"type\":\"keep\"}]}",
        "{\"cuts\":[{\"start\":\"0:1.5:3\",\"end\":\"9\",\"type\":\"keep\"}]}",
        "{\"cuts\":[{\"start\":0,\"end\":5,\"type\":\"keep\"},{\"start\":4,\"end\":6,\"type\":\"keep\"}]}",
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct med_cut_plan plan = {0};
        err = (struct cs_err){0};
        assert_fails(med_cut_plan_read(cases[i], strlen(cases[i]), 1000, arena, &plan, &err), &err, CS_INVALID_ARGUMENT,
                     "bad_cut_plan");
    }
}

/* ---- words afterwards ---- */

static struct med_words moved(const char *words_text, const char *plan_json, int64_t overlap_cs) {
    struct med_words words = words_of(words_text);
    struct med_words after = {0};
    struct med_cut_plan plan = {0};
    assert_ok(med_cut_plan_read(plan_json, strlen(plan_json), 3000, arena, &plan, &err), &err);
    const struct med_cut_clock clock = {.rate = {100, 1}, .overlap_frames = overlap_cs};
    (void)med_retime(&words, &plan, &clock, arena, &after);
    return after;
}

static char *words_shown(const struct med_words *words) {
    CS_AUTO_BUF out = {0};
    for (size_t i = 0; i < words->count; i++) {
        cs_buf_printf(&out, "%s%s %ld %ld", i > 0 ? ", " : "", words->items[i].text, (long)words->items[i].start_cs,
                      (long)words->items[i].end_cs);
    }
    return cs_arena_strdup(arena, out.data != NULL ? out.data : "");
}

static const char three_keeps[] = "{\"cuts\":[{\"start\":0,\"end\":5,\"type\":\"keep\"},"
                                  "{\"start\":5,\"end\":8,\"type\":\"cut\"},"
                                  "{\"start\":8,\"end\":12,\"type\":\"keep\"},"
                                  "{\"start\":12,\"end\":14,\"type\":\"cut\"},"
                                  "{\"start\":14,\"end\":20,\"type\":\"keep\"}]}";

TEST(ta_045_t12_words_move_to_where_they_are_heard_and_cut_ones_go) {
    struct med_words after =
        moved("a 100 150, b 470 520, c 600 700, d 790 850, e 1190 1240, f 1500 1550", three_keeps, 0);
    assert_string_equal(words_shown(&after), "a 100 150, b 470 500, d 500 550, f 1000 1050");
    after = moved("a 100 150, b 450 500, d 800 850, f 1500 1550", three_keeps, 30);
    assert_string_equal(words_shown(&after), "a 100 150, b 450 470, d 470 520, f 940 990");
}

TEST(ta_045_transitions_longer_than_what_stays_move_nothing_before_the_start) {
    struct med_words after = moved("two 200 250",
                                   "{\"cuts\":[{\"start\":0,\"end\":1,\"type\":\"keep\"},"
                                   "{\"start\":1,\"end\":2,\"type\":\"cut\"},"
                                   "{\"start\":2,\"end\":3,\"type\":\"keep\"}]}",
                                   1000);
    assert_string_equal(words_shown(&after), "two 0 50");
}

TEST(ta_045_words_follow_spans_that_play_faster_or_slower) {
    static const char plan[] = "{\"cuts\":[{\"start\":0,\"end\":2,\"type\":\"keep\"},"
                               "{\"start\":2,\"end\":6,\"type\":\"speed\",\"factor\":2},"
                               "{\"start\":6,\"end\":8,\"type\":\"cut\"},"
                               "{\"start\":8,\"end\":9,\"type\":\"speed\",\"factor\":0.5},"
                               "{\"start\":9,\"end\":12,\"type\":\"keep\"}]}";
    struct med_words after =
        moved("a 100 150, b 190 250, c 300 400, d 590 650, e 700 750, f 810 850, g 880 950", plan, 0);
    assert_string_equal(words_shown(&after), "a 100 150, b 190 225, c 250 300, f 420 500, g 560 650");
    after = moved("a 100 150, c 300 400, f 810 850", plan, 30);
    assert_string_equal(words_shown(&after), "a 100 150, c 250 300, f 390 470");
}

TEST(ta_045_words_that_are_muted_are_not_shown) {
    struct med_words after = moved("a 100 150, b 200 250, c 350 400, d 450 500",
                                   "{\"cuts\":[{\"start\":0,\"end\":2,\"type\":\"keep\"},"
                                   "{\"start\":2,\"end\":3,\"type\":\"mute\"},"
                                   "{\"start\":3,\"end\":4.1,\"type\":\"roomTone\"},"
                                   "{\"start\":4.1,\"end\":5,\"type\":\"keep\"}]}",
                                   0);
    assert_string_equal(words_shown(&after), "a 100 150, d 450 500");
}

TEST(a_hundred_spans_at_a_third_do_not_drift) {
    struct med_cut_plan plan = {.spans = cs_arena_array(arena, 100, sizeof(struct med_cut_span)), .count = 100};
    for (int i = 0; i < 100; i++) {
        plan.spans[i] = (struct med_cut_span){
            .start_cs = 37 * i, .end_cs = 37 * i + 37, .keep = true, .speed = i % 2 == 0 ? 3000 : 0};
    }
    const AVRational rate = {30000, 1001};
    struct med_runs runs = med_runs_of_plan(&plan, rate, arena);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.items[0].count, 100);
    double exact = 50 * (0.37 + 0.37 / 3) * 30000 / 1001;
    assert_true((double)runs.items[0].frames - exact < 2 && exact - (double)runs.items[0].frames < 2);
    for (size_t i = 0; i < 100; i++) {
        const struct med_stretch *stretch = &runs.items[0].stretches[i];
        int64_t last = med_stretch_shows(stretch, stretch->frames - 1);
        assert_in_range(last, stretch->first, stretch->first + stretch->source_frames - 1);
    }
}

/* Spans of 11 … 210 cs; every other one stays. */
static struct med_cut_plan plan_of_pauses(size_t count) {
    unsigned seed = 7;
    struct med_cut_plan plan = {.spans = cs_arena_array(arena, count, sizeof(struct med_cut_span)), .count = count};
    int64_t at_cs = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t end_cs = at_cs + 11 + rand_r(&seed) % 200;
        plan.spans[i] = (struct med_cut_span){.start_cs = at_cs, .end_cs = end_cs, .keep = i % 2 == 1};
        at_cs = end_cs;
    }
    return plan;
}

TEST(ta_040_a_thousand_cuts_leave_what_the_plan_keeps_to_half_a_frame) {
    struct med_cut_plan plan = plan_of_pauses(2000);
    static const AVRational rates[] = {{25, 1}, {30000, 1001}, {24000, 1001}, {60, 1}};
    for (size_t k = 0; k < CS_COUNT(rates); k++) {
        const struct med_runs runs = med_runs_of_plan(&plan, rates[k], arena);
        assert_int_equal(runs.count, 1000);
        double kept = 0;
        int64_t frames = 0;
        int64_t before = 0;
        for (size_t i = 0; i < runs.count; i++) {
            const struct med_cut_span *span = &plan.spans[2 * i + 1];
            int64_t first = runs.items[i].stretches[0].first;
            int64_t end = first + med_run_source_frames(&runs.items[i]);
            kept += (double)(span->end_cs - span->start_cs) / 100 * av_q2d(rates[k]);
            frames += runs.items[i].frames;
            assert_true(fabs((double)frames - kept) <= 0.5 + 1e-6);
            assert_true(fabs((double)first - (double)span->start_cs / 100 * av_q2d(rates[k])) <= 1.5 + 1e-6);
            assert_true(fabs((double)end - (double)span->end_cs / 100 * av_q2d(rates[k])) <= 1.5 + 1e-6);
            assert_true(first >= before);
            before = end;
        }
    }
}

TEST(ta_045_ta_054_cues_are_on_frames_in_order_and_never_overlap) {
    struct med_words words = words_of("");
    talk(&words, 7, 4003);
    talk(&words, 4200, 4230);
    struct med_cues cues = med_cues_of(&words, MED_CUES_ON_FRAMES, arena);
    int64_t shown_ms = 0;
    size_t word = 0;
    for (size_t i = 0; i < cues.count; i++) {
        const struct med_cue *cue = &cues.items[i];
        const struct med_word *last = &words.items[cue->first_word + cue->word_count - 1];
        assert_int_equal(cue->first_word, word);
        assert_true(cue->start_ms >= shown_ms && cue->end_ms > cue->start_ms);
        assert_in_range(cue->start_ms - words.items[word].start_cs * 10 + 33, 0, 66); /* 1/30 s */
        assert_in_range(cue->end_ms - last->end_cs * 10 + 33, 0, 66);
        assert_true(cue->word_count <= 16); /* two lines of eight */
        shown_ms = cue->end_ms;
        word += cue->word_count;
    }
    assert_int_equal(word, words.count);
    assert_int_equal(cues.items[cues.count - 1].word_count, 1); /* a silence ends a cue */
}

TEST(ta_027_subtitles_are_written_as_srt_and_vtt) {
    struct med_words words = words_of("Hello 0 50, there, 50 100, <i>you 360000 360040");
    struct med_cues cues = med_cues_of(&words, MED_CUES_ON_FRAMES, arena);
    CS_AUTO_BUF srt = {0};
    CS_AUTO_BUF vtt = {0};
    med_cues_write_srt(&words, &cues, &srt);
    med_cues_write_vtt(&words, &cues, &vtt);
    assert_string_equal(srt.data, "1\n00:00:00,000 --> 00:00:01,000\nHello there,\n\n"
                                  "2\n01:00:00,000 --> 01:00:00,400\n<i>you\n\n");
    assert_string_equal(vtt.data, "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello there,\n\n"
                                  "01:00:00.000 --> 01:00:00.400\n&lt;i&gt;you\n\n");
}

TEST(ta_026_a_transcript_reads_back_as_the_same_words) {
    struct med_words words = words_of("Hello 0 50, there 50 101, you 300 340");
    struct med_cues cues = med_cues_of(&words, MED_CUES_ON_FRAMES, arena);
    struct med_words again = {0};
    CS_AUTO_BUF out = {0};
    med_transcript_write(&words, &cues, &(struct med_transcript_about){.language = "en"}, &out);
    assert_non_null(strstr(out.data, "\"text\": \"Hello there you\""));
    assert_non_null(strstr(out.data, "\"wordCount\": 3"));
    assert_ok(med_words_from_json(out.data, out.size, arena, &again, &err), &err);
    assert_string_equal(words_shown(&again), words_shown(&words));
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
        CS_TEST(ta_030_ta_038_a_pause_of_a_second_and_a_half_is_cut),
        CS_TEST(ta_039_t8_the_plan_reaches_from_zero_to_the_end_of_the_media),
        CS_TEST(ta_031_t8_fillers_go_with_a_margin_that_no_neighbour_feels),
        CS_TEST(ta_031_t7_a_filler_may_have_two_words),
        CS_TEST(ta_032_cuts_that_are_near_become_one_unless_something_is_said_between),
        CS_TEST(ta_033_cuts_below_half_a_second_are_dropped),
        CS_TEST(ta_034_what_is_too_short_joins_its_neighbour_and_only_silence_is_cut),
        CS_TEST(ta_035_what_is_too_long_is_split_in_its_pauses_else_evenly),
        CS_TEST(of_thousands_of_fillers_in_a_row_the_first_are_the_reason),
        CS_TEST(nothing_said_leaves_nothing),
        CS_TEST(ta_037_ta_039_any_talk_gives_a_whole_plan_that_loses_no_word_and_is_always_the_same),
        CS_TEST(silence_is_what_is_near_to_the_recordings_own_noise),
        CS_TEST(clicks_are_no_sounds_and_breaths_no_silences),
        CS_TEST(without_loud_parts_all_is_silence_and_without_quiet_parts_nothing_is),
        CS_TEST(cuts_move_to_the_quietest_place_that_no_word_feels),
        CS_TEST(ta_038_equal_silence_moves_no_cut),
        CS_TEST(a_cut_never_becomes_shorter_than_the_rules_allow),
        CS_TEST(ta_037_any_talk_over_any_sound_is_cut_between_words),
        CS_TEST(a_cut_says_what_was_said_and_how_loud_it_is_there),
        CS_TEST(a_silence_in_which_something_sounds_is_less_certain),
        CS_TEST(ta_036_a_plan_is_written_with_two_decimals_and_read_again),
        CS_TEST(ta_036_times_may_be_written_in_four_ways),
        CS_TEST(ta_041_a_span_that_begins_behind_the_end_has_no_length),
        CS_TEST(ta_041_plans_that_make_no_sense_are_refused),
        CS_TEST(ta_045_t12_words_move_to_where_they_are_heard_and_cut_ones_go),
        CS_TEST(ta_045_transitions_longer_than_what_stays_move_nothing_before_the_start),
        CS_TEST(ta_045_words_follow_spans_that_play_faster_or_slower),
        CS_TEST(ta_045_words_that_are_muted_are_not_shown),
        CS_TEST(a_hundred_spans_at_a_third_do_not_drift),
        CS_TEST(ta_040_a_thousand_cuts_leave_what_the_plan_keeps_to_half_a_frame),
        CS_TEST(ta_045_ta_054_cues_are_on_frames_in_order_and_never_overlap),
        CS_TEST(ta_027_subtitles_are_written_as_srt_and_vtt),
        CS_TEST(ta_026_a_transcript_reads_back_as_the_same_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
