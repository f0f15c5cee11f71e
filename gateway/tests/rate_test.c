#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/proxies.h"
#include "api/rate.h"
#include "cs/test.h"

static const int64_t S = 1000000000;

static struct gw_rate *rate_of(const char *text) {
    struct gw_rate *rate = NULL;
    struct cs_err err = {0};
    assert_ok(gw_rate_create(text, &rate, &err), &err);
    return rate;
}

TEST(sy_136_sy_137_a_hundred_a_minute_and_then_one_as_each_comes_back) {
    CS_AUTO(gw_rate) *rate = rate_of("on");
    struct gw_rate_verdict verdict;
    for (int i = 0; i < 100; i++) {
        verdict = gw_rate_take(rate, "a", 1, 5 * S);
        assert_true(verdict.allowed);
        assert_int_equal(verdict.limit, 100);
        assert_int_equal(verdict.remaining, 99 - i);
    }
    for (int i = 0; i < 1000; i++) { /* refusals take nothing, so nobody is kept out for asking */
        verdict = gw_rate_take(rate, "a", 1, 5 * S);
        assert_false(verdict.allowed);
        assert_int_equal(verdict.remaining, 0);
        assert_int_equal(verdict.retry_after_ms, 600);
    }
    assert_true(gw_rate_take(rate, "b", 1, 5 * S).allowed);
    assert_false(gw_rate_take(rate, "a", 1, 5 * S + 600 * 1000000 - 1).allowed);
    assert_true(gw_rate_take(rate, "a", 1, 5 * S + 600 * 1000000).allowed);
    assert_false(gw_rate_take(rate, "a", 1, 5 * S + 600 * 1000000).allowed);
    assert_int_equal(gw_rate_take(rate, "a", 1, 3600 * S).remaining, 99); /* full, and no fuller */
}

TEST(w25_buckets_that_are_full_again_are_forgotten_and_there_are_only_so_many) {
    CS_AUTO(gw_rate) *rate = rate_of("2/h");
    char who[16];
    for (int i = 0; i < GW_RATE_CLIENTS_MAX + 100; i++) {
        int size = snprintf(who, sizeof(who), "%d", i);
        assert_true(gw_rate_take(rate, who, (size_t)size, 0).allowed);
    }
    assert_int_equal(gw_rate_clients(rate), GW_RATE_CLIENTS_MAX);
    for (int i = 0; i < GW_RATE_CLIENTS_MAX; i++) {
        int size = snprintf(who, sizeof(who), "later %d", i % 3);
        (void)gw_rate_take(rate, who, (size_t)size, 7200 * S + i);
    }
    (void)gw_rate_take(rate, "x", 1, 7200 * S + GW_RATE_CLIENTS_MAX);
    assert_true(gw_rate_clients(rate) < GW_RATE_CLIENTS_MAX);
}

struct crowd {
    struct gw_rate *rate;
    atomic_int allowed;
};

static void *rush(void *arg) {
    struct crowd *crowd = arg;
    for (int i = 0; i < 1000; i++) {
        atomic_fetch_add(&crowd->allowed, gw_rate_take(crowd->rate, "a", 1, S).allowed);
    }
    return NULL;
}

TEST(w25_of_many_at_once_exactly_the_limit_gets_in) {
    enum { THREADS = 4 };
    struct crowd crowd = {.rate = rate_of("500/s")};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, rush, &crowd), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&crowd.allowed), 500);
    gw_rate_destroy(crowd.rate);
}

TEST(rates_are_words_or_numbers_in_a_time) {
    static const char *const bad[] = {"yes", "0/s",      "-1/s",    "100",       "100/",
                                      "/s",  "100/min ", "100/day", "1000001/s", "99999999999999999999/s"};
    assert_null(rate_of("off"));
    assert_null(rate_of(""));
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct gw_rate *rate = NULL;
        struct cs_err err = {0};
        assert_fails(gw_rate_create(bad[i], &rate, &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
        assert_string_equal(err.path, "rate-limit");
    }
}

TEST(w25_only_trusted_proxies_are_believed_about_the_client) {
    static const struct {
        const char *peer;
        const char *forwarded;
        const char *client;
    } cases[] = {
        {"8.8.8.8", "1.2.3.4", "8.8.8.8"}, /* says it itself */
        {"10.1.2.3", NULL, "10.1.2.3"},
        {"10.1.2.3", "", "10.1.2.3"},
        {"10.1.2.3", "1.2.3.4", "1.2.3.4"},
        {"10.1.2.3", "6.6.6.6, 1.2.3.4", "1.2.3.4"}, /* the first is what the client wrote */
        {"10.1.2.3", "6.6.6.6,1.2.3.4 , 10.9.9.9", "1.2.3.4"},
        {"10.1.2.3", "10.4.4.4", "10.4.4.4"},
        {"10.1.2.3", "6.6.6.6, nonsense", "10.1.2.3"},
        {"10.1.2.3", "6.6.6.6, nonsense, 10.7.7.7", "10.7.7.7"},
        {"10.1.2.3", "1.2.3.4:5678", "1.2.3.4"},
        {"fd00::7", "[2001:db8::1]:99", "2001:db8::1"},
        {"fd00::7", "2001:db8::1", "2001:db8::1"},
        {"192.168.7.1", "1.2.3.4", "1.2.3.4"},
        {"192.168.7.2", "1.2.3.4", "192.168.7.2"},
        {"::ffff:10.1.2.3", "1.2.3.4", "1.2.3.4"},
        {"172.15.255.255", "1.2.3.4", "172.15.255.255"},
        {"172.16.0.0", "1.2.3.4", "1.2.3.4"},
        {"172.31.255.255", "1.2.3.4", "1.2.3.4"},
        {"172.32.0.0", "1.2.3.4", "172.32.0.0"},
    };
    CS_AUTO(gw_proxies) *proxies = NULL;
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    assert_ok(gw_proxies_create("10.0.0.0/8, 192.168.7.1,172.16.0.0/12,fd00::/8", &proxies, &err), &err);
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *client = gw_proxies_client(proxies, cases[i].peer, cases[i].forwarded, arena);
        if (strcmp(client, cases[i].client) != 0) {
            fail_msg("%s for \"%s\": %s, wanted %s", cases[i].peer, cases[i].forwarded, client, cases[i].client);
        }
    }
    static const char *const bad[] = {"localhost", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0/8"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct gw_proxies *none = NULL;
        assert_fails(gw_proxies_create(bad[i], &none, &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
    }
}

TEST(w25_a_client_does_not_get_another_bucket_by_another_address_of_its_network) {
    unsigned char a[GW_ADDRESS_BYTES];
    unsigned char b[GW_ADDRESS_BYTES];
    gw_address_network("2001:db8:1:2:3::4", a);
    gw_address_network("2001:db8:1:2:ffff::9", b);
    assert_memory_equal(a, b, sizeof(a));
    gw_address_network("2001:db8:1:3::4", b);
    assert_memory_not_equal(a, b, sizeof(a));
    gw_address_network("1.2.3.4", a);
    gw_address_network("1.2.3.5", b);
    assert_memory_not_equal(a, b, sizeof(a));
    gw_address_network("::ffff:1.2.3.4", b);
    assert_memory_equal(a, b, sizeof(a));
}

TEST_MAIN(CS_TEST(sy_136_sy_137_a_hundred_a_minute_and_then_one_as_each_comes_back),
          CS_TEST(w25_buckets_that_are_full_again_are_forgotten_and_there_are_only_so_many),
          CS_TEST(w25_of_many_at_once_exactly_the_limit_gets_in), CS_TEST(rates_are_words_or_numbers_in_a_time),
          CS_TEST(w25_only_trusted_proxies_are_believed_about_the_client),
          CS_TEST(w25_a_client_does_not_get_another_bucket_by_another_address_of_its_network))
