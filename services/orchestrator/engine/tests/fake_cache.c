#include "engine/tests/fake_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "engine/tests/fake_store.h"

enum { ROWS_MAX = 256 };

struct row {
    struct orc_row_kept kept; /* strings and bytes malloc'ed; kind 0: free */
    enum orc_cache_miss miss;
};

static struct {
    pthread_mutex_t lock; /* before that of the fake store */
    struct row rows[ROWS_MAX];
    bool held;
    int asks;
    int questions;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void clear(struct row *row) {
    free((void *)row->kept.engine);
    free((void *)row->kept.execution);
    free((void *)row->kept.job);
    free((void *)row->kept.result);
    *row = (struct row){0};
}

void fake_cache_reset(void) {
    pthread_mutex_lock(&cache.lock);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        clear(&cache.rows[i]);
    }
    cache.held = false;
    cache.asks = cache.questions = 0;
    pthread_mutex_unlock(&cache.lock);
}

static int count(enum orc_kept_kind kind) {
    int rows = 0;
    pthread_mutex_lock(&cache.lock);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        rows += cache.rows[i].kept.kind == kind;
    }
    pthread_mutex_unlock(&cache.lock);
    return rows;
}

int fake_cache_results(void) {
    return count(ORC_KEPT_RESULT);
}

int fake_cache_leaders(void) {
    return count(ORC_KEPT_LEADER);
}

int fake_cache_asks(void) {
    pthread_mutex_lock(&cache.lock);
    int asks = cache.asks;
    pthread_mutex_unlock(&cache.lock);
    return asks;
}

int fake_cache_questions(void) {
    pthread_mutex_lock(&cache.lock);
    int questions = cache.questions;
    pthread_mutex_unlock(&cache.lock);
    return questions;
}

void fake_cache_hold(bool held) {
    pthread_mutex_lock(&cache.lock);
    cache.held = held;
    pthread_mutex_unlock(&cache.lock);
}

/* ---- store/cache.h ---- */

static struct row *find(const unsigned char *subject, const char *engine) {
    for (size_t i = 0; i < ROWS_MAX; i++) {
        const struct orc_row_kept *kept = &cache.rows[i].kept;
        if (kept->kind != 0 && memcmp(kept->subject, subject, sizeof(kept->subject)) == 0 &&
            cs_str_eq(kept->engine, engine)) {
            return &cache.rows[i];
        }
    }
    return NULL;
}

static void set(const struct orc_row_kept *kept, enum orc_cache_miss miss) {
    struct row *row = find(kept->subject, kept->engine);
    for (size_t i = 0; row == NULL && i < ROWS_MAX; i++) {
        row = cache.rows[i].kept.kind == 0 ? &cache.rows[i] : NULL;
    }
    struct row before = *row;
    *row = (struct row){.kept = *kept, .miss = miss};
    row->kept.engine = cs_strdup(kept->engine);
    row->kept.execution = cs_strdup(kept->execution);
    row->kept.job = cs_strdup(kept->job);
    row->kept.result = NULL;
    if (kept->kind == ORC_KEPT_RESULT) {
        void *result = cs_alloc(kept->result_size + 1);
        if (kept->result_size != 0) {
            memcpy(result, kept->result, kept->result_size);
        }
        row->kept.result = result;
    }
    clear(&before);
}

void fake_cache_keep(const struct orc_row_kept *rows, size_t row_count) {
    pthread_mutex_lock(&cache.lock);
    for (size_t i = 0; i < row_count; i++) {
        struct row *row = find(rows[i].subject, rows[i].engine);
        bool leader = row != NULL && row->kept.kind == ORC_KEPT_LEADER;
        if (leader && rows[i].kind != ORC_KEPT_RESULT &&
            (!cs_str_eq(row->kept.execution, rows[i].from_execution) || !cs_str_eq(row->kept.job, rows[i].from_job))) {
            continue; /* another one leads by now */
        }
        if (rows[i].kind == ORC_KEPT_RESULT || (rows[i].kind == ORC_KEPT_LEADER && leader)) {
            set(&rows[i], leader ? row->miss : ORC_CACHE_NO_MISS);
        } else if (leader) {
            clear(row);
        }
    }
    pthread_mutex_unlock(&cache.lock);
}

static bool has_ended(const char *execution) {
    int state = fake_store_state(execution);
    return state != 1 && state != 2;
}

static enum orc_cache_miss miss_of(const struct orc_cache_question *question, const struct row *row, int64_t now_ms) {
    if (row == NULL) {
        return ORC_CACHE_NEVER_SEEN;
    }
    if (row->kept.kind == ORC_KEPT_RESULT) {
        return row->kept.expires_at_ms <= now_ms ? ORC_CACHE_EXPIRED : ORC_CACHE_NO_MISS;
    }
    if (cs_str_eq(row->kept.execution, question->execution) && cs_str_eq(row->kept.job, question->job)) {
        return row->miss;
    }
    return has_ended(row->kept.execution) ? ORC_CACHE_ABANDONED : ORC_CACHE_NO_MISS;
}

static void answer(const struct orc_cache_question *question, int64_t now_ms, int64_t ttl_ms, struct cs_arena *arena,
                   struct orc_cache_answer *out) {
    const struct row *row = find(question->subject, question->engine);
    enum orc_cache_miss miss = miss_of(question, row, now_ms);
    *out = (struct orc_cache_answer){.verdict = ORC_CACHE_HELD, .execution = "elsewhere", .job = "x"};
    if (cache.held) {
        return;
    }
    if (miss != ORC_CACHE_NO_MISS) {
        struct orc_row_kept kept = {.kind = ORC_KEPT_LEADER,
                                    .engine = question->engine,
                                    .execution = question->execution,
                                    .job = question->job,
                                    .expires_at_ms = now_ms + ttl_ms};
        memcpy(kept.subject, question->subject, sizeof(kept.subject));
        set(&kept, miss);
        out->verdict = ORC_CACHE_LEAD;
        out->miss = miss;
        return;
    }
    out->verdict = row->kept.kind == ORC_KEPT_RESULT ? ORC_CACHE_HIT : ORC_CACHE_HELD;
    out->execution = cs_arena_strdup(arena, row->kept.execution);
    out->job = cs_arena_strdup(arena, row->kept.job);
    out->result = row->kept.result != NULL ? cs_arena_copy(arena, row->kept.result, row->kept.result_size) : NULL;
    out->result_size = row->kept.result_size;
}

enum cs_status orc_store_cache_ask(__attribute__((unused)) struct orc_store *store,
                                   const struct orc_cache_question *questions, size_t question_count, int64_t now_ms,
                                   int64_t ttl_ms, struct cs_arena *arena, struct orc_cache_answer **ret_answers,
                                   __attribute__((unused)) struct cs_err *err) {
    struct orc_cache_answer *answers = cs_arena_array(arena, question_count, sizeof(*answers));
    pthread_mutex_lock(&cache.lock);
    cache.asks++;
    cache.questions += (int)question_count;
    for (size_t i = 0; i < question_count; i++) {
        answer(&questions[i], now_ms, ttl_ms, arena, &answers[i]);
    }
    pthread_mutex_unlock(&cache.lock);
    *ret_answers = answers;
    return CS_OK;
}

enum cs_status orc_store_cache_invalidate(__attribute__((unused)) struct orc_store *store,
                                          __attribute__((unused)) const char *tenant,
                                          __attribute__((unused)) const char *execution,
                                          __attribute__((unused)) const unsigned char (*subjects)[32],
                                          __attribute__((unused)) size_t subject_count, int64_t *ret_count,
                                          __attribute__((unused)) struct cs_err *err) {
    *ret_count = 0;
    return CS_OK;
}

enum cs_status orc_store_cache_clean(__attribute__((unused)) struct orc_store *store,
                                     __attribute__((unused)) int64_t before_ms, int64_t *ret_count,
                                     __attribute__((unused)) struct cs_err *err) {
    *ret_count = 0;
    return CS_OK;
}
