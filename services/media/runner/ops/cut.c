/* A video without the spans that a plan cuts out. Each span begins and ends on a frame of the video; sound is cut as
 * PCM. */
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "graph/join.h"
#include "graph/sound.h"
#include "graph/timeline.h"
#include "ops/talk.h"

static const double transition_duration_s = 0.3;

struct cut {
    struct med_clip *parts;
    struct med_segment *segments;
    size_t count;
    struct med_picture_format format;
    const char *transition; /* or NULL */
    int64_t transition_frames;
};

static int64_t frame_at(const struct cut *cut, int64_t time_cs) {
    return med_frames_at(time_cs * (MED_TICKS_PER_S / 100), cut->format.rate);
}

/* Neighbouring spans that stay are one part: there is nothing to join. */
static void add_parts(struct med_job *job, const struct med_clip *clip, const struct med_cut_plan *plan,
                      struct cut *cut) {
    cut->parts = cs_arena_array(job->arena, plan->count, sizeof(*cut->parts));
    cut->segments = cs_arena_array(job->arena, plan->count, sizeof(*cut->segments));
    for (size_t i = 0; i < plan->count;) {
        size_t end = i;
        while (end < plan->count && plan->spans[end].keep &&
               (end == i || plan->spans[end].start_cs == plan->spans[end - 1].end_cs)) {
            end++;
        }
        if (end > i) {
            int64_t first = frame_at(cut, plan->spans[i].start_cs);
            int64_t frames = frame_at(cut, plan->spans[end - 1].end_cs) - first;
            if (frames > 0) {
                cut->parts[cut->count] = *clip;
                cut->parts[cut->count].from_ticks = med_ticks_at_frame(first, cut->format.rate);
                cut->segments[cut->count++] = (struct med_segment){
                    .length_ticks = med_ticks_at_frame(frames, cut->format.rate), .named = true, .frames = frames};
            }
        }
        i = end > i ? end : i + 1;
    }
}

static enum cs_status read_transition(const Callsheet__V1__Cut *params, struct cut *cut, struct cs_err *err) {
    if (params->transition == NULL || cs_str_empty(params->transition->type)) {
        return CS_OK;
    }
    double duration =
        params->transition->duration != NULL ? params->transition->duration->value : transition_duration_s;
    cut->transition = cs_transition_name(params->transition->type);
    if (cut->transition == NULL) {
        return cs_fail_at(err, "transition.type", "unknown_transition", "this transition is unknown");
    }
    if (!(duration > 0 && duration <= 10)) {
        return cs_fail_at(err, "transition.duration", "out_of_range", "a transition lasts 0.05 to 10 seconds");
    }
    int64_t frames = med_frames_at(med_ticks_from_seconds(duration), cut->format.rate);
    cut->transition_frames = frames < 1 ? 1 : frames;
    for (size_t i = 0; cut->count > 1 && i < cut->count; i++) {
        bool inner = i > 0 && i + 1 < cut->count;
        if (cut->segments[i].frames < cut->transition_frames * (inner ? 2 : 1)) {
            return cs_fail_at(err, "transition.duration", "segment_too_short",
                              "span %zu that stays is shorter than its transitions", i + 1);
        }
    }
    return CS_OK;
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct cut *cut = made->self;
    (void)err;
    struct med_video **parts = cs_arena_array(graph->arena, cut->count, sizeof(void *));
    for (size_t i = 0; i < cut->count; i++) {
        parts[i] = med_clip_video(graph, &cut->parts[i], &cut->format, cut->segments[i].frames, MED_FIT_PAD,
                                  MED_ANCHOR_CENTER);
    }
    *ret_video = med_join_video(graph, parts, cut->segments, cut->count, cut->transition);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct cut *cut = made->self;
    (void)err;
    struct med_sound_part *parts = cs_arena_array(graph->arena, cut->count, sizeof(*parts));
    AVRational rate = cut->format.rate;
    for (size_t i = 0; i < cut->count; i++) {
        const struct med_segment *segment = &cut->segments[i];
        int64_t start = med_samples_at_frame(segment->start_frame, rate);
        int64_t end = med_samples_at_frame(segment->start_frame + segment->frames, rate);
        int64_t tail = med_samples_at_frame(segment->start_frame + segment->frames - segment->overlap, rate);
        parts[i].start = start;
        parts[i].overlap = end - tail;
        parts[i].audio = med_clip_audio(graph, &cut->parts[i], end - start, 1);
    }
    *ret_audio = med_sound_join(graph, parts, cut->count, made->samples);
    return CS_OK;
}

/* Hard cuts leave the pictures that stay as they are. */
static void list_pieces(struct med_job *job, const struct cut *cut, struct med_made *made) {
    struct med_piece *pieces = cs_arena_array(job->arena, cut->count, sizeof(*pieces));
    for (size_t i = 0; i < cut->count; i++) {
        pieces[i] = (struct med_piece){.clip = &cut->parts[i], .frames = cut->segments[i].frames};
    }
    made->pieces = pieces;
    made->piece_count = cut->count;
}

enum cs_status med_op_cut(struct med_job *job, const Callsheet__V1__Cut *params, struct med_made *ret_made,
                          struct cs_err *err) {
    struct med_clip clip;
    struct med_cut_plan plan = {0};
    struct cut *cut = cs_arena_alloc(job->arena, sizeof(*cut));
    CS_TRY(med_job_video_input(job, params->video, "video", &clip, err));
    struct med_made made = med_made_like(&clip);
    cut->format = made.format;
    int64_t duration_cs = av_rescale(clip.facts->video.length_ticks, 100, MED_TICKS_PER_S);
    CS_TRY(med_job_cut_plan(job, params->plan, "plan", duration_cs, &plan, err));
    add_parts(job, &clip, &plan, cut);
    if (cut->count == 0) {
        return cs_fail_at(err, "plan", "bad_cut_plan", "nothing of the video stays");
    }
    CS_TRY(read_transition(params, cut, err));
    made.frames = med_timeline_lay(cut->segments, cut->count, cut->format.rate, cut->transition_frames);
    made.samples = made.samples > 0 ? med_samples_at_frame(made.frames, made.format.rate) : 0;
    made.self = cut;
    made.picture = build_picture;
    made.sound = build_sound;
    if (cut->transition == NULL) {
        list_pieces(job, cut, &made);
    }
    med_job_add_metric(job, "keepCount", (double)cut->count);
    *ret_made = made;
    return CS_OK;
}
