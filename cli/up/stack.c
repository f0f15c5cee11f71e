#include "up/stack.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/conf.h"
#include "cs/pg.h"
#include "cs/pg_server.h"
#include "up/listen.h"

enum {
    LISTEN_FD = 4,
    ARGUMENTS_MAX = 40,
    ENVIRONMENT_MAX = 16,
    STAGE_POSTGRES = 0,
    STAGE_WORKERS,
    STAGE_ORCHESTRATOR,
    STAGE_GATEWAY
};

static const char *const worker_names[] = {"providers", "webhooks"};

static const char *const media_names[CLI_MEDIA_MAX] = {"media", "media-2", "media-3", "media-4"};

/* Each keeps its name over restarts, and whatever the number of the others: who starts again under it goes on at once.
 */
static const char *const orchestrator_names[CLI_ORCHESTRATORS_MAX] = {"orchestrator", "orchestrator-2",
                                                                      "orchestrator-3", "orchestrator-4"};

/* What the launch of one of several needs to know. */
struct replica {
    struct cli_stack *stack;
    const char *name;
};

struct cli_stack {
    const struct cli_up_config *config;
    const struct cli_data_dir *dir;
    struct cli_sup *sup;
    struct cs_arena *arena;
    struct cs_pg_server *postgres;
    char database_url[CS_PG_URL_MAX]; /* "" until the private server has been ready */
    int listen_fd;
    struct cs_process_fd gateway_fd;
    const char *storage;
    const char *url;
    struct replica orchestrators[CLI_ORCHESTRATORS_MAX];
    struct replica media[CLI_MEDIA_MAX];
};

const char *cli_stack_url(const struct cli_stack *stack) {
    return stack->url;
}

/* ---- command lines ---- */

/* A command line and the changes of the environment, in the arena of one start. */
struct line {
    struct cs_arena *arena;
    const char **argv;
    const char **environment;
    size_t arguments;
    size_t changes;
};

static void put(struct line *line, const char *word) {
    if (line->arguments < ARGUMENTS_MAX) {
        line->argv[line->arguments++] = word;
    }
}

static void put_flag(struct line *line, const char *flag, const char *value) {
    put(line, flag);
    put(line, value);
}

static void put_number(struct line *line, const char *flag, int64_t number, const char *unit) {
    put_flag(line, flag, cs_arena_sprintf(line->arena, "%lld%s", (long long)number, unit));
}

/* NULL takes the variable out. */
static void set(struct line *line, const char *name, const char *value) {
    if (line->changes < ENVIRONMENT_MAX) {
        line->environment[line->changes++] = value != NULL ? cs_arena_sprintf(line->arena, "%s=%s", name, value) : name;
    }
}

/* What every service gets. Settings and secrets that were meant for us or for others are taken out. */
static struct line line_for(const struct cli_stack *stack, struct cs_arena *arena, const char *program) {
    static const char *const ours[] = {"CALLSHEET_LISTEN",  "CALLSHEET_READY_FD", "CALLSHEET_DATA_DIR",
                                       "DATABASE_URL",      "CALLSHEET_API_KEYS", "CALLSHEET_LINK_SECRET",
                                       "CALLSHEET_API_KEY", "CALLSHEET_SLOTS"};
    struct line line = {
        .arena = arena,
        .argv = cs_arena_array(arena, ARGUMENTS_MAX + 1, sizeof(char *)),
        .environment = cs_arena_array(arena, ENVIRONMENT_MAX + 1, sizeof(char *)),
    };
    CS_AUTO_FREE char *path = cs_process_beside(program);
    put(&line, cs_arena_strdup(arena, path));
    put_number(&line, "--ready-fd", CLI_READY_FD, "");
    put_flag(&line, "--log-level", stack->config->log_level);
    put_number(&line, "--drain-timeout", stack->config->drain_timeout_ms, "ms");
    for (size_t i = 0; i < CS_COUNT(ours); i++) {
        set(&line, ours[i], NULL);
    }
    if (!cs_str_eq(program, "callsheet-providers")) { /* who pays */
        set(&line, "REPLICATE_API_TOKEN", NULL);
    }
    set(&line, "CALLSHEET_SERVICE_TOKEN", stack->dir->service_token);
    return line;
}

/* The same address as before, or a new port. */
static enum cs_status put_listen(struct line *line, const char *address, struct cs_err *err) {
    if (address[0] == '\0') {
        uint16_t port = 0;
        CS_TRY(cli_pick_port(&port, err));
        address = cs_arena_sprintf(line->arena, "127.0.0.1:%u", port);
    }
    put_flag(line, "--listen", address);
    return CS_OK;
}

static struct cs_process_spec spec_of(const struct line *line) {
    return (struct cs_process_spec){.argv = line->argv, .environment = line->environment};
}

/* ---- workers ---- */

/* slots: the flag that bounds what renders at once. */
static enum cs_status put_rendering(const struct cli_stack *stack, struct line *line, const char *name,
                                    const char *slots, struct cs_err *err) {
    char *scratch = NULL;
    const char *part = cs_arena_sprintf(line->arena, "scratch/%s", name);
    CS_TRY(cli_data_dir_make(stack->dir, line->arena, part, &scratch, err));
    put_flag(line, "--storage", stack->storage);
    put_flag(line, "--scratch-dir", scratch);
    if (stack->config->slots != 0) {
        put_number(line, slots, stack->config->slots, "");
    }
    return CS_OK;
}

/* The local provider's predictions are its memory of what was paid: they outlive every scratch directory. */
static enum cs_status put_ledger(const struct cli_stack *stack, struct line *line, struct cs_err *err) {
    char *ledger = NULL;
    CS_TRY(cli_data_dir_make(stack->dir, line->arena, "ledger", &ledger, err));
    put_flag(line, "--local-ledger", ledger);
    return CS_OK;
}

static enum cs_status start_worker(const struct cli_stack *stack, const char *name, const char *address,
                                   struct cs_arena *arena, struct line *ret_line, struct cs_err *err) {
    *ret_line = line_for(stack, arena, cs_arena_sprintf(arena, "callsheet-%s", name));
    CS_TRY(put_listen(ret_line, address, err));
    if (stack->config->allow_private_targets) {
        put(ret_line, "--allow-private-targets");
    }
    return CS_OK;
}

static enum cs_status launch_media(void *ctx, const char *address, struct cs_arena *arena,
                                   struct cs_process_spec *ret_spec, struct cs_err *err) {
    const struct replica *media = ctx;
    struct line line;
    CS_TRY(start_worker(media->stack, "media", address, arena, &line, err));
    CS_TRY(put_rendering(media->stack, &line, media->name, "--slots", err));
    *ret_spec = spec_of(&line);
    return CS_OK;
}

static enum cs_status launch_providers(void *ctx, const char *address, struct cs_arena *arena,
                                       struct cs_process_spec *ret_spec, struct cs_err *err) {
    struct line line;
    CS_TRY(start_worker(ctx, "providers", address, arena, &line, err));
    CS_TRY(put_rendering(ctx, &line, "providers", "--local-slots", err));
    CS_TRY(put_ledger(ctx, &line, err));
    *ret_spec = spec_of(&line);
    return CS_OK;
}

static enum cs_status launch_webhooks(void *ctx, const char *address, struct cs_arena *arena,
                                      struct cs_process_spec *ret_spec, struct cs_err *err) {
    struct line line;
    CS_TRY(start_worker(ctx, "webhooks", address, arena, &line, err));
    *ret_spec = spec_of(&line);
    return CS_OK;
}

/* ---- orchestrator, gateway ---- */

/* "HOST:PORT,HOST:PORT" of members that are ready. */
static const char *addresses_of(const struct cli_stack *stack, const char *const *names, size_t count,
                                struct cs_arena *arena) {
    const char *list = "";
    for (size_t i = 0; i < count; i++) {
        list = cs_arena_sprintf(arena, "%s%s%s", list, i != 0 ? "," : "", cli_sup_address(stack->sup, names[i]));
    }
    return list;
}

static const char *workers_of(const struct cli_stack *stack, struct cs_arena *arena) {
    return cs_arena_sprintf(arena, "%s,%s", addresses_of(stack, media_names, (size_t)stack->config->media, arena),
                            addresses_of(stack, worker_names, CS_COUNT(worker_names), arena));
}

static const char *public_url(const struct cli_stack *stack) {
    return stack->config->public_url[0] != '\0' ? stack->config->public_url : stack->url;
}

static enum cs_status launch_orchestrator(void *ctx, const char *address, struct cs_arena *arena,
                                          struct cs_process_spec *ret_spec, struct cs_err *err) {
    const struct replica *orchestrator = ctx;
    const struct cli_stack *stack = orchestrator->stack;
    struct line line = line_for(stack, arena, "callsheet-orchestrator");
    CS_TRY(put_listen(&line, address, err));
    put_flag(&line, "--workers", workers_of(stack, arena));
    put_flag(&line, "--replica", orchestrator->name);
    put_flag(&line, "--public-url", public_url(stack));
    set(&line, "DATABASE_URL", stack->postgres != NULL ? stack->database_url : stack->config->database_url);
    set(&line, "CALLSHEET_LINK_SECRET", stack->dir->link_secret);
    *ret_spec = spec_of(&line);
    return CS_OK;
}

static enum cs_status launch_gateway(void *ctx, __attribute__((unused)) const char *address, struct cs_arena *arena,
                                     struct cs_process_spec *ret_spec, __attribute__((unused)) struct cs_err *err) {
    const struct cli_stack *stack = ctx;
    struct line line = line_for(stack, arena, "callsheet-gateway");
    put_number(&line, "--listen-fd", LISTEN_FD, "");
    put_flag(&line, "--orchestrator",
             addresses_of(stack, orchestrator_names, (size_t)stack->config->orchestrators, arena));
    put_flag(&line, "--storage", stack->storage);
    put_flag(&line, "--public-url", public_url(stack));
    set(&line, "CALLSHEET_LINK_SECRET", stack->dir->link_secret);
    set(&line, "CALLSHEET_API_KEYS", stack->config->api_keys);
    *ret_spec = spec_of(&line);
    ret_spec->fds = &stack->gateway_fd;
    ret_spec->fd_count = 1;
    return CS_OK;
}

/* ---- postgres ---- */

static enum cs_status launch_postgres(void *ctx, __attribute__((unused)) const char *address,
                                      __attribute__((unused)) struct cs_arena *arena, struct cs_process_spec *ret_spec,
                                      __attribute__((unused)) struct cs_err *err) {
    const struct cli_stack *stack = ctx;
    *ret_spec = cs_pg_server_spec(stack->postgres);
    return CS_OK;
}

static bool probe_postgres(void *ctx, char ret_address[CLI_ADDRESS_MAX]) {
    struct cli_stack *stack = ctx;
    struct cs_err ignored = {0};
    if (stack->database_url[0] == '\0') { /* the first time it may have to be created */
        if (cs_pg_server_database(stack->postgres, "callsheet", stack->database_url, &ignored) != CS_OK) {
            stack->database_url[0] = '\0';
            return false;
        }
    }
    CS_AUTO(cs_pg) *pg = NULL;
    cs_str_copy(ret_address, CLI_ADDRESS_MAX, stack->database_url); /* has no secret: a socket that only we reach */
    return cs_pg_open(stack->database_url, NULL, &pg, &ignored) == CS_OK;
}

/* ---- life ---- */

/* What this machine can dial: not the wildcard addresses. */
static const char *url_of(const char *listen, uint16_t port, struct cs_arena *arena) {
    const char *colon = strrchr(listen, ':');
    char *host = cs_arena_strndup(arena, listen, (size_t)(colon - listen));
    bool any = cs_str_eq(host, "0.0.0.0") || cs_str_eq(host, "[::]") || cs_str_eq(host, "::");
    return cs_arena_sprintf(arena, "http://%s:%u", any ? "127.0.0.1" : host, port);
}

static void add(struct cli_stack *stack, struct cli_member_spec spec) {
    spec.ctx = spec.ctx != NULL ? spec.ctx : stack;
    spec.stop_signal = spec.stop_signal != 0 ? spec.stop_signal : SIGTERM;
    cli_sup_add(stack->sup, &spec);
}

static void add_members(struct cli_stack *stack) {
    if (stack->postgres != NULL) {
        add(stack, (struct cli_member_spec){.name = "postgres",
                                            .stage = STAGE_POSTGRES,
                                            .launch = launch_postgres,
                                            .probe = probe_postgres,
                                            .stop_signal = SIGINT /* fast: ends the sessions */});
    }
    for (int64_t i = 0; i < stack->config->media; i++) {
        struct replica *one = &stack->media[i];
        *one = (struct replica){stack, media_names[i]};
        add(stack,
            (struct cli_member_spec){.name = one->name, .stage = STAGE_WORKERS, .launch = launch_media, .ctx = one});
    }
    add(stack, (struct cli_member_spec){.name = "providers", .stage = STAGE_WORKERS, .launch = launch_providers});
    add(stack, (struct cli_member_spec){.name = "webhooks", .stage = STAGE_WORKERS, .launch = launch_webhooks});
    for (int64_t i = 0; i < stack->config->orchestrators; i++) {
        struct replica *one = &stack->orchestrators[i];
        *one = (struct replica){stack, orchestrator_names[i]};
        add(stack, (struct cli_member_spec){
                       .name = one->name, .stage = STAGE_ORCHESTRATOR, .launch = launch_orchestrator, .ctx = one});
    }
    add(stack, (struct cli_member_spec){.name = "gateway", .stage = STAGE_GATEWAY, .launch = launch_gateway});
}

static enum cs_status prepare_storage(struct cli_stack *stack, struct cs_err *err) {
    char *path = NULL;
    stack->storage = stack->config->storage;
    if (stack->storage[0] == '\0') {
        CS_TRY(cli_data_dir_make(stack->dir, stack->arena, "storage", &path, err));
        stack->storage = path;
    }
    return CS_OK;
}

enum cs_status cli_stack_create(const struct cli_up_config *config, const struct cli_data_dir *dir, struct cli_sup *sup,
                                struct cli_stack **ret_stack, struct cs_err *err) {
    CS_AUTO(cli_stack) *stack = cs_alloc(sizeof(*stack));
    stack->config = config;
    stack->dir = dir;
    stack->sup = sup;
    stack->arena = cs_arena_create();
    stack->listen_fd = -1;
    uint16_t port = 0;
    CS_TRY(cli_listen(config->listen, &stack->listen_fd, &port, err));
    stack->gateway_fd = (struct cs_process_fd){.ours = stack->listen_fd, .theirs = LISTEN_FD};
    stack->url = url_of(config->listen, port, stack->arena);
    CS_TRY(prepare_storage(stack, err));
    if (config->database_url[0] == '\0') {
        cs_log_info("preparing the private database");
        CS_TRY(cs_pg_server_prepare(cli_data_dir_path(dir, stack->arena, "postgres"), CS_PG_SERVER_DURABLE,
                                    &stack->postgres, err));
    }
    add_members(stack);
    *ret_stack = cs_steal(&stack);
    return CS_OK;
}

void cli_stack_destroy(struct cli_stack *stack) {
    if (stack == NULL) {
        return;
    }
    cs_pg_server_destroy(stack->postgres);
    if (stack->listen_fd >= 0) {
        (void)close(stack->listen_fd);
    }
    cs_arena_destroy(stack->arena);
    free(stack);
}
