/* gen: what each state of domain/task.h does. */
#include "engine/gen.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/crash.h"
#include "cs/base/id.h"
#include "cs/base/text.h"

/* Where the stages lie in the whole. */
static const double submitting_at = 0.02;
static const double waiting_at = 0.05;
static const double rendering_share = 0.85;
static const double ingesting_at = 0.92;

static const struct prv_adapter *adapter_of(const struct gen *gen) {
    return gen->provider->adapter;
}

/* ---- events ---- */

static void enter(struct gen *gen);

void prv_gen_feed(struct gen *gen, enum prv_event event) {
    struct cs_err err = {0};
    if (prv_task_step(&gen->task, event, &err) != CS_OK) {
        cs_log_error("engine out of step, ending the attempt", CS_KV("execution", gen->assign->execution),
                     CS_KV("job", gen->assign->job), CS_KVE(&err));
        gen->task.failure = prv_failure_make(PRV_CLASS(INTERNAL), "engine", "the engine is out of step");
        gen->task.state = PRV_ENDED;
    }
    enter(gen);
}

void prv_gen_refuse(struct gen *gen, enum prv_event event, struct prv_failure failure) {
    gen->task.failure = failure;
    prv_gen_feed(gen, event);
}

void prv_gen_stop(struct gen *gen, enum prv_stop stop) {
    if (prv_task_stop(&gen->task, stop)) {
        gen->pause++; /* the timer means nothing any more */
        enter(gen);
        return;
    }
    /* A submission that must be cancelled is awaited first: only its answer tells what to cancel. */
    bool must_know =
        stop == PRV_STOP_CANCEL && (gen->task.state == PRV_SUBMITTING || gen->task.state == PRV_CANCELLING);
    if (gen->request == 0 || must_know) {
        return;
    }
    if (gen->task.state == PRV_STAGING) { /* an input, which is not the provider's */
        cs_http_cancel(prv_engine_config(gen->engine)->http, gen->request);
    } else {
        gen->provider->transport->ops->abort(gen->provider->transport, gen->request);
    }
}

/* ---- blocking work ---- */

struct block {
    struct gen *gen;
    void (*fn)(struct gen *gen);
    void (*after)(struct gen *gen);
};

static void after_block(void *ctx) {
    struct block block = *(struct block *)ctx;
    free(ctx);
    block.gen->in_flight--;
    block.after(block.gen);
}

static void run_block(void *ctx) {
    struct block *block = ctx;
    block->fn(block->gen);
    cs_http_after(prv_engine_config(block->gen->engine)->http, 0, after_block, block);
}

void prv_gen_block(struct gen *gen, void (*fn)(struct gen *gen), void (*after)(struct gen *gen)) {
    struct block *block = cs_alloc(sizeof(*block));
    *block = (struct block){gen, fn, after};
    gen->in_flight++;
    prv_pool_run(prv_engine_config(gen->engine)->pool, run_block, block);
}

/* ---- pauses ---- */

static void pause_over(struct gen *gen, int64_t number) {
    if (gen->pause == number) {
        prv_gen_feed(gen, PRV_DUE);
    }
}

static void start_pause(struct gen *gen) {
    double random01 = (double)(cs_random_u64() >> 11) / 9007199254740992.0;
    int64_t ms = prv_task_pause_ms(&gen->task, gen->wish_ms, random01);
    gen->wish_ms = 0;
    prv_engine_post(gen, ms, pause_over, ++gen->pause);
}

/* ---- checkpoints ---- */

static void after_saved(struct gen *gen, int64_t ok) {
    gen->in_flight--;
    prv_gen_feed(gen, ok ? PRV_SAVED : PRV_LOST);
}

static void on_saved(struct cs_assignment *assignment, bool ok, void *ctx) {
    (void)assignment;
    prv_engine_post(ctx, 0, after_saved, ok);
}

static void save(struct gen *gen) {
    CS_AUTO_BUF bytes = {0};
    prv_checkpoint_format(&gen->task.checkpoint, &bytes);
    gen->in_flight++;
    cs_report_checkpoint(gen->assignment, bytes.data, bytes.size, on_saved, gen);
}

static void save_intent(struct gen *gen) {
    struct prv_checkpoint *checkpoint = &gen->task.checkpoint;
    checkpoint->phase = PRV_PHASE_INTENT;
    checkpoint->number++;
    checkpoint->id[0] = '\0';
    checkpoint->intent_unix_ms = cs_clock_unix_ms();
    cs_str_copy(checkpoint->provider, sizeof(checkpoint->provider), adapter_of(gen)->name);
    cs_str_copy(checkpoint->model, sizeof(checkpoint->model), gen->job.model);
    (void)snprintf(checkpoint->key, sizeof(checkpoint->key), "%s/%s/%lld", gen->assign->execution, gen->assign->job,
                   (long long)checkpoint->number);
    save(gen);
}

static void save_id(struct gen *gen) {
    gen->task.checkpoint.phase = PRV_PHASE_SUBMITTED;
    save(gen);
}

/* ---- calls ---- */

static void log_submit(const struct gen *gen, const char *event) {
    char trace[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(cs_assignment_trace(gen->assignment), trace);
    cs_log_info(event, CS_KV("provider", adapter_of(gen)->name), CS_KV("model", gen->job.model),
                CS_KV("prediction", gen->task.checkpoint.id), CS_KV("execution", gen->assign->execution),
                CS_KV("job", gen->assign->job), CS_KVI("attempt", gen->assign->attempt), CS_KV("trace", trace));
}

static void make_call(struct gen *gen, const struct prv_call *call, bool with_files, prv_called_fn *done) {
    struct prv_call_options options = {.trace = cs_assignment_trace(gen->assignment)};
    if (with_files) {
        options.files = gen->files;
        options.file_count = gen->input_count;
    }
    gen->in_flight++;
    gen->request = gen->provider->transport->ops->call(gen->provider->transport, call, &options, done, gen);
}

static void took_answer(struct gen *gen, const struct prv_answer *answer) {
    gen->in_flight--;
    gen->request = 0;
    gen->wish_ms = answer->retry_after_ms;
}

static void act_on(struct gen *gen, const struct prv_outcome *outcome) {
    switch (outcome->kind) {
    case PRV_OUTCOME_ACCEPTED:
        cs_str_copy(gen->task.checkpoint.id, sizeof(gen->task.checkpoint.id), outcome->id);
        log_submit(gen, outcome->fresh ? "provider submit" : "provider knew the submission");
        prv_gen_feed(gen, PRV_ACCEPTED);
        return;
    case PRV_OUTCOME_REFUSED:
        prv_gen_refuse(gen, PRV_REFUSED, outcome->failure);
        return;
    case PRV_OUTCOME_BARRED:
        prv_gen_refuse(gen, PRV_BARRED, outcome->failure);
        return;
    case PRV_OUTCOME_ABSENT:
        prv_gen_feed(gen, prv_task_absence_counts(&gen->task, cs_clock_unix_ms()) ? PRV_ABSENT : PRV_UNCLEAR);
        return;
    case PRV_OUTCOME_UNCLEAR:
        prv_gen_feed(gen, PRV_UNCLEAR);
        return;
    }
}

static void on_submitted(const struct prv_answer *answer, const struct cs_err *err, bool sent, void *user) {
    struct gen *gen = user;
    struct prv_outcome outcome = {.kind = PRV_OUTCOME_UNCLEAR};
    cs_crash_at(CS_CRASH_PROVIDERS_AFTER_SUBMIT);
    took_answer(gen, answer);
    if (err == NULL) {
        adapter_of(gen)->submitted(answer, &outcome);
    } else if (!sent) {
        outcome.kind = PRV_OUTCOME_REFUSED;
        outcome.failure = prv_failure_make(PRV_CLASS(TRANSIENT), err->reason, "%s", err->message);
    }
    act_on(gen, &outcome);
}

static void submit(struct gen *gen) {
    struct prv_call call = {0};
    struct cs_err err = {0};
    gen->job.key = gen->task.checkpoint.key;
    gen->job.inputs = (const char *const *)gen->urls;
    gen->job.input_count = gen->input_count;
    gen->job.intent_unix_ms = gen->task.checkpoint.intent_unix_ms;
    prv_gen_progress(gen, "submitting", submitting_at);
    if (adapter_of(gen)->submit(&gen->job, gen->arena, &call, &err) != CS_OK) {
        prv_gen_refuse(gen, PRV_REFUSED, prv_failure_from_err(&err));
        return;
    }
    cs_crash_at(CS_CRASH_PROVIDERS_BEFORE_SUBMIT);
    make_call(gen, &call, adapter_of(gen)->takes_files, on_submitted);
}

static void on_found(const struct prv_answer *answer, const struct cs_err *err, bool sent, void *user) {
    struct gen *gen = user;
    struct prv_outcome outcome = {.kind = PRV_OUTCOME_UNCLEAR};
    (void)sent;
    took_answer(gen, answer);
    if (err == NULL) {
        adapter_of(gen)->found(&gen->job, answer, &outcome);
    }
    act_on(gen, &outcome);
}

static void look(struct gen *gen) {
    struct prv_call call = {0};
    gen->job.key = gen->task.checkpoint.key;
    gen->job.inputs = (const char *const *)gen->urls;
    gen->job.input_count = gen->input_count;
    gen->job.intent_unix_ms = gen->task.checkpoint.intent_unix_ms;
    adapter_of(gen)->find(&gen->job, gen->arena, &call);
    make_call(gen, &call, false, on_found);
}

static void on_polled(const struct prv_answer *answer, const struct cs_err *err, bool sent, void *user) {
    struct gen *gen = user;
    struct prv_snapshot snapshot = {.kind = PRV_SNAPSHOT_UNCLEAR};
    (void)sent;
    took_answer(gen, answer);
    if (err == NULL) {
        adapter_of(gen)->polled(answer, &snapshot);
    }
    switch (snapshot.kind) {
    case PRV_SNAPSHOT_RUNNING:
        gen->snapshot = snapshot;
        prv_gen_feed(gen, PRV_RUNNING);
        return;
    case PRV_SNAPSHOT_DONE:
        gen->snapshot = snapshot;
        prv_gen_feed(gen, PRV_DONE);
        return;
    case PRV_SNAPSHOT_FAILED:
        prv_gen_refuse(gen, PRV_REFUSED, snapshot.failure);
        return;
    case PRV_SNAPSHOT_BARRED:
        prv_gen_refuse(gen, PRV_BARRED, snapshot.failure);
        return;
    case PRV_SNAPSHOT_UNCLEAR:
        prv_gen_feed(gen, PRV_UNCLEAR);
        return;
    }
}

static void poll(struct gen *gen) {
    struct prv_call call = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create(); /* there may be thousands of polls */
    adapter_of(gen)->poll(gen->task.checkpoint.id, arena, &call);
    make_call(gen, &call, false, on_polled);
}

static void on_cancelled(const struct prv_answer *answer, const struct cs_err *err, bool sent, void *user) {
    struct gen *gen = user;
    (void)sent;
    took_answer(gen, answer);
    if (err != NULL || answer->status < 200 || answer->status > 299) {
        cs_log_warn("prediction may go on, the provider did not take the cancel",
                    CS_KV("provider", adapter_of(gen)->name), CS_KV("prediction", gen->task.checkpoint.id),
                    CS_KV("execution", gen->assign->execution), CS_KV("job", gen->assign->job),
                    CS_KVI("status", answer->status));
    }
    prv_gen_feed(gen, PRV_STOPPED);
}

static void cancel_there(struct gen *gen) {
    struct prv_call call = {0};
    adapter_of(gen)->cancel(gen->task.checkpoint.id, gen->arena, &call);
    make_call(gen, &call, false, on_cancelled);
}

static void wait_for_it(struct gen *gen) {
    prv_gen_progress(gen, gen->snapshot.queued ? "waiting" : "rendering",
                     waiting_at + rendering_share * gen->snapshot.fraction);
    start_pause(gen);
}

/* ---- states ---- */

static void enter(struct gen *gen) {
    switch ((enum prv_state)gen->task.state) {
    case PRV_STAGING:
        prv_stage_start(gen);
        return;
    case PRV_SAVING_INTENT:
        save_intent(gen);
        return;
    case PRV_SUBMITTING:
        submit(gen);
        return;
    case PRV_LOOKING:
        look(gen);
        return;
    case PRV_SAVING_ID:
        save_id(gen);
        return;
    case PRV_POLLING:
        poll(gen);
        return;
    case PRV_RESENDING:
    case PRV_SETTLING:
        start_pause(gen);
        return;
    case PRV_WAITING:
        wait_for_it(gen);
        return;
    case PRV_INGESTING:
        prv_gen_progress(gen, "ingesting", ingesting_at);
        prv_ingest_start(gen);
        return;
    case PRV_CANCELLING:
        cancel_there(gen);
        return;
    case PRV_ENDED:
        if (gen->in_flight == 0) {
            prv_engine_finish(gen);
        }
        return;
    case PRV_NEW:
    case PRV_STATE_COUNT:
        return;
    }
}

/* ---- the beginning ---- */

struct wanted {
    const char *provider;
    const char *model;
};

static bool read_wanted(const Callsheet__V1__Operation *operation, struct wanted *ret_wanted) {
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO:
        *ret_wanted = (struct wanted){operation->generate_video->provider, operation->generate_video->model};
        return true;
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_IMAGE:
        *ret_wanted = (struct wanted){operation->generate_image->provider, operation->generate_image->model};
        return true;
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_AUDIO:
        *ret_wanted = (struct wanted){operation->generate_audio->provider, operation->generate_audio->model};
        return true;
    default:
        return false;
    }
}

static const struct prv_provider *find_provider(const struct gen *gen, const char *name) {
    const struct prv_engine_config *config = prv_engine_config(gen->engine);
    for (size_t i = 0; i < config->provider_count; i++) {
        if (cs_str_eq(config->providers[i].adapter->name, name)) {
            return &config->providers[i];
        }
    }
    return NULL;
}

/* The provider and model that the plan names: never another one. */
static enum cs_status choose(struct gen *gen, struct prv_failure *ret_failure) {
    struct wanted wanted = {0};
    if (gen->assign->operation == NULL || !read_wanted(gen->assign->operation, &wanted)) {
        *ret_failure =
            prv_failure_make(PRV_CLASS(INVALID_INPUT), "unknown_operation", "providers do not know the operation");
        return CS_INVALID_ARGUMENT;
    }
    gen->operation = cs_catalog_by_case(gen->assign->operation->params_case);
    gen->provider = find_provider(gen, wanted.provider);
    if (gen->operation == NULL || gen->provider == NULL) {
        *ret_failure = prv_failure_make(PRV_CLASS(INVALID_INPUT), "unknown_provider",
                                        "there is no provider \"%s\" here", wanted.provider);
        return CS_INVALID_ARGUMENT;
    }
    const struct prv_model *model = prv_adapter_model(adapter_of(gen), gen->operation->name, wanted.model);
    if (model == NULL) {
        *ret_failure = prv_failure_make(PRV_CLASS(INVALID_INPUT), "unknown_model", "%s has no model \"%s\" for %s",
                                        wanted.provider, wanted.model, gen->operation->name);
        return CS_INVALID_ARGUMENT;
    }
    if (gen->provider->transport == NULL) {
        *ret_failure = prv_failure_make(PRV_CLASS(AUTH), "provider_not_configured",
                                        "the provider %s has no API key here; configure one", wanted.provider);
        return CS_UNAUTHENTICATED;
    }
    gen->job = (struct prv_job){.operation = gen->assign->operation, .model = model->id};
    return CS_OK;
}

static enum prv_event first_event(struct gen *gen, struct prv_failure *ret_failure) {
    struct cs_err err = {0};
    struct prv_checkpoint *checkpoint = &gen->task.checkpoint;
    if (choose(gen, ret_failure) != CS_OK) {
        return PRV_REFUSED;
    }
    if (prv_checkpoint_parse(gen->assign->checkpoint.data, gen->assign->checkpoint.len, checkpoint, &err) != CS_OK ||
        (checkpoint->phase != PRV_PHASE_NONE && !cs_str_eq(checkpoint->provider, adapter_of(gen)->name))) {
        *ret_failure = prv_failure_make(PRV_CLASS(OUTCOME_UNKNOWN), "bad_checkpoint",
                                        "what an earlier attempt left cannot be read; nothing is sent again");
        return PRV_REFUSED;
    }
    switch (checkpoint->phase) {
    case PRV_PHASE_INTENT:
        return PRV_BEGIN_INTENT;
    case PRV_PHASE_SUBMITTED:
        return PRV_BEGIN_ID;
    case PRV_PHASE_NONE:
    case PRV_PHASE_CLOSED:
        break;
    }
    return PRV_BEGIN_NEW;
}

void prv_gen_begin(struct gen *gen) {
    struct prv_failure failure = {0};
    enum prv_event event = first_event(gen, &failure);
    if (gen->provider != NULL) {
        gen->task.reconcile = adapter_of(gen)->reconcile;
        gen->task.can_cancel = adapter_of(gen)->cancel != NULL;
        gen->task.pace = adapter_of(gen)->pace;
    }
    gen->task.failure = failure;
    prv_gen_feed(gen, event);
}
