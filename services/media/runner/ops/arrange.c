#include "ops/arrange.h"

#include "graph/bed.h"
#include "graph/join.h"
#include "graph/pace.h"
#include "graph/room_tone.h"
#include "graph/sound.h"

struct arranged {
    struct med_arrangement plan;
    struct med_picture_format format;
    struct med_segment *segments; /* one per run */
    struct med_piece *pieces;
    struct med_clip *clips; /* where each run begins */
};

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Whether its pictures are the recording's, one by one. */
static bool plays_as_recorded(const struct med_run *run) {
    bool plays = run->frames == med_run_source_frames(run);
    for (size_t i = 0; plays && i < run->count; i++) {
        plays = !run->stretches[i].still && run->stretches[i].frames == run->stretches[i].source_frames;
    }
    return plays;
}

/* ---- pictures ---- */

static struct med_video *run_picture(struct med_graph *graph, const struct arranged *arranged, size_t index) {
    const struct med_run *run = &arranged->plan.runs.items[index];
    struct med_video *source = med_clip_video(graph, &arranged->clips[index], &arranged->format,
                                              med_run_source_frames(run), MED_FIT_PAD, MED_ANCHOR_CENTER);
    return plays_as_recorded(run) ? source : med_pace_video(graph, source, run);
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct arranged *arranged = made->self;
    size_t count = arranged->plan.runs.count;
    struct med_video **parts = cs_arena_array(graph->arena, count, sizeof(void *));
    (void)err;
    for (size_t i = 0; i < count; i++) {
        parts[i] = run_picture(graph, arranged, i);
    }
    *ret_video = med_join_video(graph, parts, arranged->segments, count, arranged->plan.joining.transition);
    return CS_OK;
}

/* ---- sound ---- */

struct sounds {
    const struct arranged *arranged;
    struct med_graph *graph;
    struct med_room_tone *tone; /* made when first wanted */
};

static struct med_audio *room_tone(struct sounds *sounds, int64_t samples) {
    const struct med_clip *clip = &sounds->arranged->plan.clip;
    if (sounds->tone == NULL) {
        struct med_length length = med_length_of(clip->facts, sounds->arranged->format.rate);
        sounds->tone = med_room_tone_of(sounds->graph, med_clip_audio(sounds->graph, clip, length.samples, 1));
    }
    return med_room_tone_audio(sounds->graph, sounds->tone, samples);
}

/* Of all that there is, the first and the last. */
static bool is_first(const struct arranged *arranged, const struct med_stretch *stretch) {
    return stretch == &arranged->plan.runs.items[0].stretches[0];
}

static bool is_last(const struct arranged *arranged, const struct med_stretch *stretch) {
    const struct med_run *run = &arranged->plan.runs.items[arranged->plan.runs.count - 1];
    return stretch == &run->stretches[run->count - 1];
}

/* A stretch of so many samples, and `lead` more before its begin. */
static struct med_audio *stretch_sound(struct sounds *sounds, const struct med_stretch *stretch, int64_t samples,
                                       int64_t lead) {
    const struct med_arrangement *plan = &sounds->arranged->plan;
    AVRational rate = sounds->arranged->format.rate;
    int64_t all = samples + lead;
    if (stretch->sound == MED_SPAN_ROOM_TONE) {
        return room_tone(sounds, all);
    }
    if (stretch->sound == MED_SPAN_MUTED || stretch->source_frames == 0) {
        return med_sound_silence(sounds->graph, all);
    }
    bool as_recorded = stretch->frames == stretch->source_frames;
    int64_t source = med_samples_at_frame(stretch->first + stretch->source_frames, rate) -
                     med_samples_at_frame(stretch->first, rate);
    const struct med_pace pace = {as_recorded ? all : av_rescale(all, source, samples), all, !plan->tape};
    int64_t source_lead = as_recorded ? lead : pace.source_samples - source;
    int64_t recorded = med_samples_at_frame(stretch->first, rate) - source_lead;
    source_lead += smaller(med_pace_lead(&pace), recorded > 0 ? recorded : 0);
    struct med_clip clip = plan->clip;
    clip.from_ticks =
        med_ticks_at_frame(stretch->first, rate) - med_ticks_from(source_lead, (AVRational){1, MED_SAMPLE_RATE});
    bool begins = is_first(sounds->arranged, stretch);
    bool ends = is_last(sounds->arranged, stretch);
    clip.bare_head = !as_recorded || !begins;
    clip.bare_tail = !as_recorded || !ends;
    if (as_recorded) {
        return med_clip_audio(sounds->graph, &clip, all, 1);
    }
    struct med_audio *paced =
        med_pace_audio(sounds->graph, med_clip_audio(sounds->graph, &clip, source + source_lead, 1), &pace);
    const struct med_shape edges = {
        .fade_in = begins && clip.from_ticks > 0 ? MED_CUT_FADE_SAMPLES : 0,
        .fade_out = ends ? MED_CUT_FADE_SAMPLES : 0,
    };
    return med_shape(sounds->graph, paced, &edges);
}

/* Whether the second sounds as if nothing were between the two: a straight cross-fade changes nothing then. */
static bool goes_on_in(const struct med_stretch *stretch, const struct med_stretch *next) {
    return stretch->first + stretch->source_frames == next->first && stretch->frames == stretch->source_frames &&
           next->frames == next->source_frames && stretch->sound == next->sound;
}

/* What a hard join shares: the end of what goes, `before` samples long, and what was recorded before the next stretch.
 * So the next one is heard in full from its first sample on. */
static int64_t shared_samples(const struct arranged *arranged, int64_t before, const struct med_stretch *next) {
    AVRational rate = arranged->format.rate;
    int64_t recorded = med_samples_at_frame(next->first, rate);
    if (next->source_frames > 0) { /* at another speed it takes more or less of it */
        recorded = av_rescale(recorded, next->frames, next->source_frames);
    }
    return smaller(smaller(before, recorded), MED_JOIN_SAMPLES);
}

/* The run's sound, which begins at frame start_frame of the output, and `lead` samples before it. */
static struct med_audio *run_sound(struct sounds *sounds, const struct med_run *run, int64_t start_frame,
                                   int64_t lead) {
    AVRational rate = sounds->arranged->format.rate;
    int64_t begin = med_samples_at_frame(start_frame, rate) - lead;
    int64_t end = med_samples_at_frame(start_frame + run->frames, rate);
    struct med_sound_part *parts = cs_arena_array(sounds->graph->arena, run->count, sizeof(*parts));
    for (size_t i = 0; i < run->count; i++) {
        const struct med_stretch *stretch = &run->stretches[i];
        int64_t from = med_samples_at_frame(start_frame + stretch->at, rate);
        int64_t until = med_samples_at_frame(start_frame + stretch->at + stretch->frames, rate);
        parts[i].start = from - begin - lead;
        parts[i].audio = stretch_sound(sounds, stretch, until - from, lead);
        if (i + 1 < run->count) {
            lead = shared_samples(sounds->arranged, until - from, stretch + 1);
            parts[i].overlap = lead;
            parts[i].equal_power = !goes_on_in(stretch, stretch + 1);
        }
    }
    return run->count == 1 ? parts[0].audio : med_sound_join(sounds->graph, parts, run->count, end - begin);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct arranged *arranged = made->self;
    const struct med_runs *runs = &arranged->plan.runs;
    struct sounds sounds = {.arranged = arranged, .graph = graph};
    struct med_sound_part *parts = cs_arena_array(graph->arena, runs->count, sizeof(*parts));
    AVRational rate = arranged->format.rate;
    int64_t lead = 0;
    (void)err;
    for (size_t i = 0; i < runs->count; i++) {
        const struct med_segment *segment = &arranged->segments[i];
        int64_t start = med_samples_at_frame(segment->start_frame, rate);
        int64_t end = med_samples_at_frame(segment->start_frame + segment->frames, rate);
        parts[i].start = start - lead;
        parts[i].audio = run_sound(&sounds, &runs->items[i], segment->start_frame, lead);
        lead = 0;
        if (segment->overlap > 0) {
            parts[i].overlap = end - med_samples_at_frame(segment[1].start_frame, rate);
            parts[i].fade = arranged->plan.audio_fade_samples;
        } else if (i + 1 < runs->count) {
            lead = shared_samples(arranged, end - start, &runs->items[i + 1].stretches[0]);
            parts[i].overlap = lead;
            parts[i].equal_power = true;
        }
    }
    *ret_audio = runs->count == 1 ? parts[0].audio : med_sound_join(graph, parts, runs->count, made->samples);
    return CS_OK;
}

/* ---- describing ---- */

static void list_parts(struct med_job *job, struct arranged *arranged) {
    const struct med_runs *runs = &arranged->plan.runs;
    arranged->segments = cs_arena_array(job->arena, runs->count, sizeof(*arranged->segments));
    arranged->clips = cs_arena_array(job->arena, runs->count, sizeof(*arranged->clips));
    arranged->pieces = cs_arena_array(job->arena, runs->count, sizeof(*arranged->pieces));
    for (size_t i = 0; i < runs->count; i++) {
        const struct med_run *run = &runs->items[i];
        arranged->segments[i] = (struct med_segment){.frames = run->frames};
        arranged->clips[i] = arranged->plan.clip;
        arranged->clips[i].from_ticks = med_ticks_at_frame(run->stretches[0].first, arranged->format.rate);
        arranged->pieces[i] = (struct med_piece){.clip = &arranged->clips[i], .frames = run->frames};
    }
}

/* Hard joins of what plays as recorded leave its pictures as they are. */
static bool has_pieces(const struct med_arrangement *plan) {
    bool has = plan->joining.frames == 0 || plan->runs.count == 1;
    for (size_t i = 0; has && i < plan->runs.count; i++) {
        has = plays_as_recorded(&plan->runs.items[i]);
    }
    return has;
}

enum cs_status med_arrange(struct med_job *job, const struct med_arrangement *arrangement, struct med_made *ret_made,
                           struct cs_err *err) {
    struct arranged *arranged = cs_arena_alloc(job->arena, sizeof(*arranged));
    struct med_made made = med_made_like(&arrangement->clip);
    arranged->plan = *arrangement;
    arranged->format = made.format;
    list_parts(job, arranged);
    CS_TRY(med_joining_check(&arrangement->joining, arranged->segments, arrangement->runs.count, err));
    made.frames = med_joining_lay(&arrangement->joining, arranged->segments, arrangement->runs.count);
    made.samples = made.samples > 0 ? med_samples_at_frame(made.frames, made.format.rate) : 0;
    made.self = arranged;
    made.picture = build_picture;
    made.sound = build_sound;
    if (has_pieces(arrangement)) {
        made.pieces = arranged->pieces;
        made.piece_count = arrangement->runs.count;
    }
    *ret_made = made;
    return CS_OK;
}
