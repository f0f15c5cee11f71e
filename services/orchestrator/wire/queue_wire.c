#include "wire/queue_wire.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "wire/plan_wire.h"

static enum cs_status check_priority(const Google__Protobuf__UInt32Value *priority, struct cs_err *err) {
    if (priority != NULL && priority->value >= ORC_PRIORITIES) {
        return cs_fail_at(err, "priority", "bad_priority", "a priority is 0 to %d", ORC_PRIORITIES - 1);
    }
    return CS_OK;
}

enum cs_status orc_plan_queueing_check(const Callsheet__V1__Plan *plan, struct cs_err *err) {
    return check_priority(plan->priority, err);
}

enum cs_status orc_job_queueing_check(const Callsheet__V1__Job *job, struct cs_err *err) {
    CS_TRY(check_priority(job->priority, err));
    size_t length = strlen(job->concurrency_key);
    bool printable = true;
    for (size_t i = 0; i < length; i++) {
        printable = printable && (unsigned char)job->concurrency_key[i] >= ' ' && job->concurrency_key[i] != 0x7f;
    }
    if (length > ORC_CONCURRENCY_KEY_BYTES_MAX || !printable) {
        return cs_fail_at(err, "concurrencyKey", "bad_concurrency",
                          "a concurrency key has at most %d bytes and no control characters",
                          ORC_CONCURRENCY_KEY_BYTES_MAX);
    }
    if (job->concurrency_limit > ORC_CONCURRENCY_LIMIT_MAX || (job->concurrency_limit != 0 && length == 0)) {
        return cs_fail_at(err, "concurrencyLimit", "bad_concurrency", "a concurrency limit is 1 to %d and needs a key",
                          ORC_CONCURRENCY_LIMIT_MAX);
    }
    return CS_OK;
}

/* The field `provider` of its parameters. */
static const char *provider_of(const Callsheet__V1__Job *job) {
    const ProtobufCMessage *params = cs_operation_params(job->operation);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(params->descriptor, "provider");
    if (field == NULL || field->type != PROTOBUF_C_TYPE_STRING || field->label == PROTOBUF_C_LABEL_REPEATED) {
        return NULL;
    }
    const char *provider = *(const char *const *)((const char *)params + field->offset);
    return cs_str_empty(provider) ? NULL : provider;
}

void orc_job_queueing(const Callsheet__V1__Plan *plan, const Callsheet__V1__Job *job, struct orc_job_draft *draft) {
    const Google__Protobuf__UInt32Value *priority = job->priority != NULL ? job->priority : plan->priority;
    bool known = priority != NULL && priority->value < ORC_PRIORITIES;
    draft->priority = known ? (uint8_t)priority->value : (uint8_t)ORC_PRIORITY_DEFAULT;
    draft->provider = provider_of(job);
    if (!cs_str_empty(job->concurrency_key)) {
        draft->concurrency_key = job->concurrency_key;
        draft->concurrency_limit = job->concurrency_limit != 0 ? job->concurrency_limit : 1;
    }
}
