#include "config.h"

#include <string.h>

#include "cs/base/id.h"
#include "cs/catalog.h"
#include "cs/link.h"
#include "cs/svc_options.h"

enum { NAME_BYTES_MAX = 64, ADDRESS_BYTES_MAX = 255 };

#define AT(field) offsetof(struct orc_config, field)

static const struct cs_conf_option options[] = {
    CS_SVC_OPTIONS(AT),
    {"database-url", "DATABASE_URL", CS_CONF_STRING, AT(database_url), NULL, .secret = true,
     .help = "PostgreSQL, as a libpq URI"},
    {"workers", "CALLSHEET_WORKERS", CS_CONF_STRING, AT(workers), "", .metavar = "HOST:PORT,…",
     .help = "workers of all kinds; names are resolved again every few seconds"},
    {"replica", "CALLSHEET_REPLICA", CS_CONF_STRING, AT(replica), "", .metavar = "NAME",
     .help =
         "a name that only this process has; who starts under it again goes on at once; empty: a new name each time"},
    {"advertise", "CALLSHEET_ADVERTISE", CS_CONF_STRING, AT(advertise), "", .metavar = "HOST:PORT",
     .help = "where other orchestrators reach the gRPC server; empty: where it listens"},
    {"environment", "CALLSHEET_ENVIRONMENT", CS_CONF_STRING, AT(environment), "dev", .metavar = "NAME",
     .help = "first part of storage keys"},
    {"public-url", "CALLSHEET_PUBLIC_URL", CS_CONF_STRING, AT(public_url), "http://127.0.0.1:8080", .metavar = "URL",
     .help = "of the gateway, for links to artifacts in webhooks"},
    {"link-secret", "CALLSHEET_LINK_SECRET", CS_CONF_STRING, AT(link_secret), NULL, .secret = true,
     .help = "signs those links; at least 16 bytes, the same as the gateway's"},
    {"limits", "CALLSHEET_LIMITS", CS_CONF_STRING, AT(limits), "", .metavar = "KIND:NAME=N,…",
     .help = "at most N at once: tenant:NAME=N operation:NAME=N provider:NAME=N, NAME * is each; or begun in a time: "
             "rate:provider:NAME=N/min"},
    {"tenant-weights", "CALLSHEET_TENANT_WEIGHTS", CS_CONF_STRING, AT(tenant_weights), "", .metavar = "TENANT=N,…",
     .help = "turns of a tenant in a round, 1 for those not named"},
    {"headroom", "CALLSHEET_HEADROOM", CS_CONF_INT, AT(headroom), "32", .min = 0, .max = 65536,
     .help = "one of so many slots is left to tenants that hold few; 0: none"},
    {"cache-ttl", "CALLSHEET_CACHE_TTL", CS_CONF_DURATION, AT(cache_ttl_ms), "7d", .min = 1000,
     .max = INT64_C(366) * 24 * 3600 * 1000, .help = "how long results are kept for jobs that do the same work"},
    {"retention", "CALLSHEET_RETENTION", CS_CONF_DURATION, AT(retention_ms), "30d", .min = 0,
     .max = INT64_C(36600) * 24 * 3600 * 1000,
     .help = "how long executions and tracked runs are kept after their end, and up to a tenth more; 0: for ever"},
};

const struct cs_conf_spec orc_config_spec = {
    .program = "callsheet-orchestrator",
    .summary = "Owns executions: plans come in, jobs go out to workers, the log stays in PostgreSQL.",
    .options = options,
    .count = CS_COUNT(options),
};

enum cs_status orc_config_check(const struct orc_config *config, struct cs_err *err) {
    if (config->replica[0] != '\0' && !cs_id_valid(config->replica, NAME_BYTES_MAX)) {
        return cs_fail_at(err, "replica", "bad_setting", "--replica wants 1 to %d bytes of A-Z a-z 0-9 _ . : -",
                          NAME_BYTES_MAX);
    }
    if (strlen(config->advertise) > ADDRESS_BYTES_MAX) {
        return cs_fail_at(err, "advertise", "bad_setting", "--advertise wants at most %d bytes", ADDRESS_BYTES_MAX);
    }
    if (!cs_id_valid(config->environment, NAME_BYTES_MAX)) {
        return cs_fail_at(err, "environment", "bad_setting", "--environment wants 1 to %d bytes of A-Z a-z 0-9 _ . : -",
                          NAME_BYTES_MAX);
    }
    if (!cs_web_url_valid(config->public_url)) {
        return cs_fail_at(err, "public-url", "bad_setting", "--public-url wants an http(s) URL");
    }
    if (strlen(config->link_secret) < CS_LINK_SECRET_BYTES_MIN) {
        return cs_fail_at(err, "link-secret", "bad_setting", "CALLSHEET_LINK_SECRET wants at least %d bytes",
                          CS_LINK_SECRET_BYTES_MIN);
    }
    return CS_OK;
}
