#include "answer.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "cs/base/text.h"

void cs_fields_fini(struct cs_fields *fields) {
    cs_buf_fini(&fields->text);
    fields->seen_bytes = 0;
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool cs_fields_add(struct cs_fields *fields, const char *line, size_t size) {
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        cs_buf_clear(&fields->text);
        fields->seen_bytes = 0;
    }
    if (size > CS_HTTP_HEADER_BYTES_MAX - fields->seen_bytes) {
        return false;
    }
    fields->seen_bytes += size;
    const char *colon = memchr(line, ':', size);
    if (colon == NULL || memchr(line, '\0', size) != NULL) {
        return true;
    }
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && blank(*value)) {
        value++;
    }
    while (end > value && blank(end[-1])) {
        end--;
    }
    for (const char *c = line; c < colon; c++) {
        cs_buf_putc(&fields->text, (char)tolower((unsigned char)*c));
    }
    cs_buf_putc(&fields->text, '\0');
    cs_buf_put(&fields->text, value, (size_t)(end - value));
    cs_buf_putc(&fields->text, '\0');
    return true;
}

const char *cs_fields_find(const struct cs_fields *fields, const char *name) {
    const char *end = fields->text.data + fields->text.size;
    for (const char *at = fields->text.data; at != NULL && at < end;) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

static int64_t clamp_ms(double ms) {
    if (!(ms > 0)) {
        return 0;
    }
    return ms < CS_HTTP_RETRY_AFTER_MAX_MS ? (int64_t)ms : CS_HTTP_RETRY_AFTER_MAX_MS;
}

int64_t cs_retry_after_ms(const char *retry_after, const char *retry_after_ms, int64_t now_unix_ms) {
    double number = 0;
    if (retry_after_ms != NULL && cs_parse_f64(retry_after_ms, 0, 1e15, &number)) {
        return clamp_ms(number);
    }
    if (retry_after == NULL) {
        return 0;
    }
    if (cs_parse_f64(retry_after, 0, 1e15, &number)) {
        return clamp_ms(number * 1000);
    }
    time_t date = curl_getdate(retry_after, NULL);
    return date < 0 ? 0 : clamp_ms((double)date * 1000 - (double)now_unix_ms);
}
