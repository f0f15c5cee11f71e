/*
 * run_id: the names of tracked runs.
 *
 *     261125-093000  261125-093000-_2  261125-093000-acme  261125-093000-_2-acme-west
 *     `--- base ---'  `---- base ----'                `client'
 *
 * The base is the second of the start (UTC) and, from the second run of that second on, a number. A client never begins
 * with "_", so the parts can be told from each other.
 *
 * Threads  pure.
 * Trust    ids and clients come from clients as they are.
 */
#ifndef ORC_DOMAIN_RUN_ID_H
#define ORC_DOMAIN_RUN_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"

enum {
    ORC_RUN_CLIENT_BYTES_MAX = 40,
    ORC_RUN_NUMBER_MAX = 999999, /* runs of a tenant in one second */
    ORC_RUN_ID_SIZE = 64,        /* of any id, with NUL */
};

struct orc_run_id {
    char text[ORC_RUN_ID_SIZE];
    char base[ORC_RUN_ID_SIZE];
    char client[ORC_RUN_CLIENT_BYTES_MAX + 1]; /* "" none */
};

/* 1 … ORC_RUN_CLIENT_BYTES_MAX bytes of [A-Za-z0-9_-], not "_" in front. "" is none and fine. "bad_client" at
 * "client". */
enum cs_status orc_run_client_check(const char *client, struct cs_err *err) CS_MUST_USE;

/* The id of run number 1, 2 … that starts in this second. client was checked. */
void orc_run_id_make(int64_t unix_s, int64_t number, const char *client, struct orc_run_id *ret_id);

/* Reads an id, without a ".0" behind it. "bad_run_id" at "runId"; also for NULL. */
enum cs_status orc_run_id_parse(const char *text, struct orc_run_id *ret_id, struct cs_err *err) CS_MUST_USE;

/* Puts a client behind a base; one that is there already, or "", changes nothing. "client_mismatch" at "client" when
 * another one is there. */
enum cs_status orc_run_id_with_client(const struct orc_run_id *id, const char *client, struct orc_run_id *ret_id,
                                      struct cs_err *err) CS_MUST_USE;

#endif
