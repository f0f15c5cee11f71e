/*
 * config: the settings of callsheet-gateway.
 */
#ifndef GW_CONFIG_H
#define GW_CONFIG_H

#include "cs/conf.h"
#include "cs/rpc.h"

struct gw_config {
    const char *listen;
    int64_t listen_fd;
    int64_t ready_fd;
    const char *log_level;
    int64_t drain_timeout_ms;
    struct cs_rpc_tls tls;
    const char *service_token;
    const char *orchestrator;
    const char *storage;
    const char *public_url;
    const char *link_secret;
    int64_t link_lifetime_ms;
    const char *api_keys;
    const char *operator_keys;
    const char *cors_origin;
    const char *rate_limit;
    const char *trusted_proxies;
    int64_t threads;
    int64_t connections_max;
    int64_t connections_per_address_max;
    int64_t header_timeout_ms;
    int64_t body_timeout_ms;
    int64_t idle_timeout_ms;
    int64_t call_timeout_ms;
    int64_t keep_alive_ms;
};

extern const struct cs_conf_spec gw_config_spec;

#endif
