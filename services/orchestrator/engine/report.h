/*
 * report: what a worker said, copied off its message so that the polling thread can go on.
 *
 * A message becomes one block of memory with all its reports. Reports that say nothing to the engine (no fence, unknown
 * kind) are left out; texts are cut to their limits.
 *
 * Threads  pure.
 * Trust    workers run on other machines: everything they say is bounded here.
 */
#ifndef ORC_ENGINE_REPORT_H
#define ORC_ENGINE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "callsheet/v1/worker.pb-c.h"
#include "domain/execution.h"
#include "links/hello.h"

enum {
    ORC_RESULT_BYTES_MAX = 4 << 20, /* of a packed Succeeded */
    ORC_FAILURE_CODE_SIZE = 65,
    ORC_FAILURE_MESSAGE_SIZE = 513,
    ORC_STAGE_SIZE = 32,
    ORC_HEARTBEATS_MISSED_MAX = 6,        /* then an attempt is given to another worker */
    ORC_HEARTBEAT_MS_MAX = 5 * 60 * 1000, /* of what a worker may promise */
    ORC_SPREAD_CHUNKS_MAX = 256,
    ORC_SPREAD_PLAN_BYTES = 32,
    ORC_WORKER_NAME_SIZE = ORC_WORKER_ID_BYTES_MAX + 1,
};

enum orc_report_kind {
    ORC_REPORT_CREDITS,
    ORC_REPORT_ACCEPTED,
    ORC_REPORT_HEARTBEAT,
    ORC_REPORT_PROGRESS,
    ORC_REPORT_CHECKPOINT,
    ORC_REPORT_LOG,
    ORC_REPORT_SUCCEEDED,
    ORC_REPORT_FAILED,
    ORC_REPORT_SPREAD,
};

struct orc_progress {
    char stage[ORC_STAGE_SIZE];
    double fraction;
    int64_t media_time_us;
    int64_t media_duration_us;
    double speed;
};

/* Within sane limits. */
void orc_progress_copy(const Callsheet__V1__Progress *from, struct orc_progress *to);

struct orc_report {
    enum orc_report_kind kind;
    unsigned char fence[ORC_FENCE_BYTES];
    union {
        uint32_t limit; /* CREDITS */
        struct orc_progress progress;
        struct {
            uint64_t sequence;
            bool ack_required;
        } checkpoint;
        struct {
            enum orc_failure_class failure_class;
            char code[ORC_FAILURE_CODE_SIZE];
            char message[ORC_FAILURE_MESSAGE_SIZE];
            int64_t retry_after_ms;
        } failed; /* LOG: code is the level */
    };
    const void *payload; /* SUCCEEDED: packed; CHECKPOINT: its data; SPREAD: the plan, then each chunk as uint32_t */
    size_t payload_size;
};

struct orc_reports {
    size_t count;
    struct orc_report items[];
};

/* One block; free() it. */
struct orc_reports *orc_reports_copy(const Callsheet__V1__WorkReport *message);

/* What a worker can do. */
struct orc_hello {
    char worker[ORC_WORKER_NAME_SIZE];
    uint32_t heartbeat_ms; /* how often it is heard of about each attempt; 0: it never promised */
    uint32_t fused_jobs;   /* how many jobs an assignment may be made of */
    bool shares;           /* it makes chunks of others' jobs */
    size_t operation_count;
    const struct orc_operation *operations[]; /* those that we know */
};
struct orc_hello *orc_hello_copy(const Callsheet__V1__Hello *message);

#endif
