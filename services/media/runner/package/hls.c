#include <inttypes.h>

#include "graph/timeline.h"
#include "package/playlist.h"

static const char sound_group[] = "audio";
static const char subtitles_group[] = "subtitles";

static void put_head(struct cs_buf *out) {
    cs_buf_puts(out, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
}

/* Between quotation marks, which such a string cannot hold itself. */
static void put_quoted(struct cs_buf *out, const char *text) {
    cs_buf_putc(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            cs_buf_putc(out, '\'');
        } else if ((unsigned char)*text >= ' ') {
            cs_buf_putc(out, *text);
        }
    }
    cs_buf_putc(out, '"');
}

/* ---- what there is ---- */

static void put_media(const struct med_package *package, struct cs_buf *out) {
    if (package->sound != NULL) {
        cs_buf_printf(out,
                      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"%s\",NAME=\"Audio\",DEFAULT=YES,AUTOSELECT=YES,"
                      "CHANNELS=\"2\",URI=\"%s.m3u8\"\n",
                      sound_group, package->sound->stem);
    }
    if (package->language != NULL) {
        cs_buf_printf(out, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"%s\",NAME=", subtitles_group);
        put_quoted(out, package->subtitles_name);
        cs_buf_puts(out, ",LANGUAGE=");
        put_quoted(out, package->language);
        cs_buf_puts(out, ",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"subtitles.m3u8\"\n");
    }
}

static void put_variant(const struct med_package *package, const struct med_stream_file *picture, struct cs_buf *out) {
    const struct med_stream_file *sound = package->sound;
    int64_t peak = picture->peak_bits_per_s + (sound != NULL ? sound->peak_bits_per_s : 0);
    int64_t average = picture->average_bits_per_s + (sound != NULL ? sound->average_bits_per_s : 0);
    cs_buf_printf(out, "#EXT-X-STREAM-INF:BANDWIDTH=%" PRId64 ",AVERAGE-BANDWIDTH=%" PRId64 ",CODECS=\"%s%s%s\"", peak,
                  average, picture->codec, sound != NULL ? "," : "", sound != NULL ? sound->codec : "");
    cs_buf_printf(out, ",RESOLUTION=%dx%d,FRAME-RATE=%.3f", picture->width, picture->height, av_q2d(package->rate));
    if (sound != NULL) {
        cs_buf_printf(out, ",AUDIO=\"%s\"", sound_group);
    }
    if (package->language != NULL) {
        cs_buf_printf(out, ",SUBTITLES=\"%s\"", subtitles_group);
    }
    cs_buf_printf(out, ",CLOSED-CAPTIONS=NONE\n%s.m3u8\n", picture->stem);
}

void med_hls_master(const struct med_package *package, struct cs_buf *out) {
    put_head(out);
    put_media(package, out);
    for (size_t i = 0; i < package->picture_count; i++) {
        put_variant(package, &package->pictures[i], out);
    }
}

/* ---- what is in one of them ---- */

/* longest: no segment lasts longer, to the nearest second. */
static void put_list_head(int64_t longest_ticks, struct cs_buf *out) {
    int64_t seconds = av_rescale(longest_ticks, 1, MED_TICKS_PER_S);
    put_head(out);
    cs_buf_printf(out, "#EXT-X-TARGETDURATION:%" PRId64 "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n",
                  seconds > 1 ? seconds : 1);
}

static void put_length(int64_t ticks, struct cs_buf *out) {
    cs_buf_printf(out, "#EXTINF:%.6f,\n", med_ticks_to_seconds(ticks));
}

void med_hls_segments(const struct med_stream_file *file, struct cs_buf *out) {
    const struct med_segments *segments = &file->segments;
    int64_t longest = 0;
    for (size_t i = 0; i < segments->count; i++) {
        longest = segments->parts[i].length_ticks > longest ? segments->parts[i].length_ticks : longest;
    }
    put_list_head(longest, out);
    cs_buf_printf(out, "#EXT-X-MAP:URI=\"%s.mp4\",BYTERANGE=\"%" PRId64 "@0\"\n", file->stem, segments->init_bytes);
    for (size_t i = 0; i < segments->count; i++) {
        const struct med_part *part = &segments->parts[i];
        put_length(part->length_ticks, out);
        cs_buf_printf(out, "#EXT-X-BYTERANGE:%" PRId64 "@%" PRId64 "\n%s.mp4\n", part->size_bytes, part->offset,
                      file->stem);
    }
    cs_buf_puts(out, "#EXT-X-ENDLIST\n");
}

void med_hls_subtitles(const struct med_package *package, struct cs_buf *out) {
    put_list_head(package->length_ticks, out);
    put_length(package->length_ticks, out);
    cs_buf_puts(out, "subtitles.vtt\n#EXT-X-ENDLIST\n");
}
