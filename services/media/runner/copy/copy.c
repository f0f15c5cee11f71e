#include "copy/copy.h"

#include <unistd.h>

#include "copy/check.h"
#include "copy/sound.h"
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

/* sound NULL: it is encoded. */
static enum cs_status write_and_check(const struct attempt *attempt, const struct med_sound_plan *sound,
                                      struct med_copy *copy, Callsheet__V1__MediaFacts **ret_facts,
                                      struct cs_err *err) {
    CS_AUTO(med_graph) *graph = med_graph_create(attempt->limits, attempt->events);
    CS_AUTO(med_splicer) *splicer = NULL;
    CS_AUTO(med_sound_copy) *copied_sound = NULL;
    struct med_coded_tracks tracks = {.samples = attempt->made->samples};
    Callsheet__V1__MediaFacts *facts = NULL;
    Callsheet__V1__Quality *quality = NULL;
    bool same = false;
    CS_TRY(med_splicer_create(graph, attempt->splice, &splicer, err));
    tracks.picture = med_splicer_coded(splicer);
    if (sound != NULL) {
        CS_TRY(med_sound_copy_create(sound, &copied_sound, err));
        tracks.sound = med_sound_copy_coded(copied_sound);
    } else if (tracks.samples > 0) {
        CS_TRY(med_made_sound(attempt->made, graph, &tracks.audio, err));
    }
    CS_TRY(med_sink_run_coded(graph, &tracks, &attempt->made->encoding, attempt->fd, attempt->arena, &facts, &quality,
                              err));
    CS_TRY(med_copy_check(attempt->splice, med_splicer_witnesses(splicer), attempt->fd, &same, err));
    if (!same) {
        copy->reason = "mismatch";
        return CS_OK;
    }
    copy->share = (double)attempt->splice->copied / (double)attempt->splice->frames;
    quality->copied_share = copy->share;
    if (sound != NULL) {
        quality->sound_copied_share = (double)med_sound_copy_copied(copied_sound) / (double)sound->places;
        quality->sound_moved_ms = (double)sound->moved * 1000 / sound->params->sample_rate;
    }
    copy->quality = quality;
    *ret_facts = facts;
    return CS_OK;
}

/* Edges are made by encoders under the GPL. */
static bool has_forbidden_edges(const struct med_splice *splice, const Callsheet__V1__RunnerLimits *limits) {
    return splice->encoded > 0 && limits != NULL && limits->no_gpl_encoders;
}

/* What would fail without copying, too. */
static bool is_final(enum cs_status status) {
    return status == CS_UNAVAILABLE || status == CS_OUT_OF_RANGE;
}

static enum cs_status start_again(int fd, struct cs_err *err) {
    return ftruncate(fd, 0) == 0 ? CS_OK
                                 : cs_fail(err, CS_UNAVAILABLE, "write_failed", "the output cannot be written again");
}

/* With the sound's packets, if they can be had; *ret_reason why not, and *ret_facts is NULL then. */
static enum cs_status with_sound(const struct attempt *attempt, struct med_copy *copy,
                                 Callsheet__V1__MediaFacts **ret_facts, const char **ret_reason, struct cs_err *err) {
    struct med_sound_plan plan = {0};
    struct cs_err own = {0};
    enum cs_status status = med_sound_plan_make(attempt->made, attempt->arena, &plan, &own);
    if (status == CS_OK && plan.reason == NULL) {
        status = write_and_check(attempt, &plan, copy, ret_facts, &own);
    }
    *ret_reason = status != CS_OK ? cs_arena_strdup(attempt->arena, own.reason) : plan.reason;
    med_sound_plan_fini(&plan);
    if (is_final(status)) {
        *err = own;
        return status;
    }
    return CS_OK;
}

/* Else with its sound encoded, unless it was the picture that cannot be copied. */
static enum cs_status write_copy(const struct attempt *attempt, struct med_copy *copy,
                                 Callsheet__V1__MediaFacts **ret_facts, struct cs_err *err) {
    const char *reason = NULL;
    if (attempt->made->samples > 0) {
        CS_TRY(with_sound(attempt, copy, ret_facts, &reason, err));
        if (reason == NULL) {
            return CS_OK;
        }
        CS_TRY(start_again(attempt->fd, err));
    }
    CS_TRY(write_and_check(attempt, NULL, copy, ret_facts, err));
    if (*ret_facts != NULL && reason != NULL) {
        copy->quality->sound_copy_reason = cs_arena_strdup(attempt->arena, reason);
    }
    return CS_OK;
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
    } else if (status == CS_OK && has_forbidden_edges(&splice, limits)) {
        copy.reason = "encoder";
    } else if (status == CS_OK) {
        const struct attempt attempt = {made, &splice, limits, events, fd, arena};
        status = write_copy(&attempt, &copy, ret_facts, &own);
    }
    med_splice_fini(&splice);
    if (is_final(status)) {
        *err = own;
        return status;
    }
    copy.reason = status != CS_OK ? "failed" : copy.reason;
    if (*ret_facts == NULL) {
        CS_TRY(start_again(fd, err));
    }
    *ret_copy = copy;
    return CS_OK;
}
