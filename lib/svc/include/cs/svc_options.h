/*
 * svc_options: the settings that every gRPC service has, as the first rows of its table.
 *
 *     #define AT(field) offsetof(struct med_config, field)
 *     static const struct cs_conf_option options[] = {
 *         CS_SVC_OPTIONS(AT),
 *         {"storage", …},
 *
 * The service's struct has the fields: const char *listen; int64_t ready_fd; const char *log_level; int64_t
 * drain_timeout_ms; struct cs_rpc_tls tls; const char *crash_at; const char *service_token. main arms cs/base/crash.h.
 */
#ifndef CS_SVC_OPTIONS_H
#define CS_SVC_OPTIONS_H

#include "cs/conf.h"

#define CS_SVC_OPTIONS(at)                                                                                             \
    {"listen",                                                                                                         \
     "CALLSHEET_LISTEN",                                                                                               \
     CS_CONF_STRING,                                                                                                   \
     at(listen),                                                                                                       \
     "127.0.0.1:0",                                                                                                    \
     .metavar = "HOST:PORT",                                                                                           \
     .help = "address of the gRPC server; port 0: any"},                                                               \
        {"ready-fd",                                                                                                   \
         "CALLSHEET_READY_FD",                                                                                         \
         CS_CONF_INT,                                                                                                  \
         at(ready_fd),                                                                                                 \
         "-1",                                                                                                         \
         -1,                                                                                                           \
         1 << 20,                                                                                                      \
         .metavar = "FD",                                                                                              \
         .help = "descriptor that gets \"ready ADDRESS\" once serving"},                                               \
        {"log-level",                                                                                                  \
         "CALLSHEET_LOG_LEVEL",                                                                                        \
         CS_CONF_STRING,                                                                                               \
         at(log_level),                                                                                                \
         "info",                                                                                                       \
         .metavar = "LEVEL",                                                                                           \
         .help = "debug, info, warn, error or off"},                                                                   \
        {"drain-timeout",                                                                                              \
         "CALLSHEET_DRAIN_TIMEOUT",                                                                                    \
         CS_CONF_DURATION,                                                                                             \
         at(drain_timeout_ms),                                                                                         \
         "10s",                                                                                                        \
         .help = "how long what is open may take after SIGTERM"},                                                      \
        {"tls-ca",                                                                                                     \
         "CALLSHEET_TLS_CA",                                                                                           \
         CS_CONF_STRING,                                                                                               \
         at(tls.ca_file),                                                                                              \
         "",                                                                                                           \
         .metavar = "FILE",                                                                                            \
         .help = "authority of peers; clients must show a certificate of it"},                                         \
        {"tls-cert",                                                                                                   \
         "CALLSHEET_TLS_CERT",                                                                                         \
         CS_CONF_STRING,                                                                                               \
         at(tls.cert_file),                                                                                            \
         "",                                                                                                           \
         .metavar = "FILE",                                                                                            \
         .help = "certificate of the gRPC server, shown to peers too"},                                                \
        {"tls-key", "CALLSHEET_TLS_KEY", CS_CONF_STRING,           at(tls.key_file),                                   \
         "",        .metavar = "FILE",   .help = "its private key"},                                                   \
        {"crash-at",                                                                                                   \
         "CALLSHEET_CRASH_AT",                                                                                         \
         CS_CONF_STRING,                                                                                               \
         at(crash_at),                                                                                                 \
         "",                                                                                                           \
         .metavar = "POINT[:N[:stop]]",                                                                                \
         .help = "for tests: die, or stop, the N-th time that it comes to a named point"},                             \
    {                                                                                                                  \
        "service-token", "CALLSHEET_SERVICE_TOKEN", CS_CONF_STRING, at(service_token), "",                             \
            .secret = true, .help = "token that callers must bear and peers are shown; empty: none"                    \
    }

#endif
