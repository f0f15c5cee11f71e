/* Maps: a list of items, and the job that is made of each. */
#include <stdlib.h>
#include <string.h>

#include "dialect/reader.h"
#include "dialect/rules.h"

/* {job: …}: each output of that job is an item. */
static enum cs_status items_from(struct job_reader *job, const json_t *value, struct cs_err *err) {
    json_t *ref = NULL;
    CS_TRY(read_media(value, MEDIA_TEXT_ANY, job_client_param(job, "items"), job->arena, &ref, NULL, err));
    return job_put(job, "itemsFrom", "items", ref, err);
}

/* Any JSON values; the orchestrator takes each as text. */
enum cs_status map_items(struct job_reader *job, const json_t *value, struct cs_err *err) {
    const char *path = job_client_param(job, "items");
    if (!json_is_array(value)) {
        return items_from(job, value, err);
    }
    if (json_array_size(value) > GW_MAP_ITEMS_MAX) {
        return cs_fail_at(err, path, "too_many", "at most %d items are allowed", GW_MAP_ITEMS_MAX);
    }
    CS_AUTO_JSON *items = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        char *text = json_dumps(json_array_get(value, i), JSON_ENCODE_ANY | JSON_COMPACT);
        (void)json_array_append_new(items, json_string(text));
        free(text);
    }
    return job_put(job, "items", "items", json_incref(items), err);
}

/* What the orchestrator reads in the native form takes the same names here. */
static void copy_members(const json_t *template, json_t *native) {
    static const char *const same[] = {"output",           "priority",  "concurrencyKey", "concurrencyLimit",
                                       "dependencyPolicy", "dependsOn", "cache",          "optionalDependencies",
                                       "timeoutMs",        "retry",     "queueTimeoutMs", NULL};
    for (const char *const *name = same; *name != NULL; name++) {
        const json_t *value = member(template, *name);
        if (value != NULL) {
            (void)json_object_set(native, *name, (json_t *)value);
        }
    }
}

static enum cs_status read_template(struct job_reader *item, const json_t *template, json_t *native,
                                    struct cs_err *err) {
    static const char *const known[] = {"operation",
                                        "params",
                                        "output",
                                        "priority",
                                        "concurrencyKey",
                                        "concurrencyLimit",
                                        "dependsOn",
                                        "dependencyPolicy",
                                        "optionalDependencies",
                                        "timeoutMs",
                                        "queueTimeoutMs",
                                        "retry",
                                        "cache",
                                        NULL};
    const struct cs_operation *operation = NULL;
    CS_TRY(need_object(template, item->client, err));
    CS_TRY(need_only(template, item->client, known, item->arena, err));
    CS_TRY(read_operation(item, template, &operation, err));
    item->params = member(template, "params");
    CS_TRY(need_object(item->params, path_member(item->arena, item->client, "params"), err));
    CS_TRY(read_params(item, operation, err));
    (void)json_object_set_new(native, "operation", json_pack("{s:O}", operation->name, item->out));
    copy_members(template, native);
    return CS_OK;
}

/* A job without id, whose strings may have placeholders. Its parameters get their native names here; that they are good
 * ones is seen when the items have been filled in. */
enum cs_status map_job(struct job_reader *job, const json_t *value, struct cs_err *err) {
    CS_AUTO_JSON *out = json_object();
    CS_AUTO_JSON *native = json_object();
    struct job_reader item = {
        .arena = job->arena,
        .paths = job->paths,
        .client = job_client_param(job, "job"),
        .native = job_native_param(job, "job"),
        .out = out,
    };
    CS_TRY(read_template(&item, value, native, err));
    char *text = json_dumps(native, JSON_COMPACT);
    enum cs_status status = job_put(job, "job", "job", json_string(text), err);
    free(text);
    return status;
}
