#include "watch/view.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "watch/width.h"

enum {
    ID_COLUMNS_MAX = 24,
    OPERATION_COLUMNS_MAX = 16,
    BAR_COLUMNS_MIN = 8,
    BAR_COLUMNS_MAX = 30,
    NARROW_COLUMNS = 64, /* below: no operation */
    TINY_COLUMNS = 40,   /* below: no bar */
    ROWS_RESERVED = 3,   /* head, summary, the line of the cursor */
    PERCENT = 100,
    TENTHS = 10,
};

/* ---- parts ---- */

static const struct {
    const char *unicode;
    const char *ascii;
} signs[CLI_JOB_STATES] = {
    [CLI_JOB_WAITING] = {"·", "."}, [CLI_JOB_AWAITING_APPROVAL] = {"?", "?"}, [CLI_JOB_READY] = {"·", "."},
    [CLI_JOB_RUNNING] = {"▶", ">"}, [CLI_JOB_RETRYING] = {"↻", "@"},          [CLI_JOB_COMPLETED] = {"✓", "+"},
    [CLI_JOB_FAILED] = {"✗", "x"},  [CLI_JOB_CANCELLED] = {"✗", "x"},         [CLI_JOB_SKIPPED] = {"-", "-"},
    [CLI_JOB_UNKNOWN] = {"?", "?"},
};

static double fraction_of(const struct cli_job *job) {
    return job->state == CLI_JOB_COMPLETED ? 1 : cli_job_state_terminal(job->state) ? 0 : job->fraction;
}

/* "0:01.2", "1:02:03" */
static void put_time(struct cs_buf *out, double seconds) {
    enum { MINUTE = 60, HOUR = 3600 };
    long whole = (long)seconds;
    if (whole >= HOUR) {
        cs_buf_printf(out, "%ld:%02ld:%02ld", whole / HOUR, whole / MINUTE % MINUTE, whole % MINUTE);
    } else {
        long tenths = (long)(seconds * TENTHS) % (MINUTE * TENTHS);
        cs_buf_printf(out, "%ld:%02ld.%ld", whole / MINUTE, tenths / TENTHS, tenths % TENTHS);
    }
}

/* "encode 0:01.2/0:03.0 1.8x" */
static void put_progress(struct cs_buf *out, const struct cli_job *job) {
    cs_buf_puts(out, job->stage[0] != '\0' ? job->stage : cli_job_state_word(job->state));
    if (job->duration_s > 0) {
        cs_buf_putc(out, ' ');
        put_time(out, job->media_s);
        cs_buf_putc(out, '/');
        put_time(out, job->duration_s);
    }
    if (job->speed > 0) {
        cs_buf_printf(out, " %.1fx", job->speed);
    }
}

static void put_note(struct cs_buf *out, const struct cli_job *job) {
    if (job->state == CLI_JOB_RUNNING) {
        put_progress(out, job);
    } else {
        cs_buf_puts(out, cli_job_state_word(job->state));
    }
    if (job->attempt > 1 && !cli_job_state_terminal(job->state)) {
        cs_buf_printf(out, ", attempt %d", job->attempt);
    }
    if (job->error[0] != '\0' && (job->state == CLI_JOB_FAILED || job->state == CLI_JOB_RETRYING)) {
        cs_buf_printf(out, ": %s", job->error);
    }
}

static void put_bar(struct cs_buf *out, double fraction, size_t columns, bool unicode) {
    size_t full = (size_t)(fraction * (double)columns + 1e-9);
    for (size_t i = 0; i < columns; i++) {
        bool done = i < full;
        cs_buf_puts(out, unicode ? (done ? "█" : "░") : (done ? "#" : "-"));
    }
}

/* ---- a frame ---- */

struct layout {
    size_t columns; /* the last one stays free, so that no terminal wraps */
    size_t id_columns;
    size_t operation_columns; /* 0: not shown */
    size_t bar_columns;       /* 0: not shown */
    bool unicode;
};

static size_t at_most(size_t value, size_t limit) {
    return value < limit ? value : limit;
}

static struct layout lay_out(const struct cli_execution *execution, const struct cli_view_style *style) {
    struct layout layout = {.columns = style->columns > 1 ? style->columns - 1 : 1, .unicode = style->unicode};
    for (size_t i = 0; i < execution->job_count; i++) {
        size_t id = cli_text_width(execution->jobs[i].id);
        size_t operation = cli_text_width(execution->jobs[i].operation);
        layout.id_columns = id > layout.id_columns ? id : layout.id_columns;
        layout.operation_columns = operation > layout.operation_columns ? operation : layout.operation_columns;
    }
    layout.id_columns = at_most(layout.id_columns, at_most(ID_COLUMNS_MAX, layout.columns / 3));
    layout.operation_columns =
        style->columns < NARROW_COLUMNS ? 0 : at_most(layout.operation_columns, OPERATION_COLUMNS_MAX);
    size_t bar = at_most(layout.columns / 4, BAR_COLUMNS_MAX);
    layout.bar_columns = style->columns < TINY_COLUMNS ? 0 : bar < BAR_COLUMNS_MIN ? BAR_COLUMNS_MIN : bar;
    return layout;
}

static void put_job(struct cs_buf *out, const struct cli_job *job, const struct layout *layout) {
    CS_AUTO_BUF line = {0};
    CS_AUTO_BUF note = {0};
    cs_buf_printf(&line, "%s ", layout->unicode ? signs[job->state].unicode : signs[job->state].ascii);
    cli_put_cell(&line, job->id, layout->id_columns, true, layout->unicode);
    if (layout->operation_columns != 0) {
        cs_buf_putc(&line, ' ');
        cli_put_cell(&line, job->operation, layout->operation_columns, true, layout->unicode);
    }
    if (layout->bar_columns != 0) {
        cs_buf_putc(&line, ' ');
        put_bar(&line, fraction_of(job), layout->bar_columns, layout->unicode);
    }
    cs_buf_printf(&line, " %3d%% ", (int)(fraction_of(job) * PERCENT + 1e-9));
    put_note(&note, job);
    cs_buf_puts(&line, note.data);
    cli_put_cell(out, line.data, layout->columns, false, layout->unicode);
    cs_buf_putc(out, '\n');
}

static void put_line(struct cs_buf *out, const char *text, const struct layout *layout) {
    cli_put_cell(out, text, layout->columns, false, layout->unicode);
    cs_buf_putc(out, '\n');
}

/* What somebody who watches wants to see first when not all fit. */
static const enum cli_job_state by_interest[] = {
    CLI_JOB_RUNNING, CLI_JOB_FAILED,  CLI_JOB_RETRYING,  CLI_JOB_AWAITING_APPROVAL, CLI_JOB_READY,
    CLI_JOB_WAITING, CLI_JOB_UNKNOWN, CLI_JOB_CANCELLED, CLI_JOB_SKIPPED,           CLI_JOB_COMPLETED,
};

static void choose(const struct cli_execution *execution, size_t limit, bool *ret_shown) {
    size_t chosen = 0;
    for (size_t rank = 0; rank < CS_COUNT(by_interest); rank++) {
        for (size_t i = 0; i < execution->job_count && chosen < limit; i++) {
            if (execution->jobs[i].state == by_interest[rank]) {
                ret_shown[i] = true;
                chosen++;
            }
        }
    }
}

static void put_hidden(struct cs_buf *out, const struct cli_execution *execution, const bool *shown,
                       const struct layout *layout) {
    size_t hidden = 0;
    size_t counts[CLI_JOB_STATES] = {0};
    for (size_t i = 0; i < execution->job_count; i++) {
        counts[execution->jobs[i].state] += !shown[i];
        hidden += !shown[i];
    }
    if (hidden == 0) {
        return;
    }
    CS_AUTO_BUF line = {0};
    cs_buf_printf(&line, "  and %zu more:", hidden);
    const char *separator = "";
    for (int state = 0; state < CLI_JOB_STATES; state++) {
        if (counts[state] != 0) {
            cs_buf_printf(&line, "%s %zu %s", separator, counts[state], cli_job_state_word((enum cli_job_state)state));
            separator = ",";
        }
    }
    put_line(out, line.data, layout);
}

void cli_view_frame(const struct cli_execution *execution, const struct cli_view_style *style, struct cs_buf *out) {
    struct layout layout = lay_out(execution, style);
    CS_AUTO_BUF head = {0};
    cs_buf_printf(&head, "%s  %s  %zu of %zu jobs", execution->id, execution->status,
                  cli_execution_count(execution, CLI_JOB_COMPLETED), execution->job_count);
    put_line(out, head.data, &layout);
    size_t limit = style->rows > ROWS_RESERVED ? style->rows - ROWS_RESERVED : 1;
    CS_AUTO_FREE bool *shown = cs_alloc_array(execution->job_count, sizeof(*shown));
    choose(execution, limit, shown);
    for (size_t i = 0; i < execution->job_count; i++) {
        if (shown[i]) {
            put_job(out, &execution->jobs[i], &layout);
        }
    }
    put_hidden(out, execution, shown, &layout);
}

/* ---- changes ---- */

static struct cli_view_seen seen_of(const struct cli_job *job) {
    struct cli_view_seen seen = {
        .state = job->state, .attempt = job->attempt, .tenth = (int)(fraction_of(job) * TENTHS + 1e-9)};
    cs_str_copy(seen.stage, sizeof(seen.stage), job->stage);
    return seen;
}

static bool same(const struct cli_view_seen *a, const struct cli_view_seen *b) {
    bool moved = b->state == CLI_JOB_RUNNING && (a->tenth != b->tenth || !cs_str_eq(a->stage, b->stage));
    return a->state == b->state && a->attempt == b->attempt && !moved;
}

void cli_view_changes(const struct cli_execution *execution, struct cli_view_memory *memory, struct cs_buf *out) {
    if (memory->count != execution->job_count) {
        free(memory->jobs);
        memory->count = execution->job_count;
        memory->jobs = cs_alloc_array(memory->count, sizeof(*memory->jobs)); /* waiting, attempt 0: nothing to tell */
    }
    for (size_t i = 0; i < execution->job_count; i++) {
        const struct cli_job *job = &execution->jobs[i];
        struct cli_view_seen now = seen_of(job);
        if (same(&memory->jobs[i], &now)) {
            continue;
        }
        memory->jobs[i] = now;
        cs_buf_printf(out, "%s %s ", job->id, job->operation);
        if (job->state == CLI_JOB_RUNNING && job->stage[0] != '\0') {
            cs_buf_printf(out, "running %d%% ", (int)(fraction_of(job) * PERCENT + 1e-9));
        }
        put_note(out, job);
        cs_buf_putc(out, '\n');
    }
}

void cli_view_memory_fini(struct cli_view_memory *memory) {
    free(memory->jobs);
    *memory = (struct cli_view_memory){0};
}

void cli_view_waiting(const struct cli_execution *execution, struct cs_buf *out) {
    for (size_t i = 0; i < execution->job_count; i++) {
        if (execution->jobs[i].waiting[0] != '\0') {
            cs_buf_printf(out, "  %s: %s\n", execution->jobs[i].id, execution->jobs[i].waiting);
        }
    }
}

void cli_view_end(const struct cli_execution *execution, struct cs_buf *out) {
    cs_buf_printf(out, "%s %s%s%s\n", execution->status, execution->id, execution->error[0] != '\0' ? ": " : "",
                  execution->error);
    const char *result = cli_execution_result(execution);
    if (result[0] != '\0') {
        cs_buf_printf(out, "result %s\n", result);
    }
}
