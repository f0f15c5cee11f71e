#include "stop.h"

#include <errno.h>
#include <time.h>

#include "cs/base/clock.h"

enum { LEFT_MS_MAX = 7 * 24 * 3600 * 1000 };

void med_stop_init(struct med_stop *stop, int64_t left_ms) {
    *stop = (struct med_stop){.deadline_mono_ms = cs_clock_mono_ms() + (left_ms < LEFT_MS_MAX ? left_ms : LEFT_MS_MAX)};
    (void)pthread_mutex_init(&stop->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&stop->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void med_stop_fini(struct med_stop *stop) {
    (void)pthread_cond_destroy(&stop->changed);
    (void)pthread_mutex_destroy(&stop->lock);
}

void med_stop_lock(struct med_stop *stop) {
    pthread_mutex_lock(&stop->lock);
}

void med_stop_unlock(struct med_stop *stop) {
    pthread_mutex_unlock(&stop->lock);
}

void med_stop_wake(struct med_stop *stop) {
    pthread_cond_broadcast(&stop->changed);
}

void med_stop_request(struct med_stop *stop) {
    med_stop_lock(stop);
    stop->requested = true;
    med_stop_wake(stop);
    med_stop_unlock(stop);
}

int64_t med_stop_left_ms(const struct med_stop *stop) {
    int64_t left = stop->deadline_mono_ms - cs_clock_mono_ms();
    return left > 0 ? left : 0;
}

static void look_at_clock(struct med_stop *stop) {
    if (!stop->requested && med_stop_left_ms(stop) == 0) {
        stop->requested = true;
        stop->expired = true;
    }
}

enum cs_status med_stop_check(struct med_stop *stop, struct cs_err *err) {
    med_stop_lock(stop);
    look_at_clock(stop);
    bool requested = stop->requested;
    bool expired = stop->expired;
    med_stop_unlock(stop);
    if (expired) {
        return cs_fail(err, CS_DEADLINE_EXCEEDED, "deadline", "the job did not end before its deadline");
    }
    return requested ? cs_fail(err, CS_CANCELLED, "cancelled", "the job was cancelled") : CS_OK;
}

bool med_stop_wait(struct med_stop *stop) {
    look_at_clock(stop);
    if (!stop->requested) {
        struct timespec until = {.tv_sec = stop->deadline_mono_ms / 1000,
                                 .tv_nsec = stop->deadline_mono_ms % 1000 * 1000000};
        (void)pthread_cond_timedwait(&stop->changed, &stop->lock, &until);
        look_at_clock(stop);
    }
    return !stop->requested;
}

void med_stop_wait_more(struct med_stop *stop) {
    (void)pthread_cond_wait(&stop->changed, &stop->lock);
}
