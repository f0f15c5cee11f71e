#include "media_api.h"

#include "callsheet/v1/media.pb-c.h"
#include "jobs/rendering.h"
#include "jobs/staging.h"

enum { PROBE_MS_MAX = 120000 };

static enum cs_status source_of(const Callsheet__V1__ProbeRequest *request, Callsheet__V1__ResolvedInput *input,
                                Callsheet__V1__Artifact *artifact, struct cs_err *err) {
    switch (request->source_case) {
    case CALLSHEET__V1__PROBE_REQUEST__SOURCE_KEY:
        artifact->key = request->key;
        input->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT;
        input->artifact = artifact;
        return CS_OK;
    case CALLSHEET__V1__PROBE_REQUEST__SOURCE_URL:
        input->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL;
        input->url = request->url;
        return CS_OK;
    default:
        return cs_fail_at(err, "key", "no_source", "name a key or a url");
    }
}

static void ignore_progress(double fraction, void *user) {
    (void)fraction;
    (void)user;
}

static enum cs_status probe_input(const struct med_studio *studio, Callsheet__V1__ResolvedInput *input,
                                  struct med_stop *stop, struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts,
                                  struct cs_err *err) {
    struct med_inputs inputs;
    CS_TRY(med_stage(studio, &input, 1, stop, ignore_progress, NULL, &inputs, err));
    Callsheet__V1__RunnerProbe probe = CALLSHEET__V1__RUNNER_PROBE__INIT;
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_PROBE;
    job.probe = &probe;
    job.inputs = 1;
    Callsheet__V1__RunnerDone *done = NULL;
    enum cs_status status =
        med_render(studio, &job, inputs.fds, 1, &(struct med_rendering){.stop = stop}, arena, &done, err);
    med_inputs_fini(&inputs);
    CS_TRY(status);
    if (done->n_outputs != 1) {
        return cs_fail(err, CS_INTERNAL, "bad_report", "the media process did not report facts");
    }
    *ret_facts = done->outputs[0];
    return CS_OK;
}

static enum cs_status probe(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx, struct cs_err *err) {
    const Callsheet__V1__ProbeRequest *request = (const Callsheet__V1__ProbeRequest *)message;
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__ResolvedInput input = CALLSHEET__V1__RESOLVED_INPUT__INIT;
    CS_TRY(source_of(request, &input, &artifact, err));
    int64_t left_ms = cs_rpc_call_left_ms(call);
    struct med_stop stop;
    med_stop_init(&stop, left_ms < PROBE_MS_MAX ? left_ms : PROBE_MS_MAX);
    Callsheet__V1__ProbeReply reply = CALLSHEET__V1__PROBE_REPLY__INIT;
    enum cs_status status = probe_input(ctx, &input, &stop, cs_rpc_call_arena(call), &reply.facts, err);
    med_stop_fini(&stop);
    if (status == CS_UNIMPLEMENTED) { /* an unknown codec is the input's matter; the method exists */
        err->status = CS_INVALID_ARGUMENT;
        return CS_INVALID_ARGUMENT;
    }
    CS_TRY(status);
    cs_rpc_reply(call, (const ProtobufCMessage *)&reply);
    return CS_OK;
}

struct cs_rpc_service med_media_service(struct med_studio *studio) {
    static const struct cs_rpc_method methods[] = {{.name = "Probe", .unary = probe}};
    return (struct cs_rpc_service){
        .descriptor = &callsheet__v1__media__descriptor,
        .methods = methods,
        .method_count = CS_COUNT(methods),
        .ctx = studio,
    };
}
