#include "ops/leveling.h"

#include <math.h>

#include "graph/clip.h"
#include "graph/trial.h"

enum { TRIES_MAX = 6, GUESSES_MAX = 4 };

static const double close_enough_lu = 0.1; /* half of what is promised: files are rounded once more */
static const double spare_db = 0.1;        /* below the limit, for the same reason */
static const double guessed_lu = 0.03;

static enum cs_status measure_sound(struct med_job *job, const struct med_leveling *leveling,
                                    const struct med_level *level, struct med_loudness *ret_loudness,
                                    struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_audio *sound = leveling->build(graph, leveling->ctx, level);
    return med_loudness_measure(sound, job->events, ret_loudness, err);
}

static enum cs_status measure_encoded(struct med_job *job, const struct med_leveling *leveling,
                                      const struct med_level *level, struct med_loudness *ret_loudness,
                                      struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_audio *sound = leveling->build(graph, leveling->ctx, level);
    return med_trial_measure(graph, sound, &leveling->encoding, ret_loudness, err);
}

static bool is_done(const struct med_leveling *leveling, const struct med_loudness *got) {
    return !got->silent && fabs(leveling->target - got->integrated) <= close_enough_lu &&
           got->true_peak <= leveling->true_peak_max - spare_db / 2;
}

/* Limiting makes sound quieter again, and encoders make peaks higher: both are corrected by what was measured. */
static void correct(const struct med_leveling *leveling, const struct med_loudness *got, struct med_level *level) {
    double over_db = got->true_peak - (leveling->true_peak_max - spare_db);
    if (over_db > 0) {
        level->ceiling_db = level->limited ? level->ceiling_db - over_db : leveling->true_peak_max - spare_db - 0.4;
        level->limited = true;
    }
    level->gain_db += leveling->target - got->integrated;
}

static enum cs_status unreachable(const struct med_leveling *leveling, const struct med_loudness *got,
                                  struct cs_err *err) {
    return cs_fail(err, CS_FAILED_PRECONDITION, "loudness_unreachable",
                   "%g LUFS cannot be reached with peaks below %g dBTP: %.1f LUFS at most", leveling->target,
                   leveling->true_peak_max, got->integrated);
}

/* What limiting takes is known without an encoder, which costs much more. */
static enum cs_status guess(struct med_job *job, const struct med_leveling *leveling, struct med_leveled *leveled,
                            struct cs_err *err) {
    struct med_level *level = &leveled->level;
    level->gain_db = leveling->target - leveled->input.integrated;
    level->limited = leveled->input.true_peak + level->gain_db > leveling->true_peak_max;
    level->ceiling_db = leveling->true_peak_max - spare_db - 0.4;
    bool near = !level->limited;
    for (int i = 0; i < GUESSES_MAX && !near; i++) {
        struct med_loudness got = {0};
        CS_TRY(measure_sound(job, leveling, level, &got, err));
        near = got.silent || fabs(leveling->target - got.integrated) <= guessed_lu;
        level->gain_db += near ? 0 : leveling->target - got.integrated;
    }
    return CS_OK;
}

static enum cs_status try_encoded(struct med_job *job, const struct med_leveling *leveling, struct med_level *level,
                                  struct cs_err *err) {
    struct med_loudness got = {0};
    for (int i = 0; i < TRIES_MAX; i++) {
        CS_TRY(measure_encoded(job, leveling, level, &got, err));
        if (is_done(leveling, &got)) {
            return CS_OK;
        }
        if (!got.silent) {
            correct(leveling, &got, level);
        }
    }
    return leveling->best_effort ? CS_OK : unreachable(leveling, &got, err);
}

enum cs_status med_leveling_choose(struct med_job *job, const struct med_leveling *leveling,
                                   struct med_leveled *ret_leveled, struct cs_err *err) {
    struct med_leveled leveled = {0};
    CS_TRY(measure_sound(job, leveling, &leveled.level, &leveled.input, err));
    leveled.silent = leveled.input.silent;
    if (!leveled.silent) {
        CS_TRY(guess(job, leveling, &leveled, err));
        CS_TRY(leveling->tries_file ? CS_OK : try_encoded(job, leveling, &leveled.level, err));
    }
    *ret_leveled = leveled;
    return CS_OK;
}

enum cs_status med_leveling_judge(const struct med_leveling *leveling, const struct med_loudness *got,
                                  struct med_leveled *leveled, bool *ret_again, struct cs_err *err) {
    *ret_again = got->silent || fabs(leveling->target - got->integrated) > close_enough_lu ||
                 got->true_peak > leveling->true_peak_max;
    if (!*ret_again) {
        return CS_OK;
    }
    if (++leveled->tries == TRIES_MAX) {
        return unreachable(leveling, got, err);
    }
    if (!got->silent) {
        correct(leveling, got, &leveled->level);
    }
    return CS_OK;
}

enum cs_status med_leveling_measure(struct med_job *job, int fd, struct med_loudness *ret_loudness,
                                    struct cs_err *err) {
    struct med_facts facts;
    if (med_facts_read(fd, &facts, err) != CS_OK || facts.audio.stream < 0) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the sound of the output cannot be read back");
    }
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    const struct med_clip clip = {.fd = fd, .facts = &facts, .path = "output"};
    int64_t samples = av_rescale(facts.audio.length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
    return med_loudness_measure(med_clip_audio(graph, &clip, samples, 1), job->events, ret_loudness, err);
}
