/* What is said in a recording and how loud it is -> which spans stay. */
#include <math.h>

#include "cs/base/text.h"
#include "edit/refine.h"
#include "graph/progress.h"
#include "graph/timeline.h"
#include "ops/talk.h"

enum { MARGIN_CS = 20, SNAP_CS = 8, BLOCK = 4800 };

static struct med_cut_rules rules_of(const Callsheet__V1__PlanCuts *params) {
    struct med_cut_rules rules = med_cut_rules_default();
    if (params->min_pause_ms != NULL) {
        rules.min_pause_cs = params->min_pause_ms->value / 10;
    }
    if (params->merge_threshold_ms != NULL) {
        rules.merge_cs = params->merge_threshold_ms->value / 10;
    }
    if (params->min_cut_duration != NULL) {
        rules.min_cut_cs = llround(params->min_cut_duration->value * 100);
    }
    if (params->min_segment_duration != NULL) {
        rules.min_keep_cs = llround(params->min_segment_duration->value * 100);
    }
    if (params->max_segment_duration != NULL) {
        rules.max_keep_cs = llround(params->max_segment_duration->value * 100);
    }
    if (params->n_filler_words > 0 || params->keep_fillers) {
        rules.fillers = (const char *const *)params->filler_words;
        rules.filler_count = params->keep_fillers ? 0 : params->n_filler_words;
    }
    return rules;
}

/* What the catalogue promises: a rule of 0 would split for ever. */
static enum cs_status check_rules(const struct med_cut_rules *rules, struct cs_err *err) {
    if (rules->min_pause_cs < 1 || rules->max_keep_cs < 100 || rules->min_cut_cs < 0 || rules->min_keep_cs < 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "out_of_range", "a rule of the plan is out of range");
    }
    return CS_OK;
}

static struct med_cut_method method_of(const Callsheet__V1__PlanCuts *params) {
    return (struct med_cut_method){
        .silence = cs_str_eq(params->detect, "silence"),
        .margin_cs = params->margin_ms != NULL ? params->margin_ms->value / 10 : MARGIN_CS,
        .snap_cs = params->snap_ms != NULL ? params->snap_ms->value / 10 : SNAP_CS,
    };
}

/* ---- the sound ---- */

static enum cs_status listen(struct med_job *job, const struct med_clip *clip, struct med_levels *levels,
                             struct cs_err *err) {
    float stereo[2 * BLOCK];
    int64_t samples = av_rescale(med_facts_length_ticks(clip->facts), MED_SAMPLE_RATE, MED_TICKS_PER_S);
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_audio *sound = med_clip_audio(graph, clip, samples < 1 ? 1 : samples, 1);
    struct med_progress progress =
        med_progress_begin(job->events, "listening", sound->samples * 1000000 / MED_SAMPLE_RATE);
    med_levels_begin(levels, sound->samples, job->arena);
    for (int64_t done = 0; done < sound->samples;) {
        int64_t left = sound->samples - done;
        size_t count = left < BLOCK ? (size_t)left : BLOCK;
        CS_TRY(sound->pull(sound, stereo, count, err));
        med_levels_add(levels, stereo, count);
        done += (int64_t)count;
        med_progress_tell(&progress, done * 1000000 / MED_SAMPLE_RATE);
    }
    med_levels_end(levels);
    return CS_OK;
}

/* ---- the plan ---- */

/* What keeps a margin of silence on both sides leaves pauses that are shorter by as much. */
static struct med_cut_rules rules_within(const struct med_cut_rules *rules, const struct med_cut_method *method) {
    struct med_cut_rules within = *rules;
    within.min_pause_cs -= method->silence ? 2 * method->margin_cs : 0;
    within.min_pause_cs = within.min_pause_cs < 1 ? 1 : within.min_pause_cs;
    within.filler_count = method->silence ? 0 : within.filler_count;
    return within;
}

static enum cs_status read_words(struct med_job *job, const Callsheet__V1__PlanCuts *params,
                                 const struct med_cut_method *method, const struct med_levels *levels,
                                 struct med_words *words, struct cs_err *err) {
    struct med_subtitles said = {0};
    if (method->silence) {
        return med_levels_sounds(levels, method->margin_cs, job->arena, words, err);
    }
    CS_TRY(med_job_subtitles(job, params->transcript, "transcript", true, &said, err));
    *words = said.words;
    return CS_OK;
}

static void refine(struct med_job *job, const struct med_cut_method *method, const struct med_cut_rules *rules,
                   const struct med_words *words, const struct med_levels *levels, struct med_cut_plan *plan) {
    if (levels != NULL) {
        med_cut_plan_snap(plan, words, rules, levels, method->snap_cs);
        med_job_add_metric(job, "loudestSplice", med_cut_plan_measure(plan, levels));
        med_job_add_metric(job, "noiseFloor", levels->floor_db);
    }
    if (!method->silence) {
        med_cut_plan_explain(plan, words, job->arena);
    }
}

static enum cs_status write_plan(struct med_job *job, const struct med_cut_plan *plan,
                                 const struct med_cut_rules *rules, const struct med_cut_method *method,
                                 struct cs_err *err) {
    CS_AUTO_BUF json = {0};
    size_t cuts = 0;
    int64_t removed_cs = 0;
    med_cut_plan_write(plan, rules, method, &json);
    CS_TRY(med_job_write_text(job, 0, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_CUT_PLAN, err));
    for (size_t i = 0; i < plan->count; i++) {
        cuts += !plan->spans[i].keep;
        removed_cs += plan->spans[i].keep ? 0 : plan->spans[i].end_cs - plan->spans[i].start_cs;
    }
    med_job_add_metric(job, "totalSegments", (double)plan->count);
    med_job_add_metric(job, "totalCuts", (double)cuts);
    med_job_add_metric(job, "totalKeeps", (double)(plan->count - cuts));
    med_job_add_metric(job, "removedSeconds", (double)removed_cs / 100);
    return CS_OK;
}

enum cs_status med_op_plan_cuts(struct med_job *job, const Callsheet__V1__PlanCuts *params, struct cs_err *err) {
    struct med_clip clip;
    struct med_levels levels = {0};
    struct med_words words = {0};
    struct med_cut_plan plan = {0};
    const struct med_cut_rules rules = rules_of(params);
    const struct med_cut_method method = method_of(params);
    CS_TRY(check_rules(&rules, err));
    CS_TRY(med_job_input(job, params->media, "media", &clip, err));
    bool sounds = clip.facts->audio.stream >= 0;
    bool listens = sounds && (method.silence || method.snap_cs > 0);
    if (method.silence && !sounds) {
        return cs_fail_at(err, "media", "no_audio", "the input has no sound");
    }
    if (listens) {
        CS_TRY(listen(job, &clip, &levels, err));
    }
    CS_TRY(read_words(job, params, &method, &levels, &words, err));
    int64_t duration_cs = av_rescale(med_facts_length_ticks(clip.facts), 100, MED_TICKS_PER_S);
    const struct med_cut_rules within = rules_within(&rules, &method);
    CS_TRY(med_cut_plan_make(&words, duration_cs, &within, job->arena, &plan, err));
    refine(job, &method, &within, &words, listens ? &levels : NULL, &plan);
    return write_plan(job, &plan, &rules, &method, err);
}
