#include "credits.h"

#include "state.h"

void credits_compute(uint32_t slots, uint32_t rotation, uint32_t orphans, const uint32_t *open, size_t count,
                     uint32_t *ret_limits) {
    if (count == 0) {
        return;
    }
    uint32_t each = (uint32_t)(slots / count);
    size_t extra = slots % count;
    uint64_t overhang = orphans;
    for (size_t i = 0; i < count; i++) {
        ret_limits[i] = each + ((i + rotation) % count < extra ? 1 : 0);
        overhang += open[i] > ret_limits[i] ? open[i] - ret_limits[i] : 0;
    }
    for (size_t i = 0; i < count && overhang != 0; i++) {
        uint32_t spare = ret_limits[i] > open[i] ? ret_limits[i] - open[i] : 0;
        uint32_t taken = overhang < spare ? (uint32_t)overhang : spare;
        ret_limits[i] -= taken;
        overhang -= taken;
    }
}

static void tell_limit_locked(struct session *session, uint32_t limit) {
    if (session->limit_told && session->limit == limit) {
        return;
    }
    session->limit = limit;
    session->limit_told = true;
    Callsheet__V1__Credits credits = CALLSHEET__V1__CREDITS__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    credits.limit = limit;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_CREDITS;
    report.credits = &credits;
    session_report_locked(session, &report);
}

void credits_share_locked(struct cs_worker *worker) {
    size_t count = 0;
    const struct session *counted = NULL;
    DL_COUNT(worker->sessions, counted, count);
    CS_AUTO_FREE uint32_t *open = cs_alloc_array(count, sizeof(*open));
    CS_AUTO_FREE uint32_t *limits = cs_alloc_array(count, sizeof(*limits));
    size_t i = 0;
    uint32_t orphans = worker->busy;
    struct session *session = NULL;
    DL_FOREACH(worker->sessions, session) {
        open[i] = (uint32_t)HASH_COUNT(session->assignments);
        orphans -= open[i++];
    }
    credits_compute(worker->draining ? 0 : worker->config.slots, worker->rotation, orphans, open, count, limits);
    i = 0;
    DL_FOREACH(worker->sessions, session) {
        tell_limit_locked(session, limits[i++]);
    }
}
