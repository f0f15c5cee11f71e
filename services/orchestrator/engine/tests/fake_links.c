#include "engine/tests/fake_links.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/base/mem.h"

enum { COMMANDS_MAX = 65536, LINKS_MAX = 64, WAIT_S = 10 };

struct orc_links {
    const struct orc_link_events *events;
    void *ctx;
};

struct sent {
    uint64_t link;
    const Callsheet__V1__WorkCommand *command;
    bool taken;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct orc_links links;
    struct sent sent[COMMANDS_MAX];
    size_t count;
    bool up[LINKS_MAX];
    bool dropped[LINKS_MAX];
    ProtobufCMessage *requests[COMMANDS_MAX];
    size_t request_count;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- links.h ---- */

enum cs_status orc_links_create(__attribute__((unused)) struct cs_rpc *rpc, const struct orc_links_config *config,
                                struct orc_links **ret_links, __attribute__((unused)) struct cs_err *err) {
    fake.links = (struct orc_links){.events = config->events, .ctx = config->ctx};
    *ret_links = &fake.links;
    return CS_OK;
}

void orc_links_destroy(struct orc_links *links) {
    for (uint64_t link = 0; links != NULL && link < LINKS_MAX; link++) {
        fake_link_down(link);
    }
}

enum cs_status orc_links_send(__attribute__((unused)) struct orc_links *links, uint64_t link,
                              const Callsheet__V1__WorkRequest *request, struct cs_err *err) {
    pthread_mutex_lock(&fake.lock);
    bool up = fake.up[link];
    if (up) {
        size_t size = protobuf_c_message_get_packed_size(&request->base);
        CS_AUTO_FREE uint8_t *bytes = cs_alloc(size);
        (void)protobuf_c_message_pack(&request->base, bytes);
        Callsheet__V1__WorkRequest *copy = callsheet__v1__work_request__unpack(NULL, size, bytes);
        fake.requests[fake.request_count++] = &copy->base;
        for (size_t i = 0; i < copy->n_commands; i++) {
            fake.sent[fake.count++] = (struct sent){.link = link, .command = copy->commands[i]};
        }
        (void)pthread_cond_broadcast(&fake.changed);
    }
    pthread_mutex_unlock(&fake.lock);
    return up ? CS_OK : cs_fail(err, CS_CANCELLED, "link_down", "the link is down");
}

void orc_links_drop(__attribute__((unused)) struct orc_links *links, uint64_t link) {
    pthread_mutex_lock(&fake.lock);
    fake.dropped[link] = true;
    pthread_mutex_unlock(&fake.lock);
}

/* ---- for tests ---- */

static void report(uint64_t link, const Callsheet__V1__WorkCommand *command, Callsheet__V1__Report *what) {
    if (command != NULL) {
        what->fence = command->fence;
    }
    Callsheet__V1__Report *list[] = {what};
    Callsheet__V1__WorkReport message = CALLSHEET__V1__WORK_REPORT__INIT;
    message.n_reports = 1;
    message.reports = list;
    fake.links.events->reports(link, &message, fake.links.ctx);
}

void fake_link_credits(uint64_t link, uint32_t limit) {
    Callsheet__V1__Credits credits = CALLSHEET__V1__CREDITS__INIT;
    credits.limit = limit;
    Callsheet__V1__Report what = CALLSHEET__V1__REPORT__INIT;
    what.report_case = CALLSHEET__V1__REPORT__REPORT_CREDITS;
    what.credits = &credits;
    report(link, NULL, &what);
}

void fake_link_up(uint64_t link, const char *const *operations, uint32_t slots) {
    fake_link_up_beating(link, operations, slots, 0);
}

static void come_up(uint64_t link, const char *const *operations, uint32_t slots, Callsheet__V1__Hello hello) {
    hello.worker = (char *)"fake";
    hello.operations = (char **)operations;
    while (operations[hello.n_operations] != NULL) {
        hello.n_operations++;
    }
    hello.slots = slots;
    pthread_mutex_lock(&fake.lock);
    fake.up[link] = true;
    pthread_mutex_unlock(&fake.lock);
    fake.links.events->up(link, &hello, fake.links.ctx);
    fake_link_credits(link, slots);
}

void fake_link_up_beating(uint64_t link, const char *const *operations, uint32_t slots, uint32_t heartbeat_ms) {
    Callsheet__V1__Hello hello = CALLSHEET__V1__HELLO__INIT;
    hello.heartbeat_ms = heartbeat_ms;
    come_up(link, operations, slots, hello);
}

void fake_link_up_fusing(uint64_t link, const char *const *operations, uint32_t slots, uint32_t fused_jobs) {
    Callsheet__V1__Hello hello = CALLSHEET__V1__HELLO__INIT;
    hello.fused_jobs = fused_jobs;
    come_up(link, operations, slots, hello);
}

void fake_link_up_sharing(uint64_t link, const char *const *operations, uint32_t slots, uint32_t fused_jobs) {
    Callsheet__V1__Hello hello = CALLSHEET__V1__HELLO__INIT;
    hello.fused_jobs = fused_jobs;
    hello.shares = true;
    come_up(link, operations, slots, hello);
}

void fake_link_up_helping(uint64_t link, const char *const *operations, uint32_t slots, uint32_t heartbeat_ms) {
    Callsheet__V1__Hello hello = CALLSHEET__V1__HELLO__INIT;
    hello.heartbeat_ms = heartbeat_ms;
    hello.shares = true;
    come_up(link, operations, slots, hello);
}

void fake_link_down(uint64_t link) {
    pthread_mutex_lock(&fake.lock);
    bool was_up = fake.up[link];
    fake.up[link] = false;
    pthread_mutex_unlock(&fake.lock);
    if (was_up) {
        fake.links.events->down(link, fake.links.ctx);
    }
}

static struct sent *first_waiting(uint64_t link) {
    for (size_t i = 0; i < fake.count; i++) {
        if (fake.sent[i].link == link && !fake.sent[i].taken) {
            return &fake.sent[i];
        }
    }
    return NULL;
}

const Callsheet__V1__WorkCommand *fake_link_next(uint64_t link) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&fake.lock);
    struct sent *sent = NULL;
    while ((sent = first_waiting(link)) == NULL) {
        if (pthread_cond_timedwait(&fake.changed, &fake.lock, &until) != 0) {
            (void)fprintf(stderr, "link %d was sent nothing for %d s\n", (int)link, WAIT_S);
            abort();
        }
    }
    sent->taken = true;
    pthread_mutex_unlock(&fake.lock);
    return sent->command;
}

const Callsheet__V1__WorkCommand *fake_link_assigned(uint64_t link) {
    const Callsheet__V1__WorkCommand *command = fake_link_next(link);
    if (command->command_case != CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN) {
        (void)fprintf(stderr, "link %d was sent command %d, not an assignment\n", (int)link,
                      (int)command->command_case);
        abort();
    }
    return command;
}

size_t fake_link_waiting(uint64_t link) {
    size_t count = 0;
    pthread_mutex_lock(&fake.lock);
    for (size_t i = 0; i < fake.count; i++) {
        count += fake.sent[i].link == link && !fake.sent[i].taken;
    }
    pthread_mutex_unlock(&fake.lock);
    return count;
}

bool fake_link_dropped(uint64_t link) {
    pthread_mutex_lock(&fake.lock);
    bool dropped = fake.dropped[link];
    pthread_mutex_unlock(&fake.lock);
    return dropped;
}

void fake_links_reset(void) {
    pthread_mutex_lock(&fake.lock);
    for (size_t i = 0; i < fake.request_count; i++) {
        protobuf_c_message_free_unpacked(fake.requests[i], NULL);
    }
    fake.count = fake.request_count = 0;
    memset(fake.up, 0, sizeof(fake.up));
    memset(fake.dropped, 0, sizeof(fake.dropped));
    pthread_mutex_unlock(&fake.lock);
}

enum { STEPS_MAX = 16 };

struct steps {
    Callsheet__V1__Metric metrics[STEPS_MAX];
    Callsheet__V1__Metric *metric_lists[STEPS_MAX];
    Callsheet__V1__StepDone done[STEPS_MAX];
    Callsheet__V1__StepDone *list[STEPS_MAX];
};

static void add_steps(const Callsheet__V1__WorkCommand *command, struct steps *steps,
                      Callsheet__V1__Succeeded *succeeded) {
    for (size_t i = 0; i < command->assign->n_steps_before && i < STEPS_MAX; i++) {
        callsheet__v1__metric__init(&steps->metrics[i]);
        callsheet__v1__step_done__init(&steps->done[i]);
        steps->metrics[i].name = (char *)"step";
        steps->metrics[i].value = (double)(i + 1);
        steps->metric_lists[i] = &steps->metrics[i];
        steps->done[i].metrics = &steps->metric_lists[i];
        steps->done[i].n_metrics = 1;
        steps->list[i] = &steps->done[i];
        succeeded->n_steps_before = i + 1;
    }
    succeeded->steps_before = steps->list;
}

void fake_report_succeeded(uint64_t link, const Callsheet__V1__WorkCommand *command) {
    Callsheet__V1__Metric metric = CALLSHEET__V1__METRIC__INIT;
    metric.name = (char *)"link";
    metric.value = (double)link;
    Callsheet__V1__Metric *metrics[] = {&metric};
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    artifact.key = (char *)"dev/acme/x/y/1/clip.mp4";
    artifact.name = (char *)"clip.mp4";
    artifact.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO;
    Callsheet__V1__Artifact *outputs[] = {&artifact};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    succeeded.n_metrics = 1;
    succeeded.metrics = metrics;
    succeeded.n_outputs = 1;
    succeeded.outputs = outputs;
    struct steps steps;
    add_steps(command, &steps, &succeeded);
    Callsheet__V1__Report what = CALLSHEET__V1__REPORT__INIT;
    what.report_case = CALLSHEET__V1__REPORT__REPORT_SUCCEEDED;
    what.succeeded = &succeeded;
    report(link, command, &what);
}

void fake_report_failed(uint64_t link, const Callsheet__V1__WorkCommand *command,
                        Callsheet__V1__FailureClass failure_class, const char *code, int64_t retry_after_ms) {
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = failure_class;
    failed.code = (char *)code;
    failed.message = (char *)"as the test wants";
    failed.retry_after_ms = retry_after_ms;
    Callsheet__V1__Report what = CALLSHEET__V1__REPORT__INIT;
    what.report_case = CALLSHEET__V1__REPORT__REPORT_FAILED;
    what.failed = &failed;
    report(link, command, &what);
}

void fake_report_checkpoint(uint64_t link, const Callsheet__V1__WorkCommand *command, uint64_t sequence,
                            const void *data, size_t size) {
    Callsheet__V1__Checkpoint checkpoint = CALLSHEET__V1__CHECKPOINT__INIT;
    checkpoint.sequence = sequence;
    checkpoint.data.data = (uint8_t *)data;
    checkpoint.data.len = size;
    checkpoint.ack_required = true;
    Callsheet__V1__Report what = CALLSHEET__V1__REPORT__INIT;
    what.report_case = CALLSHEET__V1__REPORT__REPORT_CHECKPOINT;
    what.checkpoint = &checkpoint;
    report(link, command, &what);
}

void fake_report_spread(uint64_t link, const Callsheet__V1__WorkCommand *command, int plan, const uint32_t *chunks,
                        size_t count) {
    uint8_t bytes[32];
    memset(bytes, plan, sizeof(bytes));
    Callsheet__V1__Spread spread = CALLSHEET__V1__SPREAD__INIT;
    spread.plan = (ProtobufCBinaryData){.len = sizeof(bytes), .data = bytes};
    spread.chunks = (uint32_t *)chunks;
    spread.n_chunks = count;
    Callsheet__V1__Report what = CALLSHEET__V1__REPORT__INIT;
    what.report_case = CALLSHEET__V1__REPORT__REPORT_SPREAD;
    what.spread = &spread;
    report(link, command, &what);
}

void fake_report_heartbeat(uint64_t link, const Callsheet__V1__WorkCommand *command) {
    Callsheet__V1__Heartbeat heartbeat = CALLSHEET__V1__HEARTBEAT__INIT;
    Callsheet__V1__Report what = CALLSHEET__V1__REPORT__INIT;
    what.report_case = CALLSHEET__V1__REPORT__REPORT_HEARTBEAT;
    what.heartbeat = &heartbeat;
    report(link, command, &what);
}

void fake_report_progress(uint64_t link, const Callsheet__V1__WorkCommand *command, const char *stage,
                          double fraction) {
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = (char *)stage;
    progress.fraction = fraction;
    Callsheet__V1__Report what = CALLSHEET__V1__REPORT__INIT;
    what.report_case = CALLSHEET__V1__REPORT__REPORT_PROGRESS;
    what.progress = &progress;
    report(link, command, &what);
}
