/*
 * request_internal: what server.c and request.c share.
 */
#ifndef GW_HTTP_REQUEST_INTERNAL_H
#define GW_HTTP_REQUEST_INTERNAL_H

#include <microhttpd.h>

#include "http/framing.h"
#include "http/request.h"

struct gw_server;

enum answer_kind {
    ANSWER_NONE,
    ANSWER_BYTES,
    ANSWER_FILE,
    ANSWER_STREAM,
};

struct answer_header {
    struct answer_header *next;
    const char *name;
    const char *value;
};

struct answer {
    enum answer_kind kind;
    unsigned status;
    bool close;
    struct answer_header *headers;
    char *bytes; /* malloc'ed */
    size_t bytes_size;
    int fd;
    uint64_t offset;
    uint64_t size;
    struct gw_stream *stream;
};

struct gw_request {
    struct gw_server *server;
    struct MHD_Connection *connection;
    struct cs_arena *arena;
    const char *method;
    const char *path;
    const char *client;
    const char *tenant;
    const char *route;
    const char *id;
    struct cs_trace trace;
    struct gw_framing framing;
    struct cs_buf body;
    int64_t started_ns;
    void *user;
    uint64_t discarded_bytes;
    bool target_too_long;
    bool bad_target;
    bool arrived;    /* the header section was looked at */
    bool discarding; /* the body is over its limit */
    bool complete;   /* was given to the handler */
    bool parked;
    bool queued; /* the answer is libmicrohttpd's */
    struct answer answer;
};

/* Before the header section: raw_target is what stands in the request line. */
struct gw_request *gw_request_create(struct gw_server *server, struct MHD_Connection *connection,
                                     const char *raw_target);
/* With the header section. */
void gw_request_begin(struct gw_request *request, const char *method, const char *path);
void gw_request_destroy(struct gw_request *request);
/* Gives the answer to libmicrohttpd. */
enum MHD_Result gw_request_queue(struct gw_request *request, bool closing);

#endif
