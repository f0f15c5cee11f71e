/*
 * config: the settings of callsheet-media.
 */
#ifndef MED_CONFIG_H
#define MED_CONFIG_H

#include "cs/conf.h"
#include "cs/rpc.h"

struct med_config {
    const char *listen;
    int64_t ready_fd;
    const char *log_level;
    int64_t drain_timeout_ms;
    struct cs_rpc_tls tls;
    const char *crash_at;
    const char *service_token;
    const char *storage;
    const char *scratch_dir;
    int64_t disk_free_min_bytes;
    const char *runner; /* "": beside our own executable */
    int64_t slots;      /* 0: one per core */
    int64_t job_threads;
    bool gpl_encoders;
    int64_t job_memory_bytes;
    bool allow_private_targets;
};

extern const struct cs_conf_spec med_config_spec;

#endif
