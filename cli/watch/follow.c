#include "watch/follow.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "watch/screen.h"

enum { PAUSE_FIRST_MS = 100, PAUSE_MAX_MS = 5000 };

struct follow {
    struct cli_execution execution;
    struct cli_screen screen;
    bool quiet;
    bool changed; /* since it was shown */
    bool begun;   /* a snapshot has come */
    int64_t heard_ms;
};

static bool take_event(const char *name, const json_t *data, void *ctx) {
    struct follow *follow = ctx;
    bool snapshot = cs_str_eq(name, "snapshot");
    if (snapshot || (cs_str_eq(name, "update") && follow->begun)) {
        cli_execution_apply(&follow->execution, data, snapshot);
        follow->begun = follow->changed = true;
        follow->heard_ms = cs_clock_mono_ms();
    }
    if (name == NULL && follow->changed && !follow->quiet) {
        cli_screen_show(&follow->screen, &follow->execution);
        follow->changed = false;
    }
    return name != NULL || !follow->begun || !cli_execution_terminal(&follow->execution);
}

/* What another stream may cure. */
static bool may_recover(const struct follow *follow, enum cs_status status) {
    bool passing = status == CS_OK || status == CS_UNAVAILABLE || status == CS_DEADLINE_EXCEEDED ||
                   status == CS_RESOURCE_EXHAUSTED || status == CS_INTERNAL;
    return passing && follow->begun && cs_clock_mono_ms() - follow->heard_ms < CLI_FOLLOW_PATIENCE_MS;
}

static enum cs_status follow_to_end(struct cli_client *client, const char *id, struct follow *follow,
                                    struct cs_err *err) {
    for (int64_t pause_ms = PAUSE_FIRST_MS;;) {
        int64_t heard_ms = follow->heard_ms;
        enum cs_status status = cli_client_events(client, id, take_event, follow, err);
        if (follow->begun && cli_execution_terminal(&follow->execution)) {
            return CS_OK;
        }
        if (!may_recover(follow, status)) {
            return status != CS_OK ? status
                                   : cs_fail(err, CS_UNAVAILABLE, "stream_ended", "the events of %s ended early", id);
        }
        pause_ms = follow->heard_ms != heard_ms ? PAUSE_FIRST_MS : pause_ms * 2;
        pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
        (void)poll(NULL, 0, (int)pause_ms);
    }
}

enum cs_status cli_follow(struct cli_client *client, const char *id, bool quiet, bool *ret_completed,
                          struct cs_err *err) {
    struct follow follow = {.quiet = quiet, .heard_ms = cs_clock_mono_ms()};
    cli_screen_init(&follow.screen, STDOUT_FILENO);
    enum cs_status status = follow_to_end(client, id, &follow, err);
    if (status == CS_OK) {
        *ret_completed = cli_execution_completed(&follow.execution);
        if (!quiet) {
            cli_screen_end(&follow.screen, &follow.execution);
        }
    }
    cli_screen_fini(&follow.screen);
    cli_execution_fini(&follow.execution);
    return status;
}
