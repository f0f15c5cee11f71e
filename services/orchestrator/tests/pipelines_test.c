/* Pipelines over gRPC and PostgreSQL: versions, tenants, races. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "callsheet/v1/pipelines.pb-c.h"
#include "world.h"

/* ---- calls; replies live in the world's arena ---- */

static enum cs_status invoke(struct cs_rpc_channel *channel, const char *method, const ProtobufCMessage *request,
                             ProtobufCMessage **ret_reply, struct cs_err *err) {
    const struct cs_rpc_options options = {.timeout_ms = CS_TEST_PATIENCE_MS, .wait_for_ready = true};
    return cs_rpc_invoke(channel, &callsheet__v1__pipelines__descriptor, method, request, &options, ret_reply, err);
}

static enum cs_status try_put(struct cs_rpc_channel *channel, const char *tenant, const char *name,
                              const char *template, Callsheet__V1__PutPipelineReply *ret_reply, struct cs_err *err) {
    Callsheet__V1__PutPipelineRequest request = CALLSHEET__V1__PUT_PIPELINE_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    request.tenant = (char *)tenant;
    request.name = (char *)name;
    request.template_.data = (uint8_t *)template;
    request.template_.len = strlen(template);
    CS_TRY(invoke(channel, "PutPipeline", &request.base, &reply, err));
    *ret_reply = *(Callsheet__V1__PutPipelineReply *)reply; /* it holds numbers only */
    cs_rpc_message_free(reply);
    return CS_OK;
}

static Callsheet__V1__PutPipelineReply put(struct world *world, const char *tenant, const char *name,
                                           const char *template) {
    Callsheet__V1__PutPipelineReply reply = {0};
    struct cs_err err = {0};
    assert_ok(try_put(world->channel, tenant, name, template, &reply, &err), &err);
    return reply;
}

static enum cs_status try_get(struct world *world, const char *tenant, const char *name, uint32_t version,
                              Callsheet__V1__Pipeline **ret_pipeline, struct cs_err *err) {
    Callsheet__V1__GetPipelineRequest request = CALLSHEET__V1__GET_PIPELINE_REQUEST__INIT;
    request.tenant = (char *)tenant;
    request.name = (char *)name;
    request.version = version;
    return invoke(world->channel, "GetPipeline", &request.base, (ProtobufCMessage **)ret_pipeline, err);
}

static void must_hold(struct world *world, const char *name, uint32_t asked, uint32_t version, const char *template) {
    Callsheet__V1__Pipeline *pipeline = NULL;
    struct cs_err err = {0};
    assert_ok(try_get(world, "acme", name, asked, &pipeline, &err), &err);
    assert_string_equal(pipeline->name, name);
    assert_int_equal(pipeline->version, version);
    assert_int_equal(pipeline->template_.len, strlen(template));
    assert_memory_equal(pipeline->template_.data, template, strlen(template));
    cs_rpc_message_free(&pipeline->base);
}

#define OPEN                                                                                                           \
    AUTO_WORLD place = {0};                                                                                            \
    struct world *world = &place;                                                                                      \
    world_open(world, NULL);                                                                                           \
    world_start(world)

/* ---- tests ---- */

TEST(each_change_is_a_version_that_stays) {
    OPEN;
    assert_int_equal(put(world, "acme", "promo", "{\"a\":1}").version, 1);
    Callsheet__V1__PutPipelineReply second = put(world, "acme", "promo", "{\"a\":2}");
    assert_int_equal(second.version, 2);
    assert_false(second.existing);
    must_hold(world, "promo", 0, 2, "{\"a\":2}");
    must_hold(world, "promo", 1, 1, "{\"a\":1}");
    world_stop(world);
    world_start(world);
    must_hold(world, "promo", 1, 1, "{\"a\":1}");
}

TEST(the_same_text_again_makes_no_version) {
    OPEN;
    (void)put(world, "acme", "promo", "{\"a\":1}");
    Callsheet__V1__PutPipelineReply again = put(world, "acme", "promo", "{\"a\":1}");
    assert_true(again.existing);
    assert_int_equal(again.version, 1);
    (void)put(world, "acme", "promo", "{\"a\":2}");
    assert_int_equal(put(world, "acme", "promo", "{\"a\":1}").version, 3); /* only the newest is compared */
}

TEST(another_tenants_pipelines_do_not_exist) {
    OPEN;
    Callsheet__V1__Pipeline *pipeline = NULL;
    Callsheet__V1__ListPipelinesRequest list = CALLSHEET__V1__LIST_PIPELINES_REQUEST__INIT;
    Callsheet__V1__ListPipelinesReply *listed = NULL;
    struct cs_err err = {0};
    (void)put(world, "acme", "promo", "{}");
    assert_fails(try_get(world, "other", "promo", 0, &pipeline, &err), &err, CS_NOT_FOUND, "no_such_pipeline");
    err = (struct cs_err){0};
    assert_fails(try_get(world, "acme", "promo", 2, &pipeline, &err), &err, CS_NOT_FOUND, "no_such_pipeline");
    assert_int_equal(put(world, "other", "promo", "{\"b\":1}").version, 1);
    (void)put(world, "acme", "promo", "{\"c\":1}");
    (void)put(world, "acme", "aaa", "{}");
    list.tenant = "acme";
    err = (struct cs_err){0};
    assert_ok(invoke(world->channel, "ListPipelines", &list.base, (ProtobufCMessage **)&listed, &err), &err);
    assert_int_equal(listed->n_pipelines, 2);
    assert_string_equal(listed->pipelines[0]->name, "aaa");
    assert_string_equal(listed->pipelines[1]->name, "promo");
    assert_int_equal(listed->pipelines[1]->version, 2);
    assert_int_equal(listed->pipelines[1]->template_.len, 0);
    cs_rpc_message_free(&listed->base);
}

struct writer {
    pthread_t thread;
    struct world *world;
    char template[32];
    uint32_t version;
};

static void *write_one(void *arg) {
    struct writer *writer = arg;
    Callsheet__V1__PutPipelineReply reply = {0};
    struct cs_err err = {0};
    if (try_put(writer->world->channel, "acme", "promo", writer->template, &reply, &err) == CS_OK) {
        writer->version = reply.version;
    }
    return NULL;
}

TEST(of_writers_at_once_each_gets_a_version_of_its_own) {
    enum { WRITERS = 12 };
    struct writer writers[WRITERS] = {0};
    bool seen[WRITERS + 1] = {false};
    OPEN;
    for (int i = 0; i < WRITERS; i++) {
        writers[i].world = world;
        (void)snprintf(writers[i].template, sizeof(writers[i].template), "{\"a\":%d}", i);
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_one, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        (void)pthread_join(writers[i].thread, NULL);
        assert_in_range(writers[i].version, 1, WRITERS);
        assert_false(seen[writers[i].version]);
        seen[writers[i].version] = true;
        must_hold(world, "promo", writers[i].version, writers[i].version, writers[i].template);
    }
}

TEST(bad_requests_are_refused_with_their_path) {
    static const struct {
        const char *tenant, *name, *template, *path, *reason;
    } cases[] = {
        {"Acme", "promo", "{}", "tenant", "bad_tenant"}, {"acme", "", "{}", "name", "bad_name"},
        {"acme", "Promo", "{}", "name", "bad_name"},     {"acme", "a/b", "{}", "name", "bad_name"},
        {"acme", "promo", "", "template", "too_big"},
    };
    OPEN;
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        Callsheet__V1__PutPipelineReply reply = {0};
        struct cs_err err = {0};
        assert_fails(try_put(world->channel, cases[i].tenant, cases[i].name, cases[i].template, &reply, &err), &err,
                     CS_INVALID_ARGUMENT, cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
    }
}

TEST_MAIN(CS_TEST(each_change_is_a_version_that_stays), CS_TEST(the_same_text_again_makes_no_version),
          CS_TEST(another_tenants_pipelines_do_not_exist), CS_TEST(of_writers_at_once_each_gets_a_version_of_its_own),
          CS_TEST(bad_requests_are_refused_with_their_path))
