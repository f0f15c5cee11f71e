#include "api/rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/hash.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"

static const int64_t NS_PER_S = 1000000000;
static const int64_t NS_PER_MS = 1000000;

/* A bucket is the time at which it is full again: the later, the emptier. */
struct bucket {
    struct who {
        unsigned char size;
        unsigned char bytes[GW_RATE_WHO_BYTES_MAX];
    } who;
    int64_t full_at_ns;
    UT_hash_handle hh;
};

struct gw_rate {
    int64_t limit;
    int64_t period_ns;
    int64_t one_ns; /* that one token takes to come back */
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct bucket *buckets; /* the one used last is last */
};

static enum cs_status parse(const char *text, int64_t *ret_limit, int64_t *ret_period_ns, struct cs_err *err) {
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}};
    char number[16];
    size_t digits = strcspn(text, "/");
    if (digits > 0 && digits < sizeof(number) && text[digits] == '/') {
        memcpy(number, text, digits);
        number[digits] = '\0';
        for (size_t i = 0; i < CS_COUNT(units); i++) {
            if (strcmp(text + digits + 1, units[i].name) == 0 && cs_parse_i64(number, 1, GW_RATE_MAX, ret_limit)) {
                *ret_period_ns = units[i].seconds * NS_PER_S;
                return CS_OK;
            }
        }
    }
    return cs_fail_at(err, "rate-limit", "bad_setting",
                      "--rate-limit wants off, on or a rate such as 100/min (s, min, h), got \"%s\"", text);
}

enum cs_status gw_rate_create(const char *text, struct gw_rate **ret_rate, struct cs_err *err) {
    int64_t limit = 1;
    int64_t period_ns = 0;
    if (text[0] == '\0' || strcmp(text, "off") == 0) {
        *ret_rate = NULL;
        return CS_OK;
    }
    CS_TRY(parse(strcmp(text, "on") == 0 ? "100/min" : text, &limit, &period_ns, err));
    struct gw_rate *rate = cs_alloc(sizeof(*rate));
    *rate = (struct gw_rate){.limit = limit, .one_ns = period_ns / limit};
    rate->period_ns = rate->one_ns * limit;
    (void)pthread_mutex_init(&rate->lock, NULL);
    *ret_rate = rate;
    return CS_OK;
}

/* Lock held. */
static void forget(struct gw_rate *rate, struct bucket *bucket) {
    HASH_DEL(rate->buckets, bucket);
    free(bucket);
}

void gw_rate_destroy(struct gw_rate *rate) {
    if (rate == NULL) {
        return;
    }
    while (rate->buckets != NULL) {
        forget(rate, rate->buckets);
    }
    (void)pthread_mutex_destroy(&rate->lock);
    free(rate);
}

/* What is forgotten is out of the table; the analyzer does not follow uthash that far. */
/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */

/* Lock held. Full buckets are like none, and the first are those that rested longest: each take removes two at most, so
 * that none takes long. */
static void sweep(struct gw_rate *rate, int64_t now_ns) {
    for (int i = 0; i < 2 && rate->buckets != NULL && rate->buckets->full_at_ns <= now_ns; i++) {
        forget(rate, rate->buckets);
    }
    if (HASH_COUNT(rate->buckets) >= GW_RATE_CLIENTS_MAX) {
        forget(rate, rate->buckets);
    }
}

/* Lock held. Moves it to the end. */
static struct bucket *use(struct gw_rate *rate, const struct who *who, int64_t now_ns) {
    struct bucket *bucket = NULL;
    HASH_FIND(hh, rate->buckets, who, sizeof(*who), bucket);
    if (bucket != NULL) {
        HASH_DEL(rate->buckets, bucket);
    } else {
        sweep(rate, now_ns);
        bucket = cs_alloc(sizeof(*bucket));
        bucket->who = *who;
    }
    HASH_ADD(hh, rate->buckets, who, sizeof(bucket->who), bucket);
    return bucket;
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

/* Lock held. */
static struct gw_rate_verdict take(const struct gw_rate *rate, struct bucket *bucket, int64_t now_ns) {
    int64_t full_at_ns = bucket->full_at_ns > now_ns ? bucket->full_at_ns : now_ns;
    int64_t missing_ns = full_at_ns + rate->one_ns - now_ns - rate->period_ns; /* until one is there */
    struct gw_rate_verdict verdict = {.allowed = missing_ns <= 0, .limit = rate->limit};
    if (verdict.allowed) {
        bucket->full_at_ns = full_at_ns + rate->one_ns;
        verdict.remaining = (now_ns + rate->period_ns - bucket->full_at_ns) / rate->one_ns;
    } else {
        verdict.retry_after_ms = (missing_ns - 1) / NS_PER_MS + 1;
    }
    return verdict;
}

struct gw_rate_verdict gw_rate_take(struct gw_rate *rate, const void *who, size_t who_bytes, int64_t now_ns) {
    struct who key = {.size = (unsigned char)(who_bytes < GW_RATE_WHO_BYTES_MAX ? who_bytes : GW_RATE_WHO_BYTES_MAX)};
    memcpy(key.bytes, who, key.size);
    (void)pthread_mutex_lock(&rate->lock);
    struct gw_rate_verdict verdict = take(rate, use(rate, &key, now_ns), now_ns);
    (void)pthread_mutex_unlock(&rate->lock);
    return verdict;
}

size_t gw_rate_clients(struct gw_rate *rate) {
    (void)pthread_mutex_lock(&rate->lock);
    size_t count = HASH_COUNT(rate->buckets);
    (void)pthread_mutex_unlock(&rate->lock);
    return count;
}
