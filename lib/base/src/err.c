#include "cs/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"

static const char *const names[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

const char *cs_status_name(enum cs_status status) {
    size_t index = (size_t)status;
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : "UNKNOWN";
}

/* What fits of a clause, cut at a character: more text follows it. */
struct clause {
    char text[CS_ERR_MESSAGE_MAX];
};

static struct clause clause_of(const char *fmt, va_list args) {
    struct clause clause;
    char whole[CS_ERR_MESSAGE_MAX * 2];
    (void)vsnprintf(whole, sizeof(whole), fmt, args);
    cs_str_copy(clause.text, sizeof(clause.text), whole);
    return clause;
}

static enum cs_status fill(struct cs_err *err, enum cs_status status, const char *path, const char *reason,
                           const char *fmt, va_list args) {
    if (err == NULL) {
        return status;
    }
    *err = (struct cs_err){
        .status = status,
        .retryable = status == CS_UNAVAILABLE || status == CS_ABORTED || status == CS_RESOURCE_EXHAUSTED,
    };
    cs_str_copy(err->reason, sizeof(err->reason), reason);
    cs_str_copy(err->path, sizeof(err->path), path);
    memcpy(err->message, clause_of(fmt, args).text, sizeof(err->message));
    return status;
}

enum cs_status cs_fail(struct cs_err *err, enum cs_status status, const char *reason, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    enum cs_status filled = fill(err, status, "", reason, fmt, args);
    va_end(args);
    return filled;
}

enum cs_status cs_fail_at(struct cs_err *err, const char *path, const char *reason, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    enum cs_status filled = fill(err, CS_INVALID_ARGUMENT, path, reason, fmt, args);
    va_end(args);
    return filled;
}

struct errno_row {
    int errnum;
    enum cs_status status;
    const char *reason;
};

static const struct errno_row errno_rows[] = {
    {ENOENT, CS_NOT_FOUND, "not_found"},
    {EACCES, CS_PERMISSION_DENIED, "permission_denied"},
    {EPERM, CS_PERMISSION_DENIED, "permission_denied"},
    {EEXIST, CS_ALREADY_EXISTS, "already_exists"},
    {ENOSPC, CS_RESOURCE_EXHAUSTED, "disk_full"},
    {EDQUOT, CS_RESOURCE_EXHAUSTED, "disk_full"},
    {EMFILE, CS_RESOURCE_EXHAUSTED, "too_many_files"},
    {ENFILE, CS_RESOURCE_EXHAUSTED, "too_many_files"},
    {EFBIG, CS_RESOURCE_EXHAUSTED, "file_too_big"},
    {ETIMEDOUT, CS_DEADLINE_EXCEEDED, "timeout"},
    {ECONNREFUSED, CS_UNAVAILABLE, "connection_refused"},
    {ECONNRESET, CS_UNAVAILABLE, "connection_reset"},
    {EPIPE, CS_UNAVAILABLE, "connection_reset"},
    {EADDRINUSE, CS_UNAVAILABLE, "address_in_use"},
};

enum cs_status cs_fail_errno(struct cs_err *err, int errnum, const char *fmt, ...) {
    struct errno_row row = {errnum, CS_INTERNAL, "system_error"};
    for (size_t i = 0; i < sizeof(errno_rows) / sizeof(errno_rows[0]); i++) {
        if (errno_rows[i].errnum == errnum) {
            row = errno_rows[i];
        }
    }
    va_list args;
    va_start(args, fmt);
    struct clause what = clause_of(fmt, args);
    va_end(args);
    char reason_text[128];
    return cs_fail(err, row.status, row.reason, "%s: %s", what.text,
                   strerror_r(errnum, reason_text, sizeof(reason_text)));
}

enum cs_status cs_wrap(struct cs_err *err, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    struct clause clause = clause_of(fmt, args);
    va_end(args);
    char text[CS_ERR_MESSAGE_MAX * 2 + 4];
    (void)snprintf(text, sizeof(text), "%s: %s", clause.text, err->message);
    cs_str_copy(err->message, sizeof(err->message), text);
    return err->status;
}

enum cs_status cs_err_at(struct cs_err *err, const char *prefix) {
    char head[CS_ERR_PATH_MAX];
    char path[CS_ERR_PATH_MAX * 2];
    cs_str_copy(head, sizeof(head), prefix);
    const char *joint = err->path[0] != '\0' && err->path[0] != '[' && prefix[0] != '\0' ? "." : "";
    (void)snprintf(path, sizeof(path), "%s%s%s", head, joint, err->path);
    cs_str_copy(err->path, sizeof(err->path), path);
    return err->status;
}
