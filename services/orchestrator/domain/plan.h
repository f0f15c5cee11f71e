/*
 * plan: the graph of an execution. Once built it only grows at its end (orc_plan_append), and parameters of a job that
 * has not started may be replaced (orc_plan_edit): an index means the same job for ever.
 *
 * Jobs are named by index (their place in the submitted plan) everywhere but at the edges. Edges are deduplicated and
 * stored once in each direction, as slices of two arrays.
 *
 * Owns     a plan is one arena; strings and arrays point into it.
 * Threads  read-only between builds, appends and edits. These move `jobs`: keep no pointer into it across one.
 * Limits   ORC_PLAN_JOBS_MAX, ORC_PLAN_EDGES_MAX, ORC_PLAN_APPENDED_BYTES_MAX, checked before anything is allocated for
 * the graph.
 * Trust    ids and edges come from clients: duplicates, unknown ids, self-dependencies and cycles are errors with the
 * path in the plan's JSON names ("jobs[2].dependsOn[0]").
 */
#ifndef ORC_DOMAIN_PLAN_H
#define ORC_DOMAIN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/cache.h"

enum {
    ORC_PLAN_JOBS_MAX = 10000,
    ORC_PLAN_EDGES_MAX = 100000,
    ORC_PLAN_APPENDED_BYTES_MAX = 16 << 20, /* of all that is appended to one execution or edited in it, packed */
    ORC_PRIORITIES = 10,                    /* 0 … 9, the highest first */
    ORC_PRIORITY_DEFAULT = 5,
    ORC_FAILURE_CLASSES = 12, /* numbers of callsheet.v1.FailureClass */
    ORC_FUSED_MAX = 16,       /* jobs that are done in one run */
};

/* Numbers as in callsheet.v1.FailureClass. */
enum orc_failure_class {
    ORC_FAILURE_UNSPECIFIED,
    ORC_FAILURE_INVALID_INPUT,
    ORC_FAILURE_TRANSIENT,
    ORC_FAILURE_RATE_LIMITED,
    ORC_FAILURE_TIMEOUT,
    ORC_FAILURE_CODEC_UNSUPPORTED,
    ORC_FAILURE_CONTENT_REJECTED,
    ORC_FAILURE_AUTH,
    ORC_FAILURE_BILLING,
    ORC_FAILURE_INTERNAL,
    ORC_FAILURE_OUTCOME_UNKNOWN,
    ORC_FAILURE_CANCELLED,
};

struct orc_retry_policy {
    uint32_t attempts_max; /* 1: never again */
    int64_t base_ms;
    int64_t cap_ms;
};

/* What a job asks of its parents. Numbers as in callsheet.v1.DependencyPolicy. */
enum orc_dependency_policy {
    ORC_DEPENDENCY_DEFAULT, /* all */
    ORC_DEPENDENCY_ALL,     /* every parent that is not optional completed, the optional ones ended */
    ORC_DEPENDENCY_ANY,     /* one parent completed */
    ORC_DEPENDENCY_ALWAYS,  /* every parent ended */
};

/* What the engine must know of an operation; one per operation, static. */
struct orc_operation {
    const char *name;       /* JSON name, as in a worker's Hello */
    int64_t timeout_ms;     /* of one attempt */
    int64_t no_progress_ms; /* an attempt must get further that often; 0: it does not tell */
    bool paid;              /* its start is written to the log */
    bool inside;            /* the orchestrator's own: no worker does it */
    bool external;          /* done by somebody who reports through the API; its attempts outlive the orchestrator */
    struct orc_retry_policy retry[ORC_FAILURE_CLASSES];
};

/* Whether a job makes jobs of its own, one for each item of a list, and what the bad end of one of these means. */
enum orc_map_kind {
    ORC_MAP_NONE,
    ORC_MAP_FAIL, /* the first one that ends badly is its own end */
    ORC_MAP_SKIP, /* the others go on; it completes when one of them did */
};

/* Before the job, or the whole execution, runs a person has to agree. */
struct orc_approval_rule {
    int64_t timeout_ms; /* from the moment that it waits for it; 0: as long as the execution may take */
    bool approves;      /* what no answer means then; else it is a rejection */
    const char *prompt; /* shown to who decides; "" none */
};

/* One input of a job, in the order of MediaRef.input (from 1). */
struct orc_input {
    int32_t job;        /* index of the producing job, or -1 */
    const char *url;    /* or NULL */
    const char *upload; /* or NULL */
    int accepts;        /* callsheet.v1.MediaType; 0 any */
    uint32_t output;    /* of a job: which of its outputs, from 1; 0: the first of a fitting type */
};

struct orc_plan_job {
    const char *id;
    const char *output;          /* label, "" none */
    const char *concurrency_key; /* or NULL */
    const char *provider;        /* that its parameters name, or NULL */
    uint32_t concurrency_limit;  /* with a key */
    uint8_t priority;
    const struct orc_operation *operation;
    const void *params; /* packed callsheet.v1.Operation, MediaRef.input set */
    uint32_t params_size;
    uint32_t input_count;
    const struct orc_input *inputs;
    uint32_t parent_count;
    uint32_t child_count;
    const uint32_t *parents;       /* ascending, no duplicates */
    const uint32_t *children;      /* ascending, no duplicates */
    const bool *optional;          /* for each parent */
    const bool *optional_for;      /* for each child: the same edges */
    uint8_t policy;                /* orc_dependency_policy, never DEFAULT */
    uint8_t cache;                 /* orc_cache_mode */
    int64_t timeout_ms;            /* of one attempt */
    int64_t queue_timeout_ms;      /* how long it may be ready before a worker takes it; 0 without limit */
    struct orc_retry_policy retry; /* over the operation's where that tries again at all; its zeros say nothing */
    bool decisive;                 /* no child but of the policy `always`, and no job's item: a bad end is one of the
                                      execution */
    bool expanded;                 /* a map: its items are in the plan */
    uint8_t map;                   /* orc_map_kind */
    uint8_t output_type;           /* callsheet.v1.MediaType; 0 none, or decided by content */
    uint8_t more_type;             /* of what it gives beside that; 0 nothing */
    int32_t owner;                 /* the map whose item it is, or -1 */
    uint32_t item;                 /* of the owner, from 0 */
    uint32_t parallel_max;         /* a map: how many of its items run at once */
    uint32_t child_room;           /* for `children`, once they grew */
    bool hidden;                   /* made by the orchestrator for other jobs: clients do not see it */
    const char *base_job;          /* its result is that of a job of the base: its id, "" the final one; or NULL */
    bool fusible;                  /* with its parameters it can be a step of a run that does several jobs */
    bool ends_run;                 /* … can be its last */
    bool discards;                 /* nobody but its children wants what it gives */
    const struct orc_approval_rule *approval; /* or NULL */
};

struct orc_plan {
    uint32_t job_count;
    uint32_t edge_count;
    bool fail_fast;   /* the first failure that nothing makes good ends everything */
    uint8_t priority; /* of jobs that come later and give none */
    uint8_t cache;    /* callsheet.v1.CacheMode of such jobs */
    bool discards;    /* … and whether what they give may be dropped */
    uint32_t job_room;
    size_t appended_bytes;
    const struct orc_approval_rule *approval; /* of the whole; or NULL */
    struct cs_arena *arena;                   /* that everything is in */
    const char *base;                         /* the execution that it builds on, when a job has a base_job; or NULL */
    struct orc_plan_job *jobs;
};

/* What the wire hands over for each job, before the graph is built. */
struct orc_job_draft {
    const char *id;
    const char *output;
    const char *concurrency_key; /* or NULL */
    const char *provider;        /* or NULL */
    uint32_t concurrency_limit;
    uint8_t priority;
    const struct orc_operation *operation;
    const void *params;
    uint32_t params_size;
    const struct orc_input *inputs; /* .job is filled in by build from input_jobs */
    const char *const *input_jobs;  /* per input: id of the producing job or NULL */
    const char *const *input_paths; /* per input: path for errors, "jobs[3].operation.merge.items[0].media" */
    uint32_t input_count;
    const char *const *depends_on;
    uint32_t depends_on_count;
    enum orc_dependency_policy policy;
    const char *const *optional; /* ids among its parents */
    uint32_t optional_count;
    int64_t timeout_ms; /* 0: the operation's */
    int64_t queue_timeout_ms;
    struct orc_retry_policy retry;
    enum orc_cache_mode cache;
    bool hidden; /* and its id may be anything */
    const char *base_job;
    enum orc_map_kind map;
    bool expanded;
    uint32_t parallel_max;
    int output_type;
    int more_type;
    const char *owner; /* id of the map whose item it is, or NULL */
    uint32_t item;
    bool fusible;
    bool ends_run;
    bool discards;
    const struct orc_approval_rule *approval; /* or NULL */
};

/* Jobs to append, or (one of them, its id is not looked at) new parameters. */
struct orc_addition {
    const struct orc_job_draft *drafts;
    size_t count;
    size_t size_bytes; /* packed */
};

/* Checks and builds. Everything that must live is copied into the arena. Reasons: "duplicate_id", "unknown_dependency",
 * "self_dependency", "cycle" (the message lists it: "a -> b -> a"), "too_many_jobs", "too_many_edges", "bad_id";
 * "not_a_dependency" and "optional_without_all" for optional parents. */
enum cs_status orc_plan_build(const struct orc_job_draft *drafts, size_t count, struct cs_arena *arena,
                              struct orc_plan **ret_plan, struct cs_err *err) CS_MUST_USE;

/* Appends jobs that depend on each other and on those that are there: all of them, or none and an error. Reasons: those
 * of orc_plan_build, "appended_too_much". */
enum cs_status orc_plan_append(struct orc_plan *plan, const struct orc_addition *addition,
                               struct cs_err *err) CS_MUST_USE;
/* Replaces the parameters of a job. They may name only jobs that it depends on already: "not_a_dependency". */
enum cs_status orc_plan_edit(struct orc_plan *plan, uint32_t job, const struct orc_addition *addition,
                             struct cs_err *err) CS_MUST_USE;

/* A copy in the arena; NULL of NULL. */
const struct orc_approval_rule *orc_approval_rule_copy(const struct orc_approval_rule *rule, struct cs_arena *arena);

/* Index of a job by id, or -1. Linear; for edges of the system only. */
int32_t orc_plan_find(const struct orc_plan *plan, const char *id);

#endif
