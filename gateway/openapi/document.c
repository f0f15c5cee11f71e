#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/limits.h"
#include "callsheet/v1/media_types.pb-c.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/auto.h"
#include "cs/catalog.h"
#include "dialect/dialect.h"
#include "dialect/rules.h"
#include "openapi/openapi.h"
#include "openapi/schema.h"
#include "pipeline/pipeline.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

/* ---- the files ---- */

static const struct {
    const char *name;
    const char *text;
} files[] = {
#include "openapi_table.h"
};

/* They are a part of the program: each was read by a test. */
static json_t *read_file(const char *text) {
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert(value != NULL);
    return value;
}

static json_t *read_named(const char *name) {
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        if (strcmp(files[i].name, name) == 0) {
            return read_file(files[i].text);
        }
    }
    return json_object();
}

/* Paths and schemas of every file into the document's. */
static void join_files(json_t *paths, json_t *schemas) {
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        json_t *file = read_file(files[i].text);
        (void)json_object_update(paths, json_object_get(file, "paths"));
        (void)json_object_update(schemas, json_object_get(file, "schemas"));
        json_decref(file);
    }
}

/* ---- limits ---- */

static const struct {
    const char *name;
    json_int_t value;
} limits[] = {
    {"$CANCEL_REASON_BYTES_MAX", GW_CANCEL_REASON_BYTES_MAX},
    {"$IDEMPOTENCY_KEY_BYTES_MAX", GW_IDEMPOTENCY_KEY_BYTES_MAX},
    {"$JOB_ID_MAX", CS_JOB_ID_MAX},
    {"$JOB_INPUTS_MAX", CS_JOB_INPUTS_MAX},
    {"$MAP_ITEMS_MAX", GW_MAP_ITEMS_MAX},
    {"$PAGE_SIZE_DEFAULT", GW_PAGE_SIZE_DEFAULT},
    {"$PAGE_SIZE_MAX", GW_PAGE_SIZE_MAX},
    {"$PIPELINE_NAME_BYTES_MAX", GW_PIPELINE_NAME_BYTES_MAX},
    {"$PLAN_JOBS_MAX", CS_PLAN_JOBS_MAX},
    {"$TRANSITION_MS_MAX", GW_TRANSITION_MS_MAX},
    {"$URL_BYTES_MAX", CS_URL_BYTES_MAX},
    {"$WEBHOOK_SECRET_BYTES_MAX", GW_WEBHOOK_SECRET_BYTES_MAX},
};

/* A new reference to the limit that the text names; NULL none. */
static json_t *limit_of(const json_t *value) {
    const char *text = json_string_value(value);
    for (size_t i = 0; text != NULL && i < CS_COUNT(limits); i++) {
        if (strcmp(limits[i].name, text) == 0) {
            return json_integer(limits[i].value);
        }
    }
    return NULL;
}

static void put_limits(json_t *value) {
    const char *name = NULL;
    json_t *member = NULL;
    size_t index = 0;
    json_object_foreach(value, name, member) {
        json_t *limit = limit_of(member);
        if (limit != NULL) {
            SET(value, name, limit);
        } else {
            put_limits(member);
        }
    }
    json_array_foreach(value, index, member) {
        put_limits(member);
    }
}

/* ---- operations ---- */

static bool is_for_plans(const struct cs_operation *operation) {
    return !operation->internal && operation->worker != CS_WORKER_TEST;
}

static const ProtobufCMessageDescriptor *params_of(const struct cs_operation *operation) {
    return protobuf_c_message_descriptor_get_field(&callsheet__v1__operation__descriptor, operation->which)->descriptor;
}

/* NULL: nothing that may be given, or it is in members.json. */
static json_t *schema_of_rule(const struct gw_rule *rule, const json_t *properties) {
    switch (rule->kind) {
    case RULE_NAME:
        return json_deep_copy(json_object_get(properties, rule->native_name));
    case RULE_MEDIA:
        return gw_schema_ref("Media");
    case RULE_MEDIA_URL:
        return gw_schema_ref("MediaUrl");
    case RULE_MEDIA_LIST:
        return gw_schema_ref("MediaList");
    case RULE_SECRET:
    case RULE_OFF:
        return gw_schema_ref("Off");
    case RULE_READ:
    case RULE_UNSUPPORTED:
        break;
    }
    return NULL;
}

static void put_rules(const struct cs_operation *operation, json_t *properties) {
    struct gw_rule rule;
    for (size_t i = 0; gw_rule_at(operation->which, i, &rule); i++) {
        json_t *schema = schema_of_rule(&rule, properties);
        json_t *said = json_object_get(json_object_get(properties, rule.client_name), "description");
        if (schema == NULL) {
            continue;
        }
        if (rule.native_name != NULL && strcmp(rule.native_name, rule.client_name) != 0) {
            SET(schema, "description", json_sprintf("Another name of %s.", rule.native_name));
        } else if (said != NULL) {
            (void)json_object_set(schema, "description", said);
        }
        SET(properties, rule.client_name, schema);
    }
}

/* {properties: {operation: its names, type: the same, params: …}}: one of the branches of a job. */
static json_t *branch_of(const struct cs_operation *operation) {
    json_t *names = json_pack("[s]", operation->name);
    for (const char *const *alias = operation->aliases; alias != NULL && *alias != NULL; alias++) {
        (void)json_array_append_new(names, json_string(*alias));
    }
    return json_pack("{s:s, s:{s:{s:O}, s:{s:o}, s:o}}", "title", operation->name, "properties", "operation", "enum",
                     names, "type", "enum", names, "params", gw_schema_ref(params_of(operation)->short_name));
}

static json_t *add_operations(const struct gw_schemas *schemas) {
    json_t *branches = json_array();
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *operation = cs_catalog_at(i);
        if (!is_for_plans(operation)) {
            continue;
        }
        gw_schemas_add(schemas, params_of(operation));
        put_rules(operation,
                  json_object_get(json_object_get(schemas->into, params_of(operation)->short_name), "properties"));
        (void)json_array_append_new(branches, branch_of(operation));
    }
    return branches;
}

/* ---- all of it ---- */

json_t *gw_openapi_document(const char *server) {
    static const ProtobufCMessageDescriptor *const messages[] = {
        &callsheet__v1__retry_policy__descriptor,
        &callsheet__v1__approval_rule__descriptor,
        &callsheet__v1__media_facts__descriptor,
        &callsheet__v1__quality__descriptor,
    };
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    json_t *document = read_named("document");
    json_t *members_file = read_named("members");
    json_t *schemas_of = json_object_get(json_object_get(document, "components"), "schemas");
    const struct gw_schemas schemas = {schemas_of, json_object_get(members_file, "members"), arena};
    join_files(json_object_get(document, "paths"), schemas_of);
    for (size_t i = 0; i < CS_COUNT(messages); i++) {
        gw_schemas_add(&schemas, messages[i]);
    }
    SET(json_object_get(schemas_of, "Job"), "oneOf", add_operations(&schemas));
    SET(json_object_get(document, "info"), "version", json_string(CS_VERSION));
    SET(json_array_get(json_object_get(document, "servers"), 0), "url", json_string(server));
    put_limits(document);
    json_decref(members_file);
    return document;
}
