#include "orchestrator.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/test.h"

/* ---- reports ---- */

static void received(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    (void)stream;
    struct orchestrator *orc = user;
    size_t size = protobuf_c_message_get_packed_size(message);
    CS_AUTO_FREE uint8_t *bytes = cs_alloc(size);
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *kept = NULL;
    struct cs_err err;
    if (cs_rpc_message_unpack(message->descriptor, bytes, size, &kept, &err) != CS_OK) {
        return; /* the test will miss it */
    }
    const Callsheet__V1__WorkReport *work = (const Callsheet__V1__WorkReport *)kept;
    pthread_mutex_lock(&orc->lock);
    orc->messages[orc->message_count++ % REPORTS_MAX] = kept;
    for (size_t i = 0; i < work->n_reports && orc->report_count < REPORTS_MAX; i++) {
        orc->reports[orc->report_count++] = work->reports[i];
    }
    pthread_cond_broadcast(&orc->changed);
    pthread_mutex_unlock(&orc->lock);
}

static void closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    struct orchestrator *orc = user;
    pthread_mutex_lock(&orc->lock);
    orc->closed = true;
    orc->how = *err;
    pthread_cond_broadcast(&orc->changed);
    pthread_mutex_unlock(&orc->lock);
}

void orchestrator_open(struct orchestrator *orc, struct cs_rpc *rpc, const char *address) {
    static const struct cs_rpc_stream_events events = {.message = received, .closed = closed};
    memset(orc, 0, sizeof(*orc));
    pthread_mutex_init(&orc->lock, NULL);
    pthread_cond_init(&orc->changed, NULL);
    struct cs_rpc_channel_config config = {.target = address, .own_connection = true};
    struct cs_err err = {0};
    assert_ok(cs_rpc_channel_create(rpc, &config, &orc->channel, &err), &err);
    assert_ok(cs_rpc_stream_open(orc->channel, &callsheet__v1__worker__descriptor, "Work", NULL, NULL, &events, orc,
                                 &orc->stream, &err),
              &err);
}

void orchestrator_close(struct orchestrator *orc) {
    cs_rpc_channel_destroy(orc->channel);
    cs_rpc_stream_unref(orc->stream);
    for (int i = 0; i < orc->message_count; i++) {
        cs_rpc_message_free(orc->messages[i]);
    }
    pthread_cond_destroy(&orc->changed);
    pthread_mutex_destroy(&orc->lock);
}

/* ---- waiting ---- */

static bool fits(const Callsheet__V1__Report *report, Callsheet__V1__Report__ReportCase kind, const char *fence) {
    return report->report_case == kind &&
           (fence[0] == '\0' ||
            (report->fence.len == strlen(fence) && memcmp(report->fence.data, fence, report->fence.len) == 0));
}

static const Callsheet__V1__Report *find_locked(struct orchestrator *orc, Callsheet__V1__Report__ReportCase kind,
                                                const char *fence) {
    for (int i = 0; i < orc->report_count; i++) {
        if (!orc->taken[i] && fits(orc->reports[i], kind, fence)) {
            orc->taken[i] = 1;
            return orc->reports[i];
        }
    }
    return NULL;
}

static bool wait_locked(struct orchestrator *orc, const struct timespec *until) {
    return pthread_cond_timedwait(&orc->changed, &orc->lock, until) == 0;
}

static struct timespec patience(void) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    return until;
}

const Callsheet__V1__Report *orchestrator_take(struct orchestrator *orc, Callsheet__V1__Report__ReportCase kind,
                                               const char *fence) {
    struct timespec until = patience();
    const Callsheet__V1__Report *found = NULL;
    pthread_mutex_lock(&orc->lock);
    while ((found = find_locked(orc, kind, fence)) == NULL && wait_locked(orc, &until)) {
    }
    pthread_mutex_unlock(&orc->lock);
    return found;
}

const Callsheet__V1__Report *orchestrator_peek(struct orchestrator *orc, Callsheet__V1__Report__ReportCase kind,
                                               const char *fence) {
    pthread_mutex_lock(&orc->lock);
    const Callsheet__V1__Report *found = find_locked(orc, kind, fence);
    pthread_mutex_unlock(&orc->lock);
    return found;
}

static uint32_t newest_limit_locked(const struct orchestrator *orc) {
    for (int i = orc->report_count; i-- > 0;) {
        if (orc->reports[i]->report_case == REPORT(CREDITS)) {
            return orc->reports[i]->credits->limit;
        }
    }
    return UINT32_MAX;
}

bool orchestrator_wait_limit(struct orchestrator *orc, uint32_t limit) {
    struct timespec until = patience();
    pthread_mutex_lock(&orc->lock);
    while (newest_limit_locked(orc) != limit && wait_locked(orc, &until)) {
    }
    bool reached = newest_limit_locked(orc) == limit;
    pthread_mutex_unlock(&orc->lock);
    return reached;
}

bool orchestrator_wait_closed(struct orchestrator *orc) {
    struct timespec until = patience();
    pthread_mutex_lock(&orc->lock);
    while (!orc->closed && wait_locked(orc, &until)) {
    }
    bool over = orc->closed;
    pthread_mutex_unlock(&orc->lock);
    return over;
}

int orchestrator_message_count(struct orchestrator *orc) {
    pthread_mutex_lock(&orc->lock);
    int count = orc->message_count;
    pthread_mutex_unlock(&orc->lock);
    return count;
}

/* ---- commands ---- */

static void send_command(struct orchestrator *orc, const char *fence, Callsheet__V1__WorkCommand *command) {
    Callsheet__V1__WorkRequest request = CALLSHEET__V1__WORK_REQUEST__INIT;
    command->fence = (ProtobufCBinaryData){strlen(fence), (uint8_t *)fence};
    request.n_commands = 1;
    request.commands = &command;
    struct cs_err err = {0};
    assert_ok(cs_rpc_stream_send(orc->stream, &request.base, &err), &err);
}

void orchestrator_assign_with(struct orchestrator *orc, const char *fence, Callsheet__V1__Assign *assign) {
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN;
    command.assign = assign;
    send_command(orc, fence, &command);
}

void orchestrator_assign(struct orchestrator *orc, const char *fence, int64_t left_ms) {
    Callsheet__V1__Noop noop = CALLSHEET__V1__NOOP__INIT;
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    Callsheet__V1__Assign assign = CALLSHEET__V1__ASSIGN__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    operation.noop = &noop;
    assign.job = (char *)fence;
    assign.attempt = 1;
    assign.deadline_ms = cs_clock_unix_ms() + left_ms;
    assign.operation = &operation;
    orchestrator_assign_with(orc, fence, &assign);
}

static void cancel(struct orchestrator *orc, const char *fence, const char *reason, bool for_good) {
    Callsheet__V1__Cancel message = CALLSHEET__V1__CANCEL__INIT;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    message.reason = (char *)reason;
    message.for_good = for_good;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL;
    command.cancel = &message;
    send_command(orc, fence, &command);
}

void orchestrator_cancel(struct orchestrator *orc, const char *fence, const char *reason) {
    cancel(orc, fence, reason, false);
}

void orchestrator_cancel_for_good(struct orchestrator *orc, const char *fence, const char *reason) {
    cancel(orc, fence, reason, true);
}

void orchestrator_signal(struct orchestrator *orc, const char *fence, const char *name, const char *payload) {
    Callsheet__V1__Signal signal = CALLSHEET__V1__SIGNAL__INIT;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    signal.name = (char *)name;
    signal.payload = (ProtobufCBinaryData){strlen(payload), (uint8_t *)payload};
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_SIGNAL;
    command.signal = &signal;
    send_command(orc, fence, &command);
}

void orchestrator_chunk_news(struct orchestrator *orc, const char *fence, uint32_t chunk,
                             Callsheet__V1__ChunkState state) {
    Callsheet__V1__ChunkNews news = CALLSHEET__V1__CHUNK_NEWS__INIT;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    news.chunk = chunk;
    news.state = state;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CHUNK_NEWS;
    command.chunk_news = &news;
    send_command(orc, fence, &command);
}

void orchestrator_saved(struct orchestrator *orc, const char *fence, uint64_t sequence) {
    Callsheet__V1__CheckpointSaved saved = CALLSHEET__V1__CHECKPOINT_SAVED__INIT;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    saved.sequence = sequence;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED;
    command.checkpoint_saved = &saved;
    send_command(orc, fence, &command);
}

void orchestrator_welcome(struct orchestrator *orc) {
    Callsheet__V1__Welcome welcome = CALLSHEET__V1__WELCOME__INIT;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    welcome.replica = (char *)"test";
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_WELCOME;
    command.welcome = &welcome;
    send_command(orc, "", &command);
}
