/* report: what the orchestrator and the log are told at the end. */
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "engine/gen.h"

/* What the content is, whatever was wished for. */
static const char *content_type_of(const Callsheet__V1__MediaFacts *facts) {
    static const struct {
        Callsheet__V1__MediaType type;
        const char *word; /* in the codec's or the container's name */
        const char *content_type;
    } rows[] = {
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE, "png", "image/png"},
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE, "jpeg", "image/jpeg"},
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE, "webp", "image/webp"},
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO, "mp3", "audio/mpeg"},
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO, "wav", "audio/wav"},
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO, "mp4", "audio/mp4"},
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO, "mp4", "video/mp4"},
        {CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO, "webm", "video/webm"},
    };
    const char *codec = facts->video != NULL ? facts->video->codec : "";
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        if (facts->type == rows[i].type &&
            (strstr(facts->container, rows[i].word) != NULL || strstr(codec, rows[i].word) != NULL)) {
            return rows[i].content_type;
        }
    }
    return "application/octet-stream";
}

static void succeed(struct gen *gen) {
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__Artifact *outputs[] = {&artifact};
    artifact.name = (char *)prv_gen_output_name(gen, gen->arena);
    artifact.key = cs_arena_sprintf(gen->arena, "%s%s", gen->assign->output_prefix, artifact.name);
    artifact.sha256 = gen->info.sha256;
    artifact.size_bytes = gen->info.size_bytes;
    artifact.content_type = (char *)content_type_of(gen->facts);
    artifact.type = gen->facts->type;
    artifact.facts = gen->facts;
    succeeded.n_outputs = 1;
    succeeded.outputs = outputs;
    cs_report_succeeded(gen->assignment, &succeeded);
}

static void fail(struct gen *gen) {
    const struct prv_failure *failure = &gen->task.failure;
    if (gen->task.close) {
        gen->task.checkpoint.phase = PRV_PHASE_CLOSED;
        CS_AUTO_BUF bytes = {0};
        prv_checkpoint_format(&gen->task.checkpoint, &bytes);
        cs_report_checkpoint(gen->assignment, bytes.data, bytes.size, NULL, NULL);
    }
    cs_report_failed(gen->assignment, failure->failure_class, failure->code, failure->retry_after_ms, "%s",
                     failure->sentence);
}

static void log_end(const struct gen *gen, bool good) {
    char trace[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(cs_assignment_trace(gen->assignment), trace);
    const struct cs_kv pairs[] = {
        CS_KV("operation", gen->operation != NULL ? gen->operation->name : "unknown"),
        CS_KV("provider", gen->provider != NULL ? gen->provider->adapter->name : NULL),
        CS_KV("prediction", gen->task.checkpoint.id[0] != '\0' ? gen->task.checkpoint.id : NULL),
        CS_KV("execution", gen->assign->execution),
        CS_KV("job", gen->assign->job),
        CS_KVI("attempt", gen->assign->attempt),
        CS_KV("trace", trace),
        CS_KVI("ms", cs_clock_mono_ms() - gen->started_ms),
        CS_KV("reason", good ? NULL : gen->task.failure.code),
        CS_KV("error", good ? NULL : gen->task.failure.sentence),
    };
    bool ours = !good && gen->task.failure.failure_class == PRV_CLASS(INTERNAL);
    cs_log_write(ours ? CS_LOG_ERROR : CS_LOG_INFO, good ? "job done" : "job failed", pairs, CS_COUNT(pairs));
}

void prv_report_final(struct gen *gen) {
    bool good = gen->task.failure.failure_class == PRV_CLASS(UNSPECIFIED);
    log_end(gen, good);
    if (good) {
        succeed(gen);
    } else {
        fail(gen);
    }
}

void prv_gen_progress(struct gen *gen, const char *stage, double fraction) {
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    gen->fraction = fraction > gen->fraction ? fraction : gen->fraction;
    progress.stage = (char *)stage;
    progress.fraction = gen->fraction;
    if (gen->task.state == PRV_WAITING) {
        progress.media_time_us = gen->snapshot.media_time_us;
        progress.media_duration_us = gen->snapshot.media_duration_us;
        progress.speed = gen->snapshot.speed;
    }
    cs_report_progress(gen->assignment, &progress);
}
