#include "edit/levels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"

enum {
    FLOOR_PERCENT = 10,
    LOUD_PERCENT = 98,
    FLOOR_DB_MIN = -80,
    SILENT_DB = -60,     /* who is never louder is silent */
    DYNAMICS_DB_MIN = 9, /* who has less has no silence */
    STEP_DB_MIN = 6,
    STEP_PERCENT = 30,
    SOUND_CS_MIN = 10,
    SILENCE_CS_MIN = 20,
    PASSES_MAX = 8, /* smoothing may swing between two states */
};

/* ---- taking ---- */

void med_levels_begin(struct med_levels *levels, int64_t samples, struct cs_arena *arena) {
    size_t room = samples < 0 ? 0 : (size_t)((samples + MED_LEVEL_SAMPLES - 1) / MED_LEVEL_SAMPLES);
    *levels = (struct med_levels){.power = cs_arena_array(arena, room + 1, sizeof(float)), .room = room};
}

static void end_step(struct med_levels *levels) {
    if (levels->samples > 0 && levels->count < levels->room) {
        levels->power[levels->count++] = (float)(levels->sum / (double)levels->samples);
    }
    levels->sum = 0;
    levels->samples = 0;
}

void med_levels_add(struct med_levels *levels, const float *stereo, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double left = stereo[2 * i];
        double right = stereo[2 * i + 1];
        levels->sum += (left * left + right * right) / 2;
        if (++levels->samples == MED_LEVEL_SAMPLES) {
            end_step(levels);
        }
    }
}

static double decibels(double power) {
    double db = power > 0 ? 10 * log10(power) : MED_LEVEL_DB_MIN;
    return db > MED_LEVEL_DB_MIN ? db : MED_LEVEL_DB_MIN;
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static double at_percent(const float *sorted, size_t count, size_t percent) {
    return decibels((double)sorted[(count - 1) * percent / 100]);
}

void med_levels_end(struct med_levels *levels) {
    end_step(levels);
    levels->floor_db = MED_LEVEL_DB_MIN;
    levels->threshold_db = MED_LEVEL_DB_MIN;
    if (levels->count == 0) {
        return;
    }
    CS_AUTO_FREE float *sorted = cs_alloc_array(levels->count, sizeof(*sorted));
    memcpy(sorted, levels->power, levels->count * sizeof(*sorted));
    qsort(sorted, levels->count, sizeof(*sorted), by_size);
    double floor_db = at_percent(sorted, levels->count, FLOOR_PERCENT);
    double loud_db = at_percent(sorted, levels->count, LOUD_PERCENT);
    floor_db = floor_db > FLOOR_DB_MIN ? floor_db : FLOOR_DB_MIN;
    double step_db = (loud_db - floor_db) * STEP_PERCENT / 100;
    levels->floor_db = floor_db;
    if (loud_db < SILENT_DB) {
        levels->threshold_db = 0;
    } else if (loud_db - floor_db >= DYNAMICS_DB_MIN) {
        levels->threshold_db = floor_db + (step_db > STEP_DB_MIN ? step_db : STEP_DB_MIN);
    }
}

/* ---- asking ---- */

static double power_of(const struct med_levels *levels, int64_t step) {
    return step >= 0 && (size_t)step < levels->count ? (double)levels->power[step] : 0;
}

double med_level_of(const struct med_levels *levels, int64_t step) {
    return decibels(power_of(levels, step));
}

double med_level_at(const struct med_levels *levels, int64_t time_cs) {
    return decibels((power_of(levels, time_cs - 1) + power_of(levels, time_cs)) / 2);
}

static bool is_quiet(const struct med_levels *levels, int64_t step) {
    return med_level_of(levels, step) < levels->threshold_db;
}

double med_levels_quiet(const struct med_levels *levels, int64_t start_cs, int64_t end_cs) {
    int64_t quiet = 0;
    for (int64_t at = start_cs; at < end_cs; at++) {
        quiet += is_quiet(levels, at);
    }
    return end_cs > start_cs ? (double)quiet / (double)(end_cs - start_cs) : 1;
}

/* ---- sounds ---- */

/* Runs of one kind that are shorter become the other kind. Returns whether there were any. */
static bool smooth(bool *sounds, size_t count, bool kind, size_t shorter_than) {
    bool changed = false;
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && sounds[end] == sounds[first]) {
            end++;
        }
        if (sounds[first] == kind && end - first < shorter_than && end - first < count) {
            memset(sounds + first, !kind, end - first);
            changed = true;
        }
        first = end;
    }
    return changed;
}

static bool *find_sounds(const struct med_levels *levels, struct cs_arena *arena) {
    bool *sounds = cs_arena_array(arena, levels->count + 1, sizeof(*sounds));
    for (size_t i = 0; i < levels->count; i++) {
        sounds[i] = !is_quiet(levels, (int64_t)i);
    }
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        bool changed = smooth(sounds, levels->count, true, SOUND_CS_MIN);
        changed |= smooth(sounds, levels->count, false, SILENCE_CS_MIN);
        if (!changed) {
            break;
        }
    }
    return sounds;
}

static void add_sound(struct med_words *sounds, int64_t start_cs, int64_t end_cs) {
    struct med_word *last = sounds->count > 0 ? &sounds->items[sounds->count - 1] : NULL;
    if (last != NULL && last->end_cs >= start_cs) { /* their margins touch */
        last->end_cs = end_cs;
    } else {
        sounds->items[sounds->count++] = (struct med_word){.text = "", .start_cs = start_cs, .end_cs = end_cs};
    }
}

enum cs_status med_levels_sounds(const struct med_levels *levels, int64_t margin_cs, struct cs_arena *arena,
                                 struct med_words *ret_sounds, struct cs_err *err) {
    struct med_words sounds = {.items = cs_arena_array(arena, MED_WORDS_MAX, sizeof(struct med_word))};
    const bool *is_sound = find_sounds(levels, arena);
    for (size_t first = 0; first < levels->count;) {
        size_t end = first + 1;
        while (end < levels->count && is_sound[end] == is_sound[first]) {
            end++;
        }
        if (is_sound[first] && sounds.count == MED_WORDS_MAX) {
            return cs_fail(err, CS_OUT_OF_RANGE, "too_many_words", "a recording may have %d sounds at most",
                           MED_WORDS_MAX);
        }
        if (is_sound[first]) {
            int64_t start_cs = (int64_t)first - margin_cs;
            add_sound(&sounds, start_cs > 0 ? start_cs : 0, (int64_t)end + margin_cs);
        }
        first = end;
    }
    *ret_sounds = sounds;
    return CS_OK;
}
