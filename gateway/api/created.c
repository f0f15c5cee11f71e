#include "api/created.h"

#include <string.h>

#include "cs/base/text.h"

enum cs_status gw_api_idempotency_key(const struct gw_request *request, const struct gw_submission *submission,
                                      struct cs_err *err) {
    Callsheet__V1__CreateExecutionRequest *create = submission->request;
    const char *key = gw_request_header(request, "Idempotency-Key");
    if (key == NULL) {
        return CS_OK;
    }
    size_t length = strlen(key);
    if (length == 0 || length > GW_IDEMPOTENCY_KEY_BYTES_MAX || !cs_utf8_valid(key, length)) {
        return cs_fail_at(err, "Idempotency-Key", "bad_idempotency_key", "Idempotency-Key has 1 to %d bytes of UTF-8",
                          GW_IDEMPOTENCY_KEY_BYTES_MAX);
    }
    if (create->idempotency_key[0] != '\0' && strcmp(create->idempotency_key, key) != 0) {
        return cs_fail_at(err, "idempotencyKey", "one_of", "Idempotency-Key and idempotencyKey say different things");
    }
    create->idempotency_key = (char *)key; /* packed before the headers go */
    gw_paths_add(submission->paths, "idempotencyKey", "Idempotency-Key");
    return CS_OK;
}

void gw_answer_created(struct gw_request *request, const Callsheet__V1__CreateExecutionReply *created, json_t *body) {
    gw_answer_header(request, "Location",
                     cs_arena_sprintf(gw_request_arena(request), "/v1/executions/%s", created->execution_id));
    if (created->existing) {
        gw_answer_header(request, "Idempotency-Replayed", "true");
    }
    gw_answer_json(request, 202, body);
}
