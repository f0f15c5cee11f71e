#include "reflection.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "descriptors.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"

enum { UNREAD_BYTES_MAX = 1 << 20 };

typedef Grpc__Reflection__V1alpha__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1alpha__ServerReflectionResponse Response;

const char rpc_reflection_path_v1[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

struct session {
    struct session *next;
    struct cs_rpc_stream *stream; /* a reference */
};

struct rpc_reflection {
    char **services;
    size_t service_count;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct session *sessions;
    size_t session_count;
    bool closed;
};

struct rpc_reflection *rpc_reflection_create(void) {
    struct rpc_reflection *reflection = cs_alloc(sizeof(*reflection));
    pthread_mutex_init(&reflection->lock, NULL);
    return reflection;
}

void rpc_reflection_destroy(struct rpc_reflection *reflection) {
    if (reflection == NULL) {
        return;
    }
    for (size_t i = 0; i < reflection->service_count; i++) {
        free(reflection->services[i]);
    }
    free(reflection->services);
    pthread_mutex_destroy(&reflection->lock);
    free(reflection);
}

void rpc_reflection_add(struct rpc_reflection *reflection, const char *service) {
    size_t count = reflection->service_count + 1;
    reflection->services = cs_realloc(reflection->services, count * sizeof(*reflection->services));
    reflection->services[reflection->service_count++] = cs_strdup(service);
}

/* ---- answers ---- */

static void answer_error(Response *response, struct cs_arena *arena, enum cs_status code, const char *message) {
    Grpc__Reflection__V1alpha__ErrorResponse *error = cs_arena_alloc(arena, sizeof(*error));
    grpc__reflection__v1alpha__error_response__init(error);
    error->error_code = code;
    error->error_message = cs_arena_strdup(arena, message);
    response->message_response_case =
        GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response->error_response = error;
}

static void answer_services(Response *response, struct cs_arena *arena, const struct rpc_reflection *reflection) {
    Grpc__Reflection__V1alpha__ListServiceResponse *list = cs_arena_alloc(arena, sizeof(*list));
    grpc__reflection__v1alpha__list_service_response__init(list);
    list->service =
        cs_arena_array(arena, reflection->service_count, sizeof(Grpc__Reflection__V1alpha__ServiceResponse *));
    for (size_t i = 0; i < reflection->service_count; i++) {
        Grpc__Reflection__V1alpha__ServiceResponse *service = cs_arena_alloc(arena, sizeof(*service));
        grpc__reflection__v1alpha__service_response__init(service);
        service->name = reflection->services[i];
        list->service[list->n_service++] = service;
    }
    response->message_response_case =
        GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response->list_services_response = list;
}

/* A file and all that it needs, each once, needed ones after the one that needs them. */
static void answer_file(Response *response, struct cs_arena *arena, size_t file_index) {
    size_t count = rpc_file_count();
    bool *wanted = cs_arena_array(arena, count, sizeof(*wanted));
    size_t *order = cs_arena_array(arena, count, sizeof(*order));
    size_t order_count = 0;
    order[order_count++] = file_index;
    wanted[file_index] = true;
    for (size_t i = 0; i < order_count; i++) {
        const struct rpc_file *file = rpc_file_at(order[i]);
        for (size_t k = 0; k < file->dependency_count; k++) {
            size_t needed = file->dependencies[k];
            if (!wanted[needed]) {
                wanted[needed] = true;
                order[order_count++] = needed;
            }
        }
    }
    Grpc__Reflection__V1alpha__FileDescriptorResponse *files = cs_arena_alloc(arena, sizeof(*files));
    grpc__reflection__v1alpha__file_descriptor_response__init(files);
    files->n_file_descriptor_proto = order_count;
    files->file_descriptor_proto = cs_arena_array(arena, order_count, sizeof(*files->file_descriptor_proto));
    for (size_t i = 0; i < order_count; i++) {
        const struct rpc_file *file = rpc_file_at(order[i]);
        files->file_descriptor_proto[i] = (ProtobufCBinaryData){file->size_bytes, (uint8_t *)file->bytes};
    }
    response->message_response_case =
        GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response->file_descriptor_response = files;
}

static void answer(Response *response, struct cs_arena *arena, const struct rpc_reflection *reflection,
                   const Request *request) {
    size_t file_index = 0;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(response, arena, reflection);
        return;
    case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        if (rpc_file_find(request->file_by_filename, &file_index)) {
            answer_file(response, arena, file_index);
        } else {
            answer_error(response, arena, CS_NOT_FOUND, "no such file");
        }
        return;
    case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        if (rpc_symbol_find(request->file_containing_symbol, &file_index)) {
            answer_file(response, arena, file_index);
        } else {
            answer_error(response, arena, CS_NOT_FOUND, "no such symbol");
        }
        return;
    case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
    case GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        answer_error(response, arena, CS_NOT_FOUND, "there are no extensions");
        return;
    default:
        answer_error(response, arena, CS_INVALID_ARGUMENT, "an empty request");
        return;
    }
}

/* ---- stream ---- */

static enum cs_status opened(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                             struct cs_err *err) {
    (void)request;
    struct rpc_reflection *reflection = ctx;
    cs_rpc_stream_set_user(stream, reflection);
    pthread_mutex_lock(&reflection->lock);
    bool closed = reflection->closed;
    bool full = reflection->session_count == CS_RPC_REFLECTIONS_MAX;
    if (!closed && !full) {
        reflection->session_count++;
        struct session *session = cs_alloc(sizeof(*session));
        *session = (struct session){reflection->sessions, cs_rpc_stream_ref(stream)};
        reflection->sessions = session;
    }
    pthread_mutex_unlock(&reflection->lock);
    if (closed) {
        return cs_fail(err, CS_UNAVAILABLE, "draining", "the server is about to stop");
    }
    return full ? cs_fail(err, CS_RESOURCE_EXHAUSTED, "too_many_streams", "%d streams of reflection are open already",
                          CS_RPC_REFLECTIONS_MAX)
                : CS_OK;
}

static void received(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    const Request *request = (const Request *)message;
    struct cs_err err;
    if (protobuf_c_message_get_packed_size(message) > CS_RPC_BUILT_IN_BYTES_MAX ||
        cs_rpc_stream_queued_bytes(stream) > UNREAD_BYTES_MAX) {
        (void)cs_fail(&err, CS_RESOURCE_EXHAUSTED, "too_much", "ask briefly, and read the answers");
        cs_rpc_stream_finish(stream, &err);
        return;
    }
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Response response = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__INIT;
    response.valid_host = request->host;
    response.original_request = (Request *)request;
    answer(&response, arena, user, request);
    if (cs_rpc_stream_send(stream, &response.base, &err) != CS_OK) {
        cs_rpc_stream_finish(stream, &err); /* a peer that asks and does not read */
    }
}

static void closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)err;
    struct rpc_reflection *reflection = user;
    pthread_mutex_lock(&reflection->lock);
    struct session **link = &reflection->sessions;
    while ((*link)->stream != stream) {
        link = &(*link)->next;
    }
    struct session *session = *link;
    *link = session->next;
    reflection->session_count--;
    pthread_mutex_unlock(&reflection->lock);
    cs_rpc_stream_unref(session->stream);
    free(session);
}

void rpc_reflection_close(struct rpc_reflection *reflection) {
    pthread_mutex_lock(&reflection->lock);
    reflection->closed = true;
    for (struct session *session = reflection->sessions; session != NULL; session = session->next) {
        cs_rpc_stream_finish(session->stream, NULL);
    }
    pthread_mutex_unlock(&reflection->lock);
}

struct cs_rpc_service rpc_reflection_service(struct rpc_reflection *reflection) {
    static const struct cs_rpc_stream_events info = {.opened = opened, .message = received, .closed = closed};
    static const struct cs_rpc_method methods[] = {{"ServerReflectionInfo", NULL, &info}};
    return (struct cs_rpc_service){&grpc__reflection__v1alpha__server_reflection__descriptor, methods,
                                   CS_COUNT(methods), reflection};
}
