/*
 * life: one execution, moved by hand, for tests of what is said about it.
 */
#ifndef ORC_TESTS_LIFE_H
#define ORC_TESTS_LIFE_H

#include <stdio.h>
#include <string.h>

#include "cs/test.h"
#include "domain/execution.h"
#include "requests.h"
#include "wire/plan_wire.h"

enum { LIFE_BEGAN_MS = 1000000 };

struct life {
    struct orc_submission *submission;
    struct orc_execution *execution;
    int64_t now_ms;
};

__attribute__((unused)) static void life_step(struct life *life, struct orc_event event) {
    struct cs_err err = {0};
    event.at_ms = life->now_ms += 1000;
    assert_ok(orc_execution_step(life->execution, &event, NULL, &err), &err);
    orc_execution_check(life->execution);
}

__attribute__((unused)) static void life_begin(struct life *life, const char *request) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const struct cs_trace trace = {.trace_id = {1}, .span_id = {2}};
    struct cs_err err = {0};
    assert_ok(orc_submission_from(request_from(request, arena), &trace, &life->submission, &err), &err);
    life->now_ms = LIFE_BEGAN_MS;
    life->execution = orc_execution_create("execution000000000001", "acme", life->submission->plan, LIFE_BEGAN_MS,
                                           LIFE_BEGAN_MS + 3600000, life->submission->has_webhook);
    life_step(life, (struct orc_event){.kind = ORC_EVENT_BEGIN});
}

__attribute__((unused)) static void life_end(struct life *life) {
    orc_execution_destroy(life->execution);
    orc_submission_destroy(life->submission);
}
#define AUTO_LIFE __attribute__((cleanup(life_end))) struct life

__attribute__((unused)) static void life_assign(struct life *life, uint32_t job) {
    struct orc_event event = {.kind = ORC_EVENT_ASSIGNED, .job = job};
    memset(event.fence, 0xA0 + (int)job, sizeof(event.fence));
    life_step(life, event);
    if (life->execution->plan->jobs[job].operation->paid) {
        life_step(life, (struct orc_event){.kind = ORC_EVENT_STARTED,
                                           .job = job,
                                           .attempt = life->execution->jobs[job].attempt,
                                           .payload = event.fence,
                                           .payload_size = sizeof(event.fence)});
    }
}

/* Its only output, and a metric; type MEDIA_TYPE_UNSPECIFIED: no output. */
__attribute__((unused)) static void life_succeed(struct life *life, uint32_t job, Callsheet__V1__MediaType type) {
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__Artifact *artifacts[] = {&artifact};
    Callsheet__V1__Metric metric = CALLSHEET__V1__METRIC__INIT;
    Callsheet__V1__Metric *metrics[] = {&metric};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    char key[128];
    (void)snprintf(key, sizeof(key), "dev/acme/e/%s/1-aaaa/out.mp4", life->execution->plan->jobs[job].id);
    artifact.key = key;
    artifact.name = (char *)"out.mp4";
    artifact.type = type;
    metric.name = (char *)"speed";
    metric.value = 2.5;
    succeeded.n_outputs = type != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED;
    succeeded.outputs = artifacts;
    succeeded.n_metrics = 1;
    succeeded.metrics = metrics;
    uint8_t packed[1024];
    assert_true(protobuf_c_message_get_packed_size(&succeeded.base) <= sizeof(packed));
    size_t size = protobuf_c_message_pack(&succeeded.base, packed);
    life_step(life, (struct orc_event){.kind = ORC_EVENT_SUCCEEDED,
                                       .job = job,
                                       .attempt = life->execution->jobs[job].attempt,
                                       .payload = packed,
                                       .payload_size = size});
}

__attribute__((unused)) static void life_fail(struct life *life, uint32_t job, enum orc_failure_class failure_class,
                                              const char *code, const char *message) {
    life_step(life, (struct orc_event){.kind = ORC_EVENT_FAILED,
                                       .job = job,
                                       .attempt = life->execution->jobs[job].attempt,
                                       .failure_class = failure_class,
                                       .code = code,
                                       .message = message});
}

#endif
