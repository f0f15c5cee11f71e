#include "copy/sets.h"

#include <libavutil/intreadwrite.h>
#include <string.h>

enum { AVCC_HEAD = 6, HVCC_HEAD = 23 };

static bool add(struct med_sets *sets, const struct med_nal *nal, struct cs_arena *arena) {
    struct med_set set = {.nal = *nal};
    if (med_nal_kind(sets->codec, nal) != MED_NAL_SET) {
        return true;
    }
    if (sets->count == MED_NAL_SETS_MAX || !med_nal_set_ids(sets->codec, nal, &set.id, &set.parent)) {
        return false;
    }
    set.nal.data = cs_arena_copy(arena, nal->data, nal->size);
    sets->list[sets->count++] = set;
    return true;
}

static bool add_all(struct med_sets *sets, const uint8_t *data, size_t size, int length_size, struct cs_arena *arena) {
    struct med_nal_walk walk = {.codec = sets->codec, .length_size = length_size, .at = data, .end = data + size};
    struct med_nal nal;
    while (med_nal_next(&walk, &nal)) {
        if (!add(sets, &nal, arena)) {
            return false;
        }
    }
    return !walk.damaged;
}

/* `count` units with two bytes of length each; moves *at behind them. */
static bool add_array(struct med_sets *sets, const uint8_t **at, const uint8_t *end, int count,
                      struct cs_arena *arena) {
    const uint8_t *start = *at;
    for (int i = 0; i < count; i++) {
        if (end - *at < 2 || end - *at - 2 < AV_RB16(*at)) {
            return false;
        }
        *at += 2 + AV_RB16(*at);
    }
    return add_all(sets, start, (size_t)(*at - start), 2, arena);
}

static bool read_avcc(struct med_sets *sets, const uint8_t *data, size_t size, struct cs_arena *arena) {
    const uint8_t *at = data + AVCC_HEAD;
    const uint8_t *end = data + size;
    sets->length_size = (data[4] & 3) + 1;
    if (!add_array(sets, &at, end, data[5] & 0x1f, arena) || at == end) {
        return false;
    }
    int count = *at++;
    return add_array(sets, &at, end, count, arena);
}

static bool read_hvcc(struct med_sets *sets, const uint8_t *data, size_t size, struct cs_arena *arena) {
    const uint8_t *at = data + HVCC_HEAD;
    const uint8_t *end = data + size;
    sets->length_size = (data[21] & 3) + 1;
    for (int arrays = data[22]; arrays > 0; arrays--) {
        if (end - at < 3) {
            return false;
        }
        int count = AV_RB16(at + 1);
        at += 3;
        if (!add_array(sets, &at, end, count, arena)) {
            return false;
        }
    }
    return true;
}

bool med_sets_read(const AVCodecParameters *params, struct cs_arena *arena, struct med_sets *ret_sets) {
    const uint8_t *data = params->extradata;
    size_t size = params->extradata_size > 0 ? (size_t)params->extradata_size : 0;
    bool hevc = params->codec_id == AV_CODEC_ID_HEVC;
    struct med_sets sets = {.codec = params->codec_id};
    bool good = false;
    if (size < 7) {
        return false;
    }
    if (AV_RB24(data) == 1 || AV_RB32(data) == 1) {
        good = add_all(&sets, data, size, 0, arena);
    } else if (hevc) {
        good = size > HVCC_HEAD && read_hvcc(&sets, data, size, arena);
    } else {
        good = data[0] == 1 && read_avcc(&sets, data, size, arena);
    }
    if (!good || sets.count < (hevc ? 3 : 2)) {
        return false;
    }
    *ret_sets = sets;
    return true;
}

static bool same_bytes(const struct med_nal *a, const struct med_nal *b) {
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

bool med_sets_equal(const struct med_sets *a, const struct med_sets *b) {
    if (a->codec != b->codec || a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!same_bytes(&a->list[i].nal, &b->list[i].nal)) {
            return false;
        }
    }
    return true;
}

bool med_sets_hold(const struct med_sets *sets, const struct med_nal *nal) {
    for (size_t i = 0; i < sets->count; i++) {
        if (same_bytes(&sets->list[i].nal, nal)) {
            return true;
        }
    }
    return false;
}

int med_sets_free_id(const struct med_sets *sets, int id_max) {
    for (int id = 0; id <= id_max; id++) {
        bool used = false;
        for (size_t i = 0; i < sets->count; i++) {
            used |= sets->list[i].id == id;
        }
        if (!used) {
            return id;
        }
    }
    return -1;
}

static void put(const struct med_nal *nal, struct cs_buf *buf) {
    static const uint8_t start_code[] = {0, 0, 0, 1};
    cs_buf_put(buf, start_code, sizeof(start_code));
    cs_buf_put(buf, nal->data, nal->size);
}

void med_sets_put(const struct med_sets *sets, struct cs_buf *buf) {
    for (size_t i = 0; i < sets->count; i++) {
        put(&sets->list[i].nal, buf);
    }
}

bool med_sets_put_packet(const struct med_sets *sets, const uint8_t *data, size_t size, struct cs_buf *buf) {
    struct med_nal_walk walk = {.codec = sets->codec, .length_size = sets->length_size, .at = data, .end = data + size};
    struct med_nal nal;
    while (med_nal_next(&walk, &nal)) {
        enum med_nal_kind kind = med_nal_kind(sets->codec, &nal);
        if (kind != MED_NAL_SET && kind != MED_NAL_DELIMITER) {
            put(&nal, buf);
        }
    }
    return !walk.damaged;
}

bool med_sets_cover_packet(const struct med_sets *sets, const uint8_t *data, size_t size) {
    struct med_nal_walk walk = {.codec = sets->codec, .length_size = sets->length_size, .at = data, .end = data + size};
    struct med_nal nal;
    while (med_nal_next(&walk, &nal)) {
        if (med_nal_kind(sets->codec, &nal) == MED_NAL_SET && !med_sets_hold(sets, &nal)) {
            return false;
        }
    }
    return true;
}
