/* COVERS ops/execute.c, graph/made.c, graph/timeline.c: picture and sound keep together, whatever follows upon what. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "each.h"

enum { HZ = 48000, SLICE = 40, LONG_S = 16, SHORT_S = 4, NAME_MAX_BYTES = 160 };

static const double middle_error_ms = 0.05;
enum { MANY_FLASHES = 6 }; /* fewer leave a line too free to trust its error as far */

static const struct rate {
    int num;
    int den;
} rates[] = {{25, 1}, {30000, 1001}};

/* ---- looking ---- */

/* The worst of a test. */
struct worst {
    size_t films;
    size_t failures;
    double offset; /* frames */
    double slope;  /* ms a minute, as far as it is sure */
    char offset_of[NAME_MAX_BYTES];
    char slope_of[NAME_MAX_BYTES];
};

/* All are told before the test fails. */
static void complain(struct worst *worst, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct worst *worst, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    print_message("%s\n", line);
    worst->failures++;
}

static const struct each_flash *expected_at(const struct each_film *film, const struct flash *seen, double rate) {
    double from = (seen->frame - 1.5) / rate;
    double until = (seen->frame + seen->frames + 1.5) / rate;
    for (size_t i = 0; i < film->count; i++) {
        if (film->flashes[i].from < until && film->flashes[i].until > from) {
            return &film->flashes[i];
        }
    }
    return NULL;
}

/* Where something uncertain may sound, too, nothing is certain. */
static bool is_heard_alone(const struct each_film *film, const struct each_flash *flash) {
    for (size_t i = 0; i < film->count; i++) {
        const struct each_flash *other = &film->flashes[i];
        if (other != flash && other->from < flash->until + 0.45 && other->until > flash->from - 0.45) {
            return false;
        }
    }
    return true;
}

static void look_at_flash(const struct each_film *film, const struct flash *seen, const char *what, struct worst *worst,
                          size_t *ret_sure) {
    double rate = (double)film->rate_num / film->rate_den;
    const struct each_flash *flash = expected_at(film, seen, rate);
    if (flash == NULL) {
        complain(worst, "%s: an unexpected flash at frame %g", what, seen->frame);
    }
    if (flash == NULL || !flash->sure) {
        return;
    }
    if (fabs(seen->frame - flash->from * rate) > 1.01) {
        complain(worst, "%s: a flash at frame %g instead of %.2f", what, seen->frame, flash->from * rate);
    }
    (*ret_sure)++;
    double offset = fabs(seen->offset) * rate / HZ; /* NAN: no sound */
    if (is_heard_alone(film, flash) && !(offset <= worst->offset)) {
        worst->offset = isnan(offset) ? INFINITY : offset;
        cs_str_copy(worst->offset_of, sizeof(worst->offset_of), what);
    }
    if (is_heard_alone(film, flash) && !(offset <= 1)) {
        complain(worst, "%s: the sound of the flash at frame %g is %.2f frames away", what, seen->frame, offset);
    }
}

/* How sure a slope is: a coded sound's middle is known to some samples, whatever a line through few of them says. */
static double slope_error(const struct flash_sight *sight, double rate) {
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < sight->count; i++) {
        double minutes = sight->items[i].frame / rate / 60;
        sum += minutes;
        squares += minutes * minutes;
    }
    double spread = squares - sum * sum / (double)sight->count;
    return fmax(sight->slope_error, middle_error_ms / sqrt(spread));
}

/* Where pictures were left out or doubled, flashes are off by parts of frames, which a line through few takes for
 * drift. */
static void look_at_slope(const struct each_film *film, const struct flash_sight *sight, size_t sure, const char *what,
                          struct worst *worst) {
    if (!film->on_grid || sure != sight->count || sure < 3) {
        return;
    }
    double error = slope_error(sight, (double)film->rate_num / film->rate_den);
    double slope = fabs(sight->slope) - (sight->count < MANY_FLASHES ? 6 : 3) * error;
    if (slope > worst->slope) {
        worst->slope = slope;
        cs_str_copy(worst->slope_of, sizeof(worst->slope_of), what);
    }
    if (!(slope <= 1)) {
        complain(worst, "%s: sound falls behind by %.2f±%.2f ms a minute", what, sight->slope, error);
    }
}

static void look(struct studio *studio, const struct each_film *film, const char *output, const char *what,
                 struct worst *worst) {
    const Callsheet__V1__MediaFacts *facts = studio->done->outputs[0];
    struct flash_sight sight = flash_look(studio, output, film->rate_num, film->rate_den);
    size_t wanted = 0;
    size_t sure = 0;
    if (sight.frames != film->frames || facts->video->frame_count != film->frames) {
        complain(worst, "%s: %lld frames, told %lld, planned %lld", what, (long long)sight.frames,
                 (long long)facts->video->frame_count, (long long)film->frames);
    }
    if ((int64_t)facts->video->frame_rate->num * film->rate_den !=
        (int64_t)facts->video->frame_rate->den * film->rate_num) {
        complain(worst, "%s: of %lld/%lld frames a second", what, (long long)facts->video->frame_rate->num,
                 (long long)facts->video->frame_rate->den);
    }
    for (size_t i = 0; i < sight.count; i++) {
        look_at_flash(film, &sight.items[i], what, worst, &sure);
    }
    for (size_t i = 0; i < film->count; i++) {
        wanted += film->flashes[i].sure;
    }
    if (sure != wanted) {
        complain(worst, "%s: %zu of %zu flashes", what, sure, wanted);
    }
    look_at_slope(film, &sight, sure, what, worst);
    worst->films++;
}

static void tell(const struct worst *worst) {
    print_message("%zu films; worst offset %.3f frames (%s); worst slope %.3f ms a minute (%s)\n", worst->films,
                  worst->offset, worst->offset_of, worst->slope, worst->slope_of);
    assert_int_equal(worst->failures, 0);
}

/* ---- one by one ---- */

static void run_each(const struct rate *rate, struct worst *worst) {
    CS_AUTO_STUDIO studio;
    struct each_film fixture;
    studio_open(&studio);
    const char *path = each_prepare(&studio, rate->num, rate->den, LONG_S, &fixture);
    for (size_t i = 0; i < each_ops_count; i++) {
        struct each_film film;
        each_ops[i].plan(&fixture, &fixture, &film);
        const char *output = each_run(&studio, &each_ops[i], &fixture, path, "out");
        look(&studio, &film, output, each_ops[i].name, worst);
    }
    tell(worst);
}

TEST(picture_and_sound_keep_together_in_every_operation) {
    for (size_t i = 0; i < CS_COUNT(rates); i++) {
        run_each(&rates[i], &(struct worst){0});
    }
}

/* ---- pairs ---- */

static unsigned next_random(unsigned *state) {
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static size_t pairs_count(void) {
    return each_ops_count * each_ops_count;
}

/* Some of all pairs, in their order, so that the first of each is made once. */
static bool *choose_pairs(struct studio *studio) {
    const char *wish = getenv("CALLSHEET_PAIRS");
    const char *given = getenv("CALLSHEET_SEED");
    bool all = cs_str_eq(wish, "all");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    unsigned state = seed;
    bool *chosen = cs_arena_array(studio->arena, pairs_count(), sizeof(*chosen));
    for (size_t i = 0; i < pairs_count(); i++) {
        chosen[i] = all || next_random(&state) % pairs_count() < SLICE;
    }
    print_message("%s, CALLSHEET_SEED=%u\n", all ? "all pairs" : "some pairs", seed);
    return chosen;
}

struct pairs {
    struct studio *studio;
    const char *path;
    struct each_film fixture;
    struct worst *worst;
};

static void run_pair(const struct pairs *pairs, const struct each_op *first, const struct each_film *made,
                     const char *made_name, const struct each_op *second) {
    struct studio *studio = pairs->studio;
    struct each_film film;
    char what[NAME_MAX_BYTES];
    second->plan(made, &pairs->fixture, &film);
    (void)snprintf(what, sizeof(what), "%s, then %s (%d/%d)", first->name, second->name, film.rate_num, film.rate_den);
    look(studio, &film, each_run(studio, second, made, studio_path(studio, made_name), "second"), what, pairs->worst);
    if (!first->alone && !second->alone) {
        cs_str_copy(what + strlen(what), sizeof(what) - strlen(what), ", as one job");
        look(studio, &film, each_run_both(studio, first, &pairs->fixture, second, made, pairs->path, "both"), what,
             pairs->worst);
    }
}

static void run_pairs_of(const struct pairs *pairs, size_t first, const bool *chosen) {
    const struct each_op *op = &each_ops[first];
    const char *name = NULL;
    struct each_film film;
    op->plan(&pairs->fixture, &pairs->fixture, &film);
    for (size_t i = 0; i < each_ops_count && !op->last; i++) {
        if (chosen[first * each_ops_count + i]) {
            name = name != NULL ? name : each_run(pairs->studio, op, &pairs->fixture, pairs->path, "first");
            run_pair(pairs, op, &film, name, &each_ops[i]);
        }
    }
}

/* The first operations take turns with the rates. */
TEST(picture_and_sound_keep_together_in_pairs_of_operations) {
    CS_AUTO_STUDIO chooser;
    studio_open(&chooser);
    const bool *chosen = choose_pairs(&chooser);
    struct worst worst = {0};
    for (size_t i = 0; i < each_ops_count; i++) {
        CS_AUTO_STUDIO studio;
        struct pairs pairs = {.studio = &studio, .worst = &worst};
        studio_open(&studio);
        pairs.path = each_prepare(&studio, rates[i % 2].num, rates[i % 2].den, SHORT_S, &pairs.fixture);
        run_pairs_of(&pairs, i, chosen);
    }
    tell(&worst);
}

TEST_MAIN(CS_TEST(picture_and_sound_keep_together_in_every_operation),
          CS_TEST(picture_and_sound_keep_together_in_pairs_of_operations))
