/* Ranges of a video, kept or dropped, to the frame. */
#include "bounds.h"
#include "ops/arrange.h"

enum { RANGES_MAX = 1000 };

struct range {
    int64_t first; /* frame */
    int64_t end;
};

struct trim {
    struct range *ranges;
    size_t count;
    int64_t frames; /* of the whole video */
    AVRational rate;
};

/* A range in order behind those before it; what lies behind the end of the video is left out. */
static enum cs_status add_range(struct trim *trim, double start, double end, const char *path, struct cs_err *err) {
    if (!(start >= 0 && start <= MED_DURATION_S_MAX && end >= 0)) {
        return cs_fail_at(err, path, "out_of_range", "a range begins and ends from 0 to %d seconds",
                          (int)MED_DURATION_S_MAX);
    }
    end = end < MED_DURATION_S_MAX ? end : MED_DURATION_S_MAX;
    struct range range = {.first = med_frames_at(med_ticks_from_seconds(start), trim->rate),
                          .end = med_frames_at(med_ticks_from_seconds(end), trim->rate)};
    if (range.end <= range.first) {
        return cs_fail_at(err, path, "empty_range", "a range from %g to %g seconds has no frame", start, end);
    }
    if (trim->count > 0 && range.first < trim->ranges[trim->count - 1].end) {
        return cs_fail_at(err, path, "overlapping_ranges", "ranges are in order and do not overlap");
    }
    range.first = range.first < trim->frames ? range.first : trim->frames;
    range.end = range.end < trim->frames ? range.end : trim->frames;
    if (range.end > range.first) {
        trim->ranges[trim->count++] = range;
    }
    return CS_OK;
}

static enum cs_status read_list(struct med_job *job, Callsheet__V1__TimeRange *const *list, size_t count,
                                const char *name, struct trim *trim, struct cs_err *err) {
    if (count > RANGES_MAX) {
        return cs_fail_at(err, name, "too_many", "at most %d ranges are allowed", RANGES_MAX);
    }
    trim->ranges = cs_arena_array(job->arena, count + 1, sizeof(*trim->ranges));
    for (size_t i = 0; i < count; i++) {
        CS_TRY(add_range(trim, list[i]->start, list[i]->end, cs_arena_sprintf(job->arena, "%s[%zu]", name, i), err));
    }
    return CS_OK;
}

static enum cs_status read_one(struct med_job *job, const Callsheet__V1__Trim *params, struct trim *trim,
                               struct cs_err *err) {
    double start = params->start != NULL ? params->start->value : 0;
    double end = params->end != NULL        ? params->end->value
                 : params->duration != NULL ? start + params->duration->value
                                            : MED_DURATION_S_MAX;
    trim->ranges = cs_arena_array(job->arena, 1, sizeof(*trim->ranges));
    return add_range(trim, start, end, params->end != NULL || params->duration == NULL ? "end" : "duration", err);
}

/* Turns ranges that go into those that stay. */
static void invert(struct med_job *job, struct trim *trim) {
    struct range *kept = cs_arena_array(job->arena, trim->count + 1, sizeof(*kept));
    size_t count = 0;
    int64_t at = 0;
    for (size_t i = 0; i <= trim->count; i++) {
        int64_t until = i < trim->count ? trim->ranges[i].first : trim->frames;
        if (until > at) {
            kept[count++] = (struct range){at, until};
        }
        at = i < trim->count ? trim->ranges[i].end : at;
    }
    trim->ranges = kept;
    trim->count = count;
}

/* Ranges that touch are one run: there is nothing to join. */
static struct med_runs runs_of(struct med_job *job, const struct trim *trim) {
    struct med_runs runs = {.items = cs_arena_array(job->arena, trim->count + 1, sizeof(struct med_run))};
    for (size_t i = 0; i < trim->count;) {
        struct range range = trim->ranges[i];
        for (i++; i < trim->count && trim->ranges[i].first == range.end; i++) {
            range.end = trim->ranges[i].end;
        }
        struct med_run *run = &runs.items[runs.count++];
        int64_t frames = range.end - range.first;
        run->stretches = cs_arena_array(job->arena, 1, sizeof(*run->stretches));
        med_run_add(run, (struct med_stretch){.first = range.first, .source_frames = frames, .frames = frames});
    }
    return runs;
}

enum cs_status med_op_trim(struct med_job *job, const Callsheet__V1__Trim *params, struct med_made *ret_made,
                           struct cs_err *err) {
    struct med_arrangement arrangement = {0};
    CS_TRY(med_job_video_input(job, params->video, "video", &arrangement.clip, err));
    const struct med_made whole = med_made_like(&arrangement.clip);
    struct trim trim = {.frames = whole.frames, .rate = whole.format.rate};
    if (params->n_keep > 0) {
        CS_TRY(read_list(job, params->keep, params->n_keep, "keep", &trim, err));
    } else if (params->n_drop > 0) {
        CS_TRY(read_list(job, params->drop, params->n_drop, "drop", &trim, err));
        invert(job, &trim);
    } else {
        CS_TRY(read_one(job, params, &trim, err));
    }
    arrangement.runs = runs_of(job, &trim);
    if (arrangement.runs.count == 0) {
        return cs_fail_at(err,
                          params->n_drop > 0   ? "drop"
                          : params->n_keep > 0 ? "keep"
                                               : "start",
                          "nothing_left", "nothing of the video stays");
    }
    med_job_add_metric(job, "keepCount", (double)arrangement.runs.count);
    return med_arrange(job, &arrangement, ret_made, err);
}
