/* A transcript and what it is of -> which spans stay. */
#include <math.h>

#include "graph/timeline.h"
#include "ops/talk.h"

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

enum cs_status med_op_plan_cuts(struct med_job *job, const Callsheet__V1__PlanCuts *params, struct cs_err *err) {
    struct med_clip clip;
    struct med_subtitles said = {0};
    struct med_cut_plan plan = {0};
    const struct med_cut_rules rules = rules_of(params);
    CS_AUTO_BUF json = {0};
    CS_TRY(check_rules(&rules, err));
    CS_TRY(med_job_input(job, params->media, "media", &clip, err));
    CS_TRY(med_job_subtitles(job, params->transcript, "transcript", true, &said, err));
    int64_t duration_cs = av_rescale(med_facts_length_ticks(clip.facts), 100, MED_TICKS_PER_S);
    CS_TRY(med_cut_plan_make(&said.words, duration_cs, &rules, job->arena, &plan, err));
    med_cut_plan_write(&plan, &rules, &json);
    CS_TRY(med_job_write_text(job, 0, &json, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_CUT_PLAN, err));
    size_t cuts = 0;
    for (size_t i = 0; i < plan.count; i++) {
        cuts += !plan.spans[i].keep;
    }
    med_job_add_metric(job, "totalSegments", (double)plan.count);
    med_job_add_metric(job, "totalCuts", (double)cuts);
    med_job_add_metric(job, "totalKeeps", (double)(plan.count - cuts));
    return CS_OK;
}
