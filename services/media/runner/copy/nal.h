/*
 * nal: the units of H.264 and HEVC streams, and the few of their bits that decide what may be copied.
 *
 * Owns     nothing; units point into the caller's bytes.
 * Trust    bytes are hostile: nothing is read beyond them, and a unit that says that it ends elsewhere is damage.
 */
#ifndef MED_NAL_H
#define MED_NAL_H

#include <libavcodec/codec_id.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MED_NAL_SETS_MAX = 32,       /* parameter sets of one stream */
    MED_NAL_SET_BYTES_MAX = 4096 /* of one */
};

struct med_nal {
    const uint8_t *data; /* with its header; without start code or length */
    size_t size;
    int type;
};

struct med_nal_walk {
    enum AVCodecID codec; /* AV_CODEC_ID_H264 or AV_CODEC_ID_HEVC */
    int length_size;      /* bytes of the length before each unit; 0: start codes */
    const uint8_t *at;
    const uint8_t *end;
    bool damaged;
};

/* Of a stream with this header, as in MP4. */
int med_nal_length_size(enum AVCodecID codec, const uint8_t *header, size_t size);
/* false: no more, or damage. Empty units are skipped. */
bool med_nal_next(struct med_nal_walk *walk, struct med_nal *ret_nal);

enum med_nal_kind {
    MED_NAL_OTHER,
    MED_NAL_PICTURE,     /* a slice of a picture that is none of the following */
    MED_NAL_START,       /* of an IDR picture: nothing later needs anything earlier */
    MED_NAL_OPEN_START,  /* of a CRA or BLA picture */
    MED_NAL_LEADING,     /* of a picture shown before the start that it follows */
    MED_NAL_SET,         /* a parameter set */
    MED_NAL_DELIMITER,   /* between pictures, or the end of the stream */
    MED_NAL_UNSUPPORTED, /* data partitions, layers */
};

enum med_nal_kind med_nal_kind(enum AVCodecID codec, const struct med_nal *nal);

/* What a packet is. */
struct med_access_unit {
    bool damaged;     /* or without a picture, or of several kinds */
    bool start;       /* IDR */
    bool open_start;  /* CRA, BLA */
    bool leading;     /* RASL, RADL */
    bool unsupported; /* has data partitions or layers */
};

struct med_access_unit med_nal_look(enum AVCodecID codec, int length_size, const uint8_t *data, size_t size);

/* The id of a parameter set, and of the one that it refers to (-1: none). false: damaged. */
bool med_nal_set_ids(enum AVCodecID codec, const struct med_nal *nal, int *ret_id, int *ret_parent);
/* Whether a sequence parameter set of H.264 allows pictures made of fields; true also for damaged ones. */
bool med_nal_has_fields(const struct med_nal *nal);

#endif
