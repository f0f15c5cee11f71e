#include "api/call.h"

#include "api/errors.h"

struct gw_call *gw_call_create(struct gw_api *api, struct gw_request *request,
                               void (*replied)(struct gw_call *call, const ProtobufCMessage *reply)) {
    struct gw_call *call = cs_arena_alloc(gw_request_arena(request), sizeof(*call));
    *call = (struct gw_call){.api = api, .request = request, .replied = replied};
    return call;
}

static void done(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct gw_call *call = user;
    if (call->ended != NULL) {
        cs_steal (&call->ended)(reply, err, call->user);
        return;
    }
    if (reply != NULL) {
        call->replied(call, reply);
        return;
    }
    struct cs_err told = gw_error_of_call(err);
    if (call->failed != NULL) {
        call->failed(call, err, &told);
    }
    gw_answer_error(call->request, &told);
}

void gw_call_start(struct gw_call *call, const ProtobufCServiceDescriptor *service, const char *method,
                   const ProtobufCMessage *message) {
    struct gw_api *api = call->api; /* the call may be gone before we leave */
    const struct cs_rpc_options options = gw_api_call_options(api, call->request);
    struct cs_err err = {0};
    if (!gw_api_enter(api, &err)) {
        gw_answer_error(call->request, &err);
        return;
    }
    if (!call->parked) {
        call->parked = true;
        gw_request_park(call->request);
    }
    cs_rpc_invoke_async(api->calls, service, method, message, &options, done, call);
    gw_api_leave(api);
}
