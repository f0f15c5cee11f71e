/*
 * playlist: how players find the files of a package: HLS playlists (RFC 8216, version 7) and a DASH manifest
 * (ISO/IEC 23009-1, on demand). Pure.
 *
 * All names are relative: the files lie in one folder. Parts of a file are byte ranges.
 */
#ifndef MED_PLAYLIST_H
#define MED_PLAYLIST_H

#include "package/segments.h"

/* A file of segments. */
struct med_stream_file {
    const char *stem; /* "video_720": its file is stem.mp4, its playlist stem.m3u8 */
    const char *codec;
    int width; /* 0: sound */
    int height;
    struct med_segments segments;
    int64_t peak_bits_per_s; /* see med_bit_rates */
    int64_t average_bits_per_s;
};

struct med_package {
    const struct med_stream_file *pictures; /* from the highest */
    size_t picture_count;
    const struct med_stream_file *sound; /* or NULL */
    AVRational rate;
    int64_t length_ticks;
    int64_t segment_ticks;
    const char *language; /* of the subtitles; NULL: none */
    const char *subtitles_name;
    int64_t subtitles_bytes;
};

/* The peak is that of any run of segments that last, together, from a half to one and a half times as long as a segment
 * usually does. */
void med_bit_rates(const struct med_segments *segments, int64_t segment_ticks, int64_t *ret_peak, int64_t *ret_average);

void med_hls_master(const struct med_package *package, struct cs_buf *out);
void med_hls_segments(const struct med_stream_file *file, struct cs_buf *out);
void med_hls_subtitles(const struct med_package *package, struct cs_buf *out);
void med_dash_manifest(const struct med_package *package, struct cs_buf *out);

#endif
