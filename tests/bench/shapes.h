/*
 * shapes: plans of no-op jobs.
 *
 * Owns     plans live in the arena that was passed.
 */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/mem.h"

struct shape {
    const char *name; /* in the JSON: "dag6" */
    const char *words;
    uint32_t jobs;
    uint32_t executions; /* that a measurement of it takes */
    /* Calls `add` for each edge. */
    void (*edges)(uint32_t jobs, void (*add)(uint32_t job, uint32_t parent, void *ctx), void *ctx);
};

extern const struct shape shape_single;  /* one job */
extern const struct shape shape_chain;   /* of 20 */
extern const struct shape shape_dag6;    /* two sources, a join, two steps, a sixth job after all five */
extern const struct shape shape_flat;    /* 1,000 that wait for nothing */
extern const struct shape shape_fan_out; /* 1 -> 1,000 */
extern const struct shape shape_fan_in;  /* 1,000 -> 1 */
extern const struct shape shape_diamond; /* 1 -> 2 -> 1 */
extern const struct shape shape_layered; /* 20 layers of 500, each job after 3 of the layer before */

/* Jobs are named by the letter and their number: 'p' for probes (stamps.h). */
Callsheet__V1__CreateExecutionRequest *shape_plan(const struct shape *shape, char letter, const char *tenant,
                                                  struct cs_arena *arena);

#endif
