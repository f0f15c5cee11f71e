/* ingest: a finished output into storage: fetch it, look at what it really is, commit. */
#include <string.h>
#include <unistd.h>

#include "cs/base/crash.h"
#include "cs/base/text.h"
#include "engine/gen.h"

enum { PROBE_CPU_S = 60 };

static const uint64_t probe_memory_bytes = (uint64_t)2 << 30;

static void refuse(struct gen *gen, const struct cs_err *err) {
    struct prv_failure failure = prv_failure_from_err(err);
    if (failure.failure_class == PRV_CLASS(INVALID_INPUT)) { /* it is the provider's output, not the caller's input */
        failure.failure_class = PRV_CLASS(TRANSIENT);
    }
    prv_gen_refuse(gen, PRV_REFUSED, failure);
}

/* ---- 4: commit, on the pool ---- */

static void commit(struct gen *gen) {
    cs_crash_at(CS_CRASH_PROVIDERS_BEFORE_UPLOAD);
    gen->io_status = cs_storage_put_commit(cs_steal(&gen->writer), &gen->info, &gen->io_err);
}

static void committed(struct gen *gen) {
    if (gen->io_status != CS_OK) {
        refuse(gen, &gen->io_err);
        return;
    }
    cs_crash_at(CS_CRASH_PROVIDERS_BEFORE_RESULT);
    prv_gen_feed(gen, PRV_STORED);
}

/* ---- 3: probe, in the sandbox ---- */

struct probed {
    struct gen *gen;
    Callsheet__V1__MediaFacts *facts; /* or err */
    struct cs_err err;
};

static enum cs_status check_type(const struct gen *gen, const Callsheet__V1__MediaFacts *facts, struct cs_err *err) {
    bool picture = facts->video != NULL;
    bool sound = facts->audio != NULL;
    bool fits = gen->operation->output == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO ? sound : picture;
    return fits ? CS_OK
                : cs_fail(err, CS_UNAVAILABLE, "output_invalid", "the provider's output is not what was asked for");
}

static void after_probe(struct gen *gen, int64_t argument) {
    struct probed *probed = (struct probed *)(intptr_t)argument;
    struct cs_err err = probed->err;
    gen->in_flight--;
    gen->facts = probed->facts;
    free(probed);
    if (gen->facts == NULL || check_type(gen, gen->facts, &err) != CS_OK) {
        refuse(gen, &err);
        return;
    }
    prv_gen_block(gen, commit, committed);
}

static Callsheet__V1__MediaFacts *copy_facts(const Callsheet__V1__MediaFacts *facts) {
    size_t size = callsheet__v1__media_facts__get_packed_size(facts);
    CS_AUTO_FREE uint8_t *bytes = cs_alloc(size + 1);
    (void)callsheet__v1__media_facts__pack(facts, bytes);
    return callsheet__v1__media_facts__unpack(NULL, size, bytes);
}

static void on_probed(const Callsheet__V1__RunnerDone *done, const Callsheet__V1__Failed *failed,
                      const struct cs_err *err, void *user) {
    struct gen *gen = user;
    struct probed *probed = cs_alloc(sizeof(*probed));
    if (done != NULL && done->n_outputs == 1) {
        probed->facts = copy_facts(done->outputs[0]);
    } else if (err != NULL) {
        probed->err = *err;
    } else {
        (void)cs_fail(&probed->err, CS_UNAVAILABLE, "output_invalid", "the provider's output is not usable media: %s",
                      failed != NULL ? failed->message : "it has no facts");
    }
    prv_engine_post(gen, 0, after_probe, (int64_t)(intptr_t)probed);
}

static void probe(struct gen *gen) {
    static const struct cs_runner_events events = {.ended = on_probed};
    Callsheet__V1__RunnerJob job = CALLSHEET__V1__RUNNER_JOB__INIT;
    Callsheet__V1__RunnerProbe wish = CALLSHEET__V1__RUNNER_PROBE__INIT;
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    struct cs_err err = {0};
    uint64_t id = 0;
    limits.memory_bytes = probe_memory_bytes;
    limits.cpu_s = PROBE_CPU_S;
    limits.threads = 1;
    job.task_case = CALLSHEET__V1__RUNNER_JOB__TASK_PROBE;
    job.probe = &wish;
    job.inputs = 1;
    job.limits = &limits;
    gen->in_flight++;
    if (cs_runner_start(prv_engine_config(gen->engine)->runner, &job, &gen->output_fd, 1, &events, gen, &id, &err) !=
        CS_OK) {
        gen->in_flight--;
        refuse(gen, &err);
    }
}

/* ---- 2: fetch ---- */

static void on_fetched(const struct cs_err *err, void *user) {
    struct gen *gen = user;
    gen->in_flight--;
    gen->request = 0;
    if (err != NULL || gen->task.stop != PRV_STOP_NONE) {
        struct cs_err stopped = {0};
        (void)cs_fail(&stopped, CS_CANCELLED, "cancelled", "the job was cancelled");
        refuse(gen, gen->task.stop != PRV_STOP_NONE ? &stopped : err);
        return;
    }
    probe(gen);
}

/* ---- 1: open, on the pool ---- */

const char *prv_gen_output_name(const struct gen *gen, struct cs_arena *arena) {
    char **names = NULL;
    size_t count = 0;
    cs_catalog_output_names(gen->assign->operation, arena, &names, &count);
    return count > 0 ? names[0] : gen->operation->output_name;
}

static void open_writer(struct gen *gen) {
    const struct prv_engine_config *config = prv_engine_config(gen->engine);
    CS_AUTO(cs_arena) *arena = cs_arena_create(); /* the generation's own belongs to the loop */
    const char *key = cs_arena_sprintf(arena, "%s%s", gen->assign->output_prefix, prv_gen_output_name(gen, arena));
    gen->io_status = cs_storage_put_start(config->storage, key, PRV_OUTPUT_BYTES_MAX, &gen->writer, &gen->io_err);
    if (gen->io_status == CS_OK) {
        gen->io_status = cs_storage_writer_fd(gen->writer, &gen->output_fd, &gen->io_err);
    }
}

static void writer_open(struct gen *gen) {
    if (gen->io_status != CS_OK) {
        refuse(gen, &gen->io_err);
        return;
    }
    struct prv_transport *transport = gen->provider->transport;
    gen->in_flight++;
    gen->request = transport->ops->fetch(transport, gen->provider->adapter, gen->task.checkpoint.id,
                                         gen->snapshot.output_url, gen->output_fd, on_fetched, gen);
}

void prv_ingest_start(struct gen *gen) {
    prv_gen_block(gen, open_writer, writer_open);
}

void prv_ingest_fini(struct gen *gen) {
    cs_storage_put_abort(gen->writer);
    if (gen->facts != NULL) {
        callsheet__v1__media_facts__free_unpacked(gen->facts, NULL);
    }
}
