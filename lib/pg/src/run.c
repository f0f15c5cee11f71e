/*
 * One way to the server: queue commands, one sync, one flush, then take the results in order. Reading goes on while the
 * queue is still being sent, so neither side can block the other however big a batch is.
 */
#include <poll.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "internal.h"

enum {
    ANSWER_GRACE_MS = 5000, /* beyond the timeout that the server enforces */
    PREPARE_TIMEOUT_MS = 30000,
};

static const struct cs_pg_statement begin = {"cs_begin", "begin", "", ""};
static const struct cs_pg_statement commit = {"cs_commit", "commit", "", ""};
static const struct cs_pg_statement rollback = {"cs_rollback", "rollback", "", ""};
static const struct cs_pg_statement set_timeout = {
    "cs_set_timeout", "select set_config('statement_timeout', $1, false) as value", "text", "value:text"};

struct pg_command pg_command_of(const struct cs_pg_statement *statement, const struct cs_pg_params *params) {
    return (struct pg_command){
        .statement = statement,
        .items = params != NULL ? params->items : NULL,
        .item_count = params != NULL ? params->count : 0,
        .bytes = params != NULL ? params->bytes.data : NULL,
    };
}

void pg_command_clear(struct pg_command *command) {
    PQclear(command->result);
    command->result = NULL;
}

/* ---- moving bytes ---- */

static enum cs_status fail_lost(struct cs_pg *pg, struct cs_err *err) {
    pg_drop(pg);
    return cs_fail(err, CS_UNAVAILABLE, "connection_lost", "the connection to the database was lost");
}

/* Until the next result can be taken without blocking. A failure has dropped the connection. */
static enum cs_status pump(struct cs_pg *pg, int64_t deadline_ms, struct cs_err *err) {
    while (PQisBusy(pg->conn)) {
        int pending = PQflush(pg->conn);
        if (pending < 0) {
            return fail_lost(pg, err);
        }
        enum cs_status status = pg_wait(pg, (short)(POLLIN | (pending > 0 ? POLLOUT : 0)), deadline_ms, err);
        if (status != CS_OK) {
            pg_drop(pg);
            return status == CS_CANCELLED
                       ? status
                       : cs_fail(err, CS_UNAVAILABLE, "connection_lost", "the database does not answer");
        }
        if (PQconsumeInput(pg->conn) != 1) {
            break; /* what had arrived before the loss is still to be read; then PQgetResult reports the loss */
        }
    }
    return CS_OK;
}

/* The next result in ret_result; NULL between the commands. */
static enum cs_status take(struct cs_pg *pg, int64_t patience_ms, PGresult **ret_result, struct cs_err *err) {
    CS_TRY(pump(pg, cs_clock_mono_ms() + patience_ms, err));
    *ret_result = PQgetResult(pg->conn);
    return CS_OK;
}

/* The one result of a command and the NULL behind it. A loss is a failure; a statement's own failure is a result. */
static enum cs_status take_command(struct cs_pg *pg, int64_t patience_ms, PGresult **ret_result, struct cs_err *err) {
    PGresult *result = NULL;
    CS_TRY(take(pg, patience_ms, &result, err));
    if (result == NULL) {
        return fail_lost(pg, err);
    }
    if (PQresultStatus(result) == PGRES_FATAL_ERROR && cs_str_empty(PQresultErrorField(result, PG_DIAG_SQLSTATE))) {
        PQclear(result); /* libpq's own words about the connection */
        return fail_lost(pg, err);
    }
    PGresult *separator = NULL;
    enum cs_status status = take(pg, patience_ms, &separator, err);
    if (status != CS_OK || separator != NULL) {
        PQclear(result);
        PQclear(separator);
        return status != CS_OK ? status : fail_lost(pg, err);
    }
    *ret_result = result;
    return CS_OK;
}

static enum cs_status take_sync(struct cs_pg *pg, int64_t patience_ms, struct cs_err *err) {
    PGresult *result = NULL;
    CS_TRY(take(pg, patience_ms, &result, err));
    bool synced = result != NULL && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
    return synced ? CS_OK : fail_lost(pg, err);
}

static bool failed(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

/* ---- preparing ---- */

static bool queue_prepare(struct cs_pg *pg, const struct pg_entry *entry) {
    Oid oids[CS_PG_PARAMS_MAX];
    for (int i = 0; i < entry->param_count; i++) {
        oids[i] = pg_type_oid(entry->params[i]);
    }
    const struct cs_pg_statement *statement = entry->statement;
    return PQsendPrepare(pg->conn, statement->name, statement->sql, entry->param_count, oids) == 1 &&
           PQsendDescribePrepared(pg->conn, statement->name) == 1;
}

/* Takes one result of the preparation; keeps the first failure in err. Only a loss is returned. */
static enum cs_status settle(struct cs_pg *pg, struct pg_entry *entry, bool described, enum cs_status *first,
                             struct cs_err *err) {
    PGresult *result = NULL;
    struct cs_err here = {0};
    enum cs_status status = take_command(pg, PREPARE_TIMEOUT_MS, &result, &here);
    if (status != CS_OK) {
        *err = here;
        return status;
    }
    if (*first == CS_OK && failed(result)) {
        *first = pg_fail_result(err, result, entry->statement->name);
    } else if (*first == CS_OK && described) {
        *first = pg_entry_check(entry, result, err);
        entry->ready = *first == CS_OK;
    }
    PQclear(result);
    return CS_OK;
}

/* Prepares what is new on this connection in one round trip, and compares it with the declarations. */
static enum cs_status prepare(struct cs_pg *pg, struct pg_entry *const *entries, size_t count, struct cs_err *err) {
    for (size_t i = 0; i < count; i++) {
        if (!queue_prepare(pg, entries[i])) {
            return fail_lost(pg, err);
        }
    }
    if (PQpipelineSync(pg->conn) != 1) {
        return fail_lost(pg, err);
    }
    enum cs_status first = CS_OK;
    for (size_t i = 0; i < count * 2; i++) {
        CS_TRY(settle(pg, entries[i / 2], i % 2 == 1, &first, err));
    }
    struct cs_err lost = {0};
    if (take_sync(pg, PREPARE_TIMEOUT_MS, &lost) != CS_OK) {
        *err = lost;
        return lost.status;
    }
    if (first != CS_OK) {
        pg_drop(pg); /* some names exist now and some do not: a fresh connection is simplest */
    }
    return first;
}

static bool contains(struct pg_entry *const *entries, size_t count, const struct pg_entry *entry) {
    for (size_t i = 0; i < count; i++) {
        if (entries[i] == entry) {
            return true;
        }
    }
    return false;
}

/* Resolves the commands' entries and prepares those that are not ready. */
static enum cs_status resolve(struct cs_pg *pg, struct pg_command *commands, size_t count, struct cs_err *err) {
    enum { NEW_MAX = 32 }; /* more are prepared in the next turn */
    struct pg_entry *fresh[NEW_MAX];
    size_t fresh_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct pg_entry *entry = NULL;
        CS_TRY(pg_entry_get(pg, commands[i].statement, &entry, err));
        commands[i].entry = entry;
        if (!entry->ready && !contains(fresh, fresh_count, entry)) {
            fresh[fresh_count++] = entry;
        }
        if (fresh_count == NEW_MAX || (fresh_count != 0 && i + 1 == count)) {
            CS_TRY(prepare(pg, fresh, fresh_count, err));
            fresh_count = 0;
        }
    }
    return CS_OK;
}

/* ---- sending ---- */

static enum cs_status check_params(const struct pg_command *command, struct cs_err *err) {
    const struct pg_entry *entry = command->entry;
    const char *name = entry->statement->name;
    if (command->item_count != entry->param_count) {
        return cs_fail(err, CS_INTERNAL, "bad_statement", "%s: got %d parameters, %d are declared", name,
                       command->item_count, entry->param_count);
    }
    for (int i = 0; i < command->item_count; i++) {
        const struct cs_pg_param *item = &command->items[i];
        bool same = item->type == entry->params[i].base && item->array == entry->params[i].array;
        if (item->type != 0 && !same) {
            return cs_fail(err, CS_INTERNAL, "bad_statement", "%s: parameter %d is declared as %s", name, i + 1,
                           pg_type_name(entry->params[i]));
        }
        if (item->size > CS_PG_VALUE_BYTES_MAX) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "too_big", "%s: parameter %d is larger than %d bytes", name, i + 1,
                           CS_PG_VALUE_BYTES_MAX);
        }
    }
    return CS_OK;
}

static bool queue(struct cs_pg *pg, const struct pg_command *command) {
    const char *values[CS_PG_PARAMS_MAX];
    int lengths[CS_PG_PARAMS_MAX];
    int formats[CS_PG_PARAMS_MAX];
    for (int i = 0; i < command->item_count; i++) {
        const struct cs_pg_param *item = &command->items[i];
        values[i] = item->null ? NULL : item->size == 0 ? "" : command->bytes + item->offset;
        lengths[i] = (int)item->size;
        formats[i] = 1;
    }
    return PQsendQueryPrepared(pg->conn, command->statement->name, command->item_count, values, lengths, formats, 1) ==
           1;
}

/* ---- a run: [set timeout] [begin] commands [commit] ---- */

struct run {
    struct cs_pg *pg;
    enum pg_mode mode;
    struct pg_command *commands;
    size_t count;
    struct pg_command control[4]; /* by CONTROL_… */
    bool sets_timeout;
    int64_t patience_ms;
};

enum { CONTROL_TIMEOUT, CONTROL_BEGIN, CONTROL_COMMIT, CONTROL_ROLLBACK };

static enum cs_status ready_run(struct run *run, struct cs_err *err) {
    CS_TRY(pg_connect(run->pg, err));
    run->sets_timeout = run->pg->timeout_applied_ms != run->pg->timeout_ms;
    if (run->sets_timeout) {
        CS_TRY(resolve(run->pg, &run->control[CONTROL_TIMEOUT], 1, err));
    }
    if (run->mode == PG_TRANSACTION) {
        CS_TRY(resolve(run->pg, &run->control[CONTROL_BEGIN], 3, err));
    }
    CS_TRY(resolve(run->pg, run->commands, run->count, err));
    for (size_t i = 0; i < run->count; i++) {
        CS_TRY(check_params(&run->commands[i], err));
    }
    return CS_OK;
}

/* ret_sent tells whether the last command may have left entirely when sending fails. */
static enum cs_status send_all(struct run *run, bool *ret_sent, struct cs_err *err) {
    struct cs_pg *pg = run->pg;
    bool transaction = run->mode == PG_TRANSACTION;
    bool good = (!run->sets_timeout || queue(pg, &run->control[CONTROL_TIMEOUT])) &&
                (!transaction || queue(pg, &run->control[CONTROL_BEGIN]));
    for (size_t i = 0; good && i < run->count; i++) {
        good = queue(pg, &run->commands[i]);
    }
    *ret_sent = good;
    good = good && (!transaction || queue(pg, &run->control[CONTROL_COMMIT])) && PQpipelineSync(pg->conn) == 1;
    return good ? CS_OK : fail_lost(pg, err);
}

/* What is known about the outcome while results come in. */
struct outcome {
    enum cs_status status; /* of the first failure */
    bool ends_session;
    bool committed; /* the server said so, or there is nothing to commit */
};

static enum cs_status collect(struct run *run, struct pg_command *command, struct outcome *outcome,
                              struct cs_err *err) {
    PGresult *result = NULL;
    struct cs_err lost = {0};
    enum cs_status status = take_command(run->pg, run->patience_ms, &result, &lost);
    if (status != CS_OK) {
        if (outcome->status == CS_OK) {
            *err = lost;
        }
        return status;
    }
    if (failed(result) && outcome->status == CS_OK) {
        outcome->status = pg_fail_result(err, result, command->statement->name);
        outcome->ends_session = pg_result_ends_session(result);
    }
    command->result = result;
    return CS_OK;
}

/* The end of the pipeline. A statement outside BEGIN commits here, so here it can still fail. */
static enum cs_status collect_sync(struct run *run, struct outcome *outcome, struct cs_err *err) {
    enum { RESULTS_MAX = 3 }; /* a failure, its separator, the sync */
    struct cs_err lost = {0};
    for (int i = 0; i < RESULTS_MAX; i++) {
        PGresult *result = NULL;
        CS_TRY(take(run->pg, run->patience_ms, &result, outcome->status == CS_OK ? err : &lost));
        ExecStatusType kind = PQresultStatus(result);
        bool refused = result != NULL && kind != PGRES_PIPELINE_SYNC && outcome->status == CS_OK &&
                       !pg_result_ends_session(result);
        if (refused) {
            outcome->status = pg_fail_result(err, result, run->commands[run->count - 1].statement->name);
        }
        PQclear(result);
        if (kind == PGRES_PIPELINE_SYNC) {
            return CS_OK;
        }
        if (result != NULL && !refused) {
            break;
        }
    }
    return fail_lost(run->pg, outcome->status == CS_OK ? err : &lost);
}

static enum cs_status collect_all(struct run *run, struct outcome *outcome, struct cs_err *err) {
    bool transaction = run->mode == PG_TRANSACTION;
    if (run->sets_timeout) {
        CS_TRY(collect(run, &run->control[CONTROL_TIMEOUT], outcome, err));
    }
    if (transaction) {
        CS_TRY(collect(run, &run->control[CONTROL_BEGIN], outcome, err));
    }
    for (size_t i = 0; i < run->count && !outcome->ends_session; i++) {
        CS_TRY(collect(run, &run->commands[i], outcome, err));
    }
    if (transaction && !outcome->ends_session) {
        bool reached = outcome->status == CS_OK;
        CS_TRY(collect(run, &run->control[CONTROL_COMMIT], outcome, err));
        if (reached && outcome->ends_session) { /* told to go while it committed: nobody knows */
            outcome->status = CS_OK;
            return fail_lost(run->pg, err);
        }
    }
    outcome->committed = outcome->status == CS_OK && run->mode != PG_WRITE;
    return outcome->ends_session ? CS_OK : collect_sync(run, outcome, err);
}

/* The server stays inside a transaction that failed until it is told. */
static void leave_transaction(struct run *run) {
    struct cs_err ignored = {0};
    struct outcome outcome = {0};
    struct cs_pg *pg = run->pg;
    pg->timeout_applied_ms = -1; /* rolled back with the rest */
    if (PQtransactionStatus(pg->conn) == PQTRANS_IDLE) {
        return;
    }
    bool good = queue(pg, &run->control[CONTROL_ROLLBACK]) && PQpipelineSync(pg->conn) == 1 &&
                collect(run, &run->control[CONTROL_ROLLBACK], &outcome, &ignored) == CS_OK && outcome.status == CS_OK &&
                take_sync(pg, run->patience_ms, &ignored) == CS_OK;
    if (!good) {
        pg_drop(pg);
    }
}

/* The connection went after everything was sent. */
static enum cs_status judge_loss(const struct run *run, const struct outcome *outcome, bool sent, struct cs_err *err) {
    if (outcome->committed) {
        return CS_OK; /* only the goodbye is missing */
    }
    if (outcome->status != CS_OK || !sent || run->mode == PG_READ) {
        return err->status;
    }
    char cause[CS_ERR_MESSAGE_MAX];
    cs_str_copy(cause, sizeof(cause), err->message);
    return cs_fail(err, CS_UNKNOWN, "commit_in_doubt", "%s after the commit was sent", cause);
}

static enum cs_status execute(struct run *run, struct cs_err *err) {
    struct cs_pg *pg = run->pg;
    struct outcome outcome = {0};
    bool sent = false;
    struct cs_err problem = {0};
    enum cs_status status = send_all(run, &sent, &problem);
    if (status == CS_OK) {
        status = collect_all(run, &outcome, &problem);
    }
    if (status != CS_OK) {
        pg_drop(pg);
        status = judge_loss(run, &outcome, sent, &problem);
    } else if (outcome.ends_session) {
        pg_drop(pg);
        status = outcome.status;
    } else if (outcome.status != CS_OK) {
        leave_transaction(run);
        status = outcome.status;
    } else {
        pg->timeout_applied_ms = pg->timeout_ms;
    }
    if (status != CS_OK) {
        *err = problem;
    }
    return status;
}

enum cs_status pg_run(struct cs_pg *pg, enum pg_mode mode, struct pg_command *commands, size_t count,
                      struct cs_err *err) {
    CS_AUTO_PG_PARAMS timeout = {0};
    char text[32];
    (void)snprintf(text, sizeof(text), "%lld", (long long)pg->timeout_ms);
    cs_pg_put_text(&timeout, text);
    struct run run = {
        .pg = pg,
        .mode = mode,
        .commands = commands,
        .count = count,
        .control = {pg_command_of(&set_timeout, &timeout), pg_command_of(&begin, NULL), pg_command_of(&commit, NULL),
                    pg_command_of(&rollback, NULL)},
        .patience_ms = pg->timeout_ms + ANSWER_GRACE_MS,
    };
    struct cs_err ignored;
    struct cs_err *problem = err != NULL ? err : &ignored;
    enum cs_status status = ready_run(&run, problem);
    if (status == CS_OK) {
        status = execute(&run, problem);
    }
    for (size_t i = 0; i < CS_COUNT(run.control); i++) {
        pg_command_clear(&run.control[i]);
    }
    for (size_t i = 0; status != CS_OK && i < count; i++) {
        pg_command_clear(&commands[i]);
    }
    return status;
}

/* ---- scripts ---- */

static enum cs_status read_script(struct cs_pg *pg, const char *what, int64_t timeout_ms, struct cs_err *err) {
    enum cs_status first = CS_OK;
    bool ends_session = false;
    for (;;) {
        PGresult *result = NULL;
        struct cs_err lost = {0};
        if (take(pg, timeout_ms, &result, &lost) != CS_OK) {
            *err = lost;
            return lost.status;
        }
        if (result == NULL) {
            break;
        }
        if (failed(result) && first == CS_OK) {
            first = pg_fail_result(err, result, what);
            ends_session = pg_result_ends_session(result);
        }
        PQclear(result);
    }
    if (ends_session) {
        pg_drop(pg);
    }
    return first;
}

enum cs_status pg_script(struct cs_pg *pg, const char *what, const char *sql, int64_t timeout_ms, struct cs_err *err) {
    CS_TRY(pg_connect(pg, err));
    if (PQexitPipelineMode(pg->conn) != 1 || PQsendQuery(pg->conn, sql) != 1) {
        return fail_lost(pg, err);
    }
    enum cs_status status = read_script(pg, what, timeout_ms, err);
    if (pg->conn != NULL && PQenterPipelineMode(pg->conn) != 1) {
        pg_drop(pg);
    }
    return status;
}
