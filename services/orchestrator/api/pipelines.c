#include "api/pipelines.h"

#include "api/stores.h"
#include "callsheet/v1/pipelines.pb-c.h"
#include "store/pipelines.h"
#include "wire/plan_wire.h"

struct orc_pipelines {
    struct orc_stores stores;
};

static const char *const told[] = {"no_such_pipeline", "too_many_pipelines", "too_many_versions", NULL};

static enum cs_status check_names(const char *tenant, const char *name, struct cs_err *err) {
    CS_TRY(orc_tenant_check(tenant, err));
    if (!orc_pipeline_name_valid(name)) {
        return cs_fail_at(err, "name", "bad_name", "a pipeline's name is 1 to %d of a-z 0-9 -",
                          ORC_PIPELINE_NAME_BYTES_MAX);
    }
    return CS_OK;
}

/* ---- PutPipeline ---- */

struct put_work {
    const Callsheet__V1__PutPipelineRequest *request;
    struct orc_pipeline pipeline;
    bool existing;
};

static enum cs_status do_put(struct orc_store *store, __attribute__((unused)) struct cs_arena *arena, void *work,
                             struct cs_err *err) {
    struct put_work *it = work;
    return orc_store_pipeline_put(store, it->request->tenant, it->request->name, it->request->template_.data,
                                  it->request->template_.len, &it->pipeline, &it->existing, err);
}

static enum cs_status put(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx, struct cs_err *err) {
    struct orc_pipelines *pipelines = ctx;
    struct put_work work = {.request = (const Callsheet__V1__PutPipelineRequest *)message};
    CS_TRY(check_names(work.request->tenant, work.request->name, err));
    if (work.request->template_.len == 0 || work.request->template_.len > ORC_PIPELINE_TEMPLATE_BYTES_MAX) {
        return cs_fail_at(err, "template", "too_big", "a template has 1 to %d bytes", ORC_PIPELINE_TEMPLATE_BYTES_MAX);
    }
    CS_TRY(orc_stores_run(&pipelines->stores, do_put, cs_rpc_call_arena(call), &work, told, err));
    Callsheet__V1__PutPipelineReply reply = CALLSHEET__V1__PUT_PIPELINE_REPLY__INIT;
    reply.version = (uint32_t)work.pipeline.version;
    reply.created_at_ms = work.pipeline.created_at_ms;
    reply.existing = work.existing;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

/* ---- GetPipeline, ListPipelines ---- */

static Callsheet__V1__Pipeline *pipeline_to(const struct orc_pipeline *pipeline, struct cs_arena *arena) {
    Callsheet__V1__Pipeline *message = cs_arena_alloc(arena, sizeof(*message));
    callsheet__v1__pipeline__init(message);
    message->name = (char *)pipeline->name;
    message->version = (uint32_t)pipeline->version;
    message->template_.data = (uint8_t *)pipeline->template;
    message->template_.len = pipeline->template_size;
    message->created_at_ms = pipeline->created_at_ms;
    return message;
}

struct get_work {
    const Callsheet__V1__GetPipelineRequest *request;
    struct orc_pipeline pipeline;
};

static enum cs_status do_get(struct orc_store *store, struct cs_arena *arena, void *work, struct cs_err *err) {
    struct get_work *it = work;
    return orc_store_pipeline_get(store, it->request->tenant, it->request->name, (int)it->request->version, arena,
                                  &it->pipeline, err);
}

static enum cs_status get(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx, struct cs_err *err) {
    struct orc_pipelines *pipelines = ctx;
    struct cs_arena *arena = cs_rpc_call_arena(call);
    struct get_work work = {.request = (const Callsheet__V1__GetPipelineRequest *)message};
    CS_TRY(check_names(work.request->tenant, work.request->name, err));
    if (work.request->version > ORC_PIPELINE_VERSIONS_MAX) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_pipeline", "Pipeline not found");
    }
    CS_TRY(orc_stores_run(&pipelines->stores, do_get, arena, &work, told, err));
    cs_rpc_reply(call, &pipeline_to(&work.pipeline, arena)->base);
    return CS_OK;
}

struct list_work {
    const char *tenant;
    struct orc_pipeline *items;
    size_t count;
};

static enum cs_status do_list(struct orc_store *store, struct cs_arena *arena, void *work, struct cs_err *err) {
    struct list_work *it = work;
    return orc_store_pipeline_list(store, it->tenant, arena, &it->items, &it->count, err);
}

static enum cs_status list(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx, struct cs_err *err) {
    struct orc_pipelines *pipelines = ctx;
    struct cs_arena *arena = cs_rpc_call_arena(call);
    struct list_work work = {.tenant = ((const Callsheet__V1__ListPipelinesRequest *)message)->tenant};
    CS_TRY(orc_tenant_check(work.tenant, err));
    CS_TRY(orc_stores_run(&pipelines->stores, do_list, arena, &work, told, err));
    Callsheet__V1__ListPipelinesReply reply = CALLSHEET__V1__LIST_PIPELINES_REPLY__INIT;
    reply.pipelines = cs_arena_array(arena, work.count + 1, sizeof(Callsheet__V1__Pipeline *));
    for (size_t i = 0; i < work.count; i++) {
        reply.pipelines[reply.n_pipelines++] = pipeline_to(&work.items[i], arena);
    }
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static const struct cs_rpc_method methods[] = {
    {.name = "PutPipeline", .unary = put},
    {.name = "GetPipeline", .unary = get},
    {.name = "ListPipelines", .unary = list},
};

/* ---- life ---- */

enum cs_status orc_pipelines_create(const char *database_url, struct orc_pipelines **ret_pipelines,
                                    struct cs_err *err) {
    CS_AUTO(orc_pipelines) *pipelines = cs_alloc(sizeof(*pipelines));
    CS_TRY(orc_stores_init(&pipelines->stores, database_url, err));
    *ret_pipelines = cs_steal(&pipelines);
    return CS_OK;
}

void orc_pipelines_destroy(struct orc_pipelines *pipelines) {
    if (pipelines == NULL) {
        return;
    }
    orc_stores_fini(&pipelines->stores);
    free(pipelines);
}

struct cs_rpc_service orc_pipelines_service(struct orc_pipelines *pipelines) {
    return (struct cs_rpc_service){
        .descriptor = &callsheet__v1__pipelines__descriptor,
        .methods = methods,
        .method_count = CS_COUNT(methods),
        .ctx = pipelines,
    };
}

void orc_pipelines_interrupt(struct orc_pipelines *pipelines) {
    orc_stores_interrupt(&pipelines->stores);
}
