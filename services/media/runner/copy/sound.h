/*
 * sound: runs a plan of copied sound: packets, and between them edges, each decoded between its neighbours and
 * compared with what it should be before any of it is written. One that does not fit its neighbours gives way by some
 * places: encoders change their windows where sound is sudden. One input is open at a time, two at a join.
 *
 * Fails    "sound_join" an edge does not decode to what it should, "layout" the encoder cannot make it (the caller
 *          encodes all of it instead).
 */
#ifndef MED_COPY_SOUND_H
#define MED_COPY_SOUND_H

#include "copy/sound_plan.h"
#include "graph/sink.h"

struct med_sound_copy;

/* The plan outlives it. */
enum cs_status med_sound_copy_create(const struct med_sound_plan *plan, struct med_sound_copy **ret_copy,
                                     struct cs_err *err) CS_MUST_USE;
void med_sound_copy_destroy(struct med_sound_copy *copy);
CS_DEFINE_AUTO(med_sound_copy, med_sound_copy_destroy)

/* For the sink; runs once. */
struct med_coded *med_sound_copy_coded(struct med_sound_copy *copy);
/* Packets, behind the run. */
int64_t med_sound_copy_copied(const struct med_sound_copy *copy);

#endif
