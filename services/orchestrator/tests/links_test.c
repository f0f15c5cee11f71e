#include "links/links.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "links/targets.h"
#include "scripted_worker.h"

/* What the owner of the links hears, in order. */
struct owner {
    struct cs_rpc *rpc;
    struct orc_links *links;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ups;
    int downs;
    int reports;
    uint64_t link; /* the last one that came up */
    uint64_t credits;
    uint64_t slots;
    char worker[64];
    bool out_of_order;
};

static void on_up(uint64_t link, const Callsheet__V1__Hello *hello, void *ctx) {
    struct owner *owner = ctx;
    pthread_mutex_lock(&owner->lock);
    owner->ups++;
    owner->link = link;
    owner->slots = hello->slots;
    cs_str_copy(owner->worker, sizeof(owner->worker), hello->worker);
    (void)pthread_cond_broadcast(&owner->changed);
    pthread_mutex_unlock(&owner->lock);
}

static void on_reports(uint64_t link, const Callsheet__V1__WorkReport *reports, void *ctx) {
    struct owner *owner = ctx;
    pthread_mutex_lock(&owner->lock);
    owner->out_of_order = owner->out_of_order || link != owner->link || owner->ups == owner->downs;
    for (size_t i = 0; i < reports->n_reports; i++) {
        owner->reports++;
        if (reports->reports[i]->report_case == CALLSHEET__V1__REPORT__REPORT_CREDITS) {
            owner->credits = reports->reports[i]->credits->limit;
        }
        owner->out_of_order =
            owner->out_of_order || reports->reports[i]->report_case == CALLSHEET__V1__REPORT__REPORT_HELLO;
    }
    (void)pthread_cond_broadcast(&owner->changed);
    pthread_mutex_unlock(&owner->lock);
}

static void on_down(__attribute__((unused)) uint64_t link, void *ctx) {
    struct owner *owner = ctx;
    pthread_mutex_lock(&owner->lock);
    owner->downs++;
    owner->out_of_order = owner->out_of_order || owner->downs > owner->ups;
    (void)pthread_cond_broadcast(&owner->changed);
    pthread_mutex_unlock(&owner->lock);
}

static const struct orc_link_events events = {.up = on_up, .reports = on_reports, .down = on_down};

static void owner_init(struct owner *owner) {
    struct cs_err err = {0};
    (void)pthread_mutex_init(&owner->lock, NULL);
    (void)pthread_cond_init(&owner->changed, NULL);
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &owner->rpc, &err), &err);
}

static void owner_link(struct owner *owner, const char *targets, const char *authorization) {
    struct cs_err err = {0};
    const struct orc_links_config config = {
        .targets = targets, .replica = "r1", .authorization = authorization, .events = &events, .ctx = owner};
    assert_ok(orc_links_create(owner->rpc, &config, &owner->links, &err), &err);
}

static void owner_fini(struct owner *owner) {
    orc_links_destroy(owner->links);
    cs_rpc_destroy(owner->rpc);
    assert_false(owner->out_of_order);
    assert_int_equal(owner->ups, owner->downs); /* each `up` had its `down` */
}

/* Waits until a counter of the owner has reached a number. */
static void await_count(struct owner *owner, const int *counter, int wanted, const char *what) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CS_TEST_PATIENCE_MS / 1000;
    int waited = 0;
    pthread_mutex_lock(&owner->lock);
    while (*counter < wanted && waited == 0) {
        waited = pthread_cond_timedwait(&owner->changed, &owner->lock, &until);
    }
    int reached = *counter;
    pthread_mutex_unlock(&owner->lock);
    if (reached < wanted) {
        fail_msg("%s: %d of %d", what, reached, wanted);
    }
}

static enum cs_status send_cancel(struct owner *owner, uint64_t link, struct cs_err *err) {
    Callsheet__V1__Cancel cancel = CALLSHEET__V1__CANCEL__INIT;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    Callsheet__V1__WorkCommand *commands[] = {&command};
    Callsheet__V1__WorkRequest request = CALLSHEET__V1__WORK_REQUEST__INIT;
    cancel.reason = (char *)"test";
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL;
    command.cancel = &cancel;
    request.n_commands = 1;
    request.commands = commands;
    return orc_links_send(owner->links, link, &request, err);
}

/* ---- tests ---- */

TEST(a_worker_that_says_hello_is_welcomed_and_linked) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *worker =
        scripted_start(&(struct scripted_config){.rpc = owner.rpc, .slots = 7, .token = "t0ken"});
    owner_link(&owner, scripted_address(worker), "Bearer t0ken");
    await_count(&owner, &owner.ups, 1, "links up");
    await_count(&owner, &owner.reports, 1, "reports after Hello");
    assert_string_equal(owner.worker, "scripted");
    assert_int_equal(owner.slots, 7);
    assert_int_equal(owner.credits, 7); /* came in the same message as Hello */
    CS_AUTO(heard) *welcome = scripted_take(worker, HEARD_WELCOME);
    assert_string_equal(welcome->command->welcome->replica, "r1");
    struct cs_err err = {0};
    assert_ok(send_cancel(&owner, owner.link, &err), &err);
    heard_free(scripted_take(worker, HEARD_CANCEL));
    orc_links_destroy(cs_steal(&owner.links));
    heard_free(scripted_take(worker, HEARD_CLOSED));
    scripted_stop(worker);
    owner_fini(&owner);
}

static void check_dropped(enum scripted_greeting greeting) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *worker = scripted_start(&(struct scripted_config){.rpc = owner.rpc, .greeting = greeting});
    owner_link(&owner, scripted_address(worker), NULL);
    for (int i = 0; i < 2; i++) { /* dropped, and dialled again */
        heard_free(scripted_take(worker, HEARD_OPEN));
        heard_free(scripted_take(worker, HEARD_CLOSED));
    }
    orc_links_destroy(cs_steal(&owner.links));
    if (greeting == GREET_TWICE) {
        assert_int_equal(owner.ups, owner.downs);
    } else {
        assert_int_equal(owner.ups, 0);
        assert_null(scripted_poll(worker, HEARD_WELCOME));
    }
    assert_int_equal(owner.reports, 0);
    scripted_stop(worker);
    owner_fini(&owner);
}

TEST(a_worker_that_does_not_say_hello_first_is_dropped) {
    check_dropped(GREET_WITH_CREDITS);
}

TEST(a_worker_without_a_name_is_dropped) {
    check_dropped(GREET_WITHOUT_NAME);
}

TEST(a_worker_that_says_too_much_at_once_is_dropped) {
    check_dropped(GREET_WITH_FLOOD);
}

TEST(a_worker_that_says_hello_again_is_dropped) {
    check_dropped(GREET_TWICE);
}

TEST(a_worker_that_went_away_is_linked_again_under_a_new_number) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *worker = scripted_start(&(struct scripted_config){.rpc = owner.rpc});
    owner_link(&owner, scripted_address(worker), NULL);
    await_count(&owner, &owner.ups, 1, "links up");
    uint64_t first = owner.link;
    scripted_break(worker);
    await_count(&owner, &owner.ups, 2, "links up again");
    assert_int_equal(owner.downs, 1);
    assert_int_not_equal(owner.link, first);
    struct cs_err err = {0};
    assert_fails(send_cancel(&owner, first, &err), &err, CS_CANCELLED, "link_down");
    assert_ok(send_cancel(&owner, owner.link, &err), &err);
    orc_links_destroy(cs_steal(&owner.links));
    scripted_stop(worker);
    owner_fini(&owner);
}

TEST(a_worker_that_starts_later_is_found) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *worker = scripted_start(&(struct scripted_config){.rpc = owner.rpc});
    char address[64];
    cs_str_copy(address, sizeof(address), scripted_address(worker));
    scripted_stop(worker); /* its port is free now */
    owner_link(&owner, address, NULL);
    worker = scripted_start(&(struct scripted_config){.rpc = owner.rpc, .listen = address});
    await_count(&owner, &owner.ups, 1, "links up");
    orc_links_destroy(cs_steal(&owner.links));
    scripted_stop(worker);
    owner_fini(&owner);
}

TEST(a_link_that_is_dropped_goes_down) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *worker = scripted_start(&(struct scripted_config){.rpc = owner.rpc});
    owner_link(&owner, scripted_address(worker), NULL);
    await_count(&owner, &owner.ups, 1, "links up");
    orc_links_drop(owner.links, owner.link);
    await_count(&owner, &owner.downs, 1, "links down");
    orc_links_drop(owner.links, 999); /* no such link: nothing happens */
    orc_links_destroy(cs_steal(&owner.links));
    scripted_stop(worker);
    owner_fini(&owner);
}

TEST(a_name_is_resolved_and_a_worker_with_two_addresses_is_linked_once) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *worker = scripted_start(&(struct scripted_config){.rpc = owner.rpc});
    char targets[160];
    const char *port = strrchr(scripted_address(worker), ':');
    (void)snprintf(targets, sizeof(targets), "localhost%s, 127.0.0.1%s", port, port);
    owner_link(&owner, targets, NULL);
    await_count(&owner, &owner.ups, 1, "links up");
    /* 127.0.0.1 is one peer for both targets; ::1 does not listen. */
    assert_int_equal(owner.ups, 1);
    orc_links_destroy(cs_steal(&owner.links));
    scripted_stop(worker);
    owner_fini(&owner);
}

TEST(the_same_worker_at_two_addresses_gets_one_link) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *here = scripted_start(&(struct scripted_config){.rpc = owner.rpc, .name = "one"});
    struct scripted_worker *there = scripted_start(&(struct scripted_config){.rpc = owner.rpc, .name = "one"});
    char targets[160];
    (void)snprintf(targets, sizeof(targets), "%s,%s", scripted_address(here), scripted_address(there));
    owner_link(&owner, targets, NULL);
    heard_free(scripted_take(here, HEARD_OPEN));
    heard_free(scripted_take(there, HEARD_OPEN));
    await_count(&owner, &owner.ups, 1, "links up");
    struct heard *dropped = NULL;
    while (dropped == NULL) { /* one of the two is hung up on */
        dropped = scripted_poll(here, HEARD_CLOSED);
        dropped = dropped != NULL ? dropped : scripted_poll(there, HEARD_CLOSED);
    }
    heard_free(dropped);
    assert_int_equal(owner.ups, 1);
    orc_links_destroy(cs_steal(&owner.links));
    scripted_stop(here);
    scripted_stop(there);
    owner_fini(&owner);
}

TEST(a_silent_worker_does_not_keep_links_from_ending) {
    struct owner owner = {0};
    owner_init(&owner);
    struct scripted_worker *worker =
        scripted_start(&(struct scripted_config){.rpc = owner.rpc, .greeting = GREET_NEVER});
    owner_link(&owner, scripted_address(worker), NULL);
    heard_free(scripted_take(worker, HEARD_OPEN));
    orc_links_destroy(cs_steal(&owner.links));
    assert_int_equal(owner.ups, 0);
    scripted_stop(worker);
    owner_fini(&owner);
}

TEST(bad_targets_are_refused) {
    const char *const bad[] = {"nohost", "host:", "host:0", "host:70000", ":123", "a:1,,b", "a:1,b"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct orc_target *targets = NULL;
        size_t count = 0;
        struct cs_err err = {0};
        assert_fails(orc_targets_parse(bad[i], &targets, &count, &err), &err, CS_INVALID_ARGUMENT, "bad_workers");
    }
}

TEST(no_targets_are_no_links) {
    struct owner owner = {0};
    owner_init(&owner);
    owner_link(&owner, "", NULL);
    owner_fini(&owner);
}

TEST(addresses_are_literal_and_names_are_not) {
    struct orc_target *targets = NULL;
    size_t count = 0;
    struct cs_err err = {0};
    assert_ok(orc_targets_parse("10.0.0.1:1, [::1]:2 ,media.internal:3", &targets, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_true(targets[0].literal && targets[1].literal && !targets[2].literal);
    char addresses[ORC_TARGET_ADDRESSES_MAX][ORC_ADDRESS_SIZE];
    size_t found = 0;
    assert_ok(orc_target_resolve(&targets[1], addresses, &found, &err), &err);
    assert_int_equal(found, 1);
    assert_string_equal(addresses[0], "[::1]:2");
    orc_targets_free(targets, count);
}

TEST_MAIN(CS_TEST(a_worker_that_says_hello_is_welcomed_and_linked),
          CS_TEST(a_worker_that_does_not_say_hello_first_is_dropped), CS_TEST(a_worker_without_a_name_is_dropped),
          CS_TEST(a_worker_that_says_hello_again_is_dropped), CS_TEST(a_worker_that_says_too_much_at_once_is_dropped),
          CS_TEST(a_worker_that_went_away_is_linked_again_under_a_new_number),
          CS_TEST(a_worker_that_starts_later_is_found), CS_TEST(a_link_that_is_dropped_goes_down),
          CS_TEST(a_name_is_resolved_and_a_worker_with_two_addresses_is_linked_once),
          CS_TEST(the_same_worker_at_two_addresses_gets_one_link),
          CS_TEST(a_silent_worker_does_not_keep_links_from_ending), CS_TEST(bad_targets_are_refused),
          CS_TEST(no_targets_are_no_links), CS_TEST(addresses_are_literal_and_names_are_not))
