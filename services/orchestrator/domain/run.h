/*
 * run: the life of a tracked run (callsheet.v1.Runs): one record, one end.
 *
 * A verb looks at the run and the time, and either changes the copy that it was given or leaves it alone. Whoever
 * stores the result does so only if the stored run has not changed since (revision), so of two decisions one is taken
 * again.
 *
 * Owns     texts live in the arena that is passed, and in what was passed.
 * Threads  pure.
 * Fails    FAILED_PRECONDITION "run_ended", "wrong_run_id"; INVALID_ARGUMENT "bad_status"; the run is unchanged then.
 * Limits   ORC_RUN_NOTES_BYTES_MAX of notes: beyond it notes of clients are dropped with a warning, ours are not (the
 *          column has ORC_RUN_NOTES_RESERVE_BYTES for them).
 * Trust    sizes and ids were checked by wire/run_wire.c.
 */
#ifndef ORC_DOMAIN_RUN_H
#define ORC_DOMAIN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/fsm.h"
#include "cs/base/mem.h"
#include "domain/run_id.h"
#include "domain/run_metrics.h"

enum {
    ORC_RUN_HEARTBEAT_MS = 60 * 1000, /* how often clients should report */
    ORC_RUN_LEASE_MS_DEFAULT = 3 * ORC_RUN_HEARTBEAT_MS,
    ORC_RUN_LEASE_MS_MIN = 100,
    ORC_RUN_LEASE_MS_MAX = 24 * 60 * 60 * 1000,
    ORC_RUN_CLIENT_TIMEOUT_MS_DEFAULT = 10 * 60 * 1000,
    ORC_RUN_JOB_TIMEOUT_MS_DEFAULT = 2 * 60 * 60 * 1000,
    ORC_RUN_TIMEOUT_MS_MIN = 100,
    ORC_RUN_TIMEOUT_MS_MAX = 7 * 24 * 60 * 60 * 1000,
    ORC_RUN_NOTE_BYTES_MAX = 4096,
    ORC_RUN_NOTES_BYTES_MAX = 64 * 1024,
    ORC_RUN_NOTES_RESERVE_BYTES = 8 * 1024,
    ORC_RUN_CLIENTS_MAX = 1000, /* client runs of one base */
};

/* Numbers are those of callsheet.v1.RunStatus and of SQL. */
enum orc_run_status {
    ORC_RUN_NONE,
    ORC_RUN_RUNNING,
    ORC_RUN_COMPLETED,
    ORC_RUN_COMPLETED_WITH_ERRORS,
    ORC_RUN_NO_LEADS,
    ORC_RUN_FAILED,
    ORC_RUN_CANCELED,
    ORC_RUN_TIMED_OUT,
    ORC_RUN_CLIENT_KILLED,
    ORC_RUN_JOB_KILLED,
    ORC_RUN_STATUSES,
};

/* What moves a run. */
enum orc_run_move {
    ORC_RUN_START,
    ORC_RUN_HEARTBEAT,
    ORC_RUN_COMPLETE,
    ORC_RUN_COMPLETE_WITH_ERRORS,
    ORC_RUN_FIND_NO_LEADS,
    ORC_RUN_FAIL,
    ORC_RUN_CANCEL,
    ORC_RUN_EXPIRE,
    ORC_RUN_KILL_CLIENT,
    ORC_RUN_KILL_JOB,
    ORC_RUN_MOVES,
};

extern const struct cs_fsm orc_run_fsm;

/* "Running", "Completed with Errors" …: the words that people read; "?" for no status. */
const char *orc_run_status_word(int status);

struct orc_run {
    const char *tenant;
    const char *job_type;
    struct orc_run_id id;
    int status;
    uint64_t revision;
    int64_t started_at_ms;
    int64_t ended_at_ms; /* 0 while running */
    int64_t heartbeat_at_ms;
    int64_t lease_ms;
    int64_t lease_until_ms;
    int64_t deadline_ms;
    struct orc_run_metrics metrics;
    const char *notes;
};

struct orc_run_start {
    const char *tenant;
    const char *job_type;
    struct orc_run_id id;
    int64_t lease_ms;   /* 0 default */
    int64_t timeout_ms; /* 0 default */
    const struct orc_run_report *initial;
    size_t initial_count;
    const char *note; /* "" none */
};

/* What a client says about its run. */
struct orc_run_news {
    const char *job_type; /* "" not said */
    const struct orc_run_report *metrics;
    size_t metric_count;
    const char *note; /* "" none */
};

void orc_run_begin(const struct orc_run_start *start, int64_t now_ms, struct cs_arena *arena, struct orc_run *ret_run,
                   struct orc_run_warnings *warnings);
enum cs_status orc_run_heartbeat(struct orc_run *run, const struct orc_run_news *news, int64_t now_ms,
                                 struct cs_arena *arena, struct orc_run_warnings *warnings,
                                 struct cs_err *err) CS_MUST_USE;
/* status: how it ended, or ORC_RUN_NONE; error "" none. *ret_unchanged: it had ended so before, and stays as it is. */
enum cs_status orc_run_complete(struct orc_run *run, int status, const char *error, const struct orc_run_news *news,
                                int64_t now_ms, struct cs_arena *arena, struct orc_run_warnings *warnings,
                                bool *ret_unchanged, struct cs_err *err) CS_MUST_USE;

/* When a running run ends by itself unless something happens; INT64_MAX for one that has ended. */
int64_t orc_run_wake_at(const struct orc_run *run);
/* Ends a run whose lease or time is over, at the moment when it was: whoever looks, whenever, finds the same. False
 * when there is nothing to end. */
bool orc_run_expire(struct orc_run *run, int64_t now_ms, struct cs_arena *arena);

/* "wrong_run_id" when the run is of another job type ("" fits every run). */
enum cs_status orc_run_type_check(const struct orc_run *run, const char *job_type, struct cs_err *err) CS_MUST_USE;

/* What client runs, in order of their start, add up to: their metrics by rule, and "Start Time", "End Time" (once all
 * have ended), "Status" (of the last), "Clients Processed", "Clients With Errors". Nothing for none. */
struct orc_run_metrics orc_run_totals(const struct orc_run *clients, size_t count, struct cs_arena *arena);

/* ---- what to do about an error ---- */

enum orc_run_trouble {
    ORC_RUN_RECORD_NOT_FOUND,
    ORC_RUN_INVALID_RUN_ID,
    ORC_RUN_STORE_ERROR,
    ORC_RUN_INCONSISTENT_DATA,
    ORC_RUN_UNKNOWN,
    ORC_RUN_TROUBLES,
};
enum orc_run_strategy { ORC_RUN_CREATE_NEW, ORC_RUN_ABORT, ORC_RUN_RETRY, ORC_RUN_LOG_AND_CONTINUE };

enum orc_run_trouble orc_run_trouble_of(const struct cs_err *err);
enum orc_run_strategy orc_run_strategy(enum orc_run_trouble trouble);

#endif
