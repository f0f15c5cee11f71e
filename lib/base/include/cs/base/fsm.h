/*
 * fsm: a state machine as a table of edges, each with its reason in words.
 *
 * States and events are small enums from 0. The tables also feed docs/fsm and the SQL checks.
 */
#ifndef CS_BASE_FSM_H
#define CS_BASE_FSM_H

#include <stddef.h>

#include "cs/base/err.h"

struct cs_fsm_edge {
    int from;
    int event;
    int to;
    const char *why; /* a sentence for an operator, lower case */
};

struct cs_fsm {
    const char *name;               /* "job" */
    const char *const *state_names; /* lower case, as in SQL and JSON */
    int state_count;
    const char *const *event_names;
    int event_count;
    const struct cs_fsm_edge *edges;
    size_t edge_count;
};

/* The edge for (state, event), or NULL when the event is not legal there. Any int may come in. */
const struct cs_fsm_edge *cs_fsm_find(const struct cs_fsm *fsm, int state, int event);

/* Moves *state along the edge. FAILED_PRECONDITION "illegal_transition" and *state unchanged when there is none. */
enum cs_status cs_fsm_step(const struct cs_fsm *fsm, int *state, int event, struct cs_err *err) CS_MUST_USE;

#endif
