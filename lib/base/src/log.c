#include "cs/base/log.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "cs/base/clock.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

static const char *service_name = "callsheet";
static enum cs_log_level level_min = CS_LOG_INFO;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* below: guarded by lock */
static void (*capture_sink)(const char *line, void *ctx);
static void *capture_ctx;

void cs_log_setup(const char *service, enum cs_log_level level) {
    service_name = service;
    level_min = level;
}

void cs_log_capture(void (*sink)(const char *line, void *ctx), void *ctx) {
    pthread_mutex_lock(&lock);
    capture_sink = sink;
    capture_ctx = ctx;
    pthread_mutex_unlock(&lock);
}

int cs_log_level_parse(const char *word) {
    for (size_t i = 0; i < CS_COUNT(level_names); i++) {
        if (cs_str_eq(word, level_names[i])) {
            return (int)i;
        }
    }
    return -1;
}

static void put_string(struct cs_buf *line, const char *text) {
    cs_buf_putc(line, '"');
    bool valid = cs_utf8_valid(text, strlen(text));
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            cs_buf_printf(line, "\\%c", *c);
        } else if (*c < 0x20 || *c == 0x7F) {
            cs_buf_printf(line, "\\u%04x", *c);
        } else if (*c >= 0x80 && !valid) {
            cs_buf_putc(line, '?');
        } else {
            cs_buf_putc(line, (char)*c);
        }
    }
    cs_buf_putc(line, '"');
}

static void put_pair(struct cs_buf *line, const char *key, const char *text) {
    cs_buf_printf(line, ",\"%s\":", key);
    put_string(line, text);
}

static void put_kv(struct cs_buf *line, const struct cs_kv *kv) {
    switch (kv->kind) {
    case CS_KV_STR:
        if (kv->str != NULL) {
            put_pair(line, kv->key, kv->str);
        }
        break;
    case CS_KV_INT:
        cs_buf_printf(line, ",\"%s\":%lld", kv->key, (long long)kv->i64);
        break;
    case CS_KV_F64:
        cs_buf_printf(line, ",\"%s\":%.6g", kv->key, isfinite(kv->f64) ? kv->f64 : 0.0);
        break;
    case CS_KV_BOOL:
        cs_buf_printf(line, ",\"%s\":%s", kv->key, kv->i64 != 0 ? "true" : "false");
        break;
    case CS_KV_ERR:
        put_pair(line, kv->key, kv->err->message);
        put_pair(line, "reason", kv->err->reason);
        if (kv->err->path[0] != '\0') {
            put_pair(line, "path", kv->err->path);
        }
        break;
    }
}

static void emit(struct cs_buf *line) {
    pthread_mutex_lock(&lock);
    if (capture_sink != NULL) {
        capture_sink(line->data, capture_ctx);
    } else {
        cs_buf_putc(line, '\n');
        /* One write per line, so that lines of several processes do not mix. A log that cannot be written is lost. */
        ssize_t ignored = write(STDERR_FILENO, line->data, line->size);
        (void)ignored;
    }
    pthread_mutex_unlock(&lock);
}

void cs_log_write(enum cs_log_level level, const char *event, const struct cs_kv *pairs, size_t count) {
    if (level < level_min) {
        return;
    }
    CS_AUTO_BUF line = {0};
    char time_text[CS_ISO8601_SIZE];
    cs_format_iso8601(cs_clock_unix_ms(), time_text);
    cs_buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"service\":\"%s\",\"event\":", time_text,
                  level_names[level], service_name);
    put_string(&line, event);
    for (size_t i = 0; i < count; i++) {
        put_kv(&line, &pairs[i]);
    }
    cs_buf_putc(&line, '}');
    emit(&line);
}
