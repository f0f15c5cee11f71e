#include "cs/trace.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/id.h"

static const char digits[] = "0123456789abcdef";

static bool all_zero(const unsigned char *bytes, size_t size_bytes) {
    for (size_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void random_nonzero(unsigned char *bytes, size_t size_bytes) {
    do {
        cs_random_bytes(bytes, size_bytes);
    } while (all_zero(bytes, size_bytes));
}

struct cs_trace cs_trace_root(void) {
    struct cs_trace trace = {.flags = 1};
    random_nonzero(trace.trace_id, sizeof(trace.trace_id));
    random_nonzero(trace.span_id, sizeof(trace.span_id));
    return trace;
}

struct cs_trace cs_trace_child(const struct cs_trace *parent) {
    struct cs_trace trace = *parent;
    random_nonzero(trace.span_id, sizeof(trace.span_id));
    return trace;
}

/* Lower-case only, as the standard demands. */
static bool read_hex(const char *text, unsigned char *bytes, size_t size_bytes) {
    for (size_t i = 0; i < size_bytes; i++) {
        const char *high = text[2 * i] != '\0' ? strchr(digits, text[2 * i]) : NULL;
        const char *low = high != NULL && text[2 * i + 1] != '\0' ? strchr(digits, text[2 * i + 1]) : NULL;
        if (low == NULL) {
            return false;
        }
        bytes[i] = (unsigned char)((high - digits) * 16 + (low - digits));
    }
    return true;
}

static void write_hex(const unsigned char *bytes, size_t size_bytes, char *text) {
    for (size_t i = 0; i < size_bytes; i++) {
        text[2 * i] = digits[bytes[i] >> 4U];
        text[2 * i + 1] = digits[bytes[i] & 15U];
    }
}

bool cs_trace_parse(const char *text, struct cs_trace *ret_trace) {
    enum { LENGTH = CS_TRACEPARENT_SIZE - 1 };
    unsigned char version = 0;
    struct cs_trace trace = {0};
    if (text == NULL || strnlen(text, LENGTH) < LENGTH || text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return false;
    }
    if (!read_hex(text, &version, 1) || version == 0xFF || (version == 0 && text[LENGTH] != '\0') ||
        (text[LENGTH] != '\0' && text[LENGTH] != '-')) {
        return false;
    }
    if (!read_hex(text + 3, trace.trace_id, 16) || !read_hex(text + 36, trace.span_id, 8) ||
        !read_hex(text + 53, &trace.flags, 1) || all_zero(trace.trace_id, 16) || all_zero(trace.span_id, 8)) {
        return false;
    }
    *ret_trace = trace;
    return true;
}

void cs_trace_format(const struct cs_trace *trace, char ret_text[CS_TRACEPARENT_SIZE]) {
    memcpy(ret_text, "00-", 3);
    write_hex(trace->trace_id, 16, ret_text + 3);
    ret_text[35] = '-';
    write_hex(trace->span_id, 8, ret_text + 36);
    ret_text[52] = '-';
    write_hex(&trace->flags, 1, ret_text + 53);
    ret_text[CS_TRACEPARENT_SIZE - 1] = '\0';
}

void cs_trace_id_hex(const struct cs_trace *trace, char ret_text[CS_TRACE_ID_HEX_SIZE]) {
    write_hex(trace->trace_id, 16, ret_text);
    ret_text[CS_TRACE_ID_HEX_SIZE - 1] = '\0';
}

struct cs_trace cs_trace_continue(const char *text) {
    struct cs_trace parent;
    return cs_trace_parse(text, &parent) ? cs_trace_child(&parent) : cs_trace_root();
}
