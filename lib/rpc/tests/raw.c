#include "raw.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdbool.h>
#include <stdio.h>

enum { TIMEOUT_S = 20 };

static void slice_text(grpc_slice slice, char *ret_text, size_t capacity) {
    (void)snprintf(ret_text, capacity, "%.*s", (int)GRPC_SLICE_LENGTH(slice),
                   (const char *)GRPC_SLICE_START_PTR(slice));
}

static grpc_channel *open_channel(const char *address) {
    grpc_arg args[] = {
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, .value.integer = -1},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1},
    };
    grpc_channel_args all = {.num_args = 3, .args = args};
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(address, credentials, &all);
    grpc_channel_credentials_release(credentials);
    return channel;
}

static void run(grpc_call *call, grpc_completion_queue *cq, grpc_byte_buffer *request, struct raw_result *ret_result) {
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_metadata_array_init(&initial);
    grpc_metadata_array_init(&trailing);
    grpc_byte_buffer *reply = NULL;
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    grpc_slice details = grpc_empty_slice();
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &reply},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT, .data.recv_status_on_client = {&trailing, &status, &details, NULL}},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request},
    };
    gpr_timespec forever = gpr_inf_future(GPR_CLOCK_REALTIME);
    if (grpc_call_start_batch(call, ops, request != NULL ? 6 : 5, call, NULL) == GRPC_CALL_OK &&
        grpc_completion_queue_pluck(cq, call, forever, NULL).type == GRPC_OP_COMPLETE) {
        ret_result->status = (int)status;
        slice_text(details, ret_result->message, sizeof(ret_result->message));
        for (size_t i = 0; i < trailing.count; i++) {
            if (grpc_slice_str_cmp(trailing.metadata[i].key, "cs-reason") == 0) {
                slice_text(trailing.metadata[i].value, ret_result->reason, sizeof(ret_result->reason));
            }
        }
    }
    if (reply != NULL) {
        grpc_byte_buffer_destroy(reply);
    }
    grpc_slice_unref(details);
    grpc_metadata_array_destroy(&initial);
    grpc_metadata_array_destroy(&trailing);
}

struct raw_result raw_call(const char *address, const char *path, const void *bytes, size_t size_bytes) {
    struct raw_result result = {.status = -1};
    grpc_completion_queue *cq = grpc_completion_queue_create_for_pluck(NULL);
    grpc_channel *channel = open_channel(address);
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(TIMEOUT_S, GPR_TIMESPAN));
    grpc_slice method = grpc_slice_from_copied_string(path);
    grpc_call *call =
        grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, cq, method, NULL, deadline, NULL);
    grpc_slice_unref(method);
    grpc_byte_buffer *request = NULL;
    if (bytes != NULL) {
        grpc_slice slice = grpc_slice_from_copied_buffer(bytes, size_bytes);
        request = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
    }
    run(call, cq, request, &result);
    if (request != NULL) {
        grpc_byte_buffer_destroy(request);
    }
    grpc_call_unref(call);
    grpc_channel_destroy(channel);
    grpc_completion_queue_shutdown(cq);
    grpc_completion_queue_destroy(cq);
    return result;
}
