/* Who is first, and who must wait though a slot is free. */
#include <stdio.h>
#include <string.h>

#include "engine/bases.h"
#include "engine/tests/harness.h"

#define FAILURE(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name
#define EXECUTION(name) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##name
#define JOB(name) CALLSHEET__V1__JOB_STATE__JOB_STATE_##name

static const char *const one[] = {"a"};
static const char *const two[] = {"a", "b"};
static const char *const reframing[] = {"noop", "generateVideo", "reframe", NULL};

/* The worker ends what it does and gets the next. */
static const Callsheet__V1__WorkCommand *after(uint64_t link, const Callsheet__V1__WorkCommand *done) {
    fake_report_succeeded(link, done);
    return fake_link_assigned(link);
}

/* An engine with these settings in place of the one that the set-up made. */
static void restart_with(const char *limits, const char *weights) {
    harness_stop();
    harness.limits = limits;
    harness.weights = weights;
    harness_start();
}

/* What the engine knows by now has been done; whose it is does not matter. */
static void settle(void) {
    for (int i = 0; i < 2; i++) { /* the first may be answered before its turn of the engine has ended */
        harness_await(harness_get("acme", "AAAAAAAAAAAAAAAAAAAAAA"));
    }
}

/* ---- priorities ---- */

TEST(w23_e14_the_highest_priority_is_first_and_within_it_who_came_first) {
    static const char *const jobs[] = {"a", "low!0", "b", "high!9", "c!5", "higher!9", "d!6"};
    static const char *const order[] = {"high", "higher", "d", "a", "b", "c", "low"};
    (void)CREATE(jobs);
    fake_link_up(1, harness_noop, 1);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    for (size_t i = 0; i < CS_COUNT(order); i++) {
        assert_string_equal(command->assign->job, order[i]);
        if (i + 1 < CS_COUNT(order)) {
            command = after(1, command);
        }
    }
}

TEST(jobs_have_the_priority_of_their_plan_unless_they_say_it) {
    static const char *const jobs[] = {"a", "b!9"};
    (void)CREATE(one);
    const char *slow = CREATE(jobs, .priority = 1 + 0);
    const char *fast = CREATE(one, .priority = 1 + 8);
    fake_link_up(1, harness_noop, 1);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    assert_string_equal(command->assign->job, "b");
    command = after(1, command);
    assert_string_equal(command->assign->execution, fast);
    command = after(1, command);
    command = after(1, command);
    assert_string_equal(command->assign->execution, slow);
    assert_string_equal(command->assign->job, "a");
}

TEST(a_priority_means_nothing_to_another_tenant) {
    static const char *const urgent[] = {"a!9", "b!9", "c!9", "d!9"};
    (void)CREATE(urgent);
    const char *other = CREATE(one, .tenant = "globex", .priority = 1 + 0);
    fake_link_up(1, harness_noop, 1);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    assert_string_equal(after(1, command)->assign->execution, other);
}

TEST(priorities_survive_a_restart) {
    static const char *const jobs[] = {"a", "b!9"};
    (void)CREATE(jobs);
    restart_with(NULL, NULL);
    fake_link_up(1, harness_noop, 1);
    assert_string_equal(fake_link_assigned(1)->assign->job, "b");
}

/* ---- tenants ---- */

enum { MANY = 100000, MANY_A_PLAN = 10000 };

static void create_many(void) {
    static char names[MANY_A_PLAN][16];
    static const char *lines[MANY_A_PLAN];
    for (int i = 0; i < MANY_A_PLAN; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "j%d", i);
        lines[i] = names[i];
    }
    for (int i = 0; i < MANY / MANY_A_PLAN; i++) {
        (void)harness_create(lines, MANY_A_PLAN, (struct submit_options){.priority = 1 + 9});
    }
}

TEST(w23_a_hundred_thousand_jobs_of_a_tenant_delay_another_by_one_job) {
    create_many();
    settle();
    assert_true(harness_metric("callsheet_jobs_ready") == MANY);
    fake_link_up(1, harness_noop, 1);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    for (int i = 0; i < 5; i++) {
        const char *other = CREATE(one, .tenant = "globex");
        int assignments = 0;
        do {
            command = after(1, command);
            assignments++;
        } while (strcmp(command->assign->execution, other) != 0);
        assert_in_range(assignments, 1, 2);
    }
}

TEST(a_limit_of_a_tenant_with_a_hundred_thousand_jobs_does_not_delay_another) {
    restart_with("tenant:*=1", NULL);
    create_many();
    fake_link_up(1, harness_noop, 2);
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    const char *other = CREATE(one, .tenant = "globex");
    assert_string_equal(fake_link_assigned(1)->assign->execution, other);
    settle();
    assert_int_equal(fake_link_waiting(1), 0);
    assert_string_equal(after(1, first)->assign->job, "j1");
}

TEST(a_tenant_has_as_many_turns_as_it_weighs) {
    static const char *const jobs[] = {"a", "b", "c", "d", "e", "f", "i", "j", "k", "l", "m", "n"};
    restart_with(NULL, "acme=3");
    (void)CREATE(jobs);
    (void)CREATE(jobs, .tenant = "globex");
    fake_link_up(1, harness_noop, 8);
    int mine = 0;
    for (int i = 0; i < 8; i++) {
        mine += strcmp(fake_link_assigned(1)->assign->tenant, "acme") == 0;
    }
    assert_int_equal(mine, 6);
}

/* ---- limits ---- */

TEST(sy_048_an_operation_runs_no_more_than_its_limit_at_once) {
    static const char *const jobs[] = {"a", "b", "c", "gen"};
    restart_with("operation:noop=2", NULL);
    fake_link_up(1, harness_every, 10);
    (void)CREATE(jobs);
    const Callsheet__V1__WorkCommand *first = NULL;
    for (int i = 0; i < 3; i++) { /* two of them, and gen that it does not concern */
        const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
        first = strcmp(command->assign->job, "a") == 0 ? command : first;
    }
    settle();
    assert_int_equal(fake_link_waiting(1), 0);
    assert_string_equal(after(1, first)->assign->job, "c");
}

TEST(who_waits_at_a_limit_takes_turns_by_tenant_and_priority) {
    static const char *const jobs[] = {"a", "b", "c", "d"};
    restart_with("operation:noop=1", NULL);
    fake_link_up(1, harness_noop, 10);
    (void)CREATE(jobs);
    (void)CREATE(one, .tenant = "globex");
    (void)CREATE(one, .priority = 1 + 9);
    settle();
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    assert_string_equal(command->assign->job, "a");
    bool other = false;
    bool urgent = false;
    for (int i = 0; i < 3; i++) {
        command = after(1, command);
        other = other || strcmp(command->assign->tenant, "globex") == 0;
        urgent = urgent || strcmp(command->assign->job, "a") == 0;
        settle();
        assert_int_equal(fake_link_waiting(1), 0);
    }
    assert_true(other && urgent);
}

TEST(a_provider_runs_no_more_than_its_limit_at_once) {
    static const char *const jobs[] = {"g1", "g2", "g3"};
    restart_with("provider:local=1", NULL);
    fake_link_up(1, harness_every, 10);
    (void)CREATE(jobs);
    (void)CREATE(jobs, .provider = "replicate");
    const Callsheet__V1__WorkCommand *limited = NULL;
    for (int i = 0; i < 4; i++) {
        const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
        if (strcmp(command->assign->operation->generate_video->provider, "local") == 0) {
            assert_null(limited);
            limited = command;
        }
    }
    settle();
    assert_int_equal(fake_link_waiting(1), 0);
    assert_non_null(limited);
    (void)after(1, limited);
}

TEST(jobs_with_one_key_run_no_more_than_its_limit_at_once) {
    static const char *const jobs[] = {"a#gpu:2", "b#gpu:2", "c#gpu:2", "d", "e#cpu:1"};
    fake_link_up(1, harness_noop, 10);
    (void)CREATE(jobs);
    (void)CREATE(jobs, .tenant = "globex"); /* its keys are others */
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    for (int i = 0; i < 7; i++) {
        const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
        assert_string_not_equal(command->assign->job, "c");
    }
    settle();
    assert_int_equal(fake_link_waiting(1), 0);
    assert_string_equal(first->assign->job, "a");
    assert_string_equal(after(1, first)->assign->job, "c");
}

TEST(the_smallest_limit_of_a_key_counts) {
    static const char *const jobs[] = {"a#gpu:9", "b#gpu:1", "c#gpu:9"};
    fake_link_up(1, harness_noop, 10);
    (void)CREATE(jobs);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    for (int i = 0; i < 2; i++) {
        settle();
        assert_int_equal(fake_link_waiting(1), 0);
        command = after(1, command);
    }
}

TEST(a_permit_is_free_again_however_the_attempt_ended) {
    restart_with("tenant:*=1", NULL);
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(INVALID_INPUT), "no", 0);
    (void)harness_read_state(id, EXECUTION(FAILED));
    id = CREATE(two);
    (void)fake_link_assigned(1);
    fake_link_up(2, harness_noop, 1);
    fake_link_down(1);
    const Callsheet__V1__WorkCommand *again = fake_link_assigned(2);
    harness_await(harness_cancel(id));
    const char *next = CREATE(one);
    fake_link_up(3, harness_noop, 1);
    settle();
    assert_int_equal(fake_link_waiting(3), 0); /* the cancelled attempt still runs */
    fake_report_failed(2, again, FAILURE(CANCELLED), "cancelled", 0);
    for (;;) { /* any of the two has a slot */
        settle();
        if (fake_link_waiting(3) != 0) {
            assert_string_equal(fake_link_assigned(3)->assign->execution, next);
            break;
        }
        const Callsheet__V1__WorkCommand *command = fake_link_next(2);
        if (command->command_case == CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN) {
            assert_string_equal(command->assign->execution, next);
            break;
        }
    }
}

TEST(a_call_that_is_not_answered_goes_to_the_next) {
    static const char *const jobs[] = {"a#k:1", "gen#k:1", "b#k:1"};
    static const char *const generate[] = {"generateVideo", NULL};
    fake_link_up(1, harness_noop, 1);
    fake_link_up(2, generate, 1);
    (void)CREATE(one); /* takes the only slot for noop */
    const Callsheet__V1__WorkCommand *busy = fake_link_assigned(1);
    const char *id = CREATE(jobs);
    const Callsheet__V1__WorkCommand *paid = fake_link_assigned(2);
    assert_string_equal(paid->assign->job, "gen");
    const char *other = CREATE(jobs); /* waits behind */
    settle();
    harness_await(harness_cancel(id)); /* a and b leave; gen runs until its worker says so */
    fake_report_failed(2, paid, FAILURE(CANCELLED), "cancelled", 0);
    const Callsheet__V1__WorkCommand *next = fake_link_next(2); /* its cancel */
    next = fake_link_assigned(2);
    assert_string_equal(next->assign->execution, other);
    fake_report_succeeded(2, next);
    next = after(1, busy);
    assert_string_equal(next->assign->execution, other);
    assert_string_equal(next->assign->job, "a");
    assert_string_equal(after(1, next)->assign->job, "b");
}

TEST(after_a_restart_nothing_holds_a_permit) {
    restart_with("tenant:*=1", NULL);
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    (void)fake_link_assigned(1);
    restart_with("tenant:*=1", NULL);
    fake_link_up(1, harness_noop, 1);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

/* ---- rates ---- */

TEST(sy_132_e11_a_provider_begins_no_more_than_its_rate) {
    static const char *const jobs[] = {"g1", "g2", "g3", "g4"};
    restart_with("rate:provider:local=2/min", NULL);
    fake_link_up(1, harness_every, 10);
    (void)CREATE(jobs);
    (void)fake_link_assigned(1);
    fake_report_succeeded(1, fake_link_assigned(1)); /* how it ends does not matter */
    settle();
    assert_int_equal(fake_link_waiting(1), 0);
    harness_advance(29999);
    settle();
    assert_int_equal(fake_link_waiting(1), 0);
    harness_advance(1);
    assert_string_equal(fake_link_assigned(1)->assign->job, "g3");
    harness_advance(60000); /* a full bucket holds two */
    assert_string_equal(fake_link_assigned(1)->assign->job, "g4");
    (void)CREATE(jobs);
    (void)fake_link_assigned(1);
    settle();
    assert_int_equal(fake_link_waiting(1), 0);
}

/* However many could run at once. */
TEST(ex_022_clips_begin_a_second_apart_where_the_rate_says_so) {
    static const char *const jobs[] = {"g1", "g2", "g3", "g4"};
    restart_with("rate:provider:local=1/s,operation:generateVideo=4", NULL);
    fake_link_up(1, harness_every, 10);
    (void)CREATE(jobs);
    assert_string_equal(fake_link_assigned(1)->assign->job, "g1");
    for (size_t i = 1; i < CS_COUNT(jobs); i++) {
        harness_advance(999);
        settle();
        assert_int_equal(fake_link_waiting(1), 0);
        harness_advance(1);
        assert_string_equal(fake_link_assigned(1)->assign->job, jobs[i]);
    }
}

/* ---- why is it waiting? ---- */

static const Callsheet__V1__Waiting *waiting_of(const Callsheet__V1__Execution *execution, size_t job,
                                                const char *reason) {
    const Callsheet__V1__Waiting *waiting = execution->jobs[job]->waiting;
    assert_non_null(waiting);
    assert_string_equal(waiting->reason, reason);
    assert_true(waiting->message[0] != '\0');
    return waiting;
}

TEST(a_job_waits_for_its_dependencies_of_which_five_are_named) {
    static const char *const jobs[] = {"a", "b", "c", "d", "e", "f", "h<a", "join<a,b,c,d,e,f,h"};
    const char *id = CREATE(jobs);
    const Callsheet__V1__Execution *execution = harness_read(id);
    const Callsheet__V1__Waiting *one_of = waiting_of(execution, 6, "dependencies");
    assert_string_equal(one_of->message, "waits for \"a\"");
    const Callsheet__V1__Waiting *many = waiting_of(execution, 7, "dependencies");
    assert_int_equal(many->n_dependencies, 5);
    assert_string_equal(many->dependencies[4], "e");
    assert_string_equal(many->message, "waits for \"a\", \"b\", \"c\", \"d\", \"e\" and 2 more");
}

TEST(sy_009_a_job_waits_for_a_worker_that_offers_its_operation) {
    fake_link_up(1, harness_noop, 1);
    static const char *const jobs[] = {"a", "gen"};
    const char *id = CREATE(jobs);
    (void)fake_link_assigned(1);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_null(execution->jobs[0]->waiting); /* it runs */
    assert_string_equal(waiting_of(execution, 1, "no_worker")->message,
                        "no worker that is connected offers generateVideo");
}

TEST(a_job_waits_for_a_slot_and_knows_its_place) {
    static const char *const jobs[] = {"a", "b", "c!9", "d"};
    fake_link_up(1, harness_noop, 1);
    (void)CREATE(one);
    (void)fake_link_assigned(1);
    const char *id = CREATE(jobs);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_int_equal(waiting_of(execution, 0, "no_slot")->place, 2);
    assert_int_equal(waiting_of(execution, 1, "no_slot")->place, 3);
    assert_int_equal(waiting_of(execution, 2, "no_slot")->place, 1);
    assert_int_equal(waiting_of(execution, 3, "no_slot")->place, 4);
}

TEST(a_place_beyond_a_thousand_is_not_counted) {
    fake_link_up(1, harness_noop, 1);
    create_many();
    const char *id = CREATE(one);
    assert_int_equal(waiting_of(harness_read(id), 0, "no_slot")->place, 0);
}

TEST(the_first_of_its_tenant_waits_for_the_turn_of_others) {
    fake_link_up(1, harness_noop, 1);
    (void)CREATE(two, .tenant = "globex");
    (void)fake_link_assigned(1);
    const char *id = CREATE(two);
    const Callsheet__V1__Execution *execution = harness_read(id);
    assert_int_equal(waiting_of(execution, 0, "tenant_turn")->place, 1);
    assert_int_equal(waiting_of(execution, 1, "no_slot")->place, 2);
}

/* Many plans of one tenant, and a fleet with room for 64: 32 slots of each of two workers. */
static void fill_fleet(uint32_t share) {
    harness_stop();
    harness.headroom_share = share;
    harness_start();
    fake_link_up(1, harness_noop, 32);
    fake_link_up(2, harness_noop, 32);
    create_many();
    settle();
}

TEST(w23_a_newcomer_has_a_slot_at_once_though_another_tenant_could_fill_all) {
    fill_fleet(32);
    assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2), 62);
    for (int i = 0; i < 2; i++) {
        const char *other = CREATE(one, .tenant = "globex");
        settle();
        assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2), 63 + (size_t)i);
        assert_int_equal(harness_read_of("globex", other)->jobs[0]->state, CALLSHEET__V1__JOB_STATE__JOB_STATE_RUNNING);
    }
    const char *third = CREATE(one, .tenant = "globex"); /* it is no newcomer any more, and nothing is free */
    (void)waiting_of(harness_read_of("globex", third), 0, "tenant_turn");
}

TEST(what_waits_while_only_kept_slots_are_free_waits_for_a_slot) {
    fill_fleet(32);
    const char *id = CREATE(one);
    assert_int_equal(waiting_of(harness_read(id), 0, "no_slot")->place, 0);
}

TEST(slots_that_end_go_to_who_holds_many_when_enough_are_free) {
    fill_fleet(32);
    const Callsheet__V1__WorkCommand *command = fake_link_assigned(1);
    size_t waiting = fake_link_waiting(1) + fake_link_waiting(2);
    fake_report_succeeded(1, command);
    settle();
    assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2), waiting + 1);
}

TEST(without_headroom_one_tenant_may_fill_all) {
    fill_fleet(0);
    assert_int_equal(fake_link_waiting(1) + fake_link_waiting(2), 64);
}

TEST(a_job_waits_at_a_limit_that_is_named) {
    static const char *const keyed[] = {"a#gpu:1", "b#gpu:1"};
    restart_with("tenant:acme=2", NULL);
    fake_link_up(1, harness_noop, 9);
    const char *id = CREATE(keyed);
    (void)fake_link_assigned(1);
    assert_string_equal(waiting_of(harness_read(id), 1, "limit")->limit, "key:gpu");
    id = CREATE(two);
    (void)fake_link_assigned(1);
    const Callsheet__V1__Waiting *waiting = waiting_of(harness_read(id), 1, "limit");
    assert_string_equal(waiting->limit, "tenant:acme");
    assert_string_equal(waiting->message, "tenant:acme lets no more than 2 run at once");
}

TEST(a_job_waits_for_a_rate_until_a_time) {
    static const char *const jobs[] = {"g1", "g2"};
    restart_with("rate:provider:local=1/min", NULL);
    fake_link_up(1, harness_every, 9);
    const char *id = CREATE(jobs);
    (void)fake_link_assigned(1);
    const Callsheet__V1__Waiting *waiting = waiting_of(harness_read(id), 1, "rate");
    assert_string_equal(waiting->limit, "rate:provider:local");
    assert_int_equal(waiting->until_ms, HARNESS_START_MS + 60000);
}

TEST(a_job_waits_for_its_next_attempt_and_says_after_what) {
    fake_link_up(1, harness_noop, 1);
    const char *id = CREATE(one);
    fake_report_failed(1, fake_link_assigned(1), FAILURE(RATE_LIMITED), "too_fast", 60000);
    const Callsheet__V1__Execution *execution = harness_read(id);
    const Callsheet__V1__Waiting *waiting = waiting_of(execution, 0, "retry");
    assert_int_equal(waiting->until_ms, execution->jobs[0]->wake_at_ms);
    assert_non_null(strstr(waiting->message, "attempt 1 ended with too_fast"));
}

TEST(only_who_reads_an_execution_is_told_why_it_waits) {
    const char *id = CREATE(one);
    const struct told *told = harness_watch(id);
    harness_await_updates(told, 1);
    assert_null(told->updates[0]->execution->jobs[0]->waiting);
    harness_await(harness_cancel(id));
    assert_null(harness_read(id)->jobs[0]->waiting);
}

/* ---- metrics ---- */

TEST(ta_051_attempts_of_each_operation_are_counted_and_timed) {
    static const char *const jobs[] = {"a", "b", "c"};
    fake_link_up(1, harness_noop, 1);
    (void)CREATE(jobs);
    assert_null(strstr(harness_metrics(), "callsheet_attempts_total{"));
    const Callsheet__V1__WorkCommand *first = fake_link_assigned(1);
    harness_advance(1500);
    fake_report_succeeded(1, first);
    const Callsheet__V1__WorkCommand *second = fake_link_assigned(1);
    harness_advance(2000);
    fake_report_failed(1, second, FAILURE(INVALID_INPUT), "bad", 0);
    const Callsheet__V1__WorkCommand *third = fake_link_assigned(1);
    fake_report_failed(1, third, FAILURE(TRANSIENT), "no_slot", 0); /* given back: no attempt of it */
    settle();
    const char *text = harness_metrics();
    assert_non_null(strstr(text, "callsheet_attempts_total{operation=\"noop\",outcome=\"succeeded\"} 1\n"));
    assert_non_null(strstr(text, "callsheet_attempts_total{operation=\"noop\",outcome=\"failed\"} 1\n"));
    assert_non_null(strstr(text, "callsheet_attempt_seconds_total{operation=\"noop\"} 3.5\n"));
}

TEST(the_queue_of_each_operation_is_measured) {
    static const char *const jobs[] = {"a", "b!9", "c", "d", "gen"};
    restart_with("operation:noop=1", NULL);
    fake_link_up(1, harness_noop, 2);
    (void)CREATE(jobs);
    (void)fake_link_assigned(1);
    settle();
    harness_advance(2500);
    (void)CREATE(two);
    settle();
    const char *text = harness_metrics();
    assert_non_null(strstr(text, "callsheet_replica_info{replica=\"orchestrator-1\"} 1\n"));
    assert_non_null(strstr(text, "callsheet_jobs_ready 6\n"));
    assert_non_null(strstr(text, "callsheet_queue_ready{operation=\"noop\"} 5\n"));
    assert_non_null(strstr(text, "callsheet_queue_limited{operation=\"noop\"} 5\n"));
    assert_non_null(strstr(text, "callsheet_queue_oldest_seconds{operation=\"noop\"} 2.5\n"));
    assert_non_null(strstr(text, "callsheet_queue_ready{operation=\"generateVideo\"} 1\n"));
    assert_non_null(strstr(text, "callsheet_queue_limited{operation=\"generateVideo\"} 0\n"));
    assert_null(strstr(text, "deliverWebhook")); /* nobody offers it, and nobody waits */
}

/* ---- locality ---- */

TEST(a_job_goes_to_the_worker_that_made_its_input_while_it_has_a_slot) {
    static const char *const jobs[] = {"gen", "V<gen"};
    fake_link_up(1, reframing, 4);
    const char *id = CREATE(jobs);
    const Callsheet__V1__WorkCommand *made = fake_link_assigned(1);
    fake_link_up(2, reframing, 100); /* the least loaded by far */
    fake_report_succeeded(1, made);
    fake_report_succeeded(1, fake_link_assigned(1));
    (void)harness_read_state(id, EXECUTION(COMPLETED));
}

TEST(a_job_does_not_wait_for_the_worker_that_made_its_input) {
    static const char *const jobs[] = {"gen", "V<gen"};
    fake_link_up(1, reframing, 1);
    (void)CREATE(jobs);
    const Callsheet__V1__WorkCommand *made = fake_link_assigned(1);
    fake_link_up(2, reframing, 1);
    fake_link_credits(1, 0);
    fake_report_succeeded(1, made);
    assert_string_equal(fake_link_assigned(2)->assign->job, "V");
}

/* ---- bases ---- */

TEST(w16_a_base_that_has_ended_and_is_being_written_again_is_looked_at_again) {
    static const char *const on_base[] = {"x", "a<x"};
    fake_link_up(1, harness_every, 4);
    const char *base = CREATE(one, .webhook = true);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    const char *id = harness_create_on_base(on_base, CS_COUNT(on_base), base);
    const Callsheet__V1__WorkCommand *x = fake_link_assigned(1);
    const Callsheet__V1__WorkCommand *delivery = after(1, a);
    fake_store_hold();
    fake_report_succeeded(1, x);
    fake_store_await_held();
    fake_report_failed(1, delivery, FAILURE(TRANSIENT), "http_503", 0); /* in the next batch */
    (void)harness_metrics();
    double commits = harness_metric("callsheet_commits_total");
    fake_store_let_go();
    harness_await_commits(commits + 2);
    (void)harness_read(id);
    harness_advance(ORC_BASES_LOOK_EVERY_MS);
    const Callsheet__V1__Execution *execution = harness_read_state(id, EXECUTION(COMPLETED));
    assert_string_equal(execution->jobs[1]->reused->execution_id, base);
}

TEST(sy_047_variants_of_one_base_run_at_the_same_time_once_it_has_ended) {
    static const char *const variant[] = {"v<a", "w<v"};
    const char *ids[3];
    fake_link_up(1, harness_every, 4);
    const char *base = CREATE(one);
    const Callsheet__V1__WorkCommand *a = fake_link_assigned(1);
    for (size_t i = 0; i < CS_COUNT(ids); i++) {
        ids[i] = harness_create_on_base(variant, CS_COUNT(variant), base);
        assert_int_equal(harness_read(ids[i])->jobs[0]->state, JOB(WAITING));
    }
    assert_int_equal(fake_link_waiting(1), 0);
    fake_report_succeeded(1, a);
    const Callsheet__V1__WorkCommand *running[CS_COUNT(ids)];
    for (size_t i = 0; i < CS_COUNT(ids); i++) { /* none of them has ended */
        running[i] = fake_link_assigned(1);
        assert_string_equal(running[i]->assign->job, "v");
    }
    for (size_t i = 0; i < CS_COUNT(ids); i++) {
        assert_int_equal(harness_read(ids[i])->jobs[0]->state, JOB(RUNNING));
        assert_string_equal(after(1, running[i])->assign->job, "w");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(w23_e14_the_highest_priority_is_first_and_within_it_who_came_first),
        ENGINE_TEST(jobs_have_the_priority_of_their_plan_unless_they_say_it),
        ENGINE_TEST(a_priority_means_nothing_to_another_tenant),
        ENGINE_TEST(priorities_survive_a_restart),
        ENGINE_TEST(w23_a_hundred_thousand_jobs_of_a_tenant_delay_another_by_one_job),
        ENGINE_TEST(a_limit_of_a_tenant_with_a_hundred_thousand_jobs_does_not_delay_another),
        ENGINE_TEST(a_tenant_has_as_many_turns_as_it_weighs),
        ENGINE_TEST(w23_a_newcomer_has_a_slot_at_once_though_another_tenant_could_fill_all),
        ENGINE_TEST(what_waits_while_only_kept_slots_are_free_waits_for_a_slot),
        ENGINE_TEST(slots_that_end_go_to_who_holds_many_when_enough_are_free),
        ENGINE_TEST(without_headroom_one_tenant_may_fill_all),
        ENGINE_TEST(sy_048_an_operation_runs_no_more_than_its_limit_at_once),
        ENGINE_TEST(who_waits_at_a_limit_takes_turns_by_tenant_and_priority),
        ENGINE_TEST(a_provider_runs_no_more_than_its_limit_at_once),
        ENGINE_TEST(jobs_with_one_key_run_no_more_than_its_limit_at_once),
        ENGINE_TEST(the_smallest_limit_of_a_key_counts),
        ENGINE_TEST(a_permit_is_free_again_however_the_attempt_ended),
        ENGINE_TEST(a_call_that_is_not_answered_goes_to_the_next),
        ENGINE_TEST(after_a_restart_nothing_holds_a_permit),
        ENGINE_TEST(sy_132_e11_a_provider_begins_no_more_than_its_rate),
        ENGINE_TEST(ex_022_clips_begin_a_second_apart_where_the_rate_says_so),
        ENGINE_TEST(a_job_waits_for_its_dependencies_of_which_five_are_named),
        ENGINE_TEST(sy_009_a_job_waits_for_a_worker_that_offers_its_operation),
        ENGINE_TEST(a_job_waits_for_a_slot_and_knows_its_place),
        ENGINE_TEST(a_place_beyond_a_thousand_is_not_counted),
        ENGINE_TEST(the_first_of_its_tenant_waits_for_the_turn_of_others),
        ENGINE_TEST(a_job_waits_at_a_limit_that_is_named),
        ENGINE_TEST(a_job_waits_for_a_rate_until_a_time),
        ENGINE_TEST(a_job_waits_for_its_next_attempt_and_says_after_what),
        ENGINE_TEST(only_who_reads_an_execution_is_told_why_it_waits),
        ENGINE_TEST(ta_051_attempts_of_each_operation_are_counted_and_timed),
        ENGINE_TEST(the_queue_of_each_operation_is_measured),
        ENGINE_TEST(a_job_goes_to_the_worker_that_made_its_input_while_it_has_a_slot),
        ENGINE_TEST(a_job_does_not_wait_for_the_worker_that_made_its_input),
        ENGINE_TEST(w16_a_base_that_has_ended_and_is_being_written_again_is_looked_at_again),
        ENGINE_TEST(sy_047_variants_of_one_base_run_at_the_same_time_once_it_has_ended),
    };
    return cmocka_run_group_tests_name("engine: dispatch", tests, NULL, NULL);
}
