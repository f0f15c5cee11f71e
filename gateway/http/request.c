#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cs/base/clock.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "http/request_internal.h"
#include "http/server.h"
#include "http/stream.h"

enum { REQUEST_ID_MAX = 128 };

/* ---- life ---- */

struct gw_request *gw_request_create(struct gw_server *server, struct MHD_Connection *connection,
                                     const char *raw_target) {
    struct gw_request *request = cs_alloc(sizeof(*request));
    request->server = server;
    request->connection = connection;
    request->arena = cs_arena_create();
    request->method = "";
    request->path = "";
    request->client = "";
    request->tenant = "";
    request->route = "";
    request->id = "";
    request->answer.fd = -1;
    request->started_ns = cs_clock_mono_ns();
    request->target_too_long = strlen(raw_target) > GW_TARGET_BYTES_MAX;
    request->bad_target = strstr(raw_target, "%00") != NULL; /* would end the decoded string early */
    return request;
}

static const char *client_address(struct MHD_Connection *connection, struct cs_arena *arena) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    if (info != NULL && info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)info->client_addr;
        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
    } else if (info != NULL && info->client_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)info->client_addr;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
    }
    return cs_arena_strdup(arena, text);
}

static enum MHD_Result count_header(void *cls, __attribute__((unused)) enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
    gw_framing_header(cls, name, value);
    return MHD_YES;
}

/* A target may be a whole URL (RFC 9112 §3.2.2); there is but one host here. */
static const char *path_of(const char *target) {
    const char *host = strncasecmp(target, "http://", 7) == 0    ? target + 7
                       : strncasecmp(target, "https://", 8) == 0 ? target + 8
                                                                 : NULL;
    const char *slash = host != NULL ? strchr(host, '/') : target;
    return slash != NULL ? slash : "/";
}

void gw_request_begin(struct gw_request *request, const char *method, const char *path) {
    char made[CS_ID_SIZE];
    const char *id = gw_request_header(request, "X-Request-Id");
    cs_id_make(made);
    request->method = cs_arena_strdup(request->arena, method);
    request->path = cs_arena_strdup(request->arena, path_of(path));
    request->client = client_address(request->connection, request->arena);
    request->id = cs_arena_strdup(request->arena, id != NULL && cs_id_valid(id, REQUEST_ID_MAX) ? id : made);
    request->trace = cs_trace_continue(gw_request_header(request, "traceparent"));
    (void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_header, &request->framing);
}

void gw_request_destroy(struct gw_request *request) {
    if (request->answer.kind == ANSWER_STREAM && !request->queued) {
        gw_stream_close(request->answer.stream);
    }
    if (request->answer.fd >= 0) {
        (void)close(request->answer.fd);
    }
    gw_stream_unref(request->answer.stream);
    free(request->answer.bytes);
    cs_buf_fini(&request->body);
    cs_arena_destroy(request->arena);
    free(request);
}

/* ---- what it says ---- */

const char *gw_request_method(const struct gw_request *request) {
    return request->method;
}

const char *gw_request_path(const struct gw_request *request) {
    return request->path;
}

const char *gw_request_header(const struct gw_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct header_list {
    const char *name;
    struct cs_buf *text;
};

static enum MHD_Result join_header(void *cls, __attribute__((unused)) enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    const struct header_list *list = cls;
    if (strcasecmp(name, list->name) == 0 && value != NULL) {
        cs_buf_printf(list->text, "%s%s", list->text->size != 0 ? ", " : "", value);
    }
    return MHD_YES;
}

const char *gw_request_header_list(struct gw_request *request, const char *name) {
    CS_AUTO_BUF text = {0};
    struct header_list list = {name, &text};
    (void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, join_header, &list);
    return text.data != NULL ? cs_arena_strdup(request->arena, text.data) : NULL;
}

const char *gw_request_query(const struct gw_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *gw_request_client(const struct gw_request *request) {
    return request->client;
}

void gw_request_set_client(struct gw_request *request, const char *client) {
    request->client = client;
}

const struct cs_buf *gw_request_body(const struct gw_request *request) {
    return &request->body;
}

bool gw_request_has_body(const struct gw_request *request) {
    return request->framing.has_body;
}

struct cs_arena *gw_request_arena(struct gw_request *request) {
    return request->arena;
}

const char *gw_request_id(const struct gw_request *request) {
    return request->id;
}

const struct cs_trace *gw_request_trace(const struct gw_request *request) {
    return &request->trace;
}

const char *gw_request_tenant(const struct gw_request *request) {
    return request->tenant;
}

void gw_request_set_tenant(struct gw_request *request, const char *tenant) {
    request->tenant = tenant;
}

const char *gw_request_route(const struct gw_request *request) {
    return request->route;
}

void gw_request_set_route(struct gw_request *request, const char *route) {
    request->route = route;
}

void gw_request_set_user(struct gw_request *request, void *user) {
    request->user = user;
}

void *gw_request_user(const struct gw_request *request) {
    return request->user;
}

unsigned gw_request_status(const struct gw_request *request) {
    return request->queued ? request->answer.status : 0;
}

int64_t gw_request_duration_ns(const struct gw_request *request) {
    return cs_clock_mono_ns() - request->started_ns;
}

uint64_t gw_request_answer_bytes(const struct gw_request *request) {
    return request->answer.kind == ANSWER_FILE ? request->answer.size : request->answer.bytes_size;
}

/* ---- answers ---- */

void gw_request_park(struct gw_request *request) {
    request->parked = true;
    MHD_suspend_connection(request->connection);
}

void gw_answer_header(struct gw_request *request, const char *name, const char *value) {
    struct answer_header *header = cs_arena_alloc(request->arena, sizeof(*header));
    header->name = cs_arena_strdup(request->arena, name);
    header->value = cs_arena_strdup(request->arena, value);
    header->next = request->answer.headers;
    request->answer.headers = header;
}

void gw_answer_close(struct gw_request *request) {
    request->answer.close = true;
}

/* The last word on a request: after it a parked one belongs to the server again. */
static void answered(struct gw_request *request, enum answer_kind kind, unsigned status) {
    request->answer.kind = kind;
    request->answer.status = status;
    if (request->parked) {
        MHD_resume_connection(request->connection);
    }
}

void gw_answer_text(struct gw_request *request, unsigned status, const char *content_type, const char *text) {
    gw_answer_header(request, "Content-Type", content_type);
    request->answer.bytes = cs_strdup(text);
    request->answer.bytes_size = strlen(text);
    answered(request, ANSWER_BYTES, status);
}

void gw_answer_json(struct gw_request *request, unsigned status, json_t *value) {
    CS_AUTO_BUF line = {0};
    char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
    json_decref(value);
    cs_buf_puts(&line, text != NULL ? text : "{}");
    cs_buf_putc(&line, '\n');
    free(text);
    gw_answer_header(request, "Content-Type", "application/json");
    request->answer.bytes_size = line.size;
    request->answer.bytes = cs_buf_steal(&line);
    answered(request, ANSWER_BYTES, status);
}

void gw_answer_empty(struct gw_request *request, unsigned status) {
    answered(request, ANSWER_BYTES, status);
}

void gw_answer_file(struct gw_request *request, unsigned status, int fd, uint64_t offset, uint64_t size) {
    request->answer.fd = fd;
    request->answer.offset = offset;
    request->answer.size = size;
    answered(request, ANSWER_FILE, status);
}

void gw_answer_stream(struct gw_request *request, unsigned status, const char *content_type, struct gw_stream *stream) {
    gw_answer_header(request, "Content-Type", content_type);
    gw_stream_ref(stream);
    request->answer.stream = stream;
    answered(request, ANSWER_STREAM, status);
}

static struct MHD_Response *make_response(struct gw_request *request) {
    struct answer *answer = &request->answer;
    switch (answer->kind) {
    case ANSWER_FILE:
        if (answer->size != 0) {
            return MHD_create_response_from_fd_at_offset64(answer->size, cs_steal_fd(&answer->fd), answer->offset);
        }
        break;
    case ANSWER_STREAM:
        return gw_stream_response(answer->stream, request->connection);
    case ANSWER_BYTES:
        if (answer->bytes_size != 0) {
            return MHD_create_response_from_buffer(answer->bytes_size, cs_steal(&answer->bytes), MHD_RESPMEM_MUST_FREE);
        }
        break;
    case ANSWER_NONE:
        break;
    }
    return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result gw_request_queue(struct gw_request *request, bool closing) {
    char traceparent[CS_TRACEPARENT_SIZE];
    request->queued = true;
    struct MHD_Response *response = make_response(request);
    if (response == NULL) {
        return MHD_NO;
    }
    cs_trace_format(&request->trace, traceparent);
    (void)MHD_add_response_header(response, "X-Request-Id", request->id);
    (void)MHD_add_response_header(response, "traceparent", traceparent);
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (const struct answer_header *header = request->answer.headers; header != NULL; header = header->next) {
        (void)MHD_add_response_header(response, header->name, header->value);
    }
    if (closing || request->answer.close) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    enum MHD_Result result = MHD_queue_response(request->connection, request->answer.status, response);
    MHD_destroy_response(response);
    return result;
}
