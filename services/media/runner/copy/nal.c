#include "copy/nal.h"

#include <string.h>

enum {
    H264_SLICE = 1,
    H264_PARTITION_A = 2,
    H264_PARTITION_C = 4,
    H264_IDR = 5,
    H264_SPS = 7,
    H264_PPS = 8,
    H264_DELIMITER = 9,
    H264_END_OF_STREAM = 11,
    H264_SPS_EXTENSION = 13,
    H264_PREFIX = 14,
    H264_SUBSET_SPS = 15,
    H264_SLICE_EXTENSION = 20,
    H264_SLICE_DEPTH = 21,

    HEVC_SLICES = 32, /* types below are of slices */
    HEVC_RADL_N = 6,
    HEVC_RASL_R = 9,
    HEVC_BLA = 16,
    HEVC_IDR_W_RADL = 19,
    HEVC_IDR_N_LP = 20,
    HEVC_CRA = 21,
    HEVC_VPS = 32,
    HEVC_SPS = 33,
    HEVC_PPS = 34,
    HEVC_DELIMITER = 35,
    HEVC_END_OF_STREAM = 37,
};

/* ---- units ---- */

int med_nal_length_size(enum AVCodecID codec, const uint8_t *header, size_t size) {
    size_t where = codec == AV_CODEC_ID_H264 ? 4 : 21;
    return size > where && header[0] == 1 ? (header[where] & 3) + 1 : 0;
}

static const uint8_t *find_start_code(const uint8_t *at, const uint8_t *end) {
    while (end - at >= 3) {
        const uint8_t *one = memchr(at + 2, 1, (size_t)(end - at) - 2);
        if (one == NULL) {
            return end;
        }
        if (one[-1] == 0 && one[-2] == 0) {
            return one - 2;
        }
        at = one - 1;
    }
    return end;
}

static bool next_after_code(struct med_nal_walk *walk, struct med_nal *nal) {
    const uint8_t *code = find_start_code(walk->at, walk->end);
    if (code == walk->end) {
        walk->at = walk->end;
        return false;
    }
    nal->data = code + 3;
    const uint8_t *next = find_start_code(nal->data, walk->end);
    walk->at = next;
    while (next > nal->data && next[-1] == 0) { /* zeros belong to the next code */
        next--;
    }
    nal->size = (size_t)(next - nal->data);
    return true;
}

static bool next_of_length(struct med_nal_walk *walk, struct med_nal *nal) {
    size_t left = (size_t)(walk->end - walk->at);
    size_t size = 0;
    if (left == 0) {
        return false;
    }
    for (int i = 0; i < walk->length_size && left > 0; i++, left--) {
        size = size << 8 | *walk->at++;
    }
    if (size > left) {
        walk->damaged = true;
        walk->at = walk->end;
        return false;
    }
    nal->data = walk->at;
    nal->size = size;
    walk->at += size;
    return true;
}

bool med_nal_next(struct med_nal_walk *walk, struct med_nal *ret_nal) {
    size_t header = walk->codec == AV_CODEC_ID_HEVC ? 2 : 1;
    struct med_nal nal = {0};
    while (walk->length_size == 0 ? next_after_code(walk, &nal) : next_of_length(walk, &nal)) {
        if (nal.size >= header) {
            nal.type = header == 2 ? nal.data[0] >> 1 & 0x3f : nal.data[0] & 0x1f;
            *ret_nal = nal;
            return true;
        }
    }
    return false;
}

static enum med_nal_kind kind_of_h264(int type) {
    switch (type) {
    case H264_SLICE:
        return MED_NAL_PICTURE;
    case H264_IDR:
        return MED_NAL_START;
    case H264_SPS:
    case H264_PPS:
        return MED_NAL_SET;
    case H264_DELIMITER:
    case H264_DELIMITER + 1:
    case H264_END_OF_STREAM:
        return MED_NAL_DELIMITER;
    case H264_PARTITION_A:
    case H264_PARTITION_A + 1:
    case H264_PARTITION_C:
    case H264_SPS_EXTENSION:
    case H264_PREFIX:
    case H264_SUBSET_SPS:
    case H264_SLICE_EXTENSION:
    case H264_SLICE_DEPTH:
        return MED_NAL_UNSUPPORTED;
    default:
        return MED_NAL_OTHER;
    }
}

static enum med_nal_kind kind_of_hevc(const struct med_nal *nal) {
    int layer = (nal->data[0] & 1) << 5 | nal->data[1] >> 3;
    if (layer != 0) {
        return MED_NAL_UNSUPPORTED;
    }
    if (nal->type == HEVC_IDR_W_RADL || nal->type == HEVC_IDR_N_LP) {
        return MED_NAL_START;
    }
    if (nal->type >= HEVC_BLA && nal->type <= HEVC_CRA) {
        return MED_NAL_OPEN_START;
    }
    if (nal->type < HEVC_SLICES) {
        return nal->type >= HEVC_RADL_N && nal->type <= HEVC_RASL_R ? MED_NAL_LEADING : MED_NAL_PICTURE;
    }
    if (nal->type <= HEVC_PPS) {
        return MED_NAL_SET;
    }
    return nal->type <= HEVC_END_OF_STREAM ? MED_NAL_DELIMITER : MED_NAL_OTHER;
}

enum med_nal_kind med_nal_kind(enum AVCodecID codec, const struct med_nal *nal) {
    return codec == AV_CODEC_ID_HEVC ? kind_of_hevc(nal) : kind_of_h264(nal->type);
}

struct med_access_unit med_nal_look(enum AVCodecID codec, int length_size, const uint8_t *data, size_t size) {
    struct med_nal_walk walk = {.codec = codec, .length_size = length_size, .at = data, .end = data + size};
    struct med_access_unit unit = {0};
    struct med_nal nal;
    bool seen = false;
    enum med_nal_kind first = MED_NAL_OTHER;
    while (med_nal_next(&walk, &nal)) {
        enum med_nal_kind kind = med_nal_kind(codec, &nal);
        unit.unsupported |= kind == MED_NAL_UNSUPPORTED;
        if (kind >= MED_NAL_PICTURE && kind <= MED_NAL_LEADING) {
            unit.damaged |= seen && kind != first;
            first = kind;
            seen = true;
        }
    }
    unit.damaged |= walk.damaged || !seen;
    unit.start = !unit.damaged && first == MED_NAL_START;
    unit.open_start = !unit.damaged && first == MED_NAL_OPEN_START;
    unit.leading = !unit.damaged && first == MED_NAL_LEADING;
    return unit;
}

/* ---- bits of parameter sets, without the bytes that only keep start codes away ---- */

struct bits {
    uint8_t bytes[MED_NAL_SET_BYTES_MAX];
    size_t count; /* of bits */
    size_t at;
    bool over;
};

static void unescape(const uint8_t *data, size_t size, struct bits *bits) {
    size_t kept = 0;
    int zeros = 0;
    for (size_t i = 0; i < size && kept < sizeof(bits->bytes); i++) {
        if (zeros >= 2 && data[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = data[i] == 0 ? zeros + 1 : 0;
        bits->bytes[kept++] = data[i];
    }
    bits->count = kept * 8;
    bits->at = 0;
    bits->over = false;
}

static uint32_t take(struct bits *bits, int count) {
    uint32_t value = 0;
    for (int i = 0; i < count; i++) {
        if (bits->at >= bits->count) {
            bits->over = true;
            return 0;
        }
        value = value << 1 | (bits->bytes[bits->at / 8] >> (7 - bits->at % 8) & 1);
        bits->at++;
    }
    return value;
}

static void skip(struct bits *bits, size_t count) {
    bits->over |= count > bits->count - bits->at;
    bits->at = bits->over ? bits->count : bits->at + count;
}

static uint32_t take_golomb(struct bits *bits) {
    int zeros = 0;
    while (!bits->over && take(bits, 1) == 0) {
        if (++zeros > 31) {
            bits->over = true;
        }
    }
    return bits->over ? 0 : (UINT32_C(1) << zeros) - 1 + take(bits, zeros);
}

static void h264_ids(struct bits *bits, int type, uint32_t *id, int64_t *parent) {
    if (type == H264_SPS) {
        skip(bits, 24);
        *id = take_golomb(bits);
    } else {
        *id = take_golomb(bits);
        *parent = take_golomb(bits);
    }
}

/* The profile and level of all sub-layers. */
static void skip_hevc_profile(struct bits *bits, uint32_t sub_layers) {
    skip(bits, 88 + 8);
    uint32_t present = sub_layers > 0 ? take(bits, 16) : 0; /* two bits each, from the top */
    for (uint32_t i = 0; i < sub_layers; i++) {
        skip(bits, (present >> (15 - 2 * i) & 1) != 0 ? 88 : 0);
        skip(bits, (present >> (14 - 2 * i) & 1) != 0 ? 8 : 0);
    }
}

static void hevc_ids(struct bits *bits, int type, uint32_t *id, int64_t *parent) {
    if (type == HEVC_VPS) {
        *id = take(bits, 4);
    } else if (type == HEVC_SPS) {
        *parent = take(bits, 4);
        uint32_t sub_layers = take(bits, 3);
        skip(bits, 1);
        skip_hevc_profile(bits, sub_layers);
        *id = take_golomb(bits);
    } else {
        *id = take_golomb(bits);
        *parent = take_golomb(bits);
    }
}

bool med_nal_set_ids(enum AVCodecID codec, const struct med_nal *nal, int *ret_id, int *ret_parent) {
    size_t header = codec == AV_CODEC_ID_HEVC ? 2 : 1;
    struct bits bits;
    uint32_t id = 0;
    int64_t parent = -1;
    if (nal->size <= header || nal->size > MED_NAL_SET_BYTES_MAX) {
        return false;
    }
    unescape(nal->data + header, nal->size - header, &bits);
    if (codec == AV_CODEC_ID_HEVC) {
        hevc_ids(&bits, nal->type, &id, &parent);
    } else {
        h264_ids(&bits, nal->type, &id, &parent);
    }
    if (bits.over || id > 255 || parent > 31) {
        return false;
    }
    *ret_id = (int)id;
    *ret_parent = (int)parent;
    return true;
}

/* ---- fields ---- */

static void skip_scaling_list(struct bits *bits, int size) {
    int64_t last = 8;
    int64_t next = 8;
    for (int i = 0; i < size && next != 0 && !bits->over; i++) {
        uint32_t code = take_golomb(bits);
        int64_t delta = (code & 1) != 0 ? (int64_t)(code / 2) + 1 : -(int64_t)(code / 2);
        next = ((last + delta) % 256 + 256) % 256;
        last = next == 0 ? last : next;
    }
}

static void skip_chroma(struct bits *bits) {
    uint32_t chroma = take_golomb(bits);
    skip(bits, chroma == 3 ? 1 : 0);
    (void)take_golomb(bits); /* depths */
    (void)take_golomb(bits);
    skip(bits, 1);
    if (take(bits, 1) != 0) {
        for (int i = 0; i < (chroma == 3 ? 12 : 8); i++) {
            if (take(bits, 1) != 0) {
                skip_scaling_list(bits, i < 6 ? 16 : 64);
            }
        }
    }
}

static void skip_order_counts(struct bits *bits) {
    uint32_t type = take_golomb(bits);
    if (type == 0) {
        (void)take_golomb(bits);
    } else if (type == 1) {
        skip(bits, 1);
        (void)take_golomb(bits);
        (void)take_golomb(bits);
        uint32_t count = take_golomb(bits);
        for (uint32_t i = 0; i < count && !bits->over; i++) {
            (void)take_golomb(bits);
        }
    }
}

bool med_nal_has_fields(const struct med_nal *nal) {
    static const uint8_t with_chroma[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    struct bits bits;
    if (nal->size < 5 || nal->size > MED_NAL_SET_BYTES_MAX) {
        return true;
    }
    unescape(nal->data + 1, nal->size - 1, &bits);
    uint8_t profile = (uint8_t)take(&bits, 8);
    skip(&bits, 16);
    (void)take_golomb(&bits);
    if (memchr(with_chroma, profile, sizeof(with_chroma)) != NULL) {
        skip_chroma(&bits);
    }
    (void)take_golomb(&bits); /* frame numbers */
    skip_order_counts(&bits);
    (void)take_golomb(&bits); /* references */
    skip(&bits, 1);
    (void)take_golomb(&bits); /* size */
    (void)take_golomb(&bits);
    bool frames_only = take(&bits, 1) != 0;
    return bits.over || !frames_only;
}
