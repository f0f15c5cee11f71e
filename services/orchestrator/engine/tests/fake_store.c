#include "engine/tests/fake_store.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "engine/tests/fake_cache.h"

enum { ROWS_MAX = 4096, EVENTS_MAX = 65536 };

struct row {
    struct orc_stored stored; /* strings and bytes malloc'ed */
    char *key;
    int64_t wake_at_ms;
    bool left; /* by the replica that has died */
};

struct event {
    struct orc_row_event row;
    char execution[24];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct row rows[ROWS_MAX];
    size_t row_count;
    struct event events[EVENTS_MAX];
    bool keeps_nobody;
    size_t event_count;
    bool hold;
    bool held;
    bool holds_one;
    const struct orc_store *holding; /* whose call that is */
    enum fake_failure failure;
    int failures;
    int commits;
    int64_t epoch;
    size_t returns;
    int return_failures;
    bool somebody_died;
    bool replaces_joining;
    int refused_leases;
} db = {.returns = SIZE_MAX, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

struct orc_store {
    int64_t epoch;
    bool interrupted;
};

static void *copy(const void *bytes, size_t size) {
    void *memory = cs_alloc(size + 1);
    if (size != 0) {
        memcpy(memory, bytes, size);
    }
    return memory;
}

static struct row *find(const char *id) {
    for (size_t i = 0; i < db.row_count; i++) {
        if (strcmp(db.rows[i].stored.id, id) == 0) {
            return &db.rows[i];
        }
    }
    return NULL;
}

/* ---- for tests ---- */

void fake_store_reset(void) {
    fake_cache_reset();
    pthread_mutex_lock(&db.lock);
    for (size_t i = 0; i < db.row_count; i++) {
        struct row *row = &db.rows[i];
        free((void *)row->stored.id);
        free((void *)row->stored.tenant);
        free((void *)row->stored.request);
        free((void *)row->stored.summary);
        free((void *)row->stored.webhook_body);
        free((void *)row->stored.traceparent);
        free(row->key);
    }
    for (size_t i = 0; i < db.event_count; i++) {
        free((void *)db.events[i].row.payload);
    }
    db.row_count = db.event_count = 0;
    db.hold = db.held = false;
    db.keeps_nobody = false;
    db.failures = db.commits = db.return_failures = 0;
    db.returns = SIZE_MAX;
    db.somebody_died = db.replaces_joining = false;
    db.epoch = 0;
    pthread_mutex_unlock(&db.lock);
}

void fake_store_hold(void) {
    pthread_mutex_lock(&db.lock);
    db.hold = true;
    db.holds_one = false;
    pthread_mutex_unlock(&db.lock);
}

void fake_store_hold_one(void) {
    pthread_mutex_lock(&db.lock);
    db.hold = db.holds_one = true;
    db.holding = NULL;
    pthread_mutex_unlock(&db.lock);
}

void fake_store_keep_nobody(bool nobody) {
    pthread_mutex_lock(&db.lock);
    db.keeps_nobody = nobody;
    pthread_mutex_unlock(&db.lock);
}

void fake_store_let_go(void) {
    pthread_mutex_lock(&db.lock);
    db.hold = false;
    (void)pthread_cond_broadcast(&db.changed);
    pthread_mutex_unlock(&db.lock);
}

void fake_store_await_held(void) {
    pthread_mutex_lock(&db.lock);
    while (!db.held) {
        (void)pthread_cond_wait(&db.changed, &db.lock);
    }
    pthread_mutex_unlock(&db.lock);
}

void fake_store_fail(enum fake_failure failure, int times) {
    pthread_mutex_lock(&db.lock);
    db.failure = failure;
    db.failures = times;
    pthread_mutex_unlock(&db.lock);
}

void fake_store_return(size_t executions) {
    pthread_mutex_lock(&db.lock);
    db.returns = executions;
    (void)pthread_cond_broadcast(&db.changed);
    pthread_mutex_unlock(&db.lock);
}

void fake_store_fail_returning(int times) {
    pthread_mutex_lock(&db.lock);
    db.return_failures = times;
    pthread_mutex_unlock(&db.lock);
}

void fake_store_leave(const char *execution) {
    pthread_mutex_lock(&db.lock);
    find(execution)->left = true;
    db.somebody_died = true;
    pthread_mutex_unlock(&db.lock);
}

void fake_store_replace_joining(void) {
    pthread_mutex_lock(&db.lock);
    db.replaces_joining = true;
    pthread_mutex_unlock(&db.lock);
}

int fake_store_commits(void) {
    pthread_mutex_lock(&db.lock);
    int commits = db.commits;
    pthread_mutex_unlock(&db.lock);
    return commits;
}

int fake_store_events(const char *execution, int kind) {
    int count = 0;
    pthread_mutex_lock(&db.lock);
    for (size_t i = 0; i < db.event_count; i++) {
        count += strcmp(db.events[i].execution, execution) == 0 && (kind == 0 || db.events[i].row.kind == kind);
    }
    pthread_mutex_unlock(&db.lock);
    return count;
}

int fake_store_state(const char *execution) {
    pthread_mutex_lock(&db.lock);
    const struct row *row = find(execution);
    int state = row != NULL ? row->stored.state : 0;
    pthread_mutex_unlock(&db.lock);
    return state;
}

bool fake_store_is_open(const char *execution) {
    pthread_mutex_lock(&db.lock);
    const struct row *row = find(execution);
    bool open = row != NULL && row->stored.open;
    pthread_mutex_unlock(&db.lock);
    return open;
}

int fake_store_open_without_wakeup(void) {
    int count = 0;
    pthread_mutex_lock(&db.lock);
    for (size_t i = 0; i < db.row_count; i++) {
        count += db.rows[i].stored.open && (db.rows[i].wake_at_ms <= 0 || db.rows[i].wake_at_ms == INT64_MAX);
    }
    pthread_mutex_unlock(&db.lock);
    return count;
}

int64_t fake_store_epoch(void) {
    pthread_mutex_lock(&db.lock);
    int64_t epoch = db.epoch;
    pthread_mutex_unlock(&db.lock);
    return epoch;
}

char *fake_store_webhook_body(const char *execution) {
    pthread_mutex_lock(&db.lock);
    const struct row *row = find(execution);
    char *body = row != NULL && row->stored.webhook_body != NULL ? cs_strdup(row->stored.webhook_body) : NULL;
    pthread_mutex_unlock(&db.lock);
    return body;
}

/* ---- store.h ---- */

enum cs_status orc_store_migrate(__attribute__((unused)) const char *url, __attribute__((unused)) struct cs_err *err) {
    return CS_OK;
}

enum cs_status orc_store_open(__attribute__((unused)) const char *url, struct orc_store **ret_store,
                              __attribute__((unused)) struct cs_err *err) {
    *ret_store = cs_alloc(sizeof(**ret_store));
    return CS_OK;
}

void orc_store_close(struct orc_store *store) {
    free(store);
}

void orc_store_interrupt(struct orc_store *store) {
    pthread_mutex_lock(&db.lock);
    store->interrupted = true;
    (void)pthread_cond_broadcast(&db.changed);
    pthread_mutex_unlock(&db.lock);
}

enum cs_status orc_store_join(struct orc_store *store, __attribute__((unused)) const char *replica,
                              __attribute__((unused)) int64_t now_ms, int64_t *ret_epoch,
                              __attribute__((unused)) struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    *ret_epoch = store->epoch = ++db.epoch;
    pthread_mutex_unlock(&db.lock);
    return CS_OK;
}

static bool key_taken(const struct orc_row_created *created) {
    for (size_t i = 0; i < db.row_count; i++) {
        if (db.rows[i].key[0] != '\0' && strcmp(db.rows[i].key, created->idempotency_key) == 0 &&
            strcmp(db.rows[i].stored.tenant, created->tenant) == 0) {
            return true;
        }
    }
    return false;
}

static void insert(const struct orc_row_created *created) {
    struct row *row = &db.rows[db.row_count++];
    *row = (struct row){.key = cs_strdup(created->idempotency_key), .wake_at_ms = created->wake_at_ms};
    row->stored = (struct orc_stored){
        .id = cs_strdup(created->id),
        .tenant = cs_strdup(created->tenant),
        .state = 1,
        .open = true,
        .request = copy(created->request, created->request_size),
        .request_size = created->request_size,
        .created_at_ms = created->created_at_ms,
        .traceparent = cs_strdup(created->traceparent),
    };
    memcpy(row->stored.request_sha256, created->request_sha256, sizeof(row->stored.request_sha256));
}

static void append(const struct orc_row_event *event) {
    struct event *kept = &db.events[db.event_count++];
    assert(event->job <= INT32_MAX && event->attempt <= INT32_MAX); /* what the columns hold */
    kept->row = *event;
    cs_str_copy(kept->execution, sizeof(kept->execution), event->execution);
    kept->row.execution = kept->execution;
    kept->row.payload = copy(event->payload, event->payload_size);
}

static void update(const struct orc_row_head *head) {
    struct row *row = find(head->id);
    if (row == NULL) {
        return;
    }
    row->stored.state = head->state;
    row->stored.open = head->open;
    row->stored.seq = head->seq;
    row->stored.started_at_ms = head->started_at_ms;
    row->stored.completed_at_ms = head->completed_at_ms;
    row->wake_at_ms = head->wake_at_ms;
    if (head->summary != NULL) {
        free((void *)row->stored.summary);
        row->stored.summary = copy(head->summary, head->summary_size);
        row->stored.summary_size = head->summary_size;
    }
    if (head->webhook_body != NULL) {
        free((void *)row->stored.webhook_body);
        row->stored.webhook_body = copy(head->webhook_body, head->webhook_body_size);
        row->stored.webhook_body_size = head->webhook_body_size;
    }
}

static void write_all(const struct orc_commit *commit, bool *duplicates) {
    for (size_t i = 0; i < commit->created_count; i++) {
        duplicates[i] = commit->created[i].idempotency_key[0] != '\0' && key_taken(&commit->created[i]);
        if (!duplicates[i]) {
            insert(&commit->created[i]);
        }
    }
    for (size_t i = 0; i < commit->event_count; i++) {
        append(&commit->events[i]);
    }
    for (size_t i = 0; i < commit->head_count; i++) {
        update(&commit->heads[i]);
    }
    db.commits++;
}

static enum cs_status fail(enum fake_failure failure, struct cs_err *err) {
    (void)cs_fail(err, failure == FAKE_FENCED ? CS_ABORTED : CS_UNAVAILABLE,
                  failure == FAKE_AWAY     ? "connection_lost"
                  : failure == FAKE_FENCED ? "fenced"
                                           : "commit_in_doubt",
                  "as the test wants");
    err->retryable = failure == FAKE_AWAY;
    return err->status;
}

/* With the lock. */
static void await_let_go(const struct orc_store *store) {
    while (db.hold && !(db.holds_one && db.holding != NULL && db.holding != store) && !store->interrupted) {
        db.held = true;
        db.holding = store;
        (void)pthread_cond_broadcast(&db.changed);
        (void)pthread_cond_wait(&db.changed, &db.lock);
    }
    db.held = db.hold && db.holding != store;
}

enum cs_status orc_store_commit(struct orc_store *store, const struct orc_commit *commit, bool *ret_duplicates,
                                struct cs_err *err) {
    enum cs_status status = CS_OK;
    bool written = false;
    pthread_mutex_lock(&db.lock);
    await_let_go(store);
    if (store->interrupted) {
        status = cs_fail(err, CS_CANCELLED, "interrupted", "interrupted");
    } else if (store->epoch != db.epoch) {
        status = fail(FAKE_FENCED, err);
    } else if (db.failures > 0) {
        db.failures--;
        status = fail(db.failure, err);
        written = db.failure == FAKE_DOUBT_WRITTEN;
    } else {
        written = true;
    }
    if (written) {
        write_all(commit, ret_duplicates);
    }
    pthread_mutex_unlock(&db.lock);
    if (written) {
        fake_cache_keep(commit->kept, commit->kept_count); /* which looks at rows itself, in other calls */
    }
    return status;
}

static void give(const struct row *row, bool with_events, struct cs_arena *arena, struct orc_stored *out) {
    *out = row->stored;
    out->id = cs_arena_strdup(arena, row->stored.id);
    out->tenant = cs_arena_strdup(arena, row->stored.tenant);
    out->traceparent = cs_arena_strdup(arena, row->stored.traceparent);
    out->request = cs_arena_copy(arena, row->stored.request, row->stored.request_size);
    if (row->stored.summary != NULL) {
        out->summary = cs_arena_copy(arena, row->stored.summary, row->stored.summary_size);
    }
    if (row->stored.webhook_body != NULL) {
        out->webhook_body = cs_arena_copy(arena, row->stored.webhook_body, row->stored.webhook_body_size);
    }
    if (!with_events) {
        return;
    }
    struct orc_row_event *events = cs_arena_array(arena, db.event_count, sizeof(*events));
    for (size_t i = 0; i < db.event_count; i++) {
        if (strcmp(db.events[i].execution, row->stored.id) == 0) {
            events[out->event_count] = db.events[i].row;
            events[out->event_count].payload =
                cs_arena_copy(arena, db.events[i].row.payload, db.events[i].row.payload_size);
            out->event_count++;
        }
    }
    out->events = events;
}

/* With the lock. */
static void await_replaced(void) {
    if (!db.replaces_joining) {
        return;
    }
    db.replaces_joining = false;
    db.epoch++;
    int refused = db.refused_leases;
    while (db.refused_leases == refused) {
        (void)pthread_cond_wait(&db.changed, &db.lock);
    }
}

enum cs_status orc_store_open_ids(__attribute__((unused)) struct orc_store *store,
                                  __attribute__((unused)) const char *replica, struct cs_arena *arena,
                                  const char ***ret_ids, size_t *ret_count,
                                  __attribute__((unused)) struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    await_replaced();
    const char **ids = cs_arena_array(arena, db.row_count, sizeof(*ids));
    size_t count = 0;
    for (size_t i = 0; i < db.row_count; i++) {
        if (db.rows[i].stored.open && !db.rows[i].left) {
            ids[count++] = cs_arena_strdup(arena, db.rows[i].stored.id);
        }
    }
    pthread_mutex_unlock(&db.lock);
    *ret_ids = ids;
    *ret_count = count;
    return CS_OK;
}

enum cs_status orc_store_open_executions(__attribute__((unused)) struct orc_store *store,
                                         __attribute__((unused)) const char *replica, const char *const *ids,
                                         size_t id_count, struct cs_arena *arena, struct orc_stored **ret_items,
                                         size_t *ret_count, struct cs_err *err) {
    enum cs_status status = CS_OK;
    pthread_mutex_lock(&db.lock);
    while (db.returns == 0) {
        (void)pthread_cond_wait(&db.changed, &db.lock);
    }
    if (db.return_failures > 0) {
        db.return_failures--;
        status = fail(FAKE_AWAY, err);
    }
    struct orc_stored *items = cs_arena_array(arena, id_count, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; status == CS_OK && i < id_count && count < db.returns; i++) {
        const struct row *row = find(ids[i]);
        if (row != NULL && row->stored.open) {
            give(row, true, arena, &items[count++]);
        }
    }
    db.returns -= db.returns != SIZE_MAX ? count : 0;
    pthread_mutex_unlock(&db.lock);
    *ret_items = items;
    *ret_count = count;
    return status;
}

enum cs_status orc_store_get(__attribute__((unused)) struct orc_store *store, const char *tenant, const char *id,
                             struct cs_arena *arena, struct orc_stored **ret_item, struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    const struct row *row = find(id);
    bool found = row != NULL && strcmp(row->stored.tenant, tenant) == 0;
    if (found) {
        *ret_item = cs_arena_alloc(arena, sizeof(**ret_item));
        give(row, false, arena, *ret_item);
    }
    pthread_mutex_unlock(&db.lock);
    return found ? CS_OK : cs_fail(err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
}

enum cs_status orc_store_get_log(struct orc_store *store, const char *tenant, const char *id, struct cs_arena *arena,
                                 struct orc_stored **ret_item, struct cs_err *err) {
    return orc_store_get(store, tenant, id, arena, ret_item, err);
}

/* There is one replica here that lives, and perhaps another that has died. */

enum cs_status orc_store_owner(__attribute__((unused)) struct orc_store *store,
                               __attribute__((unused)) const char *tenant, __attribute__((unused)) const char *id,
                               __attribute__((unused)) struct cs_arena *arena, const char **ret_owner,
                               const char **ret_address, __attribute__((unused)) struct cs_err *err) {
    *ret_owner = *ret_address = "";
    return CS_OK;
}

enum cs_status orc_store_rejoin(struct orc_store *store, const char *replica, __attribute__((unused)) int64_t epoch,
                                int64_t now_ms, int64_t *ret_epoch, struct cs_err *err) {
    return orc_store_join(store, replica, now_ms, ret_epoch, err);
}

void orc_store_assume(struct orc_store *store, __attribute__((unused)) const char *replica, int64_t epoch) {
    store->epoch = epoch;
}

enum cs_status orc_store_keep(struct orc_store *store, __attribute__((unused)) const char *address,
                              __attribute__((unused)) struct cs_arena *arena, struct orc_alive *ret_alive,
                              struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    if (db.keeps_nobody) {
        pthread_mutex_unlock(&db.lock);
        return fail(FAKE_AWAY, err);
    }
    *ret_alive =
        (struct orc_alive){.kept = store->epoch == db.epoch, .dead = db.somebody_died ? "the dead" : "", .next_ms = -1};
    db.refused_leases += !ret_alive->kept;
    (void)pthread_cond_broadcast(&db.changed);
    pthread_mutex_unlock(&db.lock);
    return CS_OK;
}

enum cs_status orc_store_release(__attribute__((unused)) struct orc_store *store, bool *ret_released,
                                 __attribute__((unused)) struct cs_err *err) {
    if (ret_released != NULL) {
        *ret_released = false;
    }
    return CS_OK;
}

enum cs_status orc_store_fence(__attribute__((unused)) struct orc_store *store,
                               __attribute__((unused)) const char *dead, int64_t *ret_epoch,
                               __attribute__((unused)) struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    *ret_epoch = db.somebody_died ? 1 : 0;
    pthread_mutex_unlock(&db.lock);
    return CS_OK;
}

enum cs_status orc_store_claim(__attribute__((unused)) struct orc_store *store,
                               __attribute__((unused)) const char *dead, __attribute__((unused)) int64_t epoch,
                               __attribute__((unused)) const char *after_id, size_t limit, struct cs_arena *arena,
                               struct orc_stored **ret_items, size_t *ret_count,
                               __attribute__((unused)) struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    *ret_items = cs_arena_array(arena, db.row_count, sizeof(**ret_items));
    *ret_count = 0;
    for (size_t i = 0; i < db.row_count && *ret_count < limit; i++) {
        if (db.rows[i].left) {
            db.rows[i].left = false;
            give(&db.rows[i], true, arena, &(*ret_items)[(*ret_count)++]);
        }
    }
    pthread_mutex_unlock(&db.lock);
    return CS_OK;
}

enum cs_status orc_store_remove(__attribute__((unused)) struct orc_store *store,
                                __attribute__((unused)) const char *dead, __attribute__((unused)) int64_t epoch,
                                bool *ret_removed, __attribute__((unused)) struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    *ret_removed = db.somebody_died;
    db.somebody_died = false;
    pthread_mutex_unlock(&db.lock);
    return CS_OK;
}

enum cs_status orc_store_ended(__attribute__((unused)) struct orc_store *store, const char *const *ids, size_t id_count,
                               struct cs_arena *arena, struct orc_stored **ret_items, size_t *ret_count,
                               __attribute__((unused)) struct cs_err *err) {
    *ret_items = cs_arena_array(arena, id_count, sizeof(**ret_items));
    *ret_count = 0;
    pthread_mutex_lock(&db.lock);
    for (size_t i = 0; i < id_count; i++) {
        const struct row *row = find(ids[i]);
        struct orc_stored *out = &(*ret_items)[*ret_count];
        if (row == NULL) {
            out->id = cs_arena_strdup(arena, ids[i]);
        } else if (row->stored.summary != NULL) {
            give(row, false, arena, out);
        }
        *ret_count += row == NULL || row->stored.summary != NULL;
    }
    pthread_mutex_unlock(&db.lock);
    return CS_OK;
}

enum cs_status orc_store_find_key(__attribute__((unused)) struct orc_store *store, const char *tenant,
                                  const char *idempotency_key, struct cs_arena *arena, struct orc_stored **ret_item,
                                  struct cs_err *err) {
    bool found = false;
    pthread_mutex_lock(&db.lock);
    for (size_t i = 0; i < db.row_count && !found; i++) {
        found = strcmp(db.rows[i].key, idempotency_key) == 0 && strcmp(db.rows[i].stored.tenant, tenant) == 0;
        if (found) {
            *ret_item = cs_arena_alloc(arena, sizeof(**ret_item));
            give(&db.rows[i], false, arena, *ret_item);
        }
    }
    pthread_mutex_unlock(&db.lock);
    return found ? CS_OK : cs_fail(err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
}

enum cs_status orc_store_list(struct orc_store *store, const struct orc_list *list, struct cs_arena *arena,
                              struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) {
    pthread_mutex_lock(&db.lock);
    await_let_go(store);
    if (store->interrupted) {
        pthread_mutex_unlock(&db.lock);
        return cs_fail(err, CS_CANCELLED, "interrupted", "interrupted");
    }
    struct orc_stored *items = cs_arena_array(arena, list->limit, sizeof(*items));
    size_t count = 0;
    for (size_t i = db.row_count; i > 0 && count < list->limit; i--) {
        if (strcmp(db.rows[i - 1].stored.tenant, list->tenant) == 0) {
            give(&db.rows[i - 1], false, arena, &items[count++]);
        }
    }
    pthread_mutex_unlock(&db.lock);
    *ret_items = items;
    *ret_count = count;
    return CS_OK;
}
