#include "domain/run.h"

#include <string.h>

#include "cs/base/text.h"

/* ---- the machine ---- */

static const char *const statuses[ORC_RUN_STATUSES] = {
    [ORC_RUN_NONE] = "none",
    [ORC_RUN_RUNNING] = "running",
    [ORC_RUN_COMPLETED] = "completed",
    [ORC_RUN_COMPLETED_WITH_ERRORS] = "completed_with_errors",
    [ORC_RUN_NO_LEADS] = "no_leads_to_score",
    [ORC_RUN_FAILED] = "failed",
    [ORC_RUN_CANCELED] = "canceled",
    [ORC_RUN_TIMED_OUT] = "timed_out",
    [ORC_RUN_CLIENT_KILLED] = "client_timeout_killed",
    [ORC_RUN_JOB_KILLED] = "job_timeout_killed",
};

static const char *const words[ORC_RUN_STATUSES] = {
    [ORC_RUN_NONE] = "?",
    [ORC_RUN_RUNNING] = "Running",
    [ORC_RUN_COMPLETED] = "Completed",
    [ORC_RUN_COMPLETED_WITH_ERRORS] = "Completed with Errors",
    [ORC_RUN_NO_LEADS] = "No Leads To Score",
    [ORC_RUN_FAILED] = "Failed",
    [ORC_RUN_CANCELED] = "Canceled",
    [ORC_RUN_TIMED_OUT] = "Timed_out",
    [ORC_RUN_CLIENT_KILLED] = "CLIENT_TIMEOUT_KILLED",
    [ORC_RUN_JOB_KILLED] = "JOB_TIMEOUT_KILLED",
};

static const char *const moves[ORC_RUN_MOVES] = {
    [ORC_RUN_START] = "start",
    [ORC_RUN_HEARTBEAT] = "heartbeat",
    [ORC_RUN_COMPLETE] = "complete",
    [ORC_RUN_COMPLETE_WITH_ERRORS] = "complete_with_errors",
    [ORC_RUN_FIND_NO_LEADS] = "find_no_leads",
    [ORC_RUN_FAIL] = "fail",
    [ORC_RUN_CANCEL] = "cancel",
    [ORC_RUN_EXPIRE] = "expire",
    [ORC_RUN_KILL_CLIENT] = "kill_client",
    [ORC_RUN_KILL_JOB] = "kill_job",
};

static const struct cs_fsm_edge edges[] = {
    {ORC_RUN_NONE, ORC_RUN_START, ORC_RUN_RUNNING, "no other run of this tenant, job type and client is running"},
    {ORC_RUN_RUNNING, ORC_RUN_HEARTBEAT, ORC_RUN_RUNNING, "its client said that it is alive; the lease is renewed"},
    {ORC_RUN_RUNNING, ORC_RUN_COMPLETE, ORC_RUN_COMPLETED, "its client said that all is done"},
    {ORC_RUN_RUNNING, ORC_RUN_COMPLETE_WITH_ERRORS, ORC_RUN_COMPLETED_WITH_ERRORS,
     "its client said that it got to the end, with errors on the way"},
    {ORC_RUN_RUNNING, ORC_RUN_FIND_NO_LEADS, ORC_RUN_NO_LEADS, "its client found nothing to do"},
    {ORC_RUN_RUNNING, ORC_RUN_FAIL, ORC_RUN_FAILED, "its client said that it failed"},
    {ORC_RUN_RUNNING, ORC_RUN_CANCEL, ORC_RUN_CANCELED, "its client gave it up"},
    {ORC_RUN_RUNNING, ORC_RUN_EXPIRE, ORC_RUN_TIMED_OUT, "no heartbeat came for as long as the lease was"},
    {ORC_RUN_RUNNING, ORC_RUN_KILL_CLIENT, ORC_RUN_CLIENT_KILLED, "the run of one client took longer than it may"},
    {ORC_RUN_RUNNING, ORC_RUN_KILL_JOB, ORC_RUN_JOB_KILLED, "the run of the whole job took longer than it may"},
};

const struct cs_fsm orc_run_fsm = {
    .name = "run",
    .state_names = statuses,
    .state_count = ORC_RUN_STATUSES,
    .event_names = moves,
    .event_count = ORC_RUN_MOVES,
    .edges = edges,
    .edge_count = CS_COUNT(edges),
};

const char *orc_run_status_word(int status) {
    return status > ORC_RUN_NONE && status < ORC_RUN_STATUSES ? words[status] : words[ORC_RUN_NONE];
}

/* ---- notes: lines, each with its time; appended, never replaced ---- */

static void append(struct orc_run *run, const char *line, int64_t at_ms, struct cs_arena *arena) {
    char time[CS_ISO8601_SIZE];
    cs_format_iso8601(at_ms, time);
    run->notes = cs_arena_sprintf(arena, "%s%s%s %s", run->notes, run->notes[0] != '\0' ? "\n" : "", time, line);
}

static void append_note(struct orc_run *run, const char *note, int64_t at_ms, struct cs_arena *arena,
                        struct orc_run_warnings *warnings) {
    if (note[0] == '\0') {
        return;
    }
    if (strlen(run->notes) + strlen(note) + CS_ISO8601_SIZE > ORC_RUN_NOTES_BYTES_MAX) {
        orc_run_warn(warnings, arena, "the note is left out: a run has at most %d bytes of notes",
                     ORC_RUN_NOTES_BYTES_MAX);
        return;
    }
    append(run, note, at_ms, arena);
}

/* ---- start ---- */

void orc_run_begin(const struct orc_run_start *start, int64_t now_ms, struct cs_arena *arena, struct orc_run *ret_run,
                   struct orc_run_warnings *warnings) {
    bool of_client = start->id.client[0] != '\0';
    int64_t timeout_ms = of_client ? ORC_RUN_CLIENT_TIMEOUT_MS_DEFAULT : ORC_RUN_JOB_TIMEOUT_MS_DEFAULT;
    struct orc_run run = {
        .tenant = start->tenant,
        .job_type = start->job_type,
        .id = start->id,
        .status = ORC_RUN_RUNNING,
        .revision = 1,
        .started_at_ms = now_ms,
        .heartbeat_at_ms = now_ms,
        .lease_ms = start->lease_ms != 0 ? start->lease_ms : ORC_RUN_LEASE_MS_DEFAULT,
        .notes = "",
    };
    run.lease_until_ms = now_ms + run.lease_ms;
    run.deadline_ms = now_ms + (start->timeout_ms != 0 ? start->timeout_ms : timeout_ms);
    append(&run, cs_arena_sprintf(arena, "Run %s started", run.id.text), now_ms, arena);
    append(&run, cs_arena_sprintf(arena, "Job Type: %s", run.job_type), now_ms, arena);
    append_note(&run, start->note, now_ms, arena, warnings);
    orc_run_metrics_report(&run.metrics, start->initial, start->initial_count, arena, warnings);
    *ret_run = run;
}

/* ---- changes: each works on a copy and hands it over at the end ---- */

enum cs_status orc_run_type_check(const struct orc_run *run, const char *job_type, struct cs_err *err) {
    if (job_type[0] != '\0' && !cs_str_eq(run->job_type, job_type)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "wrong_run_id", "run %s is of the job type %s, not %s",
                       run->id.text, run->job_type, job_type);
    }
    return CS_OK;
}

static enum cs_status move(struct orc_run *run, enum orc_run_move by, struct cs_err *err) {
    if (run->status > ORC_RUN_RUNNING) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "run_ended", "run %s has ended: %s", run->id.text,
                       orc_run_status_word(run->status));
    }
    CS_TRY(cs_fsm_step(&orc_run_fsm, &run->status, by, err));
    run->revision++;
    return CS_OK;
}

static void hear(struct orc_run *run, const struct orc_run_news *news, int64_t now_ms, struct cs_arena *arena,
                 struct orc_run_warnings *warnings) {
    run->heartbeat_at_ms = now_ms;
    orc_run_metrics_report(&run->metrics, news->metrics, news->metric_count, arena, warnings);
    append_note(run, news->note, now_ms, arena, warnings);
}

enum cs_status orc_run_heartbeat(struct orc_run *run, const struct orc_run_news *news, int64_t now_ms,
                                 struct cs_arena *arena, struct orc_run_warnings *warnings, struct cs_err *err) {
    struct orc_run next = *run;
    CS_TRY(orc_run_type_check(run, news->job_type, err));
    CS_TRY(move(&next, ORC_RUN_HEARTBEAT, err));
    hear(&next, news, now_ms, arena, warnings);
    next.lease_until_ms = now_ms + next.lease_ms;
    *run = next;
    return CS_OK;
}

/* The end that a client reports. */
static enum cs_status read_end(int status, bool failed, enum orc_run_status *ret_status, enum orc_run_move *ret_move,
                               struct cs_err *err) {
    static const enum orc_run_move ends[] = {
        [ORC_RUN_COMPLETED] = ORC_RUN_COMPLETE,     [ORC_RUN_COMPLETED_WITH_ERRORS] = ORC_RUN_COMPLETE_WITH_ERRORS,
        [ORC_RUN_NO_LEADS] = ORC_RUN_FIND_NO_LEADS, [ORC_RUN_FAILED] = ORC_RUN_FAIL,
        [ORC_RUN_CANCELED] = ORC_RUN_CANCEL,
    };
    if (status == ORC_RUN_NONE) {
        status = failed ? ORC_RUN_FAILED : ORC_RUN_COMPLETED;
    }
    if (status < ORC_RUN_COMPLETED || status > ORC_RUN_CANCELED) {
        return cs_fail_at(err, "status", "bad_status",
                          "a run is completed as Completed, Completed with Errors, "
                          "No Leads To Score, Failed or Canceled");
    }
    if (failed && (status == ORC_RUN_COMPLETED || status == ORC_RUN_NO_LEADS)) {
        return cs_fail_at(err, "error", "bad_status", "%s is no end with an error", orc_run_status_word(status));
    }
    *ret_status = (enum orc_run_status)status;
    *ret_move = ends[status];
    return CS_OK;
}

enum cs_status orc_run_complete(struct orc_run *run, int status, const char *error, const struct orc_run_news *news,
                                int64_t now_ms, struct cs_arena *arena, struct orc_run_warnings *warnings,
                                bool *ret_unchanged, struct cs_err *err) {
    struct orc_run next = *run;
    enum orc_run_status end = ORC_RUN_NONE;
    enum orc_run_move by = ORC_RUN_COMPLETE;
    CS_TRY(read_end(status, error[0] != '\0', &end, &by, err));
    CS_TRY(orc_run_type_check(run, news->job_type, err));
    if (run->status == (int)end) {
        *ret_unchanged = true;
        return CS_OK;
    }
    CS_TRY(move(&next, by, err));
    hear(&next, news, now_ms, arena, warnings);
    if (error[0] != '\0') {
        append(&next, cs_arena_sprintf(arena, "Error: %s", error), now_ms, arena);
    }
    append(&next, cs_arena_sprintf(arena, "Run ended: %s", orc_run_status_word(end)), now_ms, arena);
    next.ended_at_ms = now_ms;
    *run = next;
    *ret_unchanged = false;
    return CS_OK;
}

/* ---- ends without a client ---- */

int64_t orc_run_wake_at(const struct orc_run *run) {
    if (run->status != ORC_RUN_RUNNING) {
        return INT64_MAX;
    }
    return run->lease_until_ms < run->deadline_ms ? run->lease_until_ms : run->deadline_ms;
}

bool orc_run_expire(struct orc_run *run, int64_t now_ms, struct cs_arena *arena) {
    int64_t at_ms = orc_run_wake_at(run);
    struct cs_err unused;
    if (at_ms > now_ms) {
        return false;
    }
    enum orc_run_move by = ORC_RUN_EXPIRE;
    if (run->deadline_ms <= run->lease_until_ms) {
        by = run->id.client[0] != '\0' ? ORC_RUN_KILL_CLIENT : ORC_RUN_KILL_JOB;
    }
    const struct cs_fsm_edge *edge = cs_fsm_find(&orc_run_fsm, run->status, by);
    if (move(run, by, &unused) != CS_OK) {
        return false;
    }
    append(run, cs_arena_sprintf(arena, "Run ended: %s (%s)", orc_run_status_word(run->status), edge->why), at_ms,
           arena);
    run->ended_at_ms = at_ms;
    return true;
}

/* ---- totals ---- */

static struct orc_run_metric time_metric(const char *name, enum orc_run_rule rule, int64_t at_ms,
                                         struct cs_arena *arena) {
    char text[CS_ISO8601_SIZE];
    cs_format_iso8601(at_ms, text);
    return (struct orc_run_metric){.name = name, .rule = rule, .text = cs_arena_strdup(arena, text)};
}

static bool has_errors(const struct orc_run *run) {
    switch (run->status) {
    case ORC_RUN_COMPLETED_WITH_ERRORS:
    case ORC_RUN_FAILED:
    case ORC_RUN_TIMED_OUT:
    case ORC_RUN_CLIENT_KILLED:
    case ORC_RUN_JOB_KILLED:
        return true;
    default:
        return false;
    }
}

struct orc_run_metrics orc_run_totals(const struct orc_run *clients, size_t count, struct cs_arena *arena) {
    enum { COMPUTED = 5 };
    if (count == 0) {
        return (struct orc_run_metrics){0};
    }
    const struct orc_run_metrics **metrics = cs_arena_array(arena, count, sizeof(struct orc_run_metrics *));
    int64_t start_ms = INT64_MAX;
    int64_t end_ms = 0;
    size_t ended = 0;
    size_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        metrics[i] = &clients[i].metrics;
        start_ms = clients[i].started_at_ms < start_ms ? clients[i].started_at_ms : start_ms;
        end_ms = clients[i].ended_at_ms > end_ms ? clients[i].ended_at_ms : end_ms;
        ended += clients[i].status != ORC_RUN_RUNNING;
        bad += has_errors(&clients[i]);
    }
    struct orc_run_metrics sums = orc_run_metrics_total(metrics, count, arena);
    struct orc_run_metrics total = {cs_arena_array(arena, sums.count + COMPUTED, sizeof(*total.items)), 0};
    total.items[total.count++] = time_metric("Start Time", ORC_RUN_MIN, start_ms, arena);
    if (ended == count) {
        total.items[total.count++] = time_metric("End Time", ORC_RUN_MAX, end_ms, arena);
    }
    total.items[total.count++] = (struct orc_run_metric){
        .name = "Status", .rule = ORC_RUN_LAST, .text = orc_run_status_word(clients[count - 1].status)};
    total.items[total.count++] =
        (struct orc_run_metric){.name = "Clients Processed", .rule = ORC_RUN_SUM, .number = (double)ended};
    total.items[total.count++] =
        (struct orc_run_metric){.name = "Clients With Errors", .rule = ORC_RUN_SUM, .number = (double)bad};
    if (sums.count > 0) {
        memcpy(total.items + total.count, sums.items, sums.count * sizeof(*sums.items));
    }
    total.count += sums.count;
    return total;
}

/* ---- trouble ---- */

enum orc_run_trouble orc_run_trouble_of(const struct cs_err *err) {
    if (cs_str_eq(err->reason, "bad_run_id")) {
        return ORC_RUN_INVALID_RUN_ID;
    }
    switch (err->status) {
    case CS_NOT_FOUND:
        return ORC_RUN_RECORD_NOT_FOUND;
    case CS_UNAVAILABLE:
    case CS_ABORTED:
        return err->retryable ? ORC_RUN_STORE_ERROR : ORC_RUN_UNKNOWN;
    case CS_DATA_LOSS:
        return ORC_RUN_INCONSISTENT_DATA;
    default:
        return ORC_RUN_UNKNOWN;
    }
}

enum orc_run_strategy orc_run_strategy(enum orc_run_trouble trouble) {
    static const enum orc_run_strategy table[ORC_RUN_TROUBLES] = {
        [ORC_RUN_RECORD_NOT_FOUND] = ORC_RUN_CREATE_NEW,
        [ORC_RUN_INVALID_RUN_ID] = ORC_RUN_ABORT,
        [ORC_RUN_STORE_ERROR] = ORC_RUN_RETRY,
        [ORC_RUN_INCONSISTENT_DATA] = ORC_RUN_LOG_AND_CONTINUE,
        [ORC_RUN_UNKNOWN] = ORC_RUN_ABORT,
    };
    return table[trouble];
}
