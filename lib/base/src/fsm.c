#include "cs/base/fsm.h"

static const char *name_of(const char *const *names, int count, int index) {
    return index >= 0 && index < count ? names[index] : "?";
}

const struct cs_fsm_edge *cs_fsm_find(const struct cs_fsm *fsm, int state, int event) {
    for (size_t i = 0; i < fsm->edge_count; i++) {
        if (fsm->edges[i].from == state && fsm->edges[i].event == event) {
            return &fsm->edges[i];
        }
    }
    return NULL;
}

enum cs_status cs_fsm_step(const struct cs_fsm *fsm, int *state, int event, struct cs_err *err) {
    const struct cs_fsm_edge *edge = cs_fsm_find(fsm, *state, event);
    if (edge == NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition", "%s: %s is not legal in state %s", fsm->name,
                       name_of(fsm->event_names, fsm->event_count, event),
                       name_of(fsm->state_names, fsm->state_count, *state));
    }
    *state = edge->to;
    return CS_OK;
}
