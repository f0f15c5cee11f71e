#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "domain/moves.h"

enum { LOSS_DELAY_MS = 1000, LOSS_DELAYS_MAX = 60 };

static enum cs_status move(struct orc_delivery *delivery, enum orc_delivery_move by, struct cs_err *err) {
    int state = delivery->state;
    CS_TRY(cs_fsm_step(&orc_delivery_fsm, &state, by, err));
    delivery->state = (uint8_t)state;
    return CS_OK;
}

static void land(struct orc_delivery *delivery) {
    delivery->in_flight = false;
    delivery->deadline_ms = 0;
}

static enum cs_status check_try(const struct orc_step *step, struct cs_err *err) {
    const struct orc_delivery *delivery = &step->execution->delivery;
    if (step->event->attempt != delivery->tries + 1) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "stale_attempt",
                       "try %u of the delivery is not the current one, %u", step->event->attempt, delivery->tries + 1);
    }
    return CS_OK;
}

void orc_delivery_request(const struct orc_step *step) {
    struct orc_execution *execution = step->execution;
    if (!execution->has_webhook) {
        orc_emit(step, ORC_COMMAND_CLOSED, 0, NULL);
        return;
    }
    struct cs_err err = {0};
    orc_must(move(&execution->delivery, ORC_DELIVERY_REQUEST, &err), &err);
    execution->delivery.next_try_at_ms = orc_delivery_retry_at(0, 0, step->event->at_ms);
    orc_emit(step, ORC_COMMAND_DELIVER, 0, NULL);
}

static enum cs_status assigned(const struct orc_step *step, struct cs_err *err) {
    struct orc_delivery *delivery = &step->execution->delivery;
    if (delivery->in_flight) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition", "delivery: a try is in flight already");
    }
    CS_TRY(move(delivery, ORC_DELIVERY_ASSIGN, err));
    delivery->in_flight = true;
    delivery->deadline_ms = step->event->at_ms + ORC_DELIVERY_TIMEOUT_MS;
    memcpy(delivery->fence, step->event->fence, ORC_FENCE_BYTES);
    return CS_OK;
}

static enum cs_status lost(const struct orc_step *step, struct cs_err *err) {
    struct orc_delivery *delivery = &step->execution->delivery;
    if (!delivery->in_flight) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition", "delivery: no try is in flight");
    }
    CS_TRY(move(delivery, ORC_DELIVERY_LOSE, err));
    land(delivery);
    uint32_t delays = delivery->losses < LOSS_DELAYS_MAX ? delivery->losses : LOSS_DELAYS_MAX;
    delivery->next_try_at_ms = step->event->at_ms + (int64_t)delays * LOSS_DELAY_MS;
    delivery->losses++;
    orc_emit(step, ORC_COMMAND_DELIVER, 0, NULL);
    return CS_OK;
}

static enum cs_status delivered(const struct orc_step *step, struct cs_err *err) {
    struct orc_delivery *delivery = &step->execution->delivery;
    CS_TRY(check_try(step, err));
    CS_TRY(move(delivery, ORC_DELIVERY_SUCCEED, err));
    land(delivery);
    delivery->tries++;
    delivery->delivered_at_ms = step->event->at_ms;
    delivery->next_try_at_ms = 0;
    free(cs_steal(&delivery->last_error));
    orc_emit(step, ORC_COMMAND_CLOSED, 0, NULL);
    return CS_OK;
}

static enum cs_status failed(const struct orc_step *step, struct cs_err *err) {
    struct orc_delivery *delivery = &step->execution->delivery;
    struct orc_event *event = step->event;
    CS_TRY(check_try(step, err));
    int64_t next = event->next_at_ms;
    if (!step->replaying) {
        next = event->final ? 0 : orc_delivery_retry_at(delivery->tries + 1, event->chance, event->at_ms);
    }
    CS_TRY(move(delivery, next != 0 ? ORC_DELIVERY_RETRY_LATER : ORC_DELIVERY_GIVE_UP, err));
    land(delivery);
    delivery->tries++;
    delivery->losses = 0;
    delivery->next_try_at_ms = event->next_at_ms = next;
    free(delivery->last_error);
    delivery->last_error = cs_strdup(cs_str_empty(event->message) ? event->code : event->message);
    orc_emit(step, next != 0 ? ORC_COMMAND_DELIVER : ORC_COMMAND_CLOSED, 0, NULL);
    return CS_OK;
}

enum cs_status orc_delivery_event(const struct orc_step *step, struct cs_err *err) {
    switch (step->event->kind) {
    case ORC_EVENT_DELIVERY_ASSIGNED:
        return assigned(step, err);
    case ORC_EVENT_DELIVERY_LOST:
        return lost(step, err);
    case ORC_EVENT_DELIVERED:
        return delivered(step, err);
    default:
        return failed(step, err);
    }
}
