#include "captions/cmap.h"

#include <libavutil/intreadwrite.h>
#include <stdbool.h>
#include <string.h>

enum {
    COLLECTION_FACES_MAX = 64,
    TABLE_RECORD = 16,
    MAP_RECORD = 8,
    WINDOWS = 3,
    BASIC_PLANE = 1,
    FULL = 10,
};

static bool holds(size_t size, size_t offset, size_t length) {
    return offset <= size && length <= size - offset;
}

/* Offset of the table, 0 when the face has none. */
static size_t find_cmap(const uint8_t *font, size_t size, size_t face) {
    if (!holds(size, face, 12)) {
        return 0;
    }
    size_t tables = AV_RB16(font + face + 4);
    for (size_t i = 0; i < tables && holds(size, face + 12 + i * TABLE_RECORD, TABLE_RECORD); i++) {
        const uint8_t *record = font + face + 12 + i * TABLE_RECORD;
        if (memcmp(record, "cmap", 4) == 0) {
            return AV_RB32(record + 8);
        }
    }
    return 0;
}

static uint8_t *find_map(uint8_t *font, size_t size, size_t cmap, unsigned encoding) {
    size_t maps = holds(size, cmap, 4) ? AV_RB16(font + cmap + 2) : 0;
    for (size_t i = 0; i < maps && holds(size, cmap + 4 + i * MAP_RECORD, MAP_RECORD); i++) {
        uint8_t *record = font + cmap + 4 + i * MAP_RECORD;
        if (AV_RB16(record) == WINDOWS && AV_RB16(record + 2) == encoding) {
            return record;
        }
    }
    return NULL;
}

static bool widen_face(uint8_t *font, size_t size, size_t face) {
    size_t cmap = find_cmap(font, size, face);
    uint8_t *basic = cmap == 0 ? NULL : find_map(font, size, cmap, BASIC_PLANE);
    const uint8_t *full = cmap == 0 ? NULL : find_map(font, size, cmap, FULL);
    if (basic == NULL || full == NULL) {
        return false;
    }
    memcpy(basic + 4, full + 4, 4);
    return true;
}

size_t med_cmap_widen(uint8_t *font, size_t size_bytes) {
    if (!holds(size_bytes, 0, 12) || memcmp(font, "ttcf", 4) != 0) {
        return widen_face(font, size_bytes, 0);
    }
    size_t changed = 0;
    size_t faces = AV_RB32(font + 8);
    for (size_t i = 0; i < faces && i < COLLECTION_FACES_MAX && holds(size_bytes, 12 + 4 * i, 4); i++) {
        changed += widen_face(font, size_bytes, AV_RB32(font + 12 + 4 * i));
    }
    return changed;
}
