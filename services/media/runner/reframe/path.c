#include "reframe/path.h"

static const struct med_path_shot *shot_at(const struct med_path *path, int64_t frame) {
    size_t low = 0;
    size_t high = path->shot_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (path->shots[middle].start <= frame) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &path->shots[low];
}

/* The last keyframe at or before it, else the first. */
static const struct med_path_key *key_at(const struct med_path_shot *shot, int64_t frame) {
    size_t low = 0;
    size_t high = shot->key_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (shot->keys[middle].frame <= frame) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &shot->keys[low];
}

/* To the nearest, halves up. */
static int between(int from, int to, int64_t at, int64_t span) {
    int64_t twice = 2 * (int64_t)(to - from) * at + span;
    int64_t whole = twice / (2 * span);
    return from + (int)(twice < 0 && twice % (2 * span) != 0 ? whole - 1 : whole);
}

void med_path_at(const struct med_path *path, int64_t frame, int *ret_x, int *ret_y) {
    const struct med_path_shot *shot = shot_at(path, frame);
    const struct med_path_key *key = key_at(shot, frame);
    const struct med_path_key *end = shot->keys + shot->key_count;
    *ret_x = key->x;
    *ret_y = key->y;
    if (frame > key->frame && key + 1 < end) {
        int64_t at = frame - key->frame;
        int64_t span = key[1].frame - key->frame;
        *ret_x = between(key->x, key[1].x, at, span);
        *ret_y = between(key->y, key[1].y, at, span);
    }
}
