#include "config.h"

#include "cs/base/auto.h"

#define AT(field) offsetof(struct gw_config, field)

enum { THREADS_MAX = 64, CONNECTIONS_MAX = 100000 };

static const struct cs_conf_option options[] = {
    {"listen", "CALLSHEET_LISTEN", CS_CONF_STRING, AT(listen), "127.0.0.1:0", .metavar = "HOST:PORT",
     .help = "address of the HTTP server; port 0: any"},
    {"listen-fd", "CALLSHEET_LISTEN_FD", CS_CONF_INT, AT(listen_fd), "-1", -1, 1 << 20, .metavar = "FD",
     .help = "an open listening socket to use instead"},
    {"ready-fd", "CALLSHEET_READY_FD", CS_CONF_INT, AT(ready_fd), "-1", -1, 1 << 20, .metavar = "FD",
     .help = "descriptor that gets \"ready ADDRESS\" once serving"},
    {"log-level", "CALLSHEET_LOG_LEVEL", CS_CONF_STRING, AT(log_level), "info", .metavar = "LEVEL",
     .help = "debug, info, warn, error or off"},
    {"drain-timeout", "CALLSHEET_DRAIN_TIMEOUT", CS_CONF_DURATION, AT(drain_timeout_ms), "10s",
     .help = "how long open requests may take after SIGTERM"},
    {"tls-ca", "CALLSHEET_TLS_CA", CS_CONF_STRING, AT(tls.ca_file), "", .metavar = "FILE",
     .help = "authority of the orchestrator's certificate"},
    {"tls-cert", "CALLSHEET_TLS_CERT", CS_CONF_STRING, AT(tls.cert_file), "", .metavar = "FILE",
     .help = "our certificate towards the orchestrator"},
    {"tls-key", "CALLSHEET_TLS_KEY", CS_CONF_STRING, AT(tls.key_file), "", .metavar = "FILE",
     .help = "its private key"},
    {"service-token", "CALLSHEET_SERVICE_TOKEN", CS_CONF_STRING, AT(service_token), "", .secret = true,
     .help = "token that the orchestrator demands; empty: none"},
    {"orchestrator", "CALLSHEET_ORCHESTRATOR", CS_CONF_STRING, AT(orchestrator), NULL, .metavar = "HOST:PORT,…",
     .help = "addresses of the orchestrators, in numbers when there are several: they take turns"},
    {"storage", "CALLSHEET_STORAGE", CS_CONF_STRING, AT(storage), NULL, .metavar = "URL",
     .help = "where artifacts are: file:/directory or a path"},
    {"public-url", "CALLSHEET_PUBLIC_URL", CS_CONF_STRING, AT(public_url), "", .metavar = "URL",
     .help = "how clients reach us, for links; empty: http://ADDRESS"},
    {"link-secret", "CALLSHEET_LINK_SECRET", CS_CONF_STRING, AT(link_secret), "", .secret = true,
     .help = "signs links to artifacts, the same as the orchestrator's; empty: links end with this process"},
    {"link-lifetime", "CALLSHEET_LINK_LIFETIME", CS_CONF_DURATION, AT(link_lifetime_ms), "7d",
     .help = "how long links to artifacts live"},
    {"api-keys", "CALLSHEET_API_KEYS", CS_CONF_STRING, AT(api_keys), "", .secret = true,
     .help = "KEY=TENANT,KEY=TENANT; empty: no keys, everybody is tenant \"default\""},
    {"operator-keys", "CALLSHEET_OPERATOR_KEYS", CS_CONF_STRING, AT(operator_keys), "", .secret = true,
     .help = "KEY=TENANT,…: keys that may also do what only operators may, such as updating scenes; empty: none"},
    {"cors-origin", "CALLSHEET_CORS_ORIGIN", CS_CONF_STRING, AT(cors_origin), "", .metavar = "ORIGIN",
     .help = "origin whose pages may read (\"*\": all); empty: none"},
    {"rate-limit", "CALLSHEET_RATE_LIMIT", CS_CONF_STRING, AT(rate_limit), "off", .metavar = "RATE",
     .help = "requests of one key, or without keys of one address: on (100/min), off, or a rate such as 20/s, 500/min, "
             "9000/h"},
    {"trusted-proxies", "CALLSHEET_TRUSTED_PROXIES", CS_CONF_STRING, AT(trusted_proxies), "", .metavar = "NETWORK,…",
     .help = "whose X-Forwarded-For tells the client's address, such as 10.0.0.0/8; empty: nobody's"},
    {"threads", "CALLSHEET_THREADS", CS_CONF_INT, AT(threads), "2", 1, THREADS_MAX,
     .help = "threads of the HTTP server"},
    {"connections", "CALLSHEET_CONNECTIONS", CS_CONF_INT, AT(connections_max), "4000", 1, CONNECTIONS_MAX,
     .help = "open connections at most"},
    {"connections-per-address", "CALLSHEET_CONNECTIONS_PER_ADDRESS", CS_CONF_INT, AT(connections_per_address_max), "0",
     0, CONNECTIONS_MAX, .help = "open connections of one client address at most; 0: no limit (behind a proxy)"},
    {"header-timeout", "CALLSHEET_HEADER_TIMEOUT", CS_CONF_DURATION, AT(header_timeout_ms), "10s",
     .help = "how long a request's header may take"},
    {"body-timeout", "CALLSHEET_BODY_TIMEOUT", CS_CONF_DURATION, AT(body_timeout_ms), "60s",
     .help = "how long a request's body may take"},
    {"idle-timeout", "CALLSHEET_IDLE_TIMEOUT", CS_CONF_DURATION, AT(idle_timeout_ms), "60s",
     .help = "how long a connection may stand still"},
    {"call-timeout", "CALLSHEET_CALL_TIMEOUT", CS_CONF_DURATION, AT(call_timeout_ms), "15s",
     .help = "how long the orchestrator may take to answer"},
    {"keep-alive", "CALLSHEET_KEEP_ALIVE", CS_CONF_DURATION, AT(keep_alive_ms), "15s",
     .help = "how often a quiet event stream says that it is alive"},
};

const struct cs_conf_spec gw_config_spec = {
    .program = "callsheet-gateway",
    .summary = "Serves the HTTP API: plans in, status, events and artifacts out.",
    .options = options,
    .count = CS_COUNT(options),
};
