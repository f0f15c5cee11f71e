/*
 * gen: one generation on its way, from assignment to final report. Internal to the engine; loop thread only.
 */
#ifndef PRV_GEN_H
#define PRV_GEN_H

#include "cs/base/log.h"
#include "cs/catalog.h"
#include "engine.h"

struct gen {
    struct gen *prev;
    struct gen *next;
    struct prv_engine *engine;
    uint64_t serial;                  /* never used twice */
    struct cs_assignment *assignment; /* gone after the final report */
    const Callsheet__V1__Assign *assign;
    const struct cs_operation *operation;
    struct cs_arena *arena;
    const struct prv_provider *provider;
    struct prv_task task;
    struct prv_job job;
    int in_flight;    /* callbacks that will come */
    uint64_t request; /* that can be aborted; 0 none */
    int64_t pause;    /* number of the current pause; an older timer means nothing */
    int64_t wish_ms;  /* of the provider, about the next pause */
    int64_t started_ms;
    struct prv_snapshot snapshot; /* the last poll's */
    double fraction;              /* reported so far */

    /* staging */
    int *files;  /* -1: not here yet */
    char **urls; /* for adapters that take URLs */
    size_t input_count;
    size_t staged;

    /* ingesting */
    struct cs_storage_writer *writer;
    int output_fd;
    Callsheet__V1__MediaFacts *facts; /* unpacked, freed by prv_ingest_fini */
    struct cs_object_info info;
    struct cs_err io_err;
    enum cs_status io_status;
};

const struct prv_engine_config *prv_engine_config(const struct prv_engine *engine);
/* Runs act on the loop after delay_ms, unless the generation is gone by then. Not counted in in_flight. */
void prv_engine_post(struct gen *gen, int64_t delay_ms, void (*act)(struct gen *gen, int64_t argument),
                     int64_t argument);
void prv_gen_begin(struct gen *gen);
void prv_gen_feed(struct gen *gen, enum prv_event event);
void prv_gen_refuse(struct gen *gen, enum prv_event event, struct prv_failure failure); /* failure, then event */
void prv_gen_stop(struct gen *gen, enum prv_stop stop);
/* Removes it, gives the final report, frees it. */
void prv_engine_finish(struct gen *gen);
const char *prv_gen_output_name(const struct gen *gen, struct cs_arena *arena);
void prv_report_final(struct gen *gen);

/* Reports a stage; a fraction never falls. */
void prv_gen_progress(struct gen *gen, const char *stage, double fraction);

/* Brings the inputs; feeds staged (or unclear, when an intent is open) or refused. */
void prv_stage_start(struct gen *gen);
void prv_stage_fini(struct gen *gen);
/* Copies the output into storage and probes it; feeds stored or refused. */
void prv_ingest_start(struct gen *gen);
void prv_ingest_fini(struct gen *gen);

/* Runs fn on the pool, then after on the loop; counted in in_flight. */
void prv_gen_block(struct gen *gen, void (*fn)(struct gen *gen), void (*after)(struct gen *gen));

#endif
