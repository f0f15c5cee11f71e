/*
 * hands: which chunks of a job workers of other nodes are at, as the orchestrator tells it.
 *
 * All of it is guarded by the lock of the job's stop.
 */
#ifndef MED_HANDS_H
#define MED_HANDS_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/runner.h"

struct med_hands {
    bool begun[CS_RUNNER_CHUNKS_MAX];
    bool made[CS_RUNNER_CHUNKS_MAX]; /* lies in storage, as they say */
};

void med_hands_tell(struct med_hands *hands, uint32_t chunk, Callsheet__V1__ChunkState state);

#endif
