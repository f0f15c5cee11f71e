/*
 * config: the settings of callsheet-providers.
 */
#ifndef PRV_CONFIG_H
#define PRV_CONFIG_H

#include "cs/conf.h"
#include "cs/rpc.h"

struct prv_config {
    const char *listen;
    int64_t ready_fd;
    const char *log_level;
    int64_t drain_timeout_ms;
    struct cs_rpc_tls tls;
    const char *crash_at;
    const char *service_token;
    const char *storage;
    const char *scratch_dir;
    const char *local_ledger;
    const char *runner;
    int64_t slots;
    int64_t local_slots;
    bool gpl_encoders;
    bool allow_private_targets;
    const char *replicate_url;
    const char *replicate_token;
};

extern const struct cs_conf_spec prv_config_spec;

#endif
