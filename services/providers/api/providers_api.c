#include "api/providers_api.h"

#include "callsheet/v1/providers.pb-c.h"

static Callsheet__V1__Model *model_to_wire(struct cs_arena *arena, const struct prv_provider *provider,
                                           const struct prv_model *model) {
    Callsheet__V1__Model *out = cs_arena_alloc(arena, sizeof(*out));
    callsheet__v1__model__init(out);
    out->provider = (char *)provider->adapter->name;
    out->id = (char *)model->id;
    out->preview = provider->adapter->preview;
    out->configured = provider->transport != NULL;
    out->operations = (char **)model->operations;
    while (model->operations[out->n_operations] != NULL) {
        out->n_operations++;
    }
    return out;
}

static enum cs_status list_models(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx,
                                  struct cs_err *err) {
    const struct prv_models *models = ctx;
    struct cs_arena *arena = cs_rpc_call_arena(call);
    Callsheet__V1__ListModelsReply out = CALLSHEET__V1__LIST_MODELS_REPLY__INIT;
    size_t count = 0;
    (void)request;
    (void)err;
    for (size_t i = 0; i < models->provider_count; i++) {
        count += models->providers[i].adapter->model_count;
    }
    out.models = cs_arena_array(arena, count + 1, sizeof(void *));
    for (size_t i = 0; i < models->provider_count; i++) {
        const struct prv_provider *provider = &models->providers[i];
        for (size_t j = 0; j < provider->adapter->model_count; j++) {
            out.models[out.n_models++] = model_to_wire(arena, provider, &provider->adapter->models[j]);
        }
    }
    cs_rpc_reply(call, &out.base);
    return CS_OK;
}

static const struct cs_rpc_method methods[] = {{.name = "ListModels", .unary = list_models}};

struct cs_rpc_service prv_providers_service(const struct prv_models *models) {
    return (struct cs_rpc_service){.descriptor = &callsheet__v1__providers__descriptor,
                                   .methods = methods,
                                   .method_count = CS_COUNT(methods),
                                   .ctx = (void *)models};
}
