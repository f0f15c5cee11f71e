/*
 * client: the gateway's JSON API, as the commands use it.
 *
 * Threads  one; the event callback of cli_client_events runs on it too.
 * Fails    with the API's own code and path; UNAVAILABLE when it cannot be reached. Errors of the API have the status
 *          that fits the HTTP status (404 NOT_FOUND, 409 FAILED_PRECONDITION, 400 INVALID_ARGUMENT …).
 */
#ifndef CLI_API_CLIENT_H
#define CLI_API_CLIENT_H

#include <jansson.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"
#include "cs/conf.h"

/* The settings that all client commands share; put CLI_CLIENT_OPTIONS(struct of the command) into its table. */
struct cli_client_config {
    const char *server;
    const char *api_key;
};
#define CLI_CLIENT_OPTIONS(type, field)                                                                                \
    {"server",                                                                                                         \
     "CALLSHEET_SERVER",                                                                                               \
     CS_CONF_STRING,                                                                                                   \
     offsetof(type, field) + offsetof(struct cli_client_config, server),                                               \
     "http://127.0.0.1:8080",                                                                                          \
     .metavar = "URL",                                                                                                 \
     .help = "the gateway"},                                                                                           \
    {                                                                                                                  \
        "api-key", "CALLSHEET_API_KEY", CS_CONF_STRING,                                                                \
            offsetof(type, field) + offsetof(struct cli_client_config, api_key), "", .secret = true,                   \
                                                                                     .help = "key of your tenant"      \
    }

struct cli_client;

enum cs_status cli_client_create(const struct cli_client_config *config, struct cli_client **ret_client,
                                 struct cs_err *err) CS_MUST_USE;
void cli_client_destroy(struct cli_client *client);
CS_DEFINE_AUTO(cli_client, cli_client_destroy)

/* path is below the server, "/v1/executions". body NULL: none. ret_answer: the caller's to json_decref. */
enum cs_status cli_client_call(struct cli_client *client, const char *method, const char *path, const void *body,
                               size_t body_size, json_t **ret_answer, struct cs_err *err) CS_MUST_USE;

/* Follows "/v1/executions/ID/events" until the stream ends. event gets the name and the data of each, and NULLs when
 * all that has arrived was given (a good moment to draw); false ends it. OK when the stream ended by itself or by
 * event; UNAVAILABLE when it broke. */
enum cs_status cli_client_events(struct cli_client *client, const char *id,
                                 bool (*event)(const char *name, const json_t *data, void *ctx), void *ctx,
                                 struct cs_err *err) CS_MUST_USE;

/* An error of the API from its status and body (NULL: no JSON). */
enum cs_status cli_api_error(int status, const json_t *body, struct cs_err *err);

/* Prints "callsheet WORD: sentence (code at path)" to standard error. */
void cli_print_error(const char *word, const struct cs_err *err);

/* Whether id can be one: anything else would make another path. */
enum cs_status cli_check_id(const char *id, struct cs_err *err) CS_MUST_USE;

#endif
