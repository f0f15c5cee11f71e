/*
 * quality: what is known of an output: as planned, as seen and heard before it was encoded, and as read back.
 *
 * Fails    INTERNAL "verify_failed": frames or samples are missing, picture and sound do not begin together, its coded
 * pictures are others than those that were written, or what was tried of the file does not decode.
 */
#ifndef MED_QUALITY_H
#define MED_QUALITY_H

#include "graph/decode_check.h"
#include "graph/watch.h"

struct med_quality {
    int64_t frames; /* planned; 0: no picture */
    bool coded;     /* the picture was, before it came here: nobody watched it */
    AVRational rate;
    struct med_imprint imprint; /* of what was written */
    int64_t samples;            /* planned, at 48 kHz; 0: no sound */
    struct med_picture_findings picture;
    struct med_sound_findings sound;
};

/* The pads that the encoders pull from instead. quality outlives the graph. */
struct med_video *med_quality_watch_picture(struct med_quality *quality, struct med_graph *graph,
                                            struct med_video *video);
struct med_audio *med_quality_watch_sound(struct med_quality *quality, struct med_graph *graph,
                                          struct med_audio *audio);

/* Behind the finished file, whose facts are as read back. */
enum cs_status med_quality_judge(const struct med_quality *quality, int fd, const struct med_facts *facts,
                                 struct cs_arena *arena, Callsheet__V1__Quality **ret_quality,
                                 struct cs_err *err) CS_MUST_USE;

/* Of a file whose pictures and sound are another one's, copied as they are: it has that one's faults, so nothing fails
 * here. What does not decode counts as not decoded. */
Callsheet__V1__Quality *med_quality_of_copy(int fd, const struct med_facts *before, const struct med_facts *after,
                                            struct cs_arena *arena);

#endif
