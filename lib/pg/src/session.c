#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "internal.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    STATEMENT_TIMEOUT_MS = 30000,
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MAX_MS = 1000,
};

/* ---- waiting ---- */

static enum cs_status fail_interrupted(struct cs_err *err) {
    return cs_fail(err, CS_CANCELLED, "interrupted", "the database session was interrupted");
}

/* Waits for the descriptor, the interruption or the deadline; fd -1 waits for the last two. */
static enum cs_status wait_fd(struct cs_pg *pg, int fd, short events, int64_t deadline_ms, struct cs_err *err) {
    struct pollfd fds[] = {{.fd = pg->wake_fd, .events = POLLIN}, {.fd = fd, .events = events}};
    for (;;) {
        int64_t left_ms = deadline_ms - cs_clock_mono_ms();
        int ready = poll(fds, CS_COUNT(fds), left_ms > 0 ? (int)(left_ms < INT32_MAX ? left_ms : INT32_MAX) : 0);
        if (fds[0].revents != 0) {
            return fail_interrupted(err);
        }
        if (ready > 0) {
            return CS_OK;
        }
        if (ready == 0 && left_ms <= 0) {
            return cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "the database does not answer");
        }
        if (ready < 0 && errno != EINTR) {
            return cs_fail_errno(err, errno, "waiting for the database");
        }
    }
}

enum cs_status pg_wait(struct cs_pg *pg, short events, int64_t deadline_ms, struct cs_err *err) {
    return wait_fd(pg, PQsocket(pg->conn), events, deadline_ms, err);
}

/* ---- connecting ---- */

/* Notices are for people at a prompt; but a server that closes an idle connection says so in one. */
static void take_notice(void *ctx, const PGresult *result) {
    struct cs_pg *pg = ctx;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    pg->told_to_go = pg->told_to_go || cs_str_eq(severity, "FATAL") || cs_str_eq(severity, "PANIC");
}

/* libpq's text begins with where it connected to and has more lines than needed; it never holds the password. */
static enum cs_status fail_connect(struct cs_err *err, const char *text) {
    size_t length = strcspn(text, "\n");
    return cs_fail(err, CS_UNAVAILABLE, "connect_failed", "connecting to the database: %.*s", (int)length, text);
}

static PGconn *start_connection(const struct cs_pg *pg) {
    const char *const names[] = {"dbname", "client_encoding", "fallback_application_name", NULL};
    const char *const values[] = {pg->url, "UTF8", pg->application, NULL};
    return PQconnectStartParams(names, values, 1);
}

static enum cs_status finish_connection(struct cs_pg *pg, struct cs_err *err) {
    int64_t deadline_ms = cs_clock_mono_ms() + pg->connect_timeout_ms;
    PostgresPollingStatusType state =
        PQstatus(pg->conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        enum cs_status status = pg_wait(pg, events, deadline_ms, err);
        if (status == CS_DEADLINE_EXCEEDED) {
            return cs_fail(err, CS_UNAVAILABLE, "connect_failed", "connecting to the database: no answer in %lld ms",
                           (long long)pg->connect_timeout_ms);
        }
        CS_TRY(status);
        state = PQconnectPoll(pg->conn);
    }
    if (state != PGRES_POLLING_OK) {
        return fail_connect(err, PQerrorMessage(pg->conn));
    }
    if (PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1) {
        return fail_connect(err, PQerrorMessage(pg->conn));
    }
    return CS_OK;
}

static enum cs_status connect_once(struct cs_pg *pg, struct cs_err *err) {
    pg->conn = start_connection(pg);
    if (pg->conn == NULL) {
        return fail_connect(err, "out of memory");
    }
    (void)PQsetNoticeReceiver(pg->conn, take_notice, pg);
    enum cs_status status = finish_connection(pg, err);
    if (status == CS_OK) {
        pg->backoff_ms = 0;
        return CS_OK;
    }
    pg_drop(pg);
    int64_t doubled_ms = pg->backoff_ms * 2;
    pg->backoff_ms = doubled_ms < BACKOFF_FIRST_MS ? BACKOFF_FIRST_MS
                     : doubled_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
                                                   : doubled_ms;
    pg->retry_at_ms = cs_clock_mono_ms() + pg->backoff_ms;
    return status;
}

/* A server that went away while we were idle has left a goodbye or an end of file; better seen before anything is
 * sent. */
static bool still_there(struct cs_pg *pg) {
    struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLIN};
    while (poll(&fd, 1, 0) > 0) {
        if (PQconsumeInput(pg->conn) != 1) {
            return false;
        }
        PQfreemem(PQnotifies(pg->conn)); /* makes libpq read what it consumed */
    }
    return PQstatus(pg->conn) == CONNECTION_OK && !pg->told_to_go;
}

enum cs_status pg_connect(struct cs_pg *pg, struct cs_err *err) {
    if (atomic_load(&pg->interrupted)) {
        return fail_interrupted(err);
    }
    if (pg->conn != NULL) { // NOLINT(clang-analyzer-core.NullDereference): a failure to open is never CS_OK
        if (still_there(pg)) {
            return CS_OK;
        }
        pg_drop(pg);
    }
    if (pg->backoff_ms != 0) {
        struct cs_err pause = {0};
        if (wait_fd(pg, -1, 0, pg->retry_at_ms, &pause) == CS_CANCELLED) {
            return fail_interrupted(err);
        }
    }
    return connect_once(pg, err);
}

void pg_drop(struct cs_pg *pg) {
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->timeout_applied_ms = -1;
    pg->told_to_go = false;
    for (size_t i = 0; i < pg->entry_count; i++) {
        pg->entries[i]->ready = false;
    }
}

/* ---- entries ---- */

enum cs_status pg_entry_get(struct cs_pg *pg, const struct cs_pg_statement *statement, struct pg_entry **ret_entry,
                            struct cs_err *err) {
    for (size_t i = 0; i < pg->entry_count; i++) {
        if (pg->entries[i]->statement == statement) {
            *ret_entry = pg->entries[i];
            return CS_OK;
        }
    }
    CS_AUTO_FREE struct pg_entry *entry = cs_alloc(sizeof(*entry));
    entry->statement = statement;
    CS_TRY(pg_entry_parse(entry, err));
    if (pg->entry_count == pg->entry_capacity) {
        pg->entry_capacity = pg->entry_capacity != 0 ? pg->entry_capacity * 2 : 16;
        pg->entries = cs_realloc(pg->entries, pg->entry_capacity * sizeof(struct pg_entry *));
    }
    *ret_entry = pg->entries[pg->entry_count++] = cs_steal(&entry);
    return CS_OK;
}

/* ---- life ---- */

/* The parser's own sentence would quote pieces of the URL. */
static enum cs_status check_url(const char *url, struct cs_err *err) {
    char *sentence = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &sentence);
    PQfreemem(sentence);
    if (options == NULL || cs_str_empty(url)) {
        PQconninfoFree(options);
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_url", "the database address is not a PostgreSQL URI");
    }
    PQconninfoFree(options);
    return CS_OK;
}

enum cs_status cs_pg_open_lazy(const char *url, const struct cs_pg_options *options, struct cs_pg **ret_pg,
                               struct cs_err *err) {
    static const struct cs_pg_options defaults;
    const struct cs_pg_options *wanted = options != NULL ? options : &defaults;
    CS_TRY(check_url(url, err));
    CS_AUTO(cs_pg) *pg = cs_alloc(sizeof(*pg));
    pg->url = cs_strdup(url);
    pg->application = cs_strdup(wanted->application != NULL ? wanted->application : "callsheet");
    pg->connect_timeout_ms = wanted->connect_timeout_ms > 0 ? wanted->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    pg->session_timeout_ms = wanted->statement_timeout_ms > 0 ? wanted->statement_timeout_ms : STATEMENT_TIMEOUT_MS;
    pg->timeout_ms = pg->session_timeout_ms;
    pg->timeout_applied_ms = -1;
    pg->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pg->wake_fd < 0) {
        return cs_fail_errno(err, errno, "opening a database session");
    }
    *ret_pg = cs_steal(&pg);
    return CS_OK;
}

enum cs_status cs_pg_open(const char *url, const struct cs_pg_options *options, struct cs_pg **ret_pg,
                          struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open_lazy(url, options, &pg, err));
    CS_TRY(pg_connect(pg, err));
    *ret_pg = cs_steal(&pg);
    return CS_OK;
}

void cs_pg_close(struct cs_pg *pg) {
    if (pg == NULL) {
        return;
    }
    pg_drop(pg);
    for (size_t i = 0; i < pg->entry_count; i++) {
        free(pg->entries[i]);
    }
    free(pg->entries);
    if (pg->wake_fd >= 0) {
        (void)close(pg->wake_fd);
    }
    free(pg->url);
    free(pg->application);
    free(pg);
}

void cs_pg_set_timeout(struct cs_pg *pg, int64_t statement_timeout_ms) {
    pg->timeout_ms = statement_timeout_ms > 0 ? statement_timeout_ms : pg->session_timeout_ms;
}

void cs_pg_interrupt(struct cs_pg *pg) {
    atomic_store(&pg->interrupted, true);
    (void)eventfd_write(pg->wake_fd, 1);
}
