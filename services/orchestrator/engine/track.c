#include "engine/track.h"

#include "engine/internal.h"

static void number(struct orc_track *track) {
    track->filling->number = ++track->engine->batch_count;
}

void orc_track_init(struct orc_track *track, struct orc_engine *engine) {
    track->engine = engine;
    orc_batch_init(&track->batches[0]);
    orc_batch_init(&track->batches[1]);
    track->filling = &track->batches[0];
    number(track);
}

void orc_track_fini(struct orc_track *track) {
    orc_store_close(track->committer.store);
    orc_batch_fini(&track->batches[0]);
    orc_batch_fini(&track->batches[1]);
}

void orc_track_commit_if_free(struct orc_track *track) {
    struct orc_engine *engine = track->engine;
    if (track->committing != NULL || engine->recovering || engine->falling || orc_batch_empty(track->filling)) {
        return;
    }
    orc_engine_seal(engine, track->filling);
    track->committing = track->filling;
    track->filling = track->filling == &track->batches[0] ? &track->batches[1] : &track->batches[0];
    number(track);
    orc_committer_give(track, ORC_TASK_COMMIT);
}

void orc_engine_commit_if_free(struct orc_engine *engine) {
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        orc_track_commit_if_free(&engine->tracks[i]);
    }
}

bool orc_engine_settled(const struct orc_engine *engine) {
    bool settled = true;
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        settled = settled && engine->tracks[i].committing == NULL && orc_batch_empty(engine->tracks[i].filling);
    }
    return settled;
}
