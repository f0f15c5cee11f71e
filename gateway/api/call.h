/*
 * call: a call to the orchestrator that a parked request waits for.
 *
 * Owns     a call lives in its request's arena, like all that it points to.
 * Threads  begins on a thread of the HTTP server, is answered on one of rpc's.
 */
#ifndef GW_API_CALL_H
#define GW_API_CALL_H

#include <protobuf-c/protobuf-c.h>

#include "api/api.h"

struct gw_call {
    struct gw_api *api;
    struct gw_request *request;
    /* Answers the request, or starts the next call of it. */
    void (*replied)(struct gw_call *call, const ProtobufCMessage *reply);
    /* Puts the error into the client's words; NULL: gw_error_of_call is enough. */
    void (*failed)(struct gw_call *call, const struct cs_err *err, struct cs_err *ret_told);
    /* Instead of both, for the first call only: answers, or starts the next one. NULL: as above. */
    void (*ended)(const ProtobufCMessage *reply, const struct cs_err *err, void *user);
    void *user;
    bool parked; /* private */
};

struct gw_call *gw_call_create(struct gw_api *api, struct gw_request *request,
                               void (*replied)(struct gw_call *call, const ProtobufCMessage *reply));
/* Parks the request, unless an earlier call of it did. When the gateway stops it is answered instead. */
void gw_call_start(struct gw_call *call, const ProtobufCServiceDescriptor *service, const char *method,
                   const ProtobufCMessage *message);

#endif
