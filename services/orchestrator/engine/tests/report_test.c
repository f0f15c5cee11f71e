#include "engine/report.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/test.h"
#include "wire/plan_wire.h"

static uint8_t fence[ORC_FENCE_BYTES] = "0123456789abcde";

static Callsheet__V1__Report new_report(Callsheet__V1__Report__ReportCase which) {
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    report.fence.data = fence;
    report.fence.len = sizeof(fence);
    report.report_case = which;
    return report;
}

static struct orc_reports *copy(Callsheet__V1__Report **reports, size_t count) {
    Callsheet__V1__WorkReport message = CALLSHEET__V1__WORK_REPORT__INIT;
    message.n_reports = count;
    message.reports = reports;
    return orc_reports_copy(&message);
}

TEST(a_message_becomes_one_block_of_reports) {
    Callsheet__V1__Report empty = CALLSHEET__V1__REPORT__INIT;
    Callsheet__V1__Report short_fence = new_report(CALLSHEET__V1__REPORT__REPORT_ACCEPTED);
    short_fence.fence.len = 5;
    Callsheet__V1__Accepted accepted = CALLSHEET__V1__ACCEPTED__INIT;
    short_fence.accepted = &accepted;
    Callsheet__V1__Metric metric = CALLSHEET__V1__METRIC__INIT;
    metric.name = (char *)"speed";
    Callsheet__V1__Metric *metrics[] = {&metric};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    succeeded.n_metrics = 1;
    succeeded.metrics = metrics;
    Callsheet__V1__Report good = new_report(CALLSHEET__V1__REPORT__REPORT_SUCCEEDED);
    good.succeeded = &succeeded;
    Callsheet__V1__Checkpoint checkpoint = CALLSHEET__V1__CHECKPOINT__INIT;
    checkpoint.sequence = 9;
    checkpoint.data.data = (uint8_t *)"state";
    checkpoint.data.len = 5;
    Callsheet__V1__Report saved = new_report(CALLSHEET__V1__REPORT__REPORT_CHECKPOINT);
    saved.checkpoint = &checkpoint;
    Callsheet__V1__Report *list[] = {&empty, &short_fence, &good, &saved};
    CS_AUTO_FREE struct orc_reports *reports = copy(list, 4);
    assert_int_equal(reports->count, 2); /* what says nothing is left out */
    assert_int_equal(reports->items[0].kind, ORC_REPORT_SUCCEEDED);
    assert_memory_equal(reports->items[0].fence, fence, sizeof(fence));
    Callsheet__V1__Succeeded *back =
        callsheet__v1__succeeded__unpack(NULL, reports->items[0].payload_size, reports->items[0].payload);
    assert_string_equal(back->metrics[0]->name, "speed");
    callsheet__v1__succeeded__free_unpacked(back, NULL);
    assert_int_equal(reports->items[1].checkpoint.sequence, 9);
    assert_memory_equal(reports->items[1].payload, "state", 5);
}

TEST(what_a_worker_says_is_bounded) {
    CS_AUTO_FREE char *longer = cs_alloc(10000);
    memset(longer, 'x', 9999);
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = (Callsheet__V1__FailureClass)1234;
    failed.code = longer;
    failed.message = longer;
    failed.retry_after_ms = -5;
    Callsheet__V1__Report bad = new_report(CALLSHEET__V1__REPORT__REPORT_FAILED);
    bad.failed = &failed;
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = longer;
    progress.fraction = 0.0 / 0.0;
    progress.speed = 1e300;
    progress.media_time_us = -1;
    Callsheet__V1__Report going = new_report(CALLSHEET__V1__REPORT__REPORT_PROGRESS);
    going.progress = &progress;
    CS_AUTO_FREE uint8_t *big = cs_alloc(ORC_CHECKPOINT_BYTES_MAX * 3);
    Callsheet__V1__Checkpoint checkpoint = CALLSHEET__V1__CHECKPOINT__INIT;
    checkpoint.data.data = big;
    checkpoint.data.len = ORC_CHECKPOINT_BYTES_MAX * 3;
    Callsheet__V1__Report saved = new_report(CALLSHEET__V1__REPORT__REPORT_CHECKPOINT);
    saved.checkpoint = &checkpoint;
    Callsheet__V1__Report *list[] = {&bad, &going, &saved};
    CS_AUTO_FREE struct orc_reports *reports = copy(list, 3);
    assert_int_equal(reports->items[0].failed.failure_class, ORC_FAILURE_UNSPECIFIED);
    assert_int_equal(strlen(reports->items[0].failed.code), ORC_FAILURE_CODE_SIZE - 1);
    assert_int_equal(strlen(reports->items[0].failed.message), ORC_FAILURE_MESSAGE_SIZE - 1);
    assert_int_equal(reports->items[0].failed.retry_after_ms, 0);
    assert_true(reports->items[1].progress.fraction == 0 && reports->items[1].progress.speed == 0);
    assert_int_equal(reports->items[1].progress.media_time_us, 0);
    assert_int_equal(reports->items[2].payload_size,
                     ORC_CHECKPOINT_BYTES_MAX + 1); /* too big, as the domain will say */
}

TEST(a_result_that_is_too_big_is_a_failure) {
    CS_AUTO_FREE char *name = cs_alloc(ORC_RESULT_BYTES_MAX + 1);
    memset(name, 'x', ORC_RESULT_BYTES_MAX);
    Callsheet__V1__Metric metric = CALLSHEET__V1__METRIC__INIT;
    metric.name = name;
    Callsheet__V1__Metric *metrics[] = {&metric};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    succeeded.n_metrics = 1;
    succeeded.metrics = metrics;
    Callsheet__V1__Report huge = new_report(CALLSHEET__V1__REPORT__REPORT_SUCCEEDED);
    huge.succeeded = &succeeded;
    Callsheet__V1__Report *list[] = {&huge};
    CS_AUTO_FREE struct orc_reports *reports = copy(list, 1);
    assert_int_equal(reports->items[0].kind, ORC_REPORT_FAILED);
    assert_string_equal(reports->items[0].failed.code, "result_too_big");
    assert_int_equal(reports->items[0].payload_size, 0);
}

TEST(chunks_on_offer_are_bounded_and_their_plan_is_a_digest) {
    uint32_t chunks[ORC_SPREAD_CHUNKS_MAX + 1] = {5, 6};
    uint8_t plan[ORC_SPREAD_PLAN_BYTES] = {9};
    Callsheet__V1__Spread many = CALLSHEET__V1__SPREAD__INIT;
    many.plan = (ProtobufCBinaryData){.len = sizeof(plan), .data = plan};
    many.chunks = chunks;
    many.n_chunks = CS_COUNT(chunks);
    Callsheet__V1__Spread none = many;
    none.n_chunks = 0;
    Callsheet__V1__Spread unplanned = many;
    unplanned.plan.len--;
    Callsheet__V1__Report first = new_report(CALLSHEET__V1__REPORT__REPORT_SPREAD);
    Callsheet__V1__Report second = first;
    Callsheet__V1__Report third = first;
    first.spread = &unplanned;
    second.spread = &none;
    third.spread = &many;
    Callsheet__V1__Report *list[] = {&first, &second, &third};
    CS_AUTO_FREE struct orc_reports *reports = copy(list, 3);
    assert_int_equal(reports->count, 2);
    assert_int_equal(reports->items[0].payload_size, ORC_SPREAD_PLAN_BYTES);
    assert_int_equal(reports->items[1].kind, ORC_REPORT_SPREAD);
    assert_int_equal(reports->items[1].payload_size, ORC_SPREAD_PLAN_BYTES + ORC_SPREAD_CHUNKS_MAX * sizeof(uint32_t));
    assert_memory_equal(reports->items[1].payload, plan, sizeof(plan));
    assert_memory_equal((const uint8_t *)reports->items[1].payload + sizeof(plan), chunks, 2 * sizeof(uint32_t));
}

TEST(only_operations_that_we_know_count) {
    char *operations[] = {(char *)"noop", (char *)"unheardOf", (char *)"merge"};
    Callsheet__V1__Hello hello = CALLSHEET__V1__HELLO__INIT;
    hello.worker = (char *)"media-1";
    hello.n_operations = 3;
    hello.operations = operations;
    CS_AUTO_FREE struct orc_hello *copied = orc_hello_copy(&hello);
    assert_string_equal(copied->worker, "media-1");
    assert_int_equal(copied->operation_count, 2);
    assert_ptr_equal(copied->operations[1], orc_operation_by_name("merge"));
}

TEST_MAIN(CS_TEST(a_message_becomes_one_block_of_reports), CS_TEST(what_a_worker_says_is_bounded),
          CS_TEST(a_result_that_is_too_big_is_a_failure),
          CS_TEST(chunks_on_offer_are_bounded_and_their_plan_is_a_digest), CS_TEST(only_operations_that_we_know_count))
