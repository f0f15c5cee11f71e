/*
 * providers_api: the RPCs of callsheet.v1.Providers.
 */
#ifndef PRV_PROVIDERS_API_H
#define PRV_PROVIDERS_API_H

#include "cs/rpc.h"
#include "engine/engine.h"

struct prv_models {
    const struct prv_provider *providers;
    size_t provider_count;
};

/* models outlives the service. */
struct cs_rpc_service prv_providers_service(const struct prv_models *models);

#endif
