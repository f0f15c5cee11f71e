#include "wire/map_template.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/json.h"

enum { NAME_BYTES_MAX = 128 };

/* ---- what a placeholder stands for ---- */

static enum cs_status fail_member(const char *name, uint32_t index, struct cs_err *err) {
    return cs_fail(err, CS_INVALID_ARGUMENT, "no_such_member", "item %u has no \"%s\"", index, name);
}

/* One step down: a member of an object, or an element of an array. */
static const json_t *step_into(const json_t *value, const char *name) {
    int64_t at = 0;
    if (json_is_object(value)) {
        return json_object_get(value, name);
    }
    return json_is_array(value) && cs_parse_i64(name, 0, INT32_MAX, &at) ? json_array_get(value, (size_t)at) : NULL;
}

/* path: "item", "item.title", "index". The caller's reference. */
static enum cs_status look_up(const struct orc_map_item *item, const char *path, json_t **ret_value,
                              struct cs_err *err) {
    char copy[NAME_BYTES_MAX];
    cs_str_copy(copy, sizeof(copy), path);
    char *rest = copy;
    const char *first = strsep(&rest, ".");
    if (strcmp(first, "index") == 0 && rest == NULL) {
        *ret_value = json_integer(item->index);
        return CS_OK;
    }
    if (strcmp(first, "item") != 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_placeholder", "{{%.64s}} is neither {{item…}} nor {{index}}",
                       path);
    }
    const json_t *value = item->value;
    for (const char *name = strsep(&rest, "."); name != NULL; name = strsep(&rest, ".")) {
        value = step_into(value, name);
        if (value == NULL) {
            return fail_member(path, item->index, err);
        }
    }
    *ret_value = json_incref((json_t *)value);
    return CS_OK;
}

/* The next placeholder of a text: where it begins and what is behind it. NULL: there is none (or it does not end). */
static const char *find_placeholder(const char *text, char ret_path[static NAME_BYTES_MAX], const char **ret_rest) {
    const char *begin = strstr(text, "{{");
    const char *end = begin != NULL ? strstr(begin, "}}") : NULL;
    if (end == NULL) {
        return NULL;
    }
    const char *from = begin + 2;
    const char *to = end;
    while (from < to && *from == ' ') {
        from++;
    }
    while (to > from && to[-1] == ' ') {
        to--;
    }
    size_t length = (size_t)(to - from) < NAME_BYTES_MAX - 1 ? (size_t)(to - from) : NAME_BYTES_MAX - 1;
    memcpy(ret_path, from, length);
    ret_path[length] = '\0';
    *ret_rest = end + 2;
    return begin;
}

/* ---- texts ---- */

static void put_value(struct cs_buf *out, const json_t *value) {
    if (json_is_string(value)) {
        cs_buf_put(out, json_string_value(value), json_string_length(value));
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    cs_buf_puts(out, text);
    free(text);
}

static enum cs_status fill_parts(const char *text, const struct orc_map_item *item, struct cs_buf *out,
                                 struct cs_err *err) {
    char path[NAME_BYTES_MAX];
    const char *rest = NULL;
    const char *begin = NULL;
    while ((begin = find_placeholder(text, path, &rest)) != NULL) {
        json_t *value = NULL;
        CS_TRY(look_up(item, path, &value, err));
        cs_buf_put(out, text, (size_t)(begin - text));
        put_value(out, value);
        json_decref(value);
        text = rest;
    }
    cs_buf_puts(out, text);
    return CS_OK;
}

/* One that is nothing but a placeholder takes the value with its type. */
static enum cs_status fill_text(const json_t *template, const struct orc_map_item *item, json_t **ret_filled,
                                struct cs_err *err) {
    const char *text = json_string_value(template);
    char path[NAME_BYTES_MAX];
    const char *rest = NULL;
    const char *begin = find_placeholder(text, path, &rest);
    if (begin == NULL) {
        *ret_filled = json_incref((json_t *)template);
        return CS_OK;
    }
    if (begin == text && *rest == '\0') {
        return look_up(item, path, ret_filled, err);
    }
    CS_AUTO_BUF filled = {0};
    CS_TRY(fill_parts(text, item, &filled, err));
    *ret_filled = json_stringn(filled.data, filled.size);
    if (*ret_filled == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_placeholder", "item %u makes no text", item->index);
    }
    return CS_OK;
}

/* ---- media ---- */

static bool is_whole_item(const json_t *value) {
    char path[NAME_BYTES_MAX];
    const char *rest = NULL;
    const char *text = json_string_value(value);
    return text != NULL && find_placeholder(text, path, &rest) == text && *rest == '\0' && strcmp(path, "item") == 0;
}

/* {"job": "{{item}}"} where items are outputs of a job. */
static json_t *output_ref(const struct orc_map_item *item) {
    return json_pack("{s:s, s:I}", "job", item->job, "output", (json_int_t)item->index + 1);
}

/* {"ref": text}: a URL or a job's id, which only the item tells. */
static enum cs_status fill_ref(const json_t *ref, const struct orc_map_item *item, json_t **ret_filled,
                               struct cs_err *err) {
    json_t *value = NULL;
    CS_TRY(fill_text(ref, item, &value, err));
    if (json_is_object(value)) { /* {"url": …} */
        *ret_filled = value;
        return CS_OK;
    }
    const char *text = json_string_value(value);
    *ret_filled = json_pack("{s:O}", text != NULL && strstr(text, "://") != NULL ? "url" : "job", value);
    json_decref(value);
    return CS_OK;
}

/* ---- all ---- */

static enum cs_status fill_object(const json_t *template, const struct orc_map_item *item, json_t **ret_filled,
                                  struct cs_err *err) {
    const json_t *ref = json_object_get(template, "ref");
    bool only_ref = json_is_string(ref) && json_object_size(template) == 1;
    if (item->job != NULL && (is_whole_item(json_object_get(template, "job")) || (only_ref && is_whole_item(ref)))) {
        *ret_filled = output_ref(item);
        return CS_OK;
    }
    if (only_ref) {
        return fill_ref(ref, item, ret_filled, err);
    }
    CS_AUTO_JSON *filled = json_object();
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)template, name, member) {
        json_t *value = NULL;
        CS_TRY(orc_map_fill(member, item, &value, err));
        (void)json_object_set_new(filled, name, value);
    }
    *ret_filled = json_incref(filled);
    return CS_OK;
}

static enum cs_status fill_array(const json_t *template, const struct orc_map_item *item, json_t **ret_filled,
                                 struct cs_err *err) {
    CS_AUTO_JSON *filled = json_array();
    for (size_t i = 0; i < json_array_size(template); i++) {
        json_t *value = NULL;
        CS_TRY(orc_map_fill(json_array_get(template, i), item, &value, err));
        (void)json_array_append_new(filled, value);
    }
    *ret_filled = json_incref(filled);
    return CS_OK;
}

/* Recurses as deep as cs_json_parse lets a text nest. */
enum cs_status orc_map_fill(const json_t *template, const struct orc_map_item *item, json_t **ret_filled,
                            struct cs_err *err) {
    if (json_is_string(template)) {
        return fill_text(template, item, ret_filled, err);
    }
    if (json_is_object(template)) {
        return fill_object(template, item, ret_filled, err);
    }
    if (json_is_array(template)) {
        return fill_array(template, item, ret_filled, err);
    }
    *ret_filled = json_incref((json_t *)template);
    return CS_OK;
}
