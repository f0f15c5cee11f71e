/*
 * stack: which programs make a Callsheet on one machine, and how each is started.
 *
 *     stage 0  postgres (unless a DATABASE_URL is given)
 *     stage 1  media, providers, webhooks
 *     stage 2  orchestrators, which dial them
 *     stage 3  gateway, on the socket that we listen on
 *
 * Trust    secrets travel in the environment, each only to whom it concerns.
 */
#ifndef CLI_UP_STACK_H
#define CLI_UP_STACK_H

#include "up/data_dir.h"
#include "up/supervisor.h"

enum { CLI_ORCHESTRATORS_MAX = 4, CLI_MEDIA_MAX = 4 };

struct cli_up_config {
    const char *data_dir;
    const char *listen;
    const char *public_url;
    const char *storage;
    const char *database_url;
    const char *api_keys;
    const char *log_level;
    int64_t slots;
    int64_t orchestrators; /* 1 … CLI_ORCHESTRATORS_MAX */
    int64_t media;         /* 1 … CLI_MEDIA_MAX */
    int64_t drain_timeout_ms;
    bool allow_private_targets;
};

struct cli_stack;

/* Listens, prepares PostgreSQL and directories, and adds the members to sup. config and dir outlive the stack. */
enum cs_status cli_stack_create(const struct cli_up_config *config, const struct cli_data_dir *dir, struct cli_sup *sup,
                                struct cli_stack **ret_stack, struct cs_err *err) CS_MUST_USE;
void cli_stack_destroy(struct cli_stack *stack); /* after the supervisor */
CS_DEFINE_AUTO(cli_stack, cli_stack_destroy)

/* "http://HOST:PORT" that this machine reaches the gateway by. */
const char *cli_stack_url(const struct cli_stack *stack);

#endif
