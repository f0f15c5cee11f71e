#include "dialer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/rpc.h"
#include "cs/test.h"

struct kept {
    struct kept *next;
    Callsheet__V1__WorkReport *message;
};

struct dialer {
    struct cs_rpc *rpc;
    struct cs_rpc_channel *channel;
    struct cs_rpc_stream *stream;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct kept *first;
    struct kept **last;
    bool hold;
    bool closed;
};

/* ---- the stream ---- */

static bool same_fence(ProtobufCBinaryData bytes, const char *fence) {
    return bytes.len == strlen(fence) && (bytes.len == 0 || memcmp(bytes.data, fence, bytes.len) == 0);
}

static void send_command(struct dialer *dialer, ProtobufCBinaryData fence, Callsheet__V1__WorkCommand *command) {
    Callsheet__V1__WorkRequest request = CALLSHEET__V1__WORK_REQUEST__INIT;
    struct cs_err err = {0};
    command->fence = fence;
    request.n_commands = 1;
    request.commands = &command;
    (void)cs_rpc_stream_send(dialer->stream, &request.base, &err); /* a dead stream shows in what does not come back */
}

static ProtobufCBinaryData fence_bytes(const char *fence) {
    return (ProtobufCBinaryData){.len = strlen(fence), .data = (uint8_t *)fence};
}

static void acknowledge(struct dialer *dialer, ProtobufCBinaryData fence, uint64_t sequence) {
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    Callsheet__V1__CheckpointSaved saved = CALLSHEET__V1__CHECKPOINT_SAVED__INIT;
    saved.sequence = sequence;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED;
    command.checkpoint_saved = &saved;
    send_command(dialer, fence, &command);
}

static void on_message(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    struct dialer *dialer = user;
    (void)stream;
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cs_alloc(size + 1);
    (void)protobuf_c_message_pack(message, bytes);
    struct kept *kept = cs_alloc(sizeof(*kept));
    kept->message = callsheet__v1__work_report__unpack(NULL, size, bytes);
    free(bytes);

    (void)pthread_mutex_lock(&dialer->lock);
    *dialer->last = kept;
    dialer->last = &kept->next;
    bool hold = dialer->hold;
    (void)pthread_cond_broadcast(&dialer->changed);
    (void)pthread_mutex_unlock(&dialer->lock);
    for (size_t i = 0; !hold && i < kept->message->n_reports; i++) {
        const Callsheet__V1__Report *report = kept->message->reports[i];
        if (report->report_case == CALLSHEET__V1__REPORT__REPORT_CHECKPOINT && report->checkpoint->ack_required) {
            acknowledge(dialer, report->fence, report->checkpoint->sequence);
        }
    }
}

static void on_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    struct dialer *dialer = user;
    (void)stream;
    (void)err;
    (void)pthread_mutex_lock(&dialer->lock);
    dialer->closed = true;
    (void)pthread_cond_broadcast(&dialer->changed);
    (void)pthread_mutex_unlock(&dialer->lock);
}

static const struct cs_rpc_stream_events events = {.message = on_message, .closed = on_closed};

/* ---- waiting ---- */

typedef bool match_fn(const Callsheet__V1__Report *report, const void *ctx);

static const Callsheet__V1__Report *find_locked(struct dialer *dialer, match_fn *match, const void *ctx,
                                                size_t number) {
    for (const struct kept *kept = dialer->first; kept != NULL; kept = kept->next) {
        for (size_t i = 0; i < kept->message->n_reports; i++) {
            if (match(kept->message->reports[i], ctx) && number-- == 0) {
                return kept->message->reports[i];
            }
        }
    }
    return NULL;
}

/* The report of this number (from 0) that matches. */
static const Callsheet__V1__Report *await(struct dialer *dialer, match_fn *match, const void *ctx, size_t number,
                                          const char *what) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DIALER_PATIENCE_S;
    (void)pthread_mutex_lock(&dialer->lock);
    const Callsheet__V1__Report *report = NULL;
    int code = 0;
    while ((report = find_locked(dialer, match, ctx, number)) == NULL && !dialer->closed && code == 0) {
        code = pthread_cond_timedwait(&dialer->changed, &dialer->lock, &until);
    }
    bool closed = dialer->closed;
    (void)pthread_mutex_unlock(&dialer->lock);
    if (report == NULL) {
        fail_msg("no %s: %s", what, closed ? "the stream was closed" : "out of patience");
    }
    return report;
}

struct wanted {
    const char *fence;
    Callsheet__V1__Report__ReportCase kind;
    const char *stage;
};

static bool is_kind(const Callsheet__V1__Report *report, const void *ctx) {
    const struct wanted *wanted = ctx;
    return report->report_case == wanted->kind && same_fence(report->fence, wanted->fence) &&
           (wanted->stage == NULL || strcmp(report->progress->stage, wanted->stage) == 0);
}

static bool is_final(const Callsheet__V1__Report *report, const void *ctx) {
    const struct wanted *wanted = ctx;
    return same_fence(report->fence, wanted->fence) &&
           (report->report_case == CALLSHEET__V1__REPORT__REPORT_SUCCEEDED ||
            report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED);
}

const Callsheet__V1__Report *dialer_wait_nth(struct dialer *dialer, const char *fence,
                                             Callsheet__V1__Report__ReportCase kind, size_t count) {
    return await(dialer, is_kind, &(struct wanted){fence, kind, NULL}, count - 1, "report of that kind");
}

const Callsheet__V1__Report *dialer_wait(struct dialer *dialer, const char *fence,
                                         Callsheet__V1__Report__ReportCase kind) {
    return dialer_wait_nth(dialer, fence, kind, 1);
}

const Callsheet__V1__Report *dialer_wait_final(struct dialer *dialer, const char *fence) {
    return await(dialer, is_final, &(struct wanted){.fence = fence}, 0, "final report");
}

const Callsheet__V1__Checkpoint *dialer_wait_checkpoint(struct dialer *dialer, const char *fence, size_t count) {
    return dialer_wait_nth(dialer, fence, CALLSHEET__V1__REPORT__REPORT_CHECKPOINT, count)->checkpoint;
}

void dialer_wait_stage(struct dialer *dialer, const char *fence, const char *stage) {
    struct wanted wanted = {fence, CALLSHEET__V1__REPORT__REPORT_PROGRESS, stage};
    (void)await(dialer, is_kind, &wanted, 0, stage);
}

size_t dialer_count(struct dialer *dialer, const char *fence, Callsheet__V1__Report__ReportCase kind) {
    struct wanted wanted = {fence, kind, NULL};
    size_t count = 0;
    (void)pthread_mutex_lock(&dialer->lock);
    while (find_locked(dialer, is_kind, &wanted, count) != NULL) {
        count++;
    }
    (void)pthread_mutex_unlock(&dialer->lock);
    return count;
}

/* ---- life ---- */

struct dialer *dialer_open(const char *address, const char *token) {
    struct dialer *dialer = cs_alloc(sizeof(*dialer));
    struct cs_err err = {0};
    char authorization[512];
    (void)snprintf(authorization, sizeof(authorization), "Bearer %s", token);
    dialer->last = &dialer->first;
    (void)pthread_mutex_init(&dialer->lock, NULL);
    (void)pthread_cond_init(&dialer->changed, NULL);
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &dialer->rpc, &err), &err);
    struct cs_rpc_channel_config config = {
        .target = address, .authorization = token[0] != '\0' ? authorization : NULL, .own_connection = true};
    assert_ok(cs_rpc_channel_create(dialer->rpc, &config, &dialer->channel, &err), &err);
    assert_ok(cs_rpc_stream_open(dialer->channel, &callsheet__v1__worker__descriptor, "Work", NULL,
                                 &(struct cs_rpc_options){.wait_for_ready = true}, &events, dialer, &dialer->stream,
                                 &err),
              &err);
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    Callsheet__V1__Welcome welcome = CALLSHEET__V1__WELCOME__INIT;
    welcome.replica = (char *)"dialer";
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_WELCOME;
    command.welcome = &welcome;
    send_command(dialer, fence_bytes(""), &command);
    (void)dialer_hello(dialer);
    (void)dialer_credits(dialer);
    return dialer;
}

void dialer_close(struct dialer *dialer) {
    if (dialer == NULL) {
        return;
    }
    cs_rpc_stream_cancel(dialer->stream);
    (void)pthread_mutex_lock(&dialer->lock);
    while (!dialer->closed) {
        (void)pthread_cond_wait(&dialer->changed, &dialer->lock);
    }
    (void)pthread_mutex_unlock(&dialer->lock);
    cs_rpc_stream_unref(dialer->stream);
    cs_rpc_channel_destroy(dialer->channel);
    cs_rpc_destroy(dialer->rpc);
    while (dialer->first != NULL) {
        struct kept *kept = dialer->first;
        dialer->first = kept->next;
        callsheet__v1__work_report__free_unpacked(kept->message, NULL);
        free(kept);
    }
    (void)pthread_mutex_destroy(&dialer->lock);
    (void)pthread_cond_destroy(&dialer->changed);
    free(dialer);
}

const Callsheet__V1__Hello *dialer_hello(struct dialer *dialer) {
    return dialer_wait(dialer, "", CALLSHEET__V1__REPORT__REPORT_HELLO)->hello;
}

uint32_t dialer_credits(struct dialer *dialer) {
    return dialer_wait(dialer, "", CALLSHEET__V1__REPORT__REPORT_CREDITS)->credits->limit;
}

void dialer_assign(struct dialer *dialer, const char *fence, Callsheet__V1__Assign *assign) {
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN;
    command.assign = assign;
    send_command(dialer, fence_bytes(fence), &command);
}

static void cancel(struct dialer *dialer, const char *fence, bool for_good) {
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    Callsheet__V1__Cancel message = CALLSHEET__V1__CANCEL__INIT;
    message.reason = (char *)"the test says so";
    message.for_good = for_good;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL;
    command.cancel = &message;
    send_command(dialer, fence_bytes(fence), &command);
}

void dialer_cancel(struct dialer *dialer, const char *fence) {
    cancel(dialer, fence, false);
}

void dialer_cancel_for_good(struct dialer *dialer, const char *fence) {
    cancel(dialer, fence, true);
}

void dialer_chunk_news(struct dialer *dialer, const char *fence, uint32_t chunk, Callsheet__V1__ChunkState state) {
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    Callsheet__V1__ChunkNews news = CALLSHEET__V1__CHUNK_NEWS__INIT;
    news.chunk = chunk;
    news.state = state;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_CHUNK_NEWS;
    command.chunk_news = &news;
    send_command(dialer, fence_bytes(fence), &command);
}

void dialer_hold_checkpoints(struct dialer *dialer, bool hold) {
    (void)pthread_mutex_lock(&dialer->lock);
    dialer->hold = hold;
    (void)pthread_mutex_unlock(&dialer->lock);
}

void dialer_save(struct dialer *dialer, const char *fence, uint64_t sequence) {
    acknowledge(dialer, fence_bytes(fence), sequence);
}
