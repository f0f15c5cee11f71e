#include "app.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/events.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/link.h"
#include "openapi/openapi.h"

enum { OWN_SECRET_BYTES = 32, LAST_WORD_MS = 1000 };

struct gw_app {
    const struct gw_config *config;
    struct gw_api api;
    char *authorization;
    char *public_url;
    char *link_secret;
    char *openapi;
};

static enum cs_status choose_secret(struct gw_app *app, struct cs_err *err) {
    const char *given = app->config->link_secret;
    if (given[0] != '\0' && strlen(given) < CS_LINK_SECRET_BYTES_MIN) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_setting", "CALLSHEET_LINK_SECRET needs at least %d bytes",
                       CS_LINK_SECRET_BYTES_MIN);
    }
    if (given[0] != '\0') {
        app->link_secret = cs_strdup(given);
        return CS_OK;
    }
    unsigned char bytes[OWN_SECRET_BYTES];
    cs_random_bytes(bytes, sizeof(bytes));
    app->link_secret = cs_alloc(2 * sizeof(bytes) + 1);
    cs_hex_format(bytes, sizeof(bytes), app->link_secret);
    cs_log_warn("no link secret is configured: links to artifacts end with this process");
    return CS_OK;
}

/* Safe to repeat: a cancel of what is cancelled answers it, a watch starts with the whole. */
static const char *const repeatable[] = {"GetExecution", "ListExecutions", "WatchExecution", "CancelExecution"};
static const struct cs_rpc_spread spread = {
    .service = &callsheet__v1__orchestrator__descriptor,
    .repeatable = repeatable,
    .repeatable_count = CS_COUNT(repeatable),
};

/* "A" or "A,B,C"; of several each is an IPv4 address with its port. */
static enum cs_status check_addresses(const char *addresses, struct cs_err *err) {
    const char *at = addresses;
    while (at != NULL && *at != '\0') {
        char host[INET_ADDRSTRLEN + sizeof(":65535")] = "";
        struct in_addr address;
        size_t size = strcspn(at, ",");
        (void)snprintf(host, sizeof(host), "%.*s", (int)size, at);
        char *colon = strchr(host, ':');
        bool good = colon != NULL && size < sizeof(host);
        if (good) {
            *colon = '\0';
            good = inet_pton(AF_INET, host, &address) == 1 && strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
                   colon[1] != '\0' && atoi(colon + 1) <= UINT16_MAX;
        }
        if (!good) {
            return cs_fail_at(err, "orchestrator", "bad_setting",
                              "--orchestrator wants one HOST:PORT, or several IPv4 addresses with their ports");
        }
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return at == NULL ? CS_OK
                      : cs_fail_at(err, "orchestrator", "bad_setting", "--orchestrator ends with an empty address");
}

static enum cs_status open_channel(struct gw_app *app, bool own_connection, struct cs_rpc_channel **ret_channel,
                                   struct cs_err *err) {
    bool several = strchr(app->config->orchestrator, ',') != NULL;
    if (several) {
        CS_TRY(check_addresses(app->config->orchestrator, err));
    }
    CS_AUTO_FREE char *target = cs_sprintf("%s%s", several ? "ipv4:" : "", app->config->orchestrator);
    const struct cs_rpc_channel_config config = {
        .target = target,
        .spread = several ? &spread : NULL,
        .tls = app->config->tls,
        .authorization = app->authorization,
        .own_connection = own_connection,
    };
    return cs_rpc_channel_create(app->api.rpc, &config, ret_channel, err);
}

static enum cs_status open_orchestrator(struct gw_app *app, struct cs_err *err) {
    if (app->config->service_token[0] != '\0') {
        app->authorization = cs_sprintf("Bearer %s", app->config->service_token);
    }
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &app->api.rpc, err));
    CS_TRY(open_channel(app, false, &app->api.calls, err));
    return open_channel(app, true, &app->api.watches, err);
}

static void describe(struct gw_app *app) {
    json_t *document = gw_openapi_document(app->public_url);
    app->openapi = json_dumps(document, JSON_COMPACT);
    app->api.openapi = app->openapi;
    json_decref(document);
}

static enum cs_status serve(struct gw_app *app, struct cs_err *err) {
    const struct gw_config *config = app->config;
    const struct gw_server_config server = {
        .listen = config->listen,
        .listen_fd = (int)config->listen_fd,
        .threads = (unsigned)config->threads,
        .connections_max = (unsigned)config->connections_max,
        .connections_per_address_max = (unsigned)config->connections_per_address_max,
        .body_bytes_max = GW_BODY_BYTES_MAX,
        .header_timeout_ms = config->header_timeout_ms,
        .body_timeout_ms = config->body_timeout_ms,
        .idle_timeout_ms = config->idle_timeout_ms,
        .events = &gw_api_server_events,
        .ctx = &app->api,
    };
    CS_TRY(gw_server_create(&server, &app->api.server, err));
    app->public_url = config->public_url[0] != '\0' ? cs_strdup(config->public_url)
                                                    : cs_sprintf("http://%s", gw_server_address(app->api.server));
    app->api.public_url = app->public_url;
    describe(app);
    return gw_server_start(app->api.server, err);
}

static enum cs_status build(struct gw_app *app, struct cs_err *err) {
    const struct gw_config *config = app->config;
    struct gw_api *api = &app->api;
    CS_TRY(gw_auth_create(config->api_keys, config->operator_keys, &api->auth, err));
    CS_TRY(gw_rate_create(config->rate_limit, &api->rate, err));
    CS_TRY(gw_proxies_create(config->trusted_proxies, &api->proxies, err));
    CS_TRY(choose_secret(app, err));
    CS_TRY(cs_storage_open(config->storage, &api->storage, err));
    CS_TRY(open_orchestrator(app, err));
    api->metrics = gw_metrics_create();
    api->events = gw_events_create();
    api->link_secret = app->link_secret;
    api->link_lifetime_s = config->link_lifetime_ms / 1000;
    api->cors_origin = config->cors_origin;
    api->call_timeout_ms = config->call_timeout_ms;
    api->keep_alive_ms = config->keep_alive_ms;
    return CS_OK;
}

enum cs_status gw_app_create(const struct gw_config *config, struct gw_app **ret_app, struct cs_err *err) {
    CS_AUTO(gw_app) *app = cs_alloc(sizeof(*app));
    app->config = config;
    (void)pthread_rwlock_init(&app->api.gate, NULL);
    CS_TRY(build(app, err));
    CS_TRY(serve(app, err));
    *ret_app = cs_steal(&app);
    return CS_OK;
}

const char *gw_app_address(const struct gw_app *app) {
    return gw_server_address(app->api.server);
}

void gw_app_drain(struct gw_app *app) {
    atomic_store(&app->api.draining, true);
    gw_events_end_all(app->api.events);
    if (!gw_server_drain(app->api.server, app->config->drain_timeout_ms)) {
        cs_log_warn("requests are still open after the drain timeout, cutting them",
                    CS_KVI("open", gw_server_open_requests(app->api.server)));
    }
}

/* Nothing may be parked when the server stops: no call starts any more, streams are ended, and the end of the channel
 * answers the open calls. Those answers get a moment to leave. */
static void unpark(struct gw_app *app) {
    atomic_store(&app->api.draining, true);
    gw_api_stop(&app->api);
    gw_events_end_all(app->api.events);
    cs_rpc_channel_destroy(cs_steal(&app->api.calls));
    (void)gw_server_drain(app->api.server, LAST_WORD_MS);
}

void gw_app_destroy(struct gw_app *app) {
    if (app == NULL) {
        return;
    }
    struct gw_api *api = &app->api;
    if (api->server != NULL) {
        unpark(app);
        gw_server_destroy(api->server);
    }
    cs_rpc_channel_destroy(api->calls);
    cs_rpc_channel_destroy(api->watches);
    cs_rpc_destroy(api->rpc);
    gw_events_destroy(api->events);
    gw_metrics_destroy(api->metrics);
    cs_storage_close(api->storage);
    gw_proxies_destroy(api->proxies);
    gw_rate_destroy(api->rate);
    gw_auth_destroy(api->auth);
    free(app->authorization);
    free(app->public_url);
    free(app->link_secret);
    free(app->openapi);
    (void)pthread_rwlock_destroy(&api->gate);
    free(app);
}
