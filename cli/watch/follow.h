/*
 * follow: watches one execution to its end, over as many event streams as it takes.
 */
#ifndef CLI_WATCH_FOLLOW_H
#define CLI_WATCH_FOLLOW_H

#include "api/client.h"

/* Shows it on standard output unless quiet. ret_completed: it ended well (not failed or cancelled). A stream that
 * breaks is opened again, with a backoff, for FOLLOW_PATIENCE_MS since the last sign of life. */
enum { CLI_FOLLOW_PATIENCE_MS = 600000 };
enum cs_status cli_follow(struct cli_client *client, const char *id, bool quiet, bool *ret_completed,
                          struct cs_err *err) CS_MUST_USE;

#endif
