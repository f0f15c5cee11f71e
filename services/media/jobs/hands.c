#include "hands.h"

void med_hands_tell(struct med_hands *hands, uint32_t chunk, Callsheet__V1__ChunkState state) {
    if (chunk < CS_RUNNER_CHUNKS_MAX) {
        hands->begun[chunk] = state == CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_BEGUN;
        hands->made[chunk] = hands->made[chunk] || state == CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_MADE;
    }
}
