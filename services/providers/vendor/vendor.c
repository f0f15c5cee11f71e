#include "vendor/vendor.h"

#include <pthread.h>
#include <string.h>
#include <utlist.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/json.h"

enum {
    RENDER_THREADS = 2,
    RENDER_CPU_S = 60 * 60,
};

static const uint64_t render_memory_bytes = (uint64_t)8 << 30;
static const char path_prefix[] = "/predictions";

/* A rendering in progress. */
struct render {
    struct render *prev;
    struct render *next;
    struct prv_vendor *vendor;
    char id[PRV_LEDGER_ID_SIZE];
    struct prv_rendering rendering;
    uint64_t runner_id; /* 0 until the runner has it */
    int holders;        /* whoever starts it, and the runner */
    bool canceled;
    Callsheet__V1__Progress progress; /* without its strings */
    Callsheet__V1__Failed *failed;    /* how it ended; NULL: done */
    bool interrupted;
};

struct prv_vendor {
    struct prv_ledger *ledger;
    struct cs_runner *runner;
    struct prv_pool *pool;
    uint32_t slots;
    bool no_gpl_encoders;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct render *renders;
    uint32_t count;
};

/* ---- the table ---- */

static struct render *find_locked(struct prv_vendor *vendor, const char *id) {
    struct render *render = NULL;
    DL_FOREACH(vendor->renders, render) {
        if (strcmp(render->id, id) == 0) {
            break;
        }
    }
    return render;
}

static void release(struct render *render) {
    struct prv_vendor *vendor = render->vendor;
    (void)pthread_mutex_lock(&vendor->lock);
    bool last = --render->holders == 0;
    (void)pthread_mutex_unlock(&vendor->lock);
    if (!last) {
        return;
    }
    prv_rendering_fini(&render->rendering);
    (void)pthread_mutex_lock(&vendor->lock);
    DL_DELETE(vendor->renders, render);
    vendor->count--;
    (void)pthread_mutex_unlock(&vendor->lock);
    if (render->failed != NULL) {
        callsheet__v1__failed__free_unpacked(render->failed, NULL);
    }
    free(render);
}

/* ---- the end of a rendering ---- */

static enum cs_status end_interrupted(struct render *render, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_ledger_entry entry = {0};
    CS_TRY(prv_ledger_get(render->vendor->ledger, render->id, arena, &entry, err));
    if (entry.state != PRV_LEDGER_OPEN || entry.begun < PRV_VENDOR_RENDERINGS_MAX) {
        return CS_OK; /* rendered again when somebody asks */
    }
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = PRV_CLASS(TRANSIENT);
    failed.code = (char *)"interrupted";
    failed.message = (char *)"the rendering was interrupted too often";
    return prv_ledger_end(render->vendor->ledger, render->id, &failed, err);
}

/* On the pool: the end goes to the ledger, then the slot is free. */
static void settle(void *ctx) {
    struct render *render = ctx;
    struct cs_err err = {0};
    enum cs_status status = render->interrupted
                                ? end_interrupted(render, &err)
                                : prv_ledger_end(render->vendor->ledger, render->id, render->failed, &err);
    if (status != CS_OK) {
        cs_log_error("prediction not recorded, rendering it again when asked", CS_KV("prediction", render->id),
                     CS_KVE(&err));
    }
    release(render);
}

static Callsheet__V1__Failed *copy_failed(const Callsheet__V1__Failed *failed) {
    size_t size = callsheet__v1__failed__get_packed_size(failed);
    CS_AUTO_FREE uint8_t *bytes = cs_alloc(size + 1);
    (void)callsheet__v1__failed__pack(failed, bytes);
    return callsheet__v1__failed__unpack(NULL, size, bytes);
}

static void on_ended(const Callsheet__V1__RunnerDone *done, const Callsheet__V1__Failed *failed,
                     const struct cs_err *err, void *user) {
    struct render *render = user;
    (void)done;
    bool killed = failed != NULL && failed->failure_class == PRV_CLASS(CANCELLED);
    bool again = failed != NULL && failed->failure_class == PRV_CLASS(TRANSIENT);
    render->interrupted = err != NULL || killed || again;
    if (failed != NULL && !render->interrupted) {
        render->failed = copy_failed(failed);
    }
    prv_pool_run(render->vendor->pool, settle, render);
}

static void on_progress(const Callsheet__V1__Progress *progress, void *user) {
    struct render *render = user;
    (void)pthread_mutex_lock(&render->vendor->lock);
    render->progress = *progress;
    render->progress.stage = NULL;
    (void)pthread_mutex_unlock(&render->vendor->lock);
}

/* ---- the beginning of a rendering ---- */

static enum cs_status start_runner(struct render *render, uint64_t *ret_id, struct cs_err *err) {
    static const struct cs_runner_events events = {.progress = on_progress, .ended = on_ended};
    const struct cs_operation *operation = cs_catalog_by_case(render->rendering.operation->params_case);
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    if (operation == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "unknown_operation", "the operation is not known");
    }
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    char **names = NULL;
    size_t count = 0;
    cs_catalog_output_names(render->rendering.operation, arena, &names, &count);
    limits.memory_bytes = render_memory_bytes;
    limits.output_bytes = (uint64_t)PRV_VENDOR_OUTPUT_GIB_MAX << 30;
    limits.cpu_s = RENDER_CPU_S;
    limits.threads = RENDER_THREADS;
    limits.no_gpl_encoders = render->vendor->no_gpl_encoders;
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_RENDER;
    job.render = render->rendering.operation;
    job.inputs = (uint32_t)(render->rendering.fd_count - 1);
    job.n_outputs = count > 0; /* the main one */
    job.outputs = names;
    job.limits = &limits;
    return cs_runner_start(render->vendor->runner, &job, render->rendering.fds, render->rendering.fd_count, &events,
                           render, ret_id, err);
}

/* It runs, and may have ended already. */
static void started(struct render *render, uint64_t runner_id) {
    struct prv_vendor *vendor = render->vendor;
    (void)pthread_mutex_lock(&vendor->lock);
    render->runner_id = runner_id;
    bool canceled = render->canceled;
    (void)pthread_mutex_unlock(&vendor->lock);
    if (canceled) {
        cs_runner_kill(vendor->runner, runner_id);
    }
    release(render);
}

static struct render *reserve(struct prv_vendor *vendor, const char *id) {
    struct render *render = NULL;
    (void)pthread_mutex_lock(&vendor->lock);
    if (vendor->count < vendor->slots && find_locked(vendor, id) == NULL) {
        render = cs_alloc(sizeof(*render));
        *render = (struct render){.vendor = vendor, .holders = 2, .rendering = {.lock_fd = -1}};
        cs_str_copy(render->id, sizeof(render->id), id);
        DL_APPEND(vendor->renders, render);
        vendor->count++;
    }
    (void)pthread_mutex_unlock(&vendor->lock);
    return render;
}

/* Renders the prediction unless it is being rendered or all slots are taken. */
static void render_if_free(struct prv_vendor *vendor, const char *id) {
    struct render *render = reserve(vendor, id);
    if (render == NULL) {
        return;
    }
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    enum cs_status status = prv_ledger_begin(vendor->ledger, id, arena, &render->rendering, &err);
    uint64_t runner_id = 0;
    if (status == CS_OK) {
        status = start_runner(render, &runner_id, &err);
    }
    if (status == CS_OK) {
        started(render, runner_id);
        return;
    }
    render->holders = 1; /* the runner never got its part */
    release(render);
    cs_log_debug("prediction not begun", CS_KV("prediction", id), CS_KVE(&err));
}

/* ---- answers ---- */

static void put_json(json_t *object, struct cs_buf *out) {
    CS_AUTO_FREE char *text = json_dumps(object, JSON_COMPACT);
    cs_buf_puts(out, text != NULL ? text : "{}");
    json_decref(object);
}

static int refuse(const struct cs_err *err, struct cs_buf *out) {
    put_json(json_pack("{s:s}", "detail", err->message), out);
    return err->status == CS_NOT_FOUND ? 404 : err->status == CS_INVALID_ARGUMENT ? 422 : 503;
}

static json_t *running_json(struct prv_vendor *vendor, const char *id) {
    (void)pthread_mutex_lock(&vendor->lock);
    const struct render *render = find_locked(vendor, id);
    const Callsheet__V1__Progress none = {0};
    const Callsheet__V1__Progress progress = render != NULL ? render->progress : none;
    (void)pthread_mutex_unlock(&vendor->lock);
    return json_pack("{s:s, s:s, s:f, s:I, s:I, s:f}", "id", id, "status", render != NULL ? "processing" : "starting",
                     "fraction", progress.fraction, "mediaTimeUs", (json_int_t)progress.media_time_us,
                     "mediaDurationUs", (json_int_t)progress.media_duration_us, "speed", progress.speed);
}

static json_t *entry_json(struct prv_vendor *vendor, const char *id, const struct prv_ledger_entry *entry) {
    switch (entry->state) {
    case PRV_LEDGER_DONE:
        return json_pack("{s:s, s:s}", "id", id, "status", "succeeded");
    case PRV_LEDGER_CANCELED:
        return json_pack("{s:s, s:s}", "id", id, "status", "canceled");
    case PRV_LEDGER_FAILED:
        return json_pack("{s:s, s:s, s:{s:i, s:s, s:s}}", "id", id, "status", "failed", "error", "class",
                         (int)entry->failed->failure_class, "code", entry->failed->code, "message",
                         entry->failed->message);
    case PRV_LEDGER_OPEN:
        break;
    }
    return running_json(vendor, id);
}

static int answer_get(struct prv_vendor *vendor, const char *id, struct cs_buf *out) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_ledger_entry entry = {0};
    struct cs_err err = {0};
    if (prv_ledger_get(vendor->ledger, id, arena, &entry, &err) != CS_OK) {
        return refuse(&err, out);
    }
    if (entry.state == PRV_LEDGER_OPEN) {
        render_if_free(vendor, id);
    }
    put_json(entry_json(vendor, id, &entry), out);
    return 200;
}

static const char *key_of(const struct prv_call *call) {
    for (size_t i = 0; i < call->header_count; i++) {
        if (cs_str_eq(call->headers[i].name, "idempotency-key")) {
            return call->headers[i].value;
        }
    }
    return "";
}

static int answer_submit(struct prv_vendor *vendor, const struct prv_call *call, const int *files, size_t file_count,
                         struct cs_buf *out) {
    struct cs_err err = {0};
    char id[PRV_LEDGER_ID_SIZE];
    bool fresh = false;
    const char *key = key_of(call);
    if (key[0] == '\0') {
        (void)cs_fail(&err, CS_INVALID_ARGUMENT, "no_key", "an idempotency-key is required");
        return refuse(&err, out);
    }
    if (prv_ledger_add(vendor->ledger, key, call->body, call->body_size, files, file_count, id, &fresh, &err) !=
        CS_OK) {
        return refuse(&err, out);
    }
    (void)answer_get(vendor, id, out);
    return fresh ? 201 : 200;
}

static int answer_cancel(struct prv_vendor *vendor, const char *id, struct cs_buf *out) {
    struct cs_err err = {0};
    if (prv_ledger_cancel(vendor->ledger, id, &err) != CS_OK) {
        return refuse(&err, out);
    }
    (void)pthread_mutex_lock(&vendor->lock);
    struct render *render = find_locked(vendor, id);
    uint64_t runner_id = render != NULL ? render->runner_id : 0;
    if (render != NULL) {
        render->canceled = true;
    }
    (void)pthread_mutex_unlock(&vendor->lock);
    if (runner_id != 0) {
        cs_runner_kill(vendor->runner, runner_id);
    }
    put_json(json_pack("{s:s, s:s}", "id", id, "status", "canceled"), out);
    return 200;
}

void prv_vendor_call(struct prv_vendor *vendor, const struct prv_call *call, const int *files, size_t file_count,
                     int *ret_status, struct cs_buf *ret_body) {
    char id[PRV_ID_SIZE];
    bool post = cs_str_eq(call->method, "POST");
    if (post && cs_str_eq(call->path, path_prefix)) {
        *ret_status = answer_submit(vendor, call, files, file_count, ret_body);
        return;
    }
    const char *at = call->path + sizeof(path_prefix);
    if (!cs_str_starts(call->path, "/predictions/") || strlen(at) >= sizeof(id)) {
        *ret_status = 404;
        return;
    }
    cs_str_copy(id, sizeof(id), at);
    char *verb = strchr(id, '/');
    if (verb != NULL) {
        *verb++ = '\0';
    }
    if (post && cs_str_eq(verb, "cancel")) {
        *ret_status = answer_cancel(vendor, id, ret_body);
    } else {
        *ret_status = answer_get(vendor, id, ret_body);
    }
}

struct prv_vendor *prv_vendor_create(struct prv_ledger *ledger, struct cs_runner *runner, struct prv_pool *pool,
                                     uint32_t slots, bool no_gpl_encoders) {
    struct prv_vendor *vendor = cs_alloc(sizeof(*vendor));
    *vendor = (struct prv_vendor){
        .ledger = ledger, .runner = runner, .pool = pool, .slots = slots, .no_gpl_encoders = no_gpl_encoders};
    (void)pthread_mutex_init(&vendor->lock, NULL);
    return vendor;
}

void prv_vendor_destroy(struct prv_vendor *vendor) {
    if (vendor != NULL) {
        (void)pthread_mutex_destroy(&vendor->lock);
        free(vendor);
    }
}
