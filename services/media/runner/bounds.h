/*
 * bounds: what an input may ask of us, checked before allocation or decoding.
 */
#ifndef MED_BOUNDS_H
#define MED_BOUNDS_H

enum {
    MED_STREAMS_MAX = 64,
    MED_PROBE_BYTES_MAX = 8 << 20,
    MED_SIDE_MAX = 16384,                /* pixels of one edge of a picture */
    MED_PIXELS_MAX = 64 << 20,           /* of one decoded picture */
    MED_OUTPUT_PIXELS_MAX = 4096 * 4096, /* of one written frame */
    MED_PHOTO_LONG_MAX = 3840,           /* sides of a film that takes its size from a photo */
    MED_PHOTO_SHORT_MAX = 2160,
    MED_RATE_MAX = 120,            /* output frames per second */
    MED_DURATION_S_MAX = 6 * 3600, /* of an input that is used, and of an output */
    MED_SAMPLE_RATE_MAX = 384000,
    MED_CHANNELS_MAX = 16,
    MED_SCAN_BYTES_MAX = 512 << 20, /* bigger files are measured by their header alone */
    MED_SCAN_PACKETS_MAX = 2000000,
    MED_PATH_BYTES_MAX = 4 << 20, /* of a reframe path */
    MED_TRANSCRIPT_BYTES_MAX = 4 << 20,
    MED_WORDS_MAX = 20000,
    MED_THREADS_MAX = 16,
    MED_CHUNKS_MAX = 256, /* that a long picture is made in */
    MED_STEPS_MAX = 32,   /* operations before the last of a job */
    MED_LAYERS_MAX = 100,
    MED_TEXTS_MAX = 100,       /* of one overlay */
    MED_LAYER_PARTS_MAX = 500, /* of one layer */
};

#endif
