#include "fetch_wire.h"

#include <stdio.h>

#include "cs/base/text.h"

enum { RETRY_AFTER_DEFAULT_MS = 1000 };

/* ---- answers ---- */

struct answer_row {
    int from;
    int to;
    enum cs_status status;
    const char *code; /* NULL: "http_" and the status */
    const char *message;
};

static const struct answer_row answers[] = {
    {200, 200, CS_OK, NULL, NULL},
    {300, 399, CS_INVALID_ARGUMENT, "input_redirects", "the input's server redirects too often"},
    {401, 401, CS_INVALID_ARGUMENT, "input_forbidden", "the input's server does not let us read it"},
    {403, 403, CS_INVALID_ARGUMENT, "input_forbidden", "the input's server does not let us read it"},
    {404, 404, CS_INVALID_ARGUMENT, "input_not_found", "the input does not exist"},
    {410, 410, CS_INVALID_ARGUMENT, "input_not_found", "the input does not exist any more"},
    {408, 408, CS_UNAVAILABLE, NULL, "the input's server was too slow"},
    {425, 425, CS_UNAVAILABLE, NULL, "the input's server wants to be asked again"},
    {429, 429, CS_RESOURCE_EXHAUSTED, NULL, "the input's server wants fewer requests"},
    {500, 599, CS_UNAVAILABLE, NULL, "the input's server has failed"},
    {0, 999, CS_INVALID_ARGUMENT, NULL, "the input's server refuses"},
};

static enum cs_status fail_answer(const struct answer_row *row, const struct cs_http_answer *answer,
                                  struct cs_err *ret_err) {
    char code[CS_ERR_REASON_MAX];
    (void)snprintf(code, sizeof(code), "http_%d", answer->status);
    (void)cs_fail(ret_err, row->status, row->code != NULL ? row->code : code, "%s (HTTP %d)", row->message,
                  answer->status);
    ret_err->retry_after_ms = answer->retry_after_ms;
    if (row->status == CS_RESOURCE_EXHAUSTED && answer->retry_after_ms == 0) {
        ret_err->retry_after_ms = RETRY_AFTER_DEFAULT_MS;
    }
    return row->status;
}

/* ---- no answer ---- */

struct failure_row {
    const char *reason; /* of http */
    enum cs_status status;
    const char *code;
};

/* What is not here keeps its status and reason: UNAVAILABLE "connect_failed" … */
static const struct failure_row failures[] = {
    {"target_not_allowed", CS_INVALID_ARGUMENT, "target_not_allowed"},
    {"bad_url", CS_INVALID_ARGUMENT, "bad_url"},
    {"too_big", CS_INVALID_ARGUMENT, "input_too_big"},
    {"timeout", CS_UNAVAILABLE, "input_timeout"},
    {"disk_full", CS_UNAVAILABLE, "disk_full"},
    {"file_too_big", CS_INVALID_ARGUMENT, "input_too_big"},
};

enum cs_status med_fetch_result(const struct cs_http_answer *answer, const struct cs_err *err, struct cs_err *ret_err) {
    if (err == NULL) {
        const struct answer_row *row = answers;
        while (answer->status < row->from || answer->status > row->to) {
            row++;
        }
        return row->status == CS_OK ? CS_OK : fail_answer(row, answer, ret_err);
    }
    for (size_t i = 0; i < CS_COUNT(failures); i++) {
        if (cs_str_eq(err->reason, failures[i].reason)) {
            return cs_fail(ret_err, failures[i].status, failures[i].code, "%s", err->message);
        }
    }
    *ret_err = *err;
    return err->status;
}
