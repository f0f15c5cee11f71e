/* SQLSTATE -> status and reason, once. */
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "internal.h"

struct state_row {
    const char *prefix; /* of the SQLSTATE; the first row that fits counts */
    enum cs_status status;
    const char *reason;
    bool quiet; /* the server's sentence may quote values: it is not shown */
};

static const struct state_row state_rows[] = {
    {"40001", CS_ABORTED, "serialization_failure"},
    {"40P01", CS_ABORTED, "deadlock"},
    {"40", CS_ABORTED, "serialization_failure"},
    {"55P03", CS_ABORTED, "lock_timeout"},
    {"26000", CS_ABORTED, "statement_changed"},
    {"57014", CS_DEADLINE_EXCEEDED, "timeout"},
    {"23505", CS_ALREADY_EXISTS, "unique_violation", .quiet = true},
    {"23503", CS_FAILED_PRECONDITION, "foreign_key_violation", .quiet = true},
    {"23514", CS_FAILED_PRECONDITION, "check_violation", .quiet = true},
    {"23502", CS_FAILED_PRECONDITION, "not_null_violation", .quiet = true},
    {"23P01", CS_FAILED_PRECONDITION, "exclusion_violation", .quiet = true},
    {"22", CS_INVALID_ARGUMENT, "bad_value", .quiet = true},
    {"53100", CS_RESOURCE_EXHAUSTED, "disk_full"},
    {"53200", CS_RESOURCE_EXHAUSTED, "database_out_of_memory"},
    {"53300", CS_RESOURCE_EXHAUSTED, "database_busy"},
    {"53", CS_RESOURCE_EXHAUSTED, "database_limit"},
    {"54", CS_INVALID_ARGUMENT, "too_big"},
    {"25006", CS_UNAVAILABLE, "database_read_only"},
    {"57P", CS_UNAVAILABLE, "connection_lost"},
    {"08", CS_UNAVAILABLE, "connection_lost"},
    {"42P04", CS_ALREADY_EXISTS, "database_exists"},
    {"55006", CS_ABORTED, "database_in_use"},
    {"42501", CS_PERMISSION_DENIED, "database_permission"},
    {"28", CS_PERMISSION_DENIED, "database_permission"},
    {"42", CS_INTERNAL, "bad_statement"},
    {"XX001", CS_DATA_LOSS, "database_corrupt"},
    {"XX002", CS_DATA_LOSS, "database_corrupt"},
    {"P0", CS_INTERNAL, "database_error", .quiet = true},
    {"", CS_INTERNAL, "database_error"},
};

static const struct state_row *row_of(const char *state) {
    const struct state_row *row = state_rows;
    while (!cs_str_starts(state, row->prefix)) {
        row++; /* the last row fits all */
    }
    return row;
}

static const char *field(const PGresult *result, int code) {
    const char *text = PQresultErrorField(result, code);
    return text != NULL ? text : "";
}

static bool word(const char *text) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return length > 0 && length < CS_ERR_REASON_MAX && text[length] == '\0';
}

/* "CSnnn": raised by our own SQL. */
static bool raised(const char *state, enum cs_status *ret_status) {
    int64_t number = 0;
    if (!cs_str_starts(state, "CS") || !cs_parse_i64(state + 2, CS_CANCELLED, CS_UNAUTHENTICATED, &number)) {
        return false;
    }
    *ret_status = (enum cs_status)number;
    return true;
}

/* A cached plan whose tables were altered meanwhile; the next connection prepares it anew. */
static bool plan_is_stale(const PGresult *result) {
    return cs_str_eq(field(result, PG_DIAG_SQLSTATE), "0A000") &&
           cs_str_eq(field(result, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery");
}

enum cs_status pg_fail_result(struct cs_err *err, const PGresult *result, const char *what) {
    const char *state = field(result, PG_DIAG_SQLSTATE);
    const char *sentence = field(result, PG_DIAG_MESSAGE_PRIMARY);
    enum cs_status status = CS_INTERNAL;
    if (raised(state, &status)) {
        return cs_fail(err, status, word(sentence) ? sentence : "database_rule", "%s: %s", what, sentence);
    }
    if (plan_is_stale(result)) {
        return cs_fail(err, CS_ABORTED, "statement_changed", "%s: a table changed since the statement was prepared",
                       what);
    }
    const struct state_row *row = row_of(state);
    const char *constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
    const char *object = constraint[0] != '\0' ? constraint : field(result, PG_DIAG_COLUMN_NAME);
    if (row->quiet) {
        return cs_fail(err, row->status, row->reason, "%s: %s%s%s%s (SQLSTATE %s)", what, row->reason,
                       object[0] != '\0' ? " of \"" : "", object, object[0] != '\0' ? "\"" : "", state);
    }
    return cs_fail(err, row->status, row->reason, "%s: %s (SQLSTATE %s)", what, sentence, state);
}

bool pg_result_ends_session(const PGresult *result) {
    const char *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = field(result, PG_DIAG_SQLSTATE);
    return state[0] == '\0' || cs_str_eq(severity, "FATAL") || cs_str_eq(severity, "PANIC") || plan_is_stale(result) ||
           cs_str_eq(state, "26000") || cs_str_eq(state, "25006");
}
