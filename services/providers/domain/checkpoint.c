#include "domain/checkpoint.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/json.h"

static const char *const phase_words[] = {"none", "intent", "submitted", "closed"};

static enum cs_status bad(struct cs_err *err) {
    return cs_fail(err, CS_INVALID_ARGUMENT, "bad_checkpoint", "the checkpoint is not one of the providers service");
}

static bool read_text(const json_t *object, const char *name, char *ret_text, size_t capacity) {
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL || strlen(text) >= capacity) {
        return false;
    }
    cs_str_copy(ret_text, capacity, text);
    return true;
}

static enum prv_phase phase_of(const char *word) {
    for (size_t i = 1; word != NULL && i < CS_COUNT(phase_words); i++) {
        if (cs_str_eq(word, phase_words[i])) {
            return (enum prv_phase)i;
        }
    }
    return PRV_PHASE_NONE;
}

enum cs_status prv_checkpoint_parse(const void *bytes, size_t size_bytes, struct prv_checkpoint *ret_checkpoint,
                                    struct cs_err *err) {
    struct prv_checkpoint checkpoint = {0};
    if (size_bytes == 0) {
        *ret_checkpoint = checkpoint;
        return CS_OK;
    }
    CS_AUTO_JSON *object = NULL;
    if (size_bytes > PRV_CHECKPOINT_BYTES_MAX || cs_json_parse(bytes, size_bytes, &object, NULL) != CS_OK) {
        return bad(err);
    }
    checkpoint.phase = phase_of(json_string_value(json_object_get(object, "phase")));
    checkpoint.number = json_integer_value(json_object_get(object, "number"));
    checkpoint.intent_unix_ms = json_integer_value(json_object_get(object, "intentUnixMs"));
    bool whole = checkpoint.phase != PRV_PHASE_NONE && checkpoint.number > 0 &&
                 read_text(object, "provider", checkpoint.provider, sizeof(checkpoint.provider)) &&
                 read_text(object, "model", checkpoint.model, sizeof(checkpoint.model)) &&
                 read_text(object, "key", checkpoint.key, sizeof(checkpoint.key)) &&
                 read_text(object, "id", checkpoint.id, sizeof(checkpoint.id));
    if (!whole || (checkpoint.phase == PRV_PHASE_SUBMITTED && checkpoint.id[0] == '\0')) {
        return bad(err);
    }
    *ret_checkpoint = checkpoint;
    return CS_OK;
}

void prv_checkpoint_format(const struct prv_checkpoint *checkpoint, struct cs_buf *out) {
    CS_AUTO_JSON *object =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:I}", "phase", phase_words[checkpoint->phase], "provider",
                  checkpoint->provider, "model", checkpoint->model, "number", (json_int_t)checkpoint->number, "key",
                  checkpoint->key, "id", checkpoint->id, "intentUnixMs", (json_int_t)checkpoint->intent_unix_ms);
    CS_AUTO_FREE char *text = json_dumps(object, JSON_COMPACT);
    cs_buf_puts(out, text);
}
