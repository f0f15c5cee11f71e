/*
 * config: the settings of callsheet-orchestrator.
 */
#ifndef ORC_CONFIG_H
#define ORC_CONFIG_H

#include "cs/conf.h"
#include "cs/rpc.h"

struct orc_config {
    const char *listen;
    int64_t ready_fd;
    const char *log_level;
    int64_t drain_timeout_ms;
    struct cs_rpc_tls tls;
    const char *crash_at;
    const char *service_token;
    const char *database_url;
    const char *workers;
    const char *replica;
    const char *advertise;
    const char *environment;
    const char *public_url;
    const char *link_secret;
    const char *limits;
    const char *tenant_weights;
    int64_t headroom;
    int64_t cache_ttl_ms;
    int64_t retention_ms; /* 0: for ever */
};

extern const struct cs_conf_spec orc_config_spec;

/* What the types cannot say: names that go into keys, the length of the link secret. INVALID_ARGUMENT "bad_setting". */
enum cs_status orc_config_check(const struct orc_config *config, struct cs_err *err) CS_MUST_USE;

#endif
