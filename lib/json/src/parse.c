#include <string.h>

#include "cs/base/text.h"
#include "cs/json.h"

/* jansson recurses to 2,048 levels and allocates as it goes; we look before it leaps. */
static enum cs_status check_shape(const char *text, size_t size_bytes, struct cs_err *err) {
    size_t depth = 0;
    size_t containers = 0;
    bool in_string = false;
    for (size_t i = 0; i < size_bytes; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > CS_JSON_DEPTH_MAX) {
                return cs_fail(err, CS_INVALID_ARGUMENT, "too_deep", "JSON is nested deeper than %d levels",
                               CS_JSON_DEPTH_MAX);
            }
            if (++containers > CS_JSON_CONTAINERS_MAX) {
                return cs_fail(err, CS_OUT_OF_RANGE, "too_big", "JSON has more than %d objects and arrays",
                               CS_JSON_CONTAINERS_MAX);
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return CS_OK;
}

static enum cs_status fail_parse(const json_error_t *error, struct cs_err *err) {
    const char *reason = "bad_json";
    if (json_error_code(error) == json_error_duplicate_key) {
        reason = "duplicate_member";
    } else if (json_error_code(error) == json_error_invalid_utf8) {
        reason = "bad_utf8";
    }
    /* jansson quotes the text nearby, which may hold a secret. */
    const char *near = strstr(error->text, " near '");
    int length = near != NULL ? (int)(near - error->text) : (int)strlen(error->text);
    return cs_fail(err, CS_INVALID_ARGUMENT, reason, "not valid JSON: %.*s at line %d, column %d", length, error->text,
                   error->line, error->column);
}

enum cs_status cs_json_parse(const char *text, size_t size_bytes, json_t **ret_value, struct cs_err *err) {
    if (size_bytes > CS_JSON_BYTES_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_big", "JSON has %zu bytes, at most %d are allowed", size_bytes,
                       CS_JSON_BYTES_MAX);
    }
    CS_TRY(check_shape(text, size_bytes, err));
    json_error_t error;
    json_t *value = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL) {
        return fail_parse(&error, err);
    }
    *ret_value = value;
    return CS_OK;
}
