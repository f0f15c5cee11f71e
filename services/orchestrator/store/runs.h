/*
 * store/runs: the rows of tracked runs.
 *
 * Threads, Fails  as in store/store.h; DATA_LOSS "bad_run_row" for a row that is no run (lists log it and go on).
 * Time     now_ms is the database's, the only clock that all replicas share.
 */
#ifndef ORC_STORE_RUNS_H
#define ORC_STORE_RUNS_H

#include "domain/run.h"
#include "store/store.h"

/* The next id of the tenant is number `number` of that second. */
struct orc_run_number {
    int64_t unix_s;
    int64_t number;
    int64_t now_ms;
};
enum cs_status orc_store_run_number(struct orc_store *store, const char *tenant, struct orc_run_number *ret_number,
                                    struct cs_err *err) CS_MUST_USE;

/* *ret_done false: a run of its tenant, job type and client is running, or has its id; or the run that it joins (base,
 * "" none) is not running. */
enum cs_status orc_store_run_insert(struct orc_store *store, const struct orc_run *run, const char *base,
                                    bool *ret_done, struct cs_err *err) CS_MUST_USE;
/* Writes run if the stored one still has the revision before. *ret_done false: somebody else was faster. */
enum cs_status orc_store_run_update(struct orc_store *store, const struct orc_run *run, bool *ret_done,
                                    struct cs_err *err) CS_MUST_USE;

/* A run and the time at which it was read. */
struct orc_run_read {
    struct orc_run run;
    int64_t now_ms;
};

/* NOT_FOUND "no_such_run". */
enum cs_status orc_store_run_get(struct orc_store *store, const char *tenant, const struct orc_run_id *id,
                                 struct cs_arena *arena, struct orc_run_read *ret_read, struct cs_err *err) CS_MUST_USE;
/* NOT_FOUND "no_such_run" when none is running. */
enum cs_status orc_store_run_running(struct orc_store *store, const char *tenant, const char *job_type,
                                     const char *client, struct cs_arena *arena, struct orc_run_read *ret_read,
                                     struct cs_err *err) CS_MUST_USE;

/* Lists read at one time; in the arena. */
struct orc_run_list {
    struct orc_run *runs;
    size_t count;
    size_t read; /* rows, those that were no runs included */
    int64_t now_ms;
};

struct orc_run_filter {
    const char *tenant;
    const char *job_type; /* "" all */
    const char *client;   /* "" all */
    bool without_client;
    bool running_only;
    int64_t before_ms;
    const char *before_id;
    size_t limit;
};

/* Newest first. */
enum cs_status orc_store_run_list(struct orc_store *store, const struct orc_run_filter *filter, struct cs_arena *arena,
                                  struct orc_run_list *ret_list, struct cs_err *err) CS_MUST_USE;
/* The client runs of a base in order of their start, without notes. */
enum cs_status orc_store_run_clients(struct orc_store *store, const char *tenant, const char *base, size_t limit,
                                     struct cs_arena *arena, struct orc_run_list *ret_list,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status orc_store_run_client_count(struct orc_store *store, const char *tenant, const char *base,
                                          int64_t *ret_count, struct cs_err *err) CS_MUST_USE;
/* Running runs of all tenants, in order of their wake-up. */
enum cs_status orc_store_run_due(struct orc_store *store, size_t limit, struct cs_arena *arena,
                                 struct orc_run_list *ret_list, struct cs_err *err) CS_MUST_USE;

#endif
