/*
 * stamps: what the bench and its workers write for each other, in memory that they share.
 *
 * Workers count every job, and note when a job of a probe came and when its result left. A job is a probe's when its id
 * is "p" and a number: the place of its stamps. Probes are run one at a time; load has ids of another letter.
 *
 * Owns     a memory file and an eventfd, which a worker's process inherits.
 * Threads  any, of any process.
 */
#ifndef BENCH_STAMPS_H
#define BENCH_STAMPS_H

#include <stdatomic.h>
#include <stdint.h>

#include "cs/base/err.h"

enum { STAMPS_PROBE_JOBS_MAX = 64, STAMPS_WORKERS_MAX = 4 };

/* How long a worker keeps a job that is no probe's. */
enum { STAMPS_HOLD_NOT = 0, STAMPS_HOLD_ON = -1 /* until that changes */ };

/* In the shared memory; starts as zeros. */
struct stamps {
    _Atomic int64_t hold_us; /* about so long: between half and one and a half times */
    atomic_uint_fast64_t started;
    atomic_uint_fast64_t ended;
    atomic_uint_fast64_t await_started; /* who makes the count reach it tells the eventfd; 0 nobody */
    atomic_uint_fast64_t await_ended;
    _Atomic int64_t first_ns; /* when the first one came; 0 none did */
    atomic_uint_fast64_t held[STAMPS_WORKERS_MAX];
    _Atomic int64_t started_ns[STAMPS_PROBE_JOBS_MAX];
    _Atomic int64_t reported_ns[STAMPS_PROBE_JOBS_MAX];
};

struct stamps_map {
    struct stamps *shared;
    int memory_fd;
    int event_fd;
};

enum cs_status stamps_create(struct stamps_map *ret_map, struct cs_err *err) CS_MUST_USE;
/* Of a worker, with descriptors that it inherited. */
enum cs_status stamps_open(int memory_fd, int event_fd, struct stamps_map *ret_map, struct cs_err *err) CS_MUST_USE;
void stamps_close(struct stamps_map *map);

/* ---- the bench ---- */
/* Forgets counts and times. Nothing may be on its way. */
void stamps_reset(const struct stamps_map *map);
/* Until so many jobs have come, or ended, since the reset; DEADLINE_EXCEEDED. */
enum cs_status stamps_await_started(const struct stamps_map *map, uint64_t jobs, int64_t timeout_ms,
                                    struct cs_err *err) CS_MUST_USE;
enum cs_status stamps_await_ended(const struct stamps_map *map, uint64_t jobs, int64_t timeout_ms,
                                  struct cs_err *err) CS_MUST_USE;

/* ---- workers ---- */
/* The place of a probe's job, or -1. */
int stamps_probe(const char *job);
void stamps_note_started(const struct stamps_map *map, int probe);
void stamps_note_ended(const struct stamps_map *map);

#endif
