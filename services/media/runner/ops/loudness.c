/* Sound at a target loudness, measured again in the finished file. */
#include <math.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "ops/leveling.h"
#include "ops/main_sound.h"

static const double tolerance_lu = 0.2;

struct loudness {
    struct med_main_sound main; /* first: see main_sound.c */
    int64_t samples;
    struct med_leveling leveling;
    struct med_leveled leveled;
    int64_t limited_samples; /* of the last time the sound was built */
    bool measured;           /* output is known */
    struct med_loudness output;
};

static struct med_audio *build(struct med_graph *graph, const void *ctx, const struct med_level *level) {
    const struct loudness *loudness = ctx;
    struct med_audio *sound = med_clip_audio(graph, &loudness->main.clip, loudness->samples, 1);
    return level->gain_db == 0 && !level->limited ? sound : med_level(graph, sound, level);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    struct loudness *loudness = made->self;
    struct med_level level = loudness->leveled.level;
    (void)err;
    loudness->limited_samples = 0;
    level.limited_samples = &loudness->limited_samples;
    *ret_audio = build(graph, loudness, &level);
    return CS_OK;
}

/* ---- the report ---- */

static void report_level(struct med_job *job, const struct med_leveled *leveled) {
    bool limited = leveled->level.limited;
    med_job_add_word(job, "mode", leveled->silent ? "silent" : limited ? "limited" : "linear");
    if (!leveled->silent) {
        med_job_add_metric(job, "loudnessGain", leveled->level.gain_db);
    }
}

static void report_one(struct med_job *job, const char *which, const struct med_loudness *loudness) {
    med_job_add_metric(job, cs_arena_sprintf(job->arena, "%sLoudness", which), loudness->integrated);
    med_job_add_metric(job, cs_arena_sprintf(job->arena, "%sTruePeak", which), loudness->true_peak);
    med_job_add_metric(job, cs_arena_sprintf(job->arena, "%sRange", which), loudness->range);
}

static enum cs_status judge(const struct med_made *made, struct med_job *job, int fd, bool *ret_again,
                            struct cs_err *err) {
    struct loudness *loudness = made->self;
    CS_TRY(med_leveling_measure(job, fd, &loudness->output, err));
    loudness->measured = true;
    return med_leveling_judge(&loudness->leveling, &loudness->output, &loudness->leveled, ret_again, err);
}

static enum cs_status report(const struct med_made *made, struct med_job *job, int fd, struct cs_err *err) {
    const struct loudness *loudness = made->self;
    const struct med_leveling *leveling = &loudness->leveling;
    struct med_loudness output = loudness->output;
    if (loudness->leveled.silent) {
        return CS_OK;
    }
    if (loudness->measured) { /* the level may have changed since the operation was described */
        report_level(job, &loudness->leveled);
    } else {
        CS_TRY(med_leveling_measure(job, fd, &output, err));
    }
    if (output.silent || fabs(output.integrated - leveling->target) > tolerance_lu ||
        output.true_peak > leveling->true_peak_max) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has %.2f LUFS and %.2f dBTP", output.integrated,
                       output.true_peak);
    }
    report_one(job, "output", &output);
    med_job_add_metric(job, "limitedMs", (double)loudness->limited_samples * 1000 / MED_SAMPLE_RATE);
    return CS_OK;
}

/* ---- parameters ---- */

static enum cs_status read_targets(const Callsheet__V1__Loudness *params, struct med_leveling *leveling,
                                   struct cs_err *err) {
    if (!cs_loudness_preset(params->preset, &leveling->target, &leveling->true_peak_max)) {
        return cs_fail_at(err, "preset", "unknown_word", "preset names a use of the sound");
    }
    leveling->target = params->target != NULL ? params->target->value : leveling->target;
    leveling->true_peak_max = params->true_peak_max != NULL ? params->true_peak_max->value : leveling->true_peak_max;
    if (!(leveling->target >= CS_LOUDNESS_MIN && leveling->target <= CS_LOUDNESS_MAX)) {
        return cs_fail_at(err, "target", "out_of_range", "target must be %d to %d", CS_LOUDNESS_MIN, CS_LOUDNESS_MAX);
    }
    if (!(leveling->true_peak_max >= CS_TRUE_PEAK_MIN && leveling->true_peak_max <= CS_TRUE_PEAK_MAX)) {
        return cs_fail_at(err, "truePeakMax", "out_of_range", "truePeakMax must be %g to %g", CS_TRUE_PEAK_MIN,
                          CS_TRUE_PEAK_MAX);
    }
    return CS_OK;
}

enum cs_status med_op_loudness(struct med_job *job, const Callsheet__V1__Loudness *params, struct med_made *ret_made,
                               struct cs_err *err) {
    struct loudness *loudness = cs_arena_alloc(job->arena, sizeof(*loudness));
    struct med_leveling *leveling = &loudness->leveling;
    struct med_made made;
    bool alone = params->main_case == CALLSHEET__V1__LOUDNESS__MAIN_AUDIO;
    CS_TRY(read_targets(params, leveling, err));
    CS_TRY(med_main_sound_read(job, alone ? NULL : params->video, alone ? params->audio : NULL, params->format,
                               &loudness->main, &made, err));
    if (loudness->main.clip.facts->audio.stream < 0) {
        return cs_fail_at(err, "video", "no_audio", "the input has no sound");
    }
    loudness->samples = made.samples;
    leveling->build = build;
    leveling->ctx = loudness;
    leveling->encoding = made.encoding;
    leveling->encoding.container = alone ? med_container_of(cs_sound_extension(params->format)) : MED_MP4;
    leveling->tries_file = alone && job->step_count == job->wire->n_steps_before;
    if (med_job_makes_sound(job)) {
        CS_TRY(med_leveling_choose(job, leveling, &loudness->leveled, err));
    }
    if (!loudness->leveled.silent) {
        report_one(job, "input", &loudness->leveled.input);
    }
    if (leveling->tries_file && !loudness->leveled.silent) {
        made.judge = judge;
    } else {
        report_level(job, &loudness->leveled);
    }
    made.self = loudness;
    made.sound = build_sound;
    made.finish = report;
    *ret_made = made;
    return CS_OK;
}
