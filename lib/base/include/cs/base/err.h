/*
 * err: how a function says that it failed.
 *
 * A function that can fail returns enum cs_status and takes `struct cs_err *err` last. On success err is
 * untouched; on failure it holds the status, a stable word for programs, a sentence for people, and for bad input
 * the path of the field. The numbers are gRPC's.
 *
 * Owns     struct cs_err is plain memory; copy it freely.
 * Threads  one cs_err per thread of work.
 */
#ifndef CS_BASE_ERR_H
#define CS_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

enum cs_status {
    CS_OK = 0,
    CS_CANCELLED = 1,
    CS_UNKNOWN = 2,
    CS_INVALID_ARGUMENT = 3,
    CS_DEADLINE_EXCEEDED = 4,
    CS_NOT_FOUND = 5,
    CS_ALREADY_EXISTS = 6,
    CS_PERMISSION_DENIED = 7,
    CS_RESOURCE_EXHAUSTED = 8,
    CS_FAILED_PRECONDITION = 9,
    CS_ABORTED = 10,
    CS_OUT_OF_RANGE = 11,
    CS_UNIMPLEMENTED = 12,
    CS_INTERNAL = 13,
    CS_UNAVAILABLE = 14,
    CS_DATA_LOSS = 15,
    CS_UNAUTHENTICATED = 16,
};

enum {
    CS_ERR_REASON_MAX = 64,
    CS_ERR_PATH_MAX = 256,
    CS_ERR_MESSAGE_MAX = 512,
};

struct cs_err {
    enum cs_status status;
    bool retryable;                   /* the same call may succeed later */
    int64_t retry_after_ms;           /* a wish of the peer; 0 none */
    char reason[CS_ERR_REASON_MAX];   /* "no_steps": stable, for programs */
    char path[CS_ERR_PATH_MAX];       /* "jobs[2].dependsOn[0]", or "" */
    char message[CS_ERR_MESSAGE_MAX]; /* for people, without a final dot */
};

#define CS_MUST_USE __attribute__((warn_unused_result))
#define CS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills err (which may be NULL) and returns status, for `return cs_fail(err, CS_NOT_FOUND, "no_such_job", "…")`.
 * UNAVAILABLE, ABORTED and RESOURCE_EXHAUSTED start out retryable, the rest not. */
enum cs_status cs_fail(struct cs_err *err, enum cs_status status, const char *reason, const char *fmt, ...)
    CS_PRINTF(4, 5);

/* cs_fail for a field of the input. */
enum cs_status cs_fail_at(struct cs_err *err, const char *path, const char *reason, const char *fmt, ...)
    CS_PRINTF(4, 5);

/* cs_fail from an errno: ENOENT is NOT_FOUND, EACCES PERMISSION_DENIED, ENOSPC and EMFILE RESOURCE_EXHAUSTED …; the
 * message is "<what>: <strerror>". */
enum cs_status cs_fail_errno(struct cs_err *err, int errnum, const char *fmt, ...) CS_PRINTF(3, 4);

/* Puts "<clause>: " before the message; one clause per layer. Returns err's status. */
enum cs_status cs_wrap(struct cs_err *err, const char *fmt, ...) CS_PRINTF(2, 3);

/* Puts a prefix before the path: "jobs[2]" + ".dependsOn[0]". */
enum cs_status cs_err_at(struct cs_err *err, const char *prefix);

/* "INVALID_ARGUMENT" …; never NULL. */
const char *cs_status_name(enum cs_status status);

/* Returns early when the call fails. */
#define CS_TRY(call)                                                                                                   \
    do {                                                                                                               \
        enum cs_status cs_try_status_ = (call);                                                                        \
        if (cs_try_status_ != CS_OK) {                                                                                 \
            return cs_try_status_;                                                                                     \
        }                                                                                                              \
    } while (0)

#endif
