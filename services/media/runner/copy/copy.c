#include "copy/copy.h"

#include <unistd.h>

#include "copy/check.h"
#include "copy/splicer.h"

/* One attempt, and what it needs. */
struct attempt {
    const struct med_made *made;
    const struct med_splice *splice;
    const Callsheet__V1__RunnerLimits *limits;
    const struct med_render_events *events;
    int fd;
    struct cs_arena *arena;
};

static enum cs_status write_and_check(const struct attempt *attempt, struct med_copy *copy,
                                      Callsheet__V1__MediaFacts **ret_facts, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(attempt->limits, attempt->events);
    CS_AUTO(med_splicer) *splicer = NULL;
    struct med_audio *sound = NULL;
    Callsheet__V1__MediaFacts *facts = NULL;
    Callsheet__V1__Quality *quality = NULL;
    bool same = false;
    CS_TRY(med_splicer_create(graph, attempt->splice, &splicer, err));
    if (attempt->made->samples > 0) {
        CS_TRY(med_made_sound(attempt->made, graph, &sound, err));
    }
    CS_TRY(med_sink_run_coded(graph, med_splicer_coded(splicer), &attempt->made->encoding, sound, attempt->fd,
                              attempt->arena, &facts, &quality, err));
    CS_TRY(med_copy_check(attempt->splice, med_splicer_witnesses(splicer), attempt->fd, &same, err));
    if (!same) {
        copy->reason = "mismatch";
        return CS_OK;
    }
    copy->share = (double)attempt->splice->copied / (double)attempt->splice->frames;
    quality->copied_share = copy->share;
    copy->quality = quality;
    *ret_facts = facts;
    return CS_OK;
}

/* What would fail without copying, too. */
static bool is_final(enum cs_status status) {
    return status == CS_UNAVAILABLE || status == CS_OUT_OF_RANGE;
}

enum cs_status med_copy_run(const struct med_made *made, const Callsheet__V1__RunnerLimits *limits,
                            const struct med_render_events *events, int fd, struct cs_arena *arena,
                            struct med_copy *ret_copy, Callsheet__V1__MediaFacts **ret_facts, struct cs_err *err) {
    struct med_splice splice = {0};
    struct med_copy copy = {0};
    struct cs_err own = {0};
    *ret_facts = NULL;
    enum cs_status status = med_splice_plan(made, arena, &splice, &own);
    if (status == CS_OK && splice.like == NULL) {
        copy.reason = splice.reason;
    } else if (status == CS_OK) {
        const struct attempt attempt = {made, &splice, limits, events, fd, arena};
        status = write_and_check(&attempt, &copy, ret_facts, &own);
    }
    med_splice_fini(&splice);
    if (is_final(status)) {
        *err = own;
        return status;
    }
    copy.reason = status != CS_OK ? "failed" : copy.reason;
    if (*ret_facts == NULL && ftruncate(fd, 0) != 0) {
        return cs_fail(err, CS_UNAVAILABLE, "write_failed", "the output cannot be written again");
    }
    *ret_copy = copy;
    return CS_OK;
}
