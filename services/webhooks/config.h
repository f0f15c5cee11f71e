/*
 * config: the settings of callsheet-webhooks.
 */
#ifndef WHK_CONFIG_H
#define WHK_CONFIG_H

#include "cs/conf.h"
#include "cs/rpc.h"

struct whk_config {
    const char *listen;
    int64_t ready_fd;
    const char *log_level;
    int64_t drain_timeout_ms;
    struct cs_rpc_tls tls;
    const char *crash_at;
    const char *service_token;
    int64_t slots;
    bool allow_private_targets;
};

extern const struct cs_conf_spec whk_config_spec;

#endif
