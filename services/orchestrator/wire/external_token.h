/*
 * external_token: what lets somebody outside report about one attempt of an external job.
 *
 *     ext.{tenant}.{execution}.{attempt}.{hex of an HMAC-SHA256 over all}.{job's id}
 *
 * The key of the HMAC is derived from the secret of links, so a token is no link and a link no token. Whoever has it
 * may end that attempt, nothing else. The program does not start without a secret that is long enough.
 *
 * Fails    NOT_FOUND "no_such_work" for everything that is not a token of ours.
 * Threads  pure.
 * Trust    tokens come from anybody; the HMAC is compared in constant time before anything in them is believed.
 */
#ifndef ORC_WIRE_EXTERNAL_TOKEN_H
#define ORC_WIRE_EXTERNAL_TOKEN_H

#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "wire/plan_wire.h"

enum { ORC_EXTERNAL_TOKEN_BYTES_MAX = 400 };

struct orc_external_token {
    char tenant[ORC_TENANT_BYTES_MAX + 1];
    char execution[24];
    char job[ORC_JOB_ID_BYTES_MAX + 1];
    uint32_t attempt;
};

char *orc_external_token_format(const char *secret, const struct orc_external_token *token, struct cs_arena *arena);
enum cs_status orc_external_token_parse(const char *secret, const char *text, struct orc_external_token *ret_token,
                                        struct cs_err *err) CS_MUST_USE;

/* The one answer to what is not the token of a current attempt. */
enum cs_status orc_external_unknown(struct cs_err *err);

#endif
