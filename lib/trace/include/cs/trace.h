/*
 * trace: W3C Trace Context (https://www.w3.org/TR/trace-context/, level 1).
 *
 * A trace id crosses every service: HTTP header, gRPC metadata, assignment, log line. A span is one piece of work.
 */
#ifndef CS_TRACE_H
#define CS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CS_TRACEPARENT_SIZE = 56, /* "00-<32>-<16>-<2>" with NUL */
    CS_TRACE_ID_HEX_SIZE = 33,
};

struct cs_trace {
    unsigned char trace_id[16];
    unsigned char span_id[8];
    uint8_t flags; /* 1: sampled */
};

/* A new trace with a random id, sampled. */
struct cs_trace cs_trace_root(void);
/* A new span in the parent's trace. */
struct cs_trace cs_trace_child(const struct cs_trace *parent);
/* False (untouched) when text is not a valid traceparent; versions above 00 are read as the standard says. */
bool cs_trace_parse(const char *text, struct cs_trace *ret_trace);
void cs_trace_format(const struct cs_trace *trace, char ret_text[CS_TRACEPARENT_SIZE]);
void cs_trace_id_hex(const struct cs_trace *trace, char ret_text[CS_TRACE_ID_HEX_SIZE]);

/* The caller's trace when text is valid, continued by a new span; else a new root. */
struct cs_trace cs_trace_continue(const char *text);

#endif
