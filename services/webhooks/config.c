#include "config.h"

#define AT(field) offsetof(struct whk_config, field)

static const struct cs_conf_option options[] = {
    {"listen", "CALLSHEET_LISTEN", CS_CONF_STRING, AT(listen), "127.0.0.1:0", .metavar = "HOST:PORT",
     .help = "address of the gRPC server; port 0: any"},
    {"ready-fd", "CALLSHEET_READY_FD", CS_CONF_INT, AT(ready_fd), "-1", -1, 1 << 20, .metavar = "FD",
     .help = "descriptor that gets \"ready ADDRESS\" once serving"},
    {"log-level", "CALLSHEET_LOG_LEVEL", CS_CONF_STRING, AT(log_level), "info", .metavar = "LEVEL",
     .help = "debug, info, warn, error or off"},
    {"drain-timeout", "CALLSHEET_DRAIN_TIMEOUT", CS_CONF_DURATION, AT(drain_timeout_ms), "10s",
     .help = "how long open deliveries may take after SIGTERM"},
    {"tls-ca", "CALLSHEET_TLS_CA", CS_CONF_STRING, AT(tls.ca_file), "", .metavar = "FILE",
     .help = "authority whose client certificates are demanded"},
    {"tls-cert", "CALLSHEET_TLS_CERT", CS_CONF_STRING, AT(tls.cert_file), "", .metavar = "FILE",
     .help = "certificate of the gRPC server"},
    {"tls-key", "CALLSHEET_TLS_KEY", CS_CONF_STRING, AT(tls.key_file), "", .metavar = "FILE",
     .help = "its private key"},
    {"service-token", "CALLSHEET_SERVICE_TOKEN", CS_CONF_STRING, AT(service_token), "", .secret = true,
     .help = "token that callers must bear; empty: none"},
    {"slots", "CALLSHEET_SLOTS", CS_CONF_INT, AT(slots), "64", 1, 10000, .help = "deliveries at once"},
    {"allow-private-targets", "CALLSHEET_ALLOW_PRIVATE_TARGETS", CS_CONF_BOOL, AT(allow_private_targets), "false",
     .help = "development switch: deliver to private and loopback addresses too"},
};

const struct cs_conf_spec whk_config_spec = {
    .program = "callsheet-webhooks",
    .summary = "Delivers signed webhooks through a guard.",
    .options = options,
    .count = CS_COUNT(options),
};
