/*
 * trial: how loud sound will be once it is encoded: encoded and decoded again, and kept nowhere.
 */
#ifndef MED_TRIAL_H
#define MED_TRIAL_H

#include "graph/encoding.h"
#include "graph/loudness.h"

/* Of encoding its container and sound count. Spends audio, which is one of graph's. */
enum cs_status med_trial_measure(struct med_graph *graph, struct med_audio *audio, const struct med_encoding *encoding,
                                 struct med_loudness *ret_loudness, struct cs_err *err) CS_MUST_USE;

#endif
