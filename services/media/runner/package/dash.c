#include <inttypes.h>

#include "graph/timeline.h"
#include "package/playlist.h"

static void put_escaped(struct cs_buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            cs_buf_puts(out, "&amp;");
            break;
        case '<':
            cs_buf_puts(out, "&lt;");
            break;
        case '"':
            cs_buf_puts(out, "&quot;");
            break;
        default:
            if ((unsigned char)*text >= ' ') {
                cs_buf_putc(out, *text);
            }
        }
    }
}

static void put_index(const struct med_stream_file *file, struct cs_buf *out) {
    const struct med_segments *segments = &file->segments;
    cs_buf_printf(out,
                  "        <BaseURL>%s.mp4</BaseURL>\n"
                  "        <SegmentBase indexRange=\"%" PRId64 "-%" PRId64 "\" indexRangeExact=\"true\">\n"
                  "          <Initialization range=\"0-%" PRId64 "\"/>\n"
                  "        </SegmentBase>\n"
                  "      </Representation>\n",
                  file->stem, segments->index_offset, segments->index_offset + segments->index_bytes - 1,
                  segments->init_bytes - 1);
}

static void put_representation(const struct med_stream_file *file, struct cs_buf *out) {
    cs_buf_printf(out, "      <Representation id=\"%s\" codecs=\"%s\" bandwidth=\"%" PRId64 "\"", file->stem,
                  file->codec, file->peak_bits_per_s);
}

static void put_set(const char *kind, struct cs_buf *out) {
    cs_buf_printf(out,
                  "    <AdaptationSet contentType=\"%s\" mimeType=\"%s/mp4\" segmentAlignment=\"true\" "
                  "subsegmentAlignment=\"true\" startWithSAP=\"1\" subsegmentStartsWithSAP=\"1\"",
                  kind, kind);
}

static void put_pictures(const struct med_package *package, struct cs_buf *out) {
    put_set("video", out);
    cs_buf_printf(out, " maxWidth=\"%d\" maxHeight=\"%d\">\n", package->pictures[0].width, package->pictures[0].height);
    for (size_t i = 0; i < package->picture_count; i++) {
        const struct med_stream_file *picture = &package->pictures[i];
        put_representation(picture, out);
        cs_buf_printf(out, " width=\"%d\" height=\"%d\" sar=\"1:1\" frameRate=\"%d", picture->width, picture->height,
                      package->rate.num);
        if (package->rate.den != 1) {
            cs_buf_printf(out, "/%d", package->rate.den);
        }
        cs_buf_puts(out, "\">\n");
        put_index(picture, out);
    }
    cs_buf_puts(out, "    </AdaptationSet>\n");
}

static void put_sound(const struct med_stream_file *sound, struct cs_buf *out) {
    put_set("audio", out);
    cs_buf_puts(out, ">\n");
    put_representation(sound, out);
    cs_buf_printf(out,
                  " audioSamplingRate=\"%d\">\n        <AudioChannelConfiguration "
                  "schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"2\"/>\n",
                  (int)MED_SAMPLE_RATE);
    put_index(sound, out);
    cs_buf_puts(out, "    </AdaptationSet>\n");
}

static void put_subtitles(const struct med_package *package, struct cs_buf *out) {
    int64_t bits_per_s =
        av_rescale_rnd(package->subtitles_bytes, 8 * MED_TICKS_PER_S, package->length_ticks, AV_ROUND_UP);
    cs_buf_puts(out, "    <AdaptationSet contentType=\"text\" mimeType=\"text/vtt\" lang=\"");
    put_escaped(out, package->language);
    cs_buf_puts(out, "\">\n      <Label>");
    put_escaped(out, package->subtitles_name);
    cs_buf_printf(out,
                  "</Label>\n      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"subtitle\"/>\n"
                  "      <Representation id=\"subtitles\" bandwidth=\"%" PRId64 "\">\n"
                  "        <BaseURL>subtitles.vtt</BaseURL>\n      </Representation>\n    </AdaptationSet>\n",
                  bits_per_s);
}

void med_dash_manifest(const struct med_package *package, struct cs_buf *out) {
    double length = med_ticks_to_seconds(package->length_ticks);
    double segment = med_ticks_to_seconds(package->segment_ticks);
    cs_buf_printf(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\" "
        "type=\"static\" mediaPresentationDuration=\"PT%.6fS\" maxSubsegmentDuration=\"PT%.6fS\" "
        "minBufferTime=\"PT%.6fS\">\n  <Period id=\"1\" start=\"PT0S\" duration=\"PT%.6fS\">\n",
        length, segment, segment, length);
    put_pictures(package, out);
    if (package->sound != NULL) {
        put_sound(package->sound, out);
    }
    if (package->language != NULL) {
        put_subtitles(package, out);
    }
    cs_buf_puts(out, "  </Period>\n</MPD>\n");
}
