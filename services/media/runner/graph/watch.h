/*
 * watch: what pictures and sound look and sound like on their way to the encoder. The pads hand on what they are given.
 *
 * Of a picture some whole rows are looked at, so that watching costs next to nothing: what happens between them is not
 * seen. Times are those of the output.
 *
 * Threads  a pad's findings are read when nobody pulls any more.
 */
#ifndef MED_WATCH_H
#define MED_WATCH_H

#include "graph/graph.h"
#include "graph/loudness.h"

enum { MED_SPANS_MAX = 64 };

/* Stretches that last long enough, in frames or samples; the first MED_SPANS_MAX. */
struct med_spans {
    struct {
        int64_t start;
        int64_t end;
    } items[MED_SPANS_MAX];
    size_t count;
    int64_t shortest; /* what is shorter is none */
    int64_t since;    /* of the one that may be going on; -1: none */
    bool parted;      /* of a part of something longer: what touches its begin or its end counts, however short */
};

struct med_picture_findings {
    AVRational rate;
    struct med_spans black;
    struct med_spans frozen;
    int64_t frames; /* that were seen */
};

struct med_sound_findings {
    struct med_spans silent;
    struct med_loudness loudness;
    int64_t samples;
};

/* The shortest that count, for that rate. */
void med_picture_findings_init(struct med_picture_findings *ret_findings, AVRational rate);

/* Findings outlive the graph. */
struct med_video *med_watch_picture(struct med_graph *graph, struct med_video *video,
                                    struct med_picture_findings *findings);
struct med_audio *med_watch_sound(struct med_graph *graph, struct med_audio *audio,
                                  struct med_sound_findings *findings);

/* position: of what is (or is not) so. */
void med_spans_note(struct med_spans *spans, int64_t position, bool so);
/* Of the end of all. */
void med_spans_end(struct med_spans *spans, int64_t position);
/* Another one, which begins where the last one began or later: what touches or overlaps is one. A span that is too
 * short stays until the next one comes, or med_spans_joined. */
void med_spans_join(struct med_spans *spans, int64_t start, int64_t end);
void med_spans_joined(struct med_spans *spans);

#endif
