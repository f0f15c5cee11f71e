/*
 * execution: the life of one submitted plan — a pure step function over events.
 *
 *     event -> orc_execution_step -> new state + commands
 *
 * No I/O, no clock, no randomness: time and chance come in with the event, so folding the stored events again gives the
 * same state. Volatile transitions (assigned, retry due) are not stored; orc_execution_replay supplies them while
 * folding.
 *
 * Owns     an execution owns its arena-like blocks; payloads are copied in. Destroy frees all.
 * Threads  belongs to the engine's thread.
 * Fails    FAILED_PRECONDITION "illegal_transition" or "stale_attempt" when the event is not legal here; state
 * unchanged. A late report of an old attempt is such a failure, and harmless. Size     about 100 bytes a waiting job
 * beside its params.
 */
#ifndef ORC_DOMAIN_EXECUTION_H
#define ORC_DOMAIN_EXECUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/fsm.h"
#include "domain/plan.h"

enum {
    ORC_FENCE_BYTES = 16,
    ORC_EVENT_ID_SIZE = 32, /* "evt_" and the execution's id */
    ORC_REUSE_REASON_SIZE = 16,
    ORC_CHECKPOINT_BYTES_MAX = 64 * 1024,
    ORC_LOSSES_MAX = 10,         /* workers that may die under one job before it fails */
    ORC_FUSED_LOSSES_MAX = 3,    /* … under a run that does several, before they are done one by one */
    ORC_ATTEMPT_GRACE_MS = 5000, /* after its deadline, for the worker to say so itself */
    ORC_RETURN_DELAY_MS = 50,    /* before a job that a worker gave back is offered again */
    ORC_DELIVERY_TRIES_MAX = 11,
    ORC_DELIVERY_TIMEOUT_MS = 60 * 1000, /* of one try */
};
#define ORC_RETRY_AFTER_MS_MAX INT64_C(3600000) /* the longest wish of a worker that is honoured */

/* Numbers as in callsheet.v1.JobState and ExecutionState. */
enum orc_job_state {
    ORC_JOB_NONE,
    ORC_JOB_WAITING,
    ORC_JOB_READY,
    ORC_JOB_RUNNING,
    ORC_JOB_RETRYING,
    ORC_JOB_COMPLETED,
    ORC_JOB_FAILED,
    ORC_JOB_CANCELLED,
    ORC_JOB_SKIPPED,
    ORC_JOB_AWAITING_APPROVAL, /* nothing else keeps it from being ready */
    ORC_JOB_STATES,
};

enum orc_execution_state {
    ORC_EXECUTION_NONE,
    ORC_EXECUTION_PENDING,
    ORC_EXECUTION_PROCESSING,
    ORC_EXECUTION_COMPLETED,
    ORC_EXECUTION_FAILED,
    ORC_EXECUTION_CANCELLED,
    ORC_EXECUTION_STATES,
};

enum orc_delivery_state {
    ORC_DELIVERY_NONE,    /* no webhook asked for, or the execution is open */
    ORC_DELIVERY_PENDING, /* has next_try_at */
    ORC_DELIVERY_DELIVERED,
    ORC_DELIVERY_ABANDONED,
    ORC_DELIVERY_STATES,
};

/* Stored in the log by number: never renumber. */
enum orc_event_kind {
    ORC_EVENT_STARTED = 1, /* stored for paid operations only */
    ORC_EVENT_CHECKPOINT = 2,
    ORC_EVENT_SUCCEEDED = 3,
    ORC_EVENT_FAILED = 4,
    ORC_EVENT_LOST = 5,     /* the worker or its stream went away */
    ORC_EVENT_CANCEL = 6,   /* of the whole execution, by a client */
    ORC_EVENT_DEADLINE = 7, /* of the whole execution */
    ORC_EVENT_DELIVERED = 8,
    ORC_EVENT_DELIVERY_FAILED = 9,
    ORC_EVENT_REUSED = 10,   /* the job has the result of another one and does not run; also before BEGIN */
    ORC_EVENT_APPROVED = 11, /* a job, or the whole execution, may run; by a person or by its deadline */
    ORC_EVENT_REJECTED = 12, /* it may not */
    ORC_EVENT_APPENDED = 14, /* jobs came to the plan */
    ORC_EVENT_EDITED = 15,   /* a job that had not started has other parameters */
    ORC_EVENT_REMOVED = 16,  /* a job that had not started is skipped, with all that cannot run without it */
    ORC_EVENT_FUSED = 17,    /* the job was done in the run of a later one, which has what came out of it */
    ORC_EVENT_SPLIT = 18,    /* a run that did several jobs failed: they are done one by one from now on */
    /* volatile, never stored */
    ORC_EVENT_BEGIN = 100, /* right after creation or recovery: roots become ready, an empty plan completes */
    ORC_EVENT_ASSIGNED = 101,
    ORC_EVENT_RETRY_DUE = 102,
    ORC_EVENT_RETURNED = 103, /* the worker had no slot after all: as if the attempt had not been */
    ORC_EVENT_DELIVERY_ASSIGNED = 104,
    ORC_EVENT_DELIVERY_LOST = 105, /* its worker went away; not a try */
};

/* Jobs that are done in one run, each but the first a child of the one before it. */
struct orc_chain {
    uint32_t count;
    uint32_t jobs[ORC_FUSED_MAX];
};

struct orc_event {
    enum orc_event_kind kind;
    uint32_t job;     /* index; ignored by events of the whole execution */
    uint32_t attempt; /* jobs: of the report. deliveries: the try, from 1 */
    int64_t at_ms;    /* Unix time */
    uint32_t chance;  /* uniform random, for jitter */
    enum orc_failure_class failure_class;
    int64_t retry_after_ms; /* a wish of the worker; 0 none */
    bool unassigned;        /* FAILED: there was no attempt, the job waited in vain for a worker */
    bool whole;             /* APPROVED, REJECTED: the execution, not a job */
    bool final;             /* DELIVERY_FAILED: do not try again (410, refused target) */
    const char *code;       /* FAILED, DELIVERY_FAILED; NULL is "" */
    const char *message;    /* FAILED, DELIVERY_FAILED; CANCEL: the reason; APPROVED, REJECTED: a comment */
    const char *by;         /* APPROVED, REJECTED: who decided; ORC_BY_DEADLINE: nobody did in time */
    /* SUCCEEDED, REUSED, FUSED: packed callsheet.v1.Succeeded; CHECKPOINT: its data; STARTED: the fence */
    const void *payload;
    size_t payload_size;
    const struct orc_addition *addition;  /* APPENDED, EDITED: what the payload says */
    bool cascade;                         /* REMOVED: with all that cannot run without it; a replay always does */
    const char *source_execution;         /* REUSED: whose result it is */
    const char *source_job;               /* REUSED: "" when that is not known */
    const char *reason;                   /* REUSED: "base", "retry", "rerun" or "cache" */
    unsigned char fence[ORC_FENCE_BYTES]; /* ASSIGNED, DELIVERY_ASSIGNED */
    /* ASSIGNED, SPLIT: the whole run, with the event's job first, empty: that job alone. FUSED: the one job that has
     * what came out; REUSED: the same, when that other job had no result of its own. */
    struct orc_chain chain;
    enum orc_cache_miss
        cache_miss; /* ASSIGNED; written by the step into later events of the job, and kept in the log */
    /* Written by orc_execution_step, kept in the log and followed by orc_execution_replay, so that a policy that
     * changes later does not change the past. */
    int64_t next_at_ms;              /* FAILED, LOST, DELIVERY_FAILED: when it goes on; 0 never */
    int64_t started_at_ms;           /* of the job's first attempt; CANCEL, DEADLINE: of the execution */
    int64_t execution_started_at_ms; /* when the event ended the last job */
};

/* Who decides when nobody did in time. */
#define ORC_BY_DEADLINE "deadline"

/* What became of an approval. */
struct orc_decision {
    bool approved;
    int64_t at_ms;
    char *by;
    char *comment;
};

/* Where the result of a job that did not run comes from. */
struct orc_reused {
    char execution[24];
    char reason[ORC_REUSE_REASON_SIZE];
    char job[];
};

struct orc_job {
    uint8_t state;
    uint8_t losses;
    uint8_t cache_miss; /* orc_cache_miss: why it had to run */
    bool removed;       /* SKIPPED because a client did not want it any more: not a bad end */
    bool apart;         /* a run with others failed: it is done by itself */
    uint32_t attempt;   /* the current or last one; 0 never assigned */
    uint32_t failures;  /* attempts that failed by themselves */
    uint32_t unmet;     /* parents that have not ended; counted while the execution is open */
    int64_t wake_at_ms; /* RETRYING */
    int64_t started_at_ms;
    int64_t completed_at_ms;
    int64_t deadline_ms; /* RUNNING: Unix time by which the attempt must have ended. READY: by which a worker must have
                            taken it; 0 none */
    unsigned char fence[ORC_FENCE_BYTES];
    void *checkpoint; /* the last one, or NULL */
    uint32_t checkpoint_size;
    uint32_t result_size;
    void *result;                  /* packed callsheet.v1.Succeeded, or NULL */
    struct orc_reused *reused;     /* COMPLETED without having run; or NULL */
    struct orc_decision *decision; /* about its approval; or NULL */
    enum orc_failure_class failure_class;
    uint32_t items_open; /* of a map: items that have not ended */
    char *error_code;    /* FAILED, RETRYING, SKIPPED; or NULL */
    char *error_message;
    int32_t timed_prev; /* the list of jobs that wait for a time; -1 none */
    int32_t timed_next;
    int32_t fused_prev; /* volatile: RUNNING in one run with these; -1 none. A run has the fence of its first job */
    int32_t fused_next;
    int32_t fused_into; /* COMPLETED without outputs, which that job has; -1 it has its own */
};

struct orc_delivery {
    uint8_t state;
    uint32_t tries;
    uint32_t losses;                      /* volatile: workers that went away since the last try */
    bool in_flight;                       /* volatile */
    int64_t deadline_ms;                  /* in flight: by which the try must have ended */
    unsigned char fence[ORC_FENCE_BYTES]; /* in flight */
    int64_t next_try_at_ms;               /* PENDING */
    int64_t delivered_at_ms;
    char *last_error;
};

struct orc_execution {
    char id[24];
    char *tenant;
    const struct orc_plan *plan;
    uint8_t state;
    bool has_webhook;
    bool doomed;        /* a job has ended badly that nothing makes good: it cannot complete any more */
    bool fuses;         /* some of its jobs are, or were, done in one run */
    uint32_t open_jobs; /* not in a terminal state */
    uint64_t seq;       /* of the last stored event: also the revision that clients see */
    int64_t created_at_ms;
    int64_t started_at_ms;
    int64_t completed_at_ms;
    int64_t deadline_ms;
    int32_t result_job;            /* leaf that completed last (children of the policy `always` do not count), or -1 */
    int32_t timed_first;           /* of the list of jobs that are RUNNING, RETRYING or READY with a deadline; or -1 */
    char *error;                   /* sentence, when failed or cancelled */
    struct orc_decision *decision; /* about the approval of the whole; or NULL */
    struct orc_delivery delivery;
    struct orc_job *jobs;
};

/* What the engine has to do after the commit of the event that asked for it. */
enum orc_command_kind {
    ORC_COMMAND_DISPATCH, /* job is ready for a worker */
    ORC_COMMAND_STOP,     /* job's attempt (fence) must stop */
    ORC_COMMAND_SAVED,    /* checkpoint of job (fence) is durable */
    ORC_COMMAND_GATHER,   /* enough of the map's items have ended for it to end too */
    ORC_COMMAND_FINISHED, /* the execution reached its terminal state */
    ORC_COMMAND_DELIVER,  /* the webhook is due at delivery.next_try_at_ms */
    ORC_COMMAND_CLOSED,   /* nothing is left to do: terminal, and delivered or abandoned */
};

struct orc_command {
    enum orc_command_kind kind;
    uint32_t job;
    unsigned char fence[ORC_FENCE_BYTES]; /* STOP, SAVED */
};

struct orc_commands {
    struct orc_command *items;
    size_t count;
    size_t capacity;
};
void orc_commands_fini(struct orc_commands *commands);

/* plan must outlive the execution, which grows it. */
struct orc_execution *orc_execution_create(const char *id, const char *tenant, const struct orc_plan *plan,
                                           int64_t created_at_ms, int64_t deadline_ms, bool has_webhook);
void orc_execution_destroy(struct orc_execution *execution);
CS_DEFINE_AUTO(orc_execution, orc_execution_destroy)

/* Appends commands (which may be NULL) and writes what was decided into the event. seq rises by one for a stored kind
 * that was legal. */
enum cs_status orc_execution_step(struct orc_execution *execution, struct orc_event *event,
                                  struct orc_commands *commands, struct cs_err *err) CS_MUST_USE;

/* Folds one stored event (in order of seq, after BEGIN), without commands. DATA_LOSS "bad_log" when it is not legal. */
enum cs_status orc_execution_replay(struct orc_execution *execution, const struct orc_event *event,
                                    struct cs_err *err) CS_MUST_USE;
/* After the last stored event: jobs that were running go back to READY and keep attempt number and checkpoint, but
 * external ones, whose attempts go on; commands say what to dispatch (the latter: to listen to) and deliver now. The
 * wait for a worker is counted anew: nobody could take them meanwhile. */
void orc_execution_recovered(struct orc_execution *execution, int64_t now_ms, struct orc_commands *commands);

/* The job, which is ready, and those after it that can be done in the same run now: each is the only child of the one
 * before it, takes what that gives as its one input from there, waits for nothing else, and nobody asked to keep what
 * lies between. count 1: none. */
void orc_chain_find(const struct orc_execution *execution, uint32_t job, struct orc_chain *ret_chain);
/* The run that the job is done in, from its first job on; count 1 when it runs alone. */
void orc_chain_of(const struct orc_execution *execution, uint32_t job, struct orc_chain *ret_chain);
/* Neither has it ended nor was an attempt ever made: what it is to do can still be changed. */
bool orc_job_unstarted(const struct orc_execution *execution, uint32_t job);
bool orc_event_stored(enum orc_event_kind kind);
bool orc_job_terminal(const struct orc_job *job);
/* Nothing of it may be dispatched before it is approved as a whole. */
bool orc_execution_awaits_approval(const struct orc_execution *execution);
/* When that is decided by default; INT64_MAX never. */
int64_t orc_execution_approval_due_ms(const struct orc_execution *execution);
/* When something is due about a job of the timed list: its attempt's deadline and grace, its retry, the end of its wait
 * for a worker. */
int64_t orc_job_due_ms(const struct orc_job *job);
bool orc_execution_terminal(const struct orc_execution *execution);
/* Terminal, and no delivery is pending. */
bool orc_execution_closed(const struct orc_execution *execution);
/* Earliest of: execution deadline, retries, attempt deadlines (with their grace), next
 * delivery or its deadline. INT64_MAX when closed;
 * every open execution has one. Looks at the timed list only. */
int64_t orc_execution_wake_at(const struct orc_execution *execution);
/* Aborts when a rule of the state is broken (counters, terminal states …): after every step in tests and debug builds.
 */
void orc_execution_check(const struct orc_execution *execution);

#endif
