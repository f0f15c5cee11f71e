#include "engine/reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"

struct request {
    struct request *next;
    char *tenant;
    char *id; /* or NULL */
    char *key;
    char *our_address; /* of a search for the owner, or NULL */
    char *unreachable; /* likewise */
    orc_stored_fn *done;
    orc_owner_fn *located; /* instead of done */
    char **ids;            /* of a look at several, or NULL */
    size_t id_count;
    orc_ended_fn *ended; /* instead of done */
    void *ctx;
};

struct orc_readers {
    pthread_t threads[ORC_READ_THREADS];
    size_t thread_count;
    struct orc_store *stores[ORC_READ_THREADS]; /* one for each thread */
    struct orc_store *list_stores[ORC_LIST_CONNECTIONS];
    pthread_mutex_t lock;
    pthread_cond_t wanted;   /* a request came, or the end */
    pthread_cond_t returned; /* a list connection came back */
    pthread_cond_t ended;    /* no more patience */
    /* below: guarded by lock */
    struct request *first;
    struct request *last;
    size_t count;
    bool lent[ORC_LIST_CONNECTIONS];
    size_t started; /* threads that have taken their store */
    bool hurry;     /* reads are not tried again */
    bool stopping;
};

static void request_free(struct request *request) {
    free(request->tenant);
    free(request->id);
    free(request->key);
    free(request->our_address);
    free(request->unreachable);
    for (size_t i = 0; i < request->id_count; i++) {
        free(request->ids[i]);
    }
    free(request->ids);
    free(request);
}

static enum cs_status stopping(struct cs_err *err) {
    return cs_fail(err, CS_UNAVAILABLE, "stopping", "the orchestrator is about to stop");
}

/* What the database says about itself is for our log, not for clients. */
static enum cs_status explain(struct cs_err *err) {
    if (err->status == CS_NOT_FOUND) {
        return err->status;
    }
    if (cs_str_eq(err->reason, "interrupted")) {
        return stopping(err);
    }
    cs_log_warn("read failed", CS_KVE(err));
    return cs_fail(err, CS_UNAVAILABLE, "not_read", "the database did not answer; try again");
}

/* ---- a database that is away for a moment ---- */

struct patience {
    int64_t until_ms; /* monotonic */
    int64_t pause_ms;
};

static struct patience patience_start(void) {
    return (struct patience){.until_ms = cs_clock_mono_ms() + ORC_READ_PATIENCE_MS, .pause_ms = 20};
}

/* Waits before a read is tried again; false when the failure shall be told. */
static bool try_again(struct orc_readers *readers, struct patience *patience, const struct cs_err *err) {
    int64_t at_ms = cs_clock_mono_ms() + patience->pause_ms;
    if (!err->retryable || at_ms > patience->until_ms) {
        return false;
    }
    patience->pause_ms *= 2;
    struct timespec until = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
    pthread_mutex_lock(&readers->lock);
    while (!readers->stopping && !readers->hurry && cs_clock_mono_ms() < at_ms) {
        (void)pthread_cond_timedwait(&readers->ended, &readers->lock, &until);
    }
    bool again = !readers->stopping && !readers->hurry;
    pthread_mutex_unlock(&readers->lock);
    return again;
}

struct found {
    const char *address; /* "": read from the log */
    struct orc_stored *item;
    size_t count; /* of items from `item`, when several were asked for */
};

static enum cs_status locate(struct orc_store *store, const struct request *request, struct cs_arena *arena,
                             struct found *found, struct cs_err *err) {
    const char *owner = NULL;
    CS_TRY(orc_store_owner(store, request->tenant, request->id, arena, &owner, &found->address, err));
    if (found->address[0] != '\0' && !cs_str_eq(found->address, request->our_address) &&
        !cs_str_eq(found->address, request->unreachable)) {
        return CS_OK;
    }
    found->address = "";
    return orc_store_get_log(store, request->tenant, request->id, arena, &found->item, err);
}

static enum cs_status read_row(struct orc_store *store, const struct request *request, struct cs_arena *arena,
                               struct found *found, struct cs_err *err) {
    if (request->located != NULL) {
        return locate(store, request, arena, found, err);
    }
    if (request->ended != NULL) {
        return orc_store_ended(store, (const char *const *)request->ids, request->id_count, arena, &found->item,
                               &found->count, err);
    }
    return request->id != NULL ? orc_store_get(store, request->tenant, request->id, arena, &found->item, err)
                               : orc_store_find_key(store, request->tenant, request->key, arena, &found->item, err);
}

/* err NULL: found. */
static void answer(const struct request *request, const struct found *found, const struct cs_err *err) {
    const struct orc_stored *item = err == NULL ? found->item : NULL;
    if (request->located != NULL) {
        request->located(err == NULL && item == NULL ? found->address : NULL, item, err, request->ctx);
    } else if (request->ended != NULL) {
        request->ended(item, err == NULL ? found->count : 0, err, request->ctx);
    } else {
        request->done(item, err, request->ctx);
    }
}

static void serve(struct orc_readers *readers, struct orc_store *store, const struct request *request) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct patience patience = patience_start();
    struct found found = {0};
    struct cs_err err = {0};
    enum cs_status status = read_row(store, request, arena, &found, &err);
    while (status != CS_OK && try_again(readers, &patience, &err)) {
        status = read_row(store, request, arena, &found, &err);
    }
    if (status != CS_OK) {
        (void)explain(&err);
    }
    answer(request, &found, status == CS_OK ? NULL : &err);
}

static void refuse(const struct request *request) {
    struct cs_err err = {0};
    (void)stopping(&err);
    answer(request, NULL, &err);
}

static void *run(void *arg) {
    struct orc_readers *readers = arg;
    pthread_mutex_lock(&readers->lock);
    struct orc_store *store = readers->stores[readers->started++];
    for (;;) {
        while (readers->first == NULL && !readers->stopping) {
            (void)pthread_cond_wait(&readers->wanted, &readers->lock);
        }
        struct request *request = readers->first;
        if (request == NULL) {
            break;
        }
        readers->first = request->next;
        readers->count--;
        bool refused = readers->stopping;
        pthread_mutex_unlock(&readers->lock);
        if (refused) {
            refuse(request);
        } else {
            serve(readers, store, request);
        }
        request_free(request);
        pthread_mutex_lock(&readers->lock);
    }
    pthread_mutex_unlock(&readers->lock);
    return NULL;
}

static enum cs_status open_stores(const char *url, struct orc_store **stores, size_t count, struct cs_err *err) {
    for (size_t i = 0; i < count; i++) {
        CS_TRY(orc_store_open(url, &stores[i], err));
    }
    return CS_OK;
}

static enum cs_status start(struct orc_readers *readers, const char *url, struct cs_err *err) {
    CS_TRY(open_stores(url, readers->stores, ORC_READ_THREADS, err));
    CS_TRY(open_stores(url, readers->list_stores, ORC_LIST_CONNECTIONS, err));
    for (; readers->thread_count < ORC_READ_THREADS; readers->thread_count++) {
        if (pthread_create(&readers->threads[readers->thread_count], NULL, run, readers) != 0) {
            return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for a reader");
        }
    }
    return CS_OK;
}

enum cs_status orc_readers_create(const char *database_url, struct orc_readers **ret_readers, struct cs_err *err) {
    struct orc_readers *readers = cs_alloc(sizeof(*readers));
    (void)pthread_mutex_init(&readers->lock, NULL);
    (void)pthread_cond_init(&readers->wanted, NULL);
    (void)pthread_cond_init(&readers->returned, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&readers->ended, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (start(readers, database_url, err) != CS_OK) {
        orc_readers_destroy(readers);
        return err->status;
    }
    *ret_readers = readers;
    return CS_OK;
}

void orc_readers_destroy(struct orc_readers *readers) {
    if (readers == NULL) {
        return;
    }
    pthread_mutex_lock(&readers->lock);
    readers->stopping = true;
    (void)pthread_cond_broadcast(&readers->wanted);
    (void)pthread_cond_broadcast(&readers->ended);
    pthread_mutex_unlock(&readers->lock);
    for (size_t i = 0; i < ORC_READ_THREADS; i++) {
        if (readers->stores[i] != NULL) {
            orc_store_interrupt(readers->stores[i]);
        }
    }
    for (size_t i = 0; i < readers->thread_count; i++) {
        (void)pthread_join(readers->threads[i], NULL);
    }
    for (size_t i = 0; i < ORC_READ_THREADS; i++) {
        orc_store_close(readers->stores[i]);
    }
    for (size_t i = 0; i < ORC_LIST_CONNECTIONS; i++) {
        orc_store_close(readers->list_stores[i]);
    }
    (void)pthread_cond_destroy(&readers->ended);
    (void)pthread_cond_destroy(&readers->returned);
    (void)pthread_cond_destroy(&readers->wanted);
    (void)pthread_mutex_destroy(&readers->lock);
    free(readers);
}

static struct request *request_for(const char *tenant, const char *id, void *ctx) {
    struct request *request = cs_alloc(sizeof(*request));
    request->tenant = tenant != NULL ? cs_strdup(tenant) : NULL;
    request->id = id != NULL ? cs_strdup(id) : NULL;
    request->ctx = ctx;
    return request;
}

static void put(struct orc_readers *readers, struct request *request) {
    pthread_mutex_lock(&readers->lock);
    bool full = readers->count >= ORC_READS_WAITING_MAX;
    if (!full) {
        *(readers->first == NULL ? &readers->first : &readers->last->next) = request;
        readers->last = request;
        readers->count++;
        (void)pthread_cond_signal(&readers->wanted);
    }
    pthread_mutex_unlock(&readers->lock);
    if (full) {
        struct cs_err err = {0};
        (void)cs_fail(&err, CS_RESOURCE_EXHAUSTED, "overloaded", "too many reads are waiting; try again later");
        answer(request, NULL, &err);
        request_free(request);
    }
}

void orc_readers_get(struct orc_readers *readers, const char *tenant, const char *id, const char *key,
                     orc_stored_fn *done, void *ctx) {
    struct request *request = request_for(tenant, id, ctx);
    request->key = key != NULL ? cs_strdup(key) : NULL;
    request->done = done;
    put(readers, request);
}

void orc_readers_locate(struct orc_readers *readers, const char *tenant, const char *id, const char *our_address,
                        const char *unreachable, orc_owner_fn *done, void *ctx) {
    struct request *request = request_for(tenant, id, ctx);
    request->our_address = cs_strdup(our_address);
    request->unreachable = cs_strdup(unreachable != NULL ? unreachable : "");
    request->located = done;
    put(readers, request);
}

void orc_readers_ended(struct orc_readers *readers, const char *const *ids, size_t id_count, orc_ended_fn *done,
                       void *ctx) {
    struct request *request = request_for(NULL, NULL, ctx);
    request->ids = cs_alloc_array(id_count, sizeof(char *));
    for (; request->id_count < id_count; request->id_count++) {
        request->ids[request->id_count] = cs_strdup(ids[request->id_count]);
    }
    request->ended = done;
    put(readers, request);
}

/* ---- lists ---- */

static size_t borrow(struct orc_readers *readers) {
    pthread_mutex_lock(&readers->lock);
    for (;;) {
        for (size_t i = 0; i < ORC_LIST_CONNECTIONS; i++) {
            if (!readers->lent[i]) {
                readers->lent[i] = true;
                pthread_mutex_unlock(&readers->lock);
                return i;
            }
        }
        (void)pthread_cond_wait(&readers->returned, &readers->lock);
    }
}

static void give_back(struct orc_readers *readers, size_t index) {
    pthread_mutex_lock(&readers->lock);
    readers->lent[index] = false;
    (void)pthread_cond_signal(&readers->returned);
    pthread_mutex_unlock(&readers->lock);
}

enum cs_status orc_readers_list(struct orc_readers *readers, const struct orc_list *list, struct cs_arena *arena,
                                struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) {
    struct patience patience = patience_start();
    size_t index = borrow(readers);
    enum cs_status status = CS_OK;
    do {
        status = orc_store_list(readers->list_stores[index], list, arena, ret_items, ret_count, err);
    } while (status != CS_OK && try_again(readers, &patience, err));
    give_back(readers, index);
    return status == CS_OK ? status : explain(err);
}

enum cs_status orc_readers_lend(struct orc_readers *readers, orc_lent_fn *lent, void *ctx, struct cs_err *err) {
    struct patience patience = patience_start();
    size_t index = borrow(readers);
    enum cs_status status = CS_OK;
    do {
        status = lent(readers->list_stores[index], ctx, err);
    } while (status != CS_OK && try_again(readers, &patience, err));
    give_back(readers, index);
    return status == CS_OK ? status : explain(err);
}

void orc_readers_end_lists(struct orc_readers *readers) {
    pthread_mutex_lock(&readers->lock);
    readers->hurry = true;
    (void)pthread_cond_broadcast(&readers->ended);
    pthread_mutex_unlock(&readers->lock);
    for (size_t i = 0; i < ORC_LIST_CONNECTIONS; i++) {
        orc_store_interrupt(readers->list_stores[i]);
    }
}
