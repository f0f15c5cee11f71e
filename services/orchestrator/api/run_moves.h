/*
 * run_moves: what happens to tracked runs in the database: look, decide, write unless somebody else was faster; if so,
 * look again.
 *
 * Threads  a store belongs to its borrower; everything else is the call's.
 * Fails    as domain/run and store/runs do; ABORTED "run_busy" when others were faster ORC_RUN_TRIES_MAX times.
 */
#ifndef ORC_API_RUN_MOVES_H
#define ORC_API_RUN_MOVES_H

#include "store/runs.h"

enum { ORC_RUN_TRIES_MAX = 16 };

struct orc_run_started {
    struct orc_run run;
    int64_t now_ms;
    bool already_running;
    bool already_exists;
    struct orc_run_warnings warnings;
};

/* named: the run to find or, with a client, to join; its text is "" for none. */
enum cs_status orc_run_do_start(struct orc_store *store, const struct orc_run_start *start,
                                const struct orc_run_id *named, struct cs_arena *arena,
                                struct orc_run_started *ret_started, struct cs_err *err) CS_MUST_USE;

struct orc_run_change {
    bool completes; /* else it is a heartbeat */
    int status;     /* of a completion */
    const char *error;
    struct orc_run_news news;
};

struct orc_run_changed {
    struct orc_run run;
    bool unchanged;
    struct orc_run_warnings warnings;
};

enum cs_status orc_run_do_change(struct orc_store *store, const char *tenant, const struct orc_run_id *id,
                                 const struct orc_run_change *change, struct cs_arena *arena,
                                 struct orc_run_changed *ret_changed, struct cs_err *err) CS_MUST_USE;

/* The run as it is now: ended when its lease or time is over. */
enum cs_status orc_run_do_get(struct orc_store *store, const char *tenant, const struct orc_run_id *id,
                              struct cs_arena *arena, struct orc_run_read *ret_read, struct cs_err *err) CS_MUST_USE;

#endif
