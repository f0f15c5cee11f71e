#include "api/webhooks_api.h"

#include "callsheet/v1/webhooks.pb-c.h"
#include "cs/base/clock.h"
#include "domain/signature.h"

static enum cs_status sign(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx, struct cs_err *err) {
    const Callsheet__V1__SignRequest *in = (const Callsheet__V1__SignRequest *)message;
    Callsheet__V1__SignReply out = CALLSHEET__V1__SIGN_REPLY__INIT;
    struct whk_message signed_message = {in->event_id, in->timestamp_s, in->body.data, in->body.len};
    struct whk_signatures signatures;
    (void)ctx;
    CS_TRY(whk_sign(in->secret, &signed_message, &signatures, err));
    out.webhook_signature = signatures.standard;
    out.x_webhook_signature = signatures.sha256;
    out.x_synthome_signature = signatures.synthome;
    cs_rpc_reply(call, &out.base);
    return CS_OK;
}

static enum cs_status verify(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx, struct cs_err *err) {
    const Callsheet__V1__VerifyRequest *in = (const Callsheet__V1__VerifyRequest *)message;
    Callsheet__V1__VerifyReply out = CALLSHEET__V1__VERIFY_REPLY__INIT;
    struct whk_message signed_message = {in->event_id, in->timestamp_s, in->body.data, in->body.len};
    (void)ctx;
    (void)err;
    out.reason = (char *)whk_verify(in->secret, &signed_message, in->webhook_signature, cs_clock_unix_ms() / 1000);
    out.valid = out.reason[0] == '\0';
    cs_rpc_reply(call, &out.base);
    return CS_OK;
}

static const struct cs_rpc_method methods[] = {
    {.name = "Sign", .unary = sign},
    {.name = "Verify", .unary = verify},
};

struct cs_rpc_service whk_webhooks_service(void) {
    return (struct cs_rpc_service){
        .descriptor = &callsheet__v1__webhooks__descriptor, .methods = methods, .method_count = CS_COUNT(methods)};
}
