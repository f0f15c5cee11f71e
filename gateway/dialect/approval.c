/* requiresApproval of a job or a plan: true, or as the proto has it; "reason" is another word for its prompt. */
#include "dialect/reader.h"

static enum cs_status read_rule(const json_t *value, const char *path, struct cs_arena *arena,
                                Callsheet__V1__ApprovalRule **ret_rule, struct cs_err *err) {
    CS_AUTO_JSON *rule = json_is_object(value) ? json_copy((json_t *)value) : json_object();
    json_t *reason = json_object_get(rule, "reason");
    ProtobufCMessage *message = NULL;
    if (reason != NULL && json_object_get(rule, "prompt") != NULL) {
        return cs_fail_at(err, path_member(arena, path, "reason"), "one_of", "%s has a prompt already", path);
    }
    if (reason != NULL) {
        (void)json_object_set(rule, "prompt", reason);
        (void)json_object_del(rule, "reason");
    }
    CS_TRY(cs_json_to_message(rule, &callsheet__v1__approval_rule__descriptor, path, arena, &message, err));
    *ret_rule = (Callsheet__V1__ApprovalRule *)message;
    return CS_OK;
}

enum cs_status read_approval(const json_t *object, const char *at, struct cs_arena *arena,
                             Callsheet__V1__ApprovalRule **ret_rule, struct cs_err *err) {
    const json_t *value = member(object, "requiresApproval");
    const char *path = path_member(arena, at, "requiresApproval");
    if (value == NULL || json_is_false(value)) {
        return CS_OK;
    }
    if (!json_is_true(value) && !json_is_object(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be true or an object", path);
    }
    return read_rule(value, path, arena, ret_rule, err);
}
