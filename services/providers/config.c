#include "config.h"

#define AT(field) offsetof(struct prv_config, field)

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
    {"scratch-dir", "CALLSHEET_SCRATCH_DIR", CS_CONF_STRING, AT(scratch_dir), "/tmp/callsheet-providers",
     .metavar = "DIR", .help = "directory for fetched inputs; made when its parent exists"},
    {"local-ledger", "CALLSHEET_LOCAL_LEDGER", CS_CONF_STRING, AT(local_ledger), "", .metavar = "DIR",
     .help = "durable directory of the local provider's predictions; empty: local in the scratch directory"},
    {"runner", "CALLSHEET_RUNNER", CS_CONF_STRING, AT(runner), "", .metavar = "PATH",
     .help = "callsheet-media-runner; empty: beside this program"},
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "256", 1, 10000,
     .help = "generations at once; most of them only wait for a provider"},
    {"local-slots", "CALLSHEET_LOCAL_SLOTS", CS_CONF_INT, AT(local_slots), "0", 0, 256,
     .help = "renderings of the local provider at once; 0: one per core"},
    {"allow-private-targets", "CALLSHEET_ALLOW_PRIVATE_TARGETS", CS_CONF_BOOL, AT(allow_private_targets), "false",
     .help = "development switch: fetch inputs and outputs from private and loopback addresses too"},
    {"replicate-url", "CALLSHEET_REPLICATE_URL", CS_CONF_STRING, AT(replicate_url), "https://api.replicate.com/v1",
     .metavar = "URL", .help = "base URL of Replicate's API"},
    {"replicate-token", "REPLICATE_API_TOKEN", CS_CONF_STRING, AT(replicate_token), "", .secret = true,
     .help = "API token of Replicate; empty: the provider is not configured"},
};

const struct cs_conf_spec prv_config_spec = {
    .program = "callsheet-providers",
    .summary = "Generates media through AI providers, and previews of its own.",
    .options = options,
    .count = CS_COUNT(options),
};
