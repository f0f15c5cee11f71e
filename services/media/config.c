#include "config.h"

#define AT(field) offsetof(struct med_config, field)

enum { SLOTS_MAX = 256, THREADS_MAX = 16 };

static const struct cs_conf_option options[] = {
    {"listen", "CALLSHEET_LISTEN", CS_CONF_STRING, AT(listen), "127.0.0.1:0", .metavar = "HOST:PORT",
     .help = "address of the gRPC server; port 0: any"},
    {"ready-fd", "CALLSHEET_READY_FD", CS_CONF_INT, AT(ready_fd), "-1", -1, 1 << 20, .metavar = "FD",
     .help = "descriptor that gets \"ready ADDRESS\" once serving"},
    {"log-level", "CALLSHEET_LOG_LEVEL", CS_CONF_STRING, AT(log_level), "info", .metavar = "LEVEL",
     .help = "debug, info, warn, error or off"},
    {"drain-timeout", "CALLSHEET_DRAIN_TIMEOUT", CS_CONF_DURATION, AT(drain_timeout_ms), "10s",
     .help = "how long open jobs may take after SIGTERM"},
    {"tls-ca", "CALLSHEET_TLS_CA", CS_CONF_STRING, AT(tls.ca_file), "", .metavar = "FILE",
     .help = "authority whose client certificates are demanded"},
    {"tls-cert", "CALLSHEET_TLS_CERT", CS_CONF_STRING, AT(tls.cert_file), "", .metavar = "FILE",
     .help = "certificate of the gRPC server"},
    {"tls-key", "CALLSHEET_TLS_KEY", CS_CONF_STRING, AT(tls.key_file), "", .metavar = "FILE",
     .help = "its private key"},
    {"service-token", "CALLSHEET_SERVICE_TOKEN", CS_CONF_STRING, AT(service_token), "", .secret = true,
     .help = "token that callers must bear; empty: none"},
    {"storage", "CALLSHEET_STORAGE", CS_CONF_STRING, AT(storage), NULL, .metavar = "URL",
     .help = "where inputs come from and outputs go: file:/directory or a path"},
    {"scratch-dir", "CALLSHEET_SCRATCH_DIR", CS_CONF_STRING, AT(scratch_dir), "/tmp/callsheet-media", .metavar = "DIR",
     .help = "directory for fetched inputs; made when its parent exists"},
    {"runner", "CALLSHEET_RUNNER", CS_CONF_STRING, AT(runner), "", .metavar = "PATH",
     .help = "callsheet-media-runner; empty: beside this program"},
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "0", 0, SLOTS_MAX, .help = "jobs at once; 0: one per core"},
    {"job-threads", "CALLSHEET_JOB_THREADS", CS_CONF_INT, AT(job_threads), "2", 1, THREADS_MAX,
     .help = "decode, filter and encode threads of a job; the same number gives the same bytes"},
    {"job-memory", "CALLSHEET_JOB_MEMORY", CS_CONF_SIZE, AT(job_memory_bytes), "8GiB", 512 << 20, INT64_MAX,
     .help = "address space of a job's process, a backstop"},
    {"allow-private-targets", "CALLSHEET_ALLOW_PRIVATE_TARGETS", CS_CONF_BOOL, AT(allow_private_targets), "false",
     .help = "development switch: fetch inputs from private and loopback addresses too"},
};

const struct cs_conf_spec med_config_spec = {
    .program = "callsheet-media",
    .summary = "Renders video in sandboxed processes.",
    .options = options,
    .count = CS_COUNT(options),
};
