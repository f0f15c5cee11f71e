/* A video as a plan says: spans go, stay, lose their sound or play at another speed. Each begins and ends on a frame of
 * the video; sound is cut as PCM. */
#include "cs/base/text.h"
#include "ops/arrange.h"
#include "ops/talk.h"

static const double transition_duration_s = 0.3;

/* What fills the muted spans. */
static enum cs_status read_gap_fill(const char *fill, struct med_cut_plan *plan, struct cs_err *err) {
    bool room_tone = cs_str_eq(fill, "roomTone");
    if (!room_tone && !cs_str_empty(fill) && !cs_str_eq(fill, "silence")) {
        return cs_fail_at(err, "gapFill", "unknown_word", "gapFill is silence or roomTone");
    }
    for (size_t i = 0; room_tone && i < plan->count; i++) {
        if (plan->spans[i].sound == MED_SPAN_MUTED) {
            plan->spans[i].sound = MED_SPAN_ROOM_TONE;
        }
    }
    return CS_OK;
}

static size_t stretches_of(const struct med_runs *runs) {
    size_t count = 0;
    for (size_t i = 0; i < runs->count; i++) {
        count += runs->items[i].count;
    }
    return count;
}

enum cs_status med_op_cut(struct med_job *job, const Callsheet__V1__Cut *params, struct med_made *ret_made,
                          struct cs_err *err) {
    struct med_cut_plan plan = {0};
    struct med_arrangement arrangement = {0};
    CS_TRY(med_job_video_input(job, params->video, "video", &arrangement.clip, err));
    AVRational rate = med_format_of(arrangement.clip.facts).rate;
    int64_t duration_cs = av_rescale(arrangement.clip.facts->video.length_ticks, 100, MED_TICKS_PER_S);
    CS_TRY(med_job_cut_plan(job, params->plan, "plan", duration_cs, &plan, err));
    CS_TRY(read_gap_fill(params->gap_fill, &plan, err));
    arrangement.runs = med_runs_of_plan(&plan, rate, job->arena);
    if (arrangement.runs.count == 0) {
        return cs_fail_at(err, "plan", "bad_cut_plan", "nothing of the video stays");
    }
    CS_TRY(med_joining_read(params->transition, transition_duration_s, rate, &arrangement.joining, err));
    CS_TRY(med_arrange(job, &arrangement, ret_made, err));
    med_job_add_metric(job, "keepCount", (double)arrangement.runs.count);
    med_job_add_metric(job, "stretchCount", (double)stretches_of(&arrangement.runs));
    return CS_OK;
}
