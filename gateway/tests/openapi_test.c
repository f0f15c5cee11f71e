#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "callsheet/v1/operations.pb-c.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/crypto.h"
#include "dialect/external.h"
#include "dialect/rules.h"
#include "openapi/openapi.h"
#include "tests/world.h"

static json_t *at(json_t *value, const char *name) {
    json_t *found = json_object_get(value, name);
    if (found == NULL) {
        fail_msg("there is no %s", name);
    }
    return found;
}

static json_t *schemas_of(json_t *document) {
    return at(at(document, "components"), "schemas");
}

/* "/v1/runs/{id}" -> "/v1/runs/<*>", with stars for what is in braces. */
static void pattern_of(const char *path, char *ret_pattern, size_t size) {
    size_t length = 0;
    bool inside = false;
    for (const char *c = path; *c != '\0' && length + 1 < size; c++) {
        inside = inside && *c != '}';
        if (*c == '{') {
            ret_pattern[length++] = '*';
            inside = true;
        } else if (!inside && *c != '}') {
            ret_pattern[length++] = *c;
        }
    }
    ret_pattern[length] = '\0';
}

/* Whether the document's operation is a route; what it says of keys is compared, too. */
static bool is_route(const char *path, const char *method, json_t *operation) {
    const char *route_method = NULL;
    const char *route_pattern = NULL;
    bool open = false;
    char pattern[128];
    pattern_of(path, pattern, sizeof(pattern));
    for (size_t i = 0; gw_api_route_at(i, &route_method, &route_pattern, &open); i++) {
        if (strcmp(route_pattern, pattern) == 0 && strcasecmp(route_method, method) == 0) {
            assert_int_equal(open, json_object_get(operation, "security") != NULL);
            return true;
        }
    }
    return false;
}

/* NULL none. */
static json_t *find_operation(json_t *document, const char *pattern, const char *method) {
    const char *path = NULL;
    const char *name = NULL;
    json_t *item = NULL;
    json_t *operation = NULL;
    char own[128];
    json_object_foreach(at(document, "paths"), path, item) {
        pattern_of(path, own, sizeof(own));
        json_object_foreach(item, name, operation) {
            if (strcmp(own, pattern) == 0 && strcasecmp(name, method) == 0) {
                return operation;
            }
        }
    }
    return NULL;
}

TEST(ex_041_every_route_is_in_the_document_and_nothing_else_is) {
    json_t *document = gw_openapi_document("http://gw");
    const char *method = NULL;
    const char *pattern = NULL;
    bool open = false;
    for (size_t i = 0; gw_api_route_at(i, &method, &pattern, &open); i++) {
        if (find_operation(document, pattern, method) == NULL) {
            fail_msg("%s %s is in no file of gateway/openapi", method, pattern);
        }
    }
    const char *path = NULL;
    json_t *item = NULL;
    json_object_foreach(at(document, "paths"), path, item) {
        json_t *operation = NULL;
        json_object_foreach(item, method, operation) {
            if (!is_route(path, method, operation)) {
                fail_msg("%s %s is no route", method, path);
            }
        }
    }
    json_decref(document);
}

static json_t *branch_of(json_t *document, const char *name) {
    size_t index = 0;
    json_t *branch = NULL;
    json_array_foreach(at(at(schemas_of(document), "Job"), "oneOf"), index, branch) {
        if (cs_str_eq(text_at(branch, "title"), name)) {
            return branch;
        }
    }
    fail_msg("there is no branch for %s", name);
    return NULL;
}

static bool is_listed(json_t *list, const char *word) {
    size_t index = 0;
    json_t *each = NULL;
    json_array_foreach(list, index, each) {
        if (cs_str_eq(json_string_value(each), word)) {
            return true;
        }
    }
    return false;
}

TEST(ex_041_every_operation_is_in_the_document_with_all_that_its_parameters_are_called) {
    json_t *document = gw_openapi_document("http://gw");
    json_t *schemas = schemas_of(document);
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *operation = cs_catalog_at(i);
        if (operation->internal || operation->worker == CS_WORKER_TEST) {
            continue;
        }
        json_t *properties = at(branch_of(document, operation->name), "properties");
        assert_true(is_listed(at(at(properties, "operation"), "enum"), operation->name));
        for (const char *const *alias = operation->aliases; alias != NULL && *alias != NULL; alias++) {
            assert_true(is_listed(at(at(properties, "type"), "enum"), *alias));
        }
        const ProtobufCMessageDescriptor *params =
            protobuf_c_message_descriptor_get_field(&callsheet__v1__operation__descriptor, operation->which)
                ->descriptor;
        json_t *known = at(at(schemas, params->short_name), "properties");
        struct gw_rule rule;
        for (size_t k = 0; gw_rule_at(operation->which, k, &rule); k++) {
            json_t *schema = json_object_get(known, rule.client_name);
            if ((schema == NULL) != (rule.kind == RULE_UNSUPPORTED)) {
                fail_msg("%s.%s: gateway/openapi/members.json says what form it has", params->short_name,
                         rule.client_name);
            }
        }
        assert_true(json_object_size(known) >= params->n_fields);
    }
    assert_null(json_object_get(schemas, "DeliverWebhook"));
    json_decref(document);
}

TEST(ex_041_a_result_of_external_work_is_in_the_document_in_all_its_forms) {
    json_t *document = gw_openapi_document("http://gw");
    json_t *body = at(find_operation(document, "/v1/external/complete", "POST"), "requestBody");
    json_t *properties = at(at(at(at(body, "content"), "application/json"), "schema"), "properties");
    size_t count = 0;
    for (; gw_external_members[count] != NULL; count++) {
        (void)at(properties, gw_external_members[count]);
    }
    assert_int_equal(json_object_size(properties), count);
    json_decref(document);
}

/* Every reference leads somewhere, and no limit has been forgotten. */
static void check_texts(json_t *document, json_t *value) {
    static const char prefix[] = "#/components/";
    const char *name = NULL;
    json_t *member = NULL;
    size_t index = 0;
    const char *text = json_string_value(value);
    if (text != NULL && text[0] == '$') {
        fail_msg("%s has no value", text);
    }
    if (text != NULL && cs_str_starts(text, prefix)) {
        CS_AUTO_FREE char *rest = cs_strdup(text + strlen(prefix));
        char *state = NULL;
        json_t *found = at(document, "components");
        for (char *part = strtok_r(rest, "/", &state); part != NULL; part = strtok_r(NULL, "/", &state)) {
            found = at(found, part);
        }
    }
    json_object_foreach(value, name, member) {
        check_texts(document, member);
    }
    json_array_foreach(value, index, member) {
        check_texts(document, member);
    }
}

TEST(ex_041_references_lead_somewhere_and_limits_are_numbers) {
    json_t *document = gw_openapi_document("http://gw");
    json_t *schemas = schemas_of(document);
    check_texts(document, document);
    assert_int_equal(json_integer_value(at(at(schemas, "Jobs"), "maxItems")), CS_PLAN_JOBS_MAX);
    assert_string_equal(text_at(json_array_get(at(document, "servers"), 0), "url"), "http://gw");
    assert_non_null(strstr(text_at(at(schemas, "Merge"), "description"), "Visual items"));
    json_decref(document);
}

TEST(ex_041_the_document_is_served_to_everybody_under_both_names) {
    static const char *const targets[] = {"/openapi.json", "/api/openapi.json"};
    struct world world;
    world_init(&world);
    world.config.api_keys = "key-of-acme=acme";
    world.config.public_url = "https://media.example.com";
    world_start(&world);
    for (size_t i = 0; i < CS_COUNT(targets); i++) {
        CS_AUTO_JSON *document = ask(&world, "GET", targets[i], "", NULL, 200);
        assert_string_equal(text_at(document, "openapi"), "3.1.0");
        assert_string_equal(text_at(json_array_get(at(document, "servers"), 0), "url"), "https://media.example.com");
    }
    world_stop(&world);
}

/* The text between two others. */
static char *between(const char *text, const char *before, const char *after) {
    const char *from = strstr(text, before);
    assert_non_null(from);
    from += strlen(before);
    const char *to = strstr(from, after);
    assert_non_null(to);
    return cs_strndup(from, (size_t)(to - from));
}

TEST(ex_041_a_page_shows_it_and_runs_nothing_but_what_it_names) {
    struct world world;
    struct answer answer;
    char policy[512];
    CS_AUTO_BUF digest = {0};
    unsigned char sha256[CS_SHA256_BYTES];
    world_up(&world);
    http(world.address, "GET", "/swaggerui", "", NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(answer_header(&answer, "Content-Security-Policy", policy, sizeof(policy)));
    CS_AUTO_FREE char *script = between(answer.body.data, "<script>", "</script>");
    cs_sha256_of(script, strlen(script), sha256);
    cs_base64_format(sha256, sizeof(sha256), &digest);
    CS_AUTO_FREE char *allowed = between(policy, "'sha256-", "'");
    assert_string_equal(allowed, digest.data);
    answer_fini(&answer);
    world_stop(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(ex_041_every_route_is_in_the_document_and_nothing_else_is),
        CS_TEST(ex_041_every_operation_is_in_the_document_with_all_that_its_parameters_are_called),
        CS_TEST(ex_041_a_result_of_external_work_is_in_the_document_in_all_its_forms),
        CS_TEST(ex_041_references_lead_somewhere_and_limits_are_numbers),
        CS_TEST(ex_041_the_document_is_served_to_everybody_under_both_names),
        CS_TEST(ex_041_a_page_shows_it_and_runs_nothing_but_what_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
