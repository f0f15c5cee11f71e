#include "api/gate.h"

void orc_gate_init(struct orc_gate *gate) {
    *gate = (struct orc_gate){0};
    (void)pthread_mutex_init(&gate->lock, NULL);
    (void)pthread_cond_init(&gate->left, NULL);
}

void orc_gate_fini(struct orc_gate *gate) {
    (void)pthread_cond_destroy(&gate->left);
    (void)pthread_mutex_destroy(&gate->lock);
}

enum cs_status orc_gate_enter(struct orc_gate *gate, struct cs_err *err) {
    pthread_mutex_lock(&gate->lock);
    bool closed = gate->closed;
    gate->inside += closed ? 0 : 1;
    pthread_mutex_unlock(&gate->lock);
    return closed ? cs_fail(err, CS_UNAVAILABLE, "draining", "the orchestrator is about to stop") : CS_OK;
}

void orc_gate_leave(struct orc_gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->inside--;
    if (gate->inside == 0) {
        (void)pthread_cond_broadcast(&gate->left);
    }
    pthread_mutex_unlock(&gate->lock);
}

void orc_gate_close(struct orc_gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->closed = true;
    while (gate->inside > 0) {
        (void)pthread_cond_wait(&gate->left, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}
