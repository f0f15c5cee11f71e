/*
 * log: one JSON object per line on standard error.
 *
 *     cs_log_info("job assigned", CS_KV("job", job->id), CS_KVI("attempt", job->attempt));
 *
 * One event per line, lower case, with the ids that find it again. Never a secret: URLs are logged without their
 * query. A failure is logged once, by whoever stops it. `warn` says how we coped.
 *
 * Threads  any.
 */
#ifndef CS_BASE_LOG_H
#define CS_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"

enum cs_log_level {
    CS_LOG_DEBUG,
    CS_LOG_INFO,
    CS_LOG_WARN,
    CS_LOG_ERROR,
    CS_LOG_OFF,
};

struct cs_kv {
    const char *key;
    enum { CS_KV_STR, CS_KV_INT, CS_KV_F64, CS_KV_BOOL, CS_KV_ERR } kind;
    union {
        const char *str; /* NULL leaves the pair out */
        int64_t i64;
        double f64;
        const struct cs_err *err; /* as "error", "reason", "path" */
    };
};

#define CS_KV(name, text) ((struct cs_kv){.key = (name), .kind = CS_KV_STR, .str = (text)})
#define CS_KVI(name, number) ((struct cs_kv){.key = (name), .kind = CS_KV_INT, .i64 = (int64_t)(number)})
#define CS_KVF(name, number) ((struct cs_kv){.key = (name), .kind = CS_KV_F64, .f64 = (number)})
#define CS_KVB(name, flag) ((struct cs_kv){.key = (name), .kind = CS_KV_BOOL, .i64 = (flag)})
#define CS_KVE(error) ((struct cs_kv){.key = "error", .kind = CS_KV_ERR, .err = (error)})

/* Both before threads start. service is kept (a literal). Default: level info, service "callsheet". */
void cs_log_setup(const char *service, enum cs_log_level level);
/* Redirects lines for a test; NULL restores. The line has no newline. */
void cs_log_capture(void (*sink)(const char *line, void *ctx), void *ctx);
/* "debug" "info" "warn" "error" "off"; -1 otherwise. */
int cs_log_level_parse(const char *word);

void cs_log_write(enum cs_log_level level, const char *event, const struct cs_kv *pairs, size_t count);

#define CS_LOG_(level, event, ...)                                                                                     \
    cs_log_write(level, event, (const struct cs_kv[]){{0}, ##__VA_ARGS__} + 1,                                         \
                 sizeof((const struct cs_kv[]){{0}, ##__VA_ARGS__}) / sizeof(struct cs_kv) - 1)
#define cs_log_debug(event, ...) CS_LOG_(CS_LOG_DEBUG, event, ##__VA_ARGS__)
#define cs_log_info(event, ...) CS_LOG_(CS_LOG_INFO, event, ##__VA_ARGS__)
#define cs_log_warn(event, ...) CS_LOG_(CS_LOG_WARN, event, ##__VA_ARGS__)
#define cs_log_error(event, ...) CS_LOG_(CS_LOG_ERROR, event, ##__VA_ARGS__)

#endif
