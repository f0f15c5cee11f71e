/*
 * gate: who is inside the engine, so that it can be stopped when nobody is.
 */
#ifndef ORC_API_GATE_H
#define ORC_API_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "cs/base/err.h"

struct orc_gate {
    pthread_mutex_t lock;
    /* below: guarded by lock */
    pthread_cond_t left;
    size_t inside;
    bool closed;
};

void orc_gate_init(struct orc_gate *gate);
void orc_gate_fini(struct orc_gate *gate);
/* UNAVAILABLE "draining" once it is closed. After CS_OK leave follows. */
enum cs_status orc_gate_enter(struct orc_gate *gate, struct cs_err *err) CS_MUST_USE;
void orc_gate_leave(struct orc_gate *gate);
/* Returns when everybody has left. */
void orc_gate_close(struct orc_gate *gate);

#endif
