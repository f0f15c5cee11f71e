/*
 * view: an execution as text — a frame for a terminal, lines of changes for a pipe.
 *
 * Threads  pure.
 */
#ifndef CLI_WATCH_VIEW_H
#define CLI_WATCH_VIEW_H

#include "cs/base/mem.h"
#include "watch/model.h"

struct cli_view_style {
    size_t columns;
    size_t rows; /* the frame stays below; the rest of the jobs is summed up */
    bool unicode;
};

/* A head and a bar per job, each line with its newline and narrower than the columns. */
void cli_view_frame(const struct cli_execution *execution, const struct cli_view_style *style, struct cs_buf *out);

/* What was printed of each job. */
struct cli_view_memory {
    struct cli_view_seen {
        enum cli_job_state state;
        int attempt;
        int tenth; /* of its progress */
        char stage[32];
    } * jobs;
    size_t count;
};

/* A line for each job that has another state, attempt or stage, or is a tenth further, than when it was printed last.
 */
void cli_view_changes(const struct cli_execution *execution, struct cli_view_memory *memory, struct cs_buf *out);
void cli_view_memory_fini(struct cli_view_memory *memory);

/* A line "  ID: why" for each job that is not running and is known to wait for something. */
void cli_view_waiting(const struct cli_execution *execution, struct cs_buf *out);

/* "completed ID", "failed ID: why", and "result URL". */
void cli_view_end(const struct cli_execution *execution, struct cs_buf *out);

#endif
