/* COVERS ops/package.c package/ladder.c package/segments.c package/rendition.c package/hls.c package/dash.c
 * package/bit_rates.c graph/tee.c graph/resize.c: a video as a ladder for HLS and DASH, read back from its playlists.
 */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "flash.h"
#include "package/ladder.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})
#define SMALL_LADDER "\"rungs\":[{\"height\":144},{\"height\":240},{\"height\":96}],\"segmentDuration\":2"

enum { SEGMENTS_MAX = 64, VARIANTS_MAX = 16, FIELD_MAX = 256 };

static void package(struct studio *studio, const char *params, const char *const *inputs) {
    const char *json = cs_arena_sprintf(studio->arena, "{\"package\":{\"video\":{\"input\":1}%s%s}}",
                                        params[0] != '\0' ? "," : "", params);
    assert_ok(studio_run(studio, json, "master.m3u8", inputs), &studio->err);
}

static const char *make_clip(struct studio *studio, const char *name, const char *size, const char *rate,
                             double seconds, bool sound) {
    char command[512];
    (void)snprintf(command, sizeof(command),
                   "-f lavfi -i testsrc2=s=%s:r=%s:d=%g %s -c:v libx264 -preset ultrafast -pix_fmt yuv420p", size, rate,
                   seconds, sound ? "-f lavfi -i sine=f=440:r=48000 -shortest" : "");
    return studio_make(studio, name, command);
}

static size_t size_of(struct studio *studio, const char *name) {
    size_t size = 0;
    (void)studio_read(studio, name, &size);
    return size;
}

/* ---- reading playlists ---- */

struct segment {
    int64_t offset;
    int64_t size;
    double length;
};

struct list {
    char file[FIELD_MAX]; /* that all of it lies in */
    int target;
    int64_t init_bytes;
    struct segment segments[SEGMENTS_MAX];
    size_t count;
    double length;
};

/* The next line of a text; false at its end. */
static bool next_line(const char **at, char *line, size_t capacity) {
    size_t length = strcspn(*at, "\n");
    if (**at == '\0') {
        return false;
    }
    assert_true(length < capacity);
    memcpy(line, *at, length);
    line[length] = '\0';
    *at += length + ((*at)[length] == '\n');
    return true;
}

static struct list read_list(struct studio *studio, const char *name) {
    const char *at = studio_read(studio, name, NULL);
    struct list list = {0};
    char line[1024];
    bool ended = false;
    assert_true(cs_str_starts(at, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"));
    while (next_line(&at, line, sizeof(line))) {
        struct segment *segment = &list.segments[list.count];
        long long size = 0;
        long long offset = 0;
        assert_false(ended);
        assert_true(list.count < SEGMENTS_MAX);
        if (sscanf(line, "#EXT-X-MAP:URI=\"%255[^\"]\",BYTERANGE=\"%lld@%lld\"", list.file, &size, &offset) == 3) {
            assert_int_equal(offset, 0);
            list.init_bytes = size;
        } else if (sscanf(line, "#EXT-X-BYTERANGE:%lld@%lld", &size, &offset) == 2) {
            segment->size = size;
            segment->offset = offset;
        } else if (line[0] != '#') {
            assert_string_equal(line, list.file);
            list.length += segment->length;
            list.count++;
        }
        (void)sscanf(line, "#EXTINF:%lf,", &segment->length);
        (void)sscanf(line, "#EXT-X-TARGETDURATION:%d", &list.target);
        ended = cs_str_eq(line, "#EXT-X-ENDLIST");
    }
    assert_true(ended);
    return list;
}

struct variant {
    char playlist[FIELD_MAX];
    char codecs[FIELD_MAX];
    long long bandwidth;
    long long average;
    int width;
    int height;
    double rate;
};

struct master {
    char media[4][1024];
    size_t media_count;
    struct variant variants[VARIANTS_MAX];
    size_t count;
};

static struct master read_master(struct studio *studio) {
    const char *at = studio_read(studio, "master.m3u8", NULL);
    struct master master = {0};
    char line[1024];
    while (next_line(&at, line, sizeof(line))) {
        struct variant *variant = &master.variants[master.count];
        if (cs_str_starts(line, "#EXT-X-MEDIA:")) {
            cs_str_copy(master.media[master.media_count++], sizeof(master.media[0]), line);
        } else if (cs_str_starts(line, "#EXT-X-STREAM-INF:")) {
            assert_int_equal(sscanf(line,
                                    "#EXT-X-STREAM-INF:BANDWIDTH=%lld,AVERAGE-BANDWIDTH=%lld,CODECS=\"%255[^\"]\","
                                    "RESOLUTION=%dx%d,FRAME-RATE=%lf",
                                    &variant->bandwidth, &variant->average, variant->codecs, &variant->width,
                                    &variant->height, &variant->rate),
                             6);
        } else if (line[0] != '#') {
            cs_str_copy(variant->playlist, sizeof(variant->playlist), line);
            master.count++;
        }
    }
    return master;
}

/* ---- looking into files ---- */

static int64_t box_at(const char *bytes, size_t size, int64_t at, const char *type) {
    const uint8_t *head = (const uint8_t *)bytes + at;
    assert_true(at + 8 <= (int64_t)size);
    if (memcmp(head + 4, type, 4) != 0) {
        fail_msg("%.4s at %lld, not %s", (const char *)head + 4, (long long)at, type);
    }
    return (int64_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
}

/* What describes the track, the index, the segments and nothing else, as the playlist says. */
static void expect_tiles(struct studio *studio, const struct list *list, int64_t *ret_index, int64_t *ret_index_bytes) {
    size_t size = 0;
    const char *bytes = studio_read(studio, list->file, &size);
    int64_t at = box_at(bytes, size, 0, "ftyp");
    at += box_at(bytes, size, at, "moov");
    assert_int_equal(at, list->init_bytes);
    *ret_index = at;
    *ret_index_bytes = box_at(bytes, size, at, "sidx");
    at += *ret_index_bytes;
    for (size_t i = 0; i < list->count; i++) {
        assert_int_equal(list->segments[i].offset, at);
        int64_t moof = box_at(bytes, size, at, "moof");
        assert_int_equal(list->segments[i].size, moof + box_at(bytes, size, at + moof, "mdat"));
        at += list->segments[i].size;
    }
    assert_int_equal(at, size);
}

/* Packets of a stream of a file or a playlist. */
struct count {
    int packets;
    int keys;
    bool key_first;
};

static void count_packets(AVFormatContext *format, struct count *counts, size_t streams_max) {
    AVPacket *packet = av_packet_alloc();
    for (; av_read_frame(format, packet) >= 0; av_packet_unref(packet)) {
        assert_in_range(packet->stream_index, 0, streams_max - 1);
        struct count *count = &counts[packet->stream_index];
        bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
        count->key_first = count->packets == 0 ? key : count->key_first;
        count->packets++;
        count->keys += key;
    }
    av_packet_free(&packet);
}

/* The bytes that a player has that begins with this segment. */
static void write_alone(struct studio *studio, const struct list *list, size_t index) {
    const char *bytes = studio_read(studio, list->file, NULL);
    const struct segment *segment = &list->segments[index];
    CS_AUTO_BUF alone = {0};
    cs_buf_put(&alone, bytes, (size_t)list->init_bytes);
    cs_buf_put(&alone, bytes + segment->offset, (size_t)segment->size);
    studio_write(studio, "alone.mp4", alone.data, alone.size);
}

/* Each segment begins with a key frame, its only one, and decodes without the others. */
static void expect_each_alone(struct studio *studio, const struct list *list, double rate) {
    for (size_t i = 0; i < list->count; i++) {
        size_t frames = 0;
        struct count count = {0};
        AVFormatContext *format = NULL;
        write_alone(studio, list, i);
        assert_int_equal(avformat_open_input(&format, studio_path(studio, "alone.mp4"), NULL, NULL), 0);
        assert_int_equal(format->nb_streams, 1);
        count_packets(format, &count, 1);
        avformat_close_input(&format);
        assert_int_equal(count.packets, llround(list->segments[i].length * rate));
        assert_int_equal(count.keys, 1);
        assert_true(count.key_first);
        free(studio_brightness(studio, "alone.mp4", &frames));
        assert_int_equal(frames, count.packets);
    }
}

static void expect_codec(struct studio *studio, const struct list *list, const char *codecs) {
    size_t size = 0;
    const char *bytes = studio_read(studio, list->file, &size);
    const uint8_t *config = memmem(bytes, size, "avcC", 4);
    char expected[FIELD_MAX];
    assert_non_null(config);
    assert_int_equal(config[4], 1);
    (void)snprintf(expected, sizeof(expected), "avc1.%02x%02x%02x,mp4a.40.2", config[5], config[6], config[7]);
    assert_string_equal(codecs, expected);
}

/* Of one stream of a playlist or manifest, by the demuxer for these; false: there is no such stream. Streams are read
 * one by one: the demuxer for DASH stops when the first of them is over. */
static bool demux_stream(struct studio *studio, const char *name, unsigned stream, enum AVMediaType *ret_type,
                         struct count *ret_count) {
    enum { STREAMS_MAX = 32 };
    struct count counts[STREAMS_MAX] = {0};
    AVFormatContext *format = NULL;
    assert_int_equal(avformat_open_input(&format, studio_path(studio, name), NULL, NULL), 0);
    bool found = stream < format->nb_streams;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        format->streams[i]->discard = i == stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
    if (found) {
        count_packets(format, counts, STREAMS_MAX);
        *ret_type = format->streams[stream]->codecpar->codec_type;
        *ret_count = counts[stream];
    }
    avformat_close_input(&format);
    return found;
}

/* Every stream has all its packets; returns how many streams have pictures. */
static int expect_demuxed(struct studio *studio, const char *name, int frames, int sound_packets) {
    enum AVMediaType type = AVMEDIA_TYPE_UNKNOWN;
    struct count count;
    int pictures = 0;
    int sounds = 0;
    for (unsigned i = 0; demux_stream(studio, name, i, &type, &count); i++) {
        if (type == AVMEDIA_TYPE_VIDEO) {
            assert_int_equal(count.packets, frames);
            pictures++;
        } else if (type == AVMEDIA_TYPE_AUDIO) {
            assert_int_equal(count.packets, sound_packets);
            sounds++;
        }
    }
    assert_true(sounds > 0);
    return pictures;
}

static int packets_of(struct studio *studio, const char *name) {
    struct count count = {0};
    AVFormatContext *format = NULL;
    assert_int_equal(avformat_open_input(&format, studio_path(studio, name), NULL, NULL), 0);
    count_packets(format, &count, 1);
    avformat_close_input(&format);
    return count.packets;
}

/* ---- the ladder ---- */

TEST(rungs_are_never_higher_than_the_picture) {
    static const struct cs_package_rung usual[] = {{1080, 0}, {720, 0}, {480, 0}, {360, 0}, {240, 0}};
    static const struct {
        int width, height;
        const char *stems;
        int top_width, top_height;
    } cases[] = {
        {1920, 1080, "1080 720 480 360 240", 1920, 1080},   {3840, 2160, "1080 720 480 360 240", 1920, 1080},
        {1080, 1920, "1080 720 480 360 240", 1080, 1920},   {1280, 720, "720 480 360 240", 1280, 720},
        {1440, 800, "source 720 480 360 240", 1440, 800},   {320, 180, "source", 320, 180},
        {1000, 1000, "source 720 480 360 240", 1000, 1000}, {426, 240, "240", 426, 240},
        {2048, 858, "source 720 480 360 240", 2048, 858},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const struct med_picture_format picture = {cases[i].width, cases[i].height, {30, 1}};
        struct med_rung rungs[MED_LADDER_MAX];
        CS_AUTO_BUF stems = {0};
        size_t count = med_ladder(&picture, usual, CS_COUNT(usual), rungs);
        for (size_t k = 0; k < count; k++) {
            cs_buf_printf(&stems, "%s%s", k > 0 ? " " : "", rungs[k].stem + strlen("video_"));
            assert_true(rungs[k].width <= picture.width && rungs[k].height <= picture.height);
            assert_int_equal(rungs[k].width % 2 + rungs[k].height % 2, 0);
            assert_true(k == 0 || rungs[k].bits_per_s < rungs[k - 1].bits_per_s);
        }
        assert_string_equal(stems.data, cases[i].stems);
        assert_int_equal(rungs[0].width, cases[i].top_width);
        assert_int_equal(rungs[0].height, cases[i].top_height);
    }
}

TEST(what_a_rung_may_cost_follows_from_its_size_or_the_plan) {
    static const struct cs_package_rung wanted[] = {{1080, 0}, {720, 1234}};
    struct med_rung rungs[MED_LADDER_MAX];
    assert_int_equal(med_ladder(&(struct med_picture_format){1920, 1080, {30, 1}}, wanted, 2, rungs), 2);
    assert_int_equal(rungs[0].bits_per_s, 5000000);
    assert_int_equal(rungs[1].bits_per_s, 1234000);
    assert_int_equal(med_ladder(&(struct med_picture_format){1920, 1080, {60, 1}}, wanted, 2, rungs), 2);
    assert_in_range(rungs[0].bits_per_s, 6500000, 7500000);
}

/* ---- whole packages ---- */

/* The peak by the rule of HLS, worked out once more. */
static long long peak_of(const struct list *list, double segment) {
    double peak = 0;
    for (size_t first = 0; first < list->count; first++) {
        double length = 0;
        double bits = 0;
        for (size_t i = first; i < list->count; i++) {
            length += list->segments[i].length;
            bits += 8.0 * (double)list->segments[i].size;
            if (length > 0.5 * segment - 1e-6 && length < 1.5 * segment + 1e-6) {
                peak = fmax(peak, bits / length);
            }
        }
    }
    return llround(peak);
}

static void expect_near(long long value, long long wanted, long long off) {
    if (llabs(value - wanted) > off) {
        fail_msg("%lld, wanted %lld", value, wanted);
    }
}

static void expect_rates(const struct variant *variant, const struct list *picture, const struct list *sound,
                         double segment) {
    long long average = 0;
    const struct list *lists[] = {picture, sound};
    for (size_t i = 0; i < CS_COUNT(lists); i++) {
        double bits = 0;
        for (size_t k = 0; k < lists[i]->count; k++) {
            bits += 8.0 * (double)lists[i]->segments[k].size;
        }
        average += llround(bits / lists[i]->length);
    }
    expect_near(variant->average, average, 10);
    expect_near(variant->bandwidth, peak_of(picture, segment) + peak_of(sound, segment), 10);
}

/* Its ranges in the manifest are those of the file. */
static void expect_in_manifest(const char *manifest, const struct list *list, int64_t index, int64_t index_bytes) {
    char expected[512];
    (void)snprintf(expected, sizeof(expected),
                   "<BaseURL>%s</BaseURL>\n        <SegmentBase indexRange=\"%lld-%lld\" indexRangeExact=\"true\">\n"
                   "          <Initialization range=\"0-%lld\"/>",
                   list->file, (long long)index, (long long)(index + index_bytes - 1),
                   (long long)(list->init_bytes - 1));
    if (strstr(manifest, expected) == NULL) {
        fail_msg("the manifest has no %s", expected);
    }
}

/* Begins of segments, where those of the picture are. */
static void expect_aligned(const struct list *list, const struct list *with, double off) {
    double at = 0;
    double with_at = 0;
    assert_int_equal(list->count, with->count);
    for (size_t i = 0; i < list->count; i++) {
        if (at < with_at - 1e-5 || at > with_at + off + 1e-5) {
            fail_msg("segment %zu of %s begins at %f, not %f", i, list->file, at, with_at);
        }
        at += list->segments[i].length;
        with_at += with->segments[i].length;
    }
}

static void expect_package(struct studio *studio, int frames, int rate_num, int rate_den, int segment_frames) {
    double rate = (double)rate_num / rate_den;
    double length = frames / rate;
    struct master master = read_master(studio);
    struct list sound = read_list(studio, "audio.m3u8");
    struct list first = read_list(studio, master.variants[0].playlist);
    const char *manifest = studio_read(studio, "manifest.mpd", NULL);
    int64_t index = 0;
    int64_t index_bytes = 0;
    expect_tiles(studio, &sound, &index, &index_bytes);
    expect_in_manifest(manifest, &sound, index, index_bytes);
    expect_aligned(&sound, &first, 1024.0 / 48000);
    if (fabs(sound.length - length) > 1 / rate) {
        fail_msg("the sound lasts %f s, the picture %f", sound.length, length);
    }
    for (size_t i = 0; i < master.count; i++) {
        const struct variant *variant = &master.variants[i];
        struct list list = read_list(studio, variant->playlist);
        expect_tiles(studio, &list, &index, &index_bytes);
        expect_in_manifest(manifest, &list, index, index_bytes);
        expect_aligned(&list, &first, 0);
        expect_each_alone(studio, &list, rate);
        expect_codec(studio, &list, variant->codecs);
        expect_rates(variant, &list, &sound, segment_frames / rate);
        assert_int_equal(list.count, (frames + segment_frames - 1) / segment_frames);
        assert_int_equal(list.target, llround(fmax(1, fmin(segment_frames, frames) / rate)));
        assert_true(fabs(list.length - length) < 1e-4);
        assert_true(fabs(variant->rate - rate) < 1e-3);
        assert_int_equal(packets_of(studio, list.file), frames);
    }
    int sound_packets = packets_of(studio, sound.file);
    assert_int_equal(expect_demuxed(studio, "master.m3u8", frames, sound_packets), master.count);
    assert_int_equal(expect_demuxed(studio, "manifest.mpd", frames, sound_packets), master.count);
}

TEST(every_rung_has_the_same_segments_and_each_decodes_alone) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "a.mp4", "426x240", "30", 5.5, true);
    package(&studio, SMALL_LADDER, INPUTS(clip));
    expect_package(&studio, 165, 30, 1, 60);
    struct master master = read_master(&studio);
    static const int heights[] = {240, 144, 96};
    assert_int_equal(master.count, CS_COUNT(heights));
    for (size_t i = 0; i < master.count; i++) {
        assert_int_equal(master.variants[i].height, heights[i]);
    }
    assert_int_equal(master.variants[1].width, 256);
    assert_int_equal(master.media_count, 1);
    /* master, manifest, three rungs and the sound with their playlists; there is nothing of the video's own size */
    assert_int_equal(studio.done->n_outputs, 10);
    assert_int_equal(studio.done->n_written, 10);
    assert_int_equal(size_of(&studio, "video_source.mp4"), 0);
    assert_false(studio.progress_fell);
    assert_true(studio.progress_calls > 0 && studio.progress_last == 1);
}

TEST(rates_that_are_no_whole_numbers_and_lengths_of_one_frame_more_hold) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "a.mp4", "160x90", "30000/1001", 60.5 * 1001 / 30000, true);
    package(&studio, "\"segmentDuration\":1", INPUTS(clip));
    expect_package(&studio, 61, 30000, 1001, 30);
    assert_non_null(strstr(studio_read(&studio, "manifest.mpd", NULL), "frameRate=\"30000/1001\""));
}

TEST(a_small_picture_is_never_enlarged) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    package(&studio, "", INPUTS(make_clip(&studio, "a.mp4", "320x180", "25", 1, false)));
    struct master master = read_master(&studio);
    assert_int_equal(master.count, 1);
    assert_string_equal(master.variants[0].playlist, "video_source.m3u8");
    assert_int_equal(master.variants[0].width, 320);
    assert_int_equal(master.variants[0].height, 180);
    assert_int_equal(studio.done->n_outputs, 4);
    assert_int_equal(size_of(&studio, "video_240.mp4"), 0);
    assert_true(studio_metric(&studio, "rungs") == 1);
}

TEST(without_sound_there_is_none_in_the_package) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    package(&studio, SMALL_LADDER, INPUTS(make_clip(&studio, "a.mp4", "320x180", "25", 1, false)));
    struct master master = read_master(&studio);
    assert_int_equal(master.media_count, 0);
    assert_null(strchr(master.variants[0].codecs, ','));
    assert_null(strstr(studio_read(&studio, "manifest.mpd", NULL), "audio"));
    assert_int_equal(size_of(&studio, "audio.mp4"), 0);
    assert_int_equal(size_of(&studio, "audio.m3u8"), 0);
}

TEST(odd_turned_and_unsteady_videos_are_packaged_as_they_are_shown) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    studio_make(&studio, "odd.mkv", "-f lavfi -i testsrc2=s=321x241:r=25:d=1 -c:v ffv1 -pix_fmt yuv444p");
    package(&studio, "\"rungs\":[{\"height\":121}]", INPUTS(studio_path(&studio, "odd.mkv")));
    struct master odd = read_master(&studio);
    assert_int_equal(odd.variants[0].height, 120);
    assert_int_equal(odd.variants[0].width, 160);
    make_clip(&studio, "lying.mp4", "320x180", "25", 1, false);
    const char *turned = studio_make(
        &studio, "turned.mp4",
        cs_arena_sprintf(studio.arena, "-i %s -c copy -metadata:s:v rotate=90", studio_path(&studio, "lying.mp4")));
    package(&studio, "\"rungs\":[{\"height\":180},{\"height\":90}]", INPUTS(turned));
    struct master upright = read_master(&studio);
    assert_int_equal(upright.count, 2);
    assert_int_equal(upright.variants[0].width, 180);
    assert_int_equal(upright.variants[0].height, 320);
    assert_int_equal(upright.variants[1].width, 90);
    const char *unsteady =
        studio_make(&studio, "unsteady.mp4",
                    "-f lavfi -i testsrc2=s=160x90:r=30:d=3 -f lavfi -i sine=r=48000:d=3 -vf "
                    "select='not(mod(n\\,3))+lt(n\\,20)' -vsync vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p");
    package(&studio, "\"segmentDuration\":1", INPUTS(unsteady));
    const Callsheet__V1__VideoFacts *facts = studio.done->outputs[0]->video;
    expect_package(&studio, (int)facts->frame_count, 30, 1, 30);
    assert_in_range(facts->frame_count, 88, 90);
}

TEST(subtitles_are_a_rendition_with_language_and_name) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const char srt[] = "1\n00:00:00,100 --> 00:00:00,900\nGr\xC3\xBC\xC3\x9F\x65 & <b>mehr</b>\n";
    const char *clip = make_clip(&studio, "a.mp4", "160x90", "25", 1, true);
    const char *subtitles = studio_write(&studio, "a.srt", srt, strlen(srt));
    package(&studio,
            "\"transcript\":{\"input\":2},\"language\":\"de\",\"subtitlesName\":\"Deutsch \\\"gut\\\" & <so>\"",
            INPUTS(clip, subtitles));
    struct master master = read_master(&studio);
    assert_int_equal(master.media_count, 2);
    assert_string_equal(master.media[1],
                        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles\",NAME=\"Deutsch 'gut' & <so>\","
                        "LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI=\"subtitles.m3u8\"");
    const char *manifest = studio_read(&studio, "manifest.mpd", NULL);
    assert_non_null(strstr(manifest, "mimeType=\"text/vtt\" lang=\"de\""));
    assert_non_null(strstr(manifest, "<Label>Deutsch &quot;gut&quot; &amp; &lt;so></Label>"));
    const char *text = studio_read(&studio, "subtitles.vtt", NULL);
    assert_true(cs_str_starts(text, "WEBVTT\n\n"));
    assert_non_null(strstr(text, "00:00:00.100 --> 00:00:00.900\nGr\xC3\xBC\xC3\x9F\x65 &amp; <b>mehr</b>\n"));
    assert_non_null(strstr(studio_read(&studio, "subtitles.m3u8", NULL), "#EXTINF:1.000000,\nsubtitles.vtt\n"));
    package(&studio, "\"words\":[{\"word\":\"hello\",\"start\":0.1,\"end\":0.5}]", INPUTS(clip));
    assert_non_null(strstr(studio_read(&studio, "subtitles.vtt", NULL), "hello"));
    assert_non_null(strstr(studio_read(&studio, "master.m3u8", NULL), "NAME=\"en\",LANGUAGE=\"en\""));
}

TEST(one_format_alone_has_only_its_own_files) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = make_clip(&studio, "a.mp4", "160x90", "25", 1, true);
    package(&studio, "\"formats\":[\"hls\"]", INPUTS(clip));
    assert_int_equal(studio.done->n_outputs, 5);
    assert_ok(studio_run(&studio, "{\"package\":{\"video\":{\"input\":1},\"formats\":[\"dash\"]}}", "manifest.mpd",
                         INPUTS(clip)),
              &studio.err);
    assert_int_equal(studio.done->n_outputs, 3);
    assert_int_equal(expect_demuxed(&studio, "manifest.mpd", 25, packets_of(&studio, "audio.mp4")), 1);
}

TEST(picture_and_sound_of_every_rung_keep_together) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const struct flash_film film = {.width = 320, .height = 180, .frames = 180};
    package(&studio, "\"rungs\":[{\"height\":180},{\"height\":120},{\"height\":90}],\"segmentDuration\":2",
            INPUTS(flash_make(&studio, "film.mp4", &film)));
    struct master master = read_master(&studio);
    assert_int_equal(master.count, 3);
    for (size_t i = 0; i < master.count; i++) {
        struct list list = read_list(&studio, master.variants[i].playlist);
        studio_make(
            &studio, "both.mp4",
            cs_arena_sprintf(studio.arena, "-i %s/%s -i %s/audio.mp4 -c copy", studio.dir, list.file, studio.dir));
        struct flash_sight sight = flash_look(&studio, "both.mp4", 30, 1);
        assert_int_equal(sight.frames, 180);
        flash_expect(&sight, 6, 30, 1);
    }
}

TEST(the_same_package_has_the_same_bytes) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const char *const names[] = {"master.m3u8",    "manifest.mpd", "video_144.mp4",   "video_96.mp4",
                                        "video_144.m3u8", "audio.mp4",    "video_source.mp4"};
    /* noise, so that all rungs cost as much as they may */
    const char *clip = studio_make(&studio, "a.mkv",
                                   "-f lavfi -i testsrc2=s=320x180:r=30:d=3,noise=alls=30:allf=t -f lavfi -i sine=d=3 "
                                   "-c:v ffv1 -pix_fmt yuv420p");
    package(&studio, SMALL_LADDER, INPUTS(clip));
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        size_t size = 0;
        const char *bytes = studio_read(&studio, names[i], &size);
        assert_true(size > 0);
        studio_write(&studio, cs_arena_sprintf(studio.arena, "first-%s", names[i]), bytes, size);
    }
    package(&studio, SMALL_LADDER, INPUTS(clip));
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        studio_same(&studio, cs_arena_sprintf(studio.arena, "first-%s", names[i]), names[i]);
    }
}

TEST(what_an_earlier_step_makes_is_packaged) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    assert_ok(studio_run(&studio,
                         "[{\"speed\":{\"video\":{\"input\":1},\"factor\":2}},"
                         "{\"package\":{\"video\":{\"step\":1},\"segmentDuration\":1}}]",
                         "master.m3u8", INPUTS(make_clip(&studio, "a.mp4", "160x90", "30", 4, true))),
              &studio.err);
    expect_package(&studio, 60, 30, 1, 30);
}

TEST(what_was_seen_is_reported_of_the_whole_and_of_each_file) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    package(&studio, SMALL_LADDER, INPUTS(make_clip(&studio, "a.mp4", "426x240", "30", 2, true)));
    const Callsheet__V1__RunnerDone *done = studio.done;
    assert_int_equal(done->outputs[0]->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_STREAM);
    assert_int_equal(done->outputs[0]->video->width, 426);
    assert_int_equal(done->outputs[0]->duration_us, 2000000);
    assert_non_null(done->outputs[0]->audio);
    assert_int_equal(done->n_qualities, 5); /* the whole, three rungs, the sound */
    for (size_t i = 0; i < 4; i++) {
        const Callsheet__V1__Quality *quality = done->qualities[i]->quality;
        assert_int_equal(quality->planned_frame_count, 60);
        assert_int_equal(quality->frame_count, 60);
        assert_int_equal(quality->decoded_frames, 60);
        assert_int_equal(quality->loudness != NULL, i == 0);
    }
    assert_int_equal(done->qualities[4]->quality->planned_sample_count, 96000);
}

TEST(big_rungs_are_tried_in_places_as_their_imprint_proves_them) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    package(&studio, "\"rungs\":[{\"height\":720},{\"height\":120}]",
            INPUTS(make_clip(&studio, "a.mp4", "1280x720", "25", 4, false)));
    assert_int_equal(studio.done->n_qualities, 3);
    const Callsheet__V1__Quality *big = studio.done->qualities[1]->quality;
    const Callsheet__V1__Quality *small = studio.done->qualities[2]->quality;
    assert_int_equal(big->frame_count, 100);
    assert_false(big->decoded_all);
    assert_in_range(big->decoded_frames, 16, 60);
    assert_true(small->decoded_all);
    assert_int_equal(small->decoded_frames, 100);
}

TEST(bad_ones_are_one_error) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *sound = studio_make(&studio, "a.wav", "-f lavfi -i sine=d=1");
    const char *clip = make_clip(&studio, "a.mp4", "320x180", "25", 4, true);
    static const char plain[] = "{\"package\":{\"video\":{\"input\":1}}}";
    assert_int_equal(studio_run(&studio, plain, "master.m3u8", INPUTS(sound)), CS_INVALID_ARGUMENT);
    assert_string_equal(studio.err.reason, "no_video");
    assert_string_equal(studio.err.path, "video");
    studio.no_gpl_encoders = true;
    assert_int_equal(studio_run(&studio, plain, "master.m3u8", INPUTS(clip)), CS_UNIMPLEMENTED);
    studio.no_gpl_encoders = false;
    studio.output_bytes_max = 20000; /* too few for the first rung, and enough for the others to go on for a while */
    assert_int_equal(studio_run(&studio,
                                "{\"package\":{\"video\":{\"input\":1},\"rungs\":[{\"height\":180},{\"height\":64}],"
                                "\"segmentDuration\":1}}",
                                "master.m3u8", INPUTS(clip)),
                     CS_OUT_OF_RANGE);
    assert_string_equal(studio.err.reason, "output_too_big");
}

TEST_MAIN(CS_TEST(rungs_are_never_higher_than_the_picture),
          CS_TEST(what_a_rung_may_cost_follows_from_its_size_or_the_plan),
          CS_TEST(every_rung_has_the_same_segments_and_each_decodes_alone),
          CS_TEST(rates_that_are_no_whole_numbers_and_lengths_of_one_frame_more_hold),
          CS_TEST(a_small_picture_is_never_enlarged), CS_TEST(without_sound_there_is_none_in_the_package),
          CS_TEST(odd_turned_and_unsteady_videos_are_packaged_as_they_are_shown),
          CS_TEST(subtitles_are_a_rendition_with_language_and_name), CS_TEST(one_format_alone_has_only_its_own_files),
          CS_TEST(picture_and_sound_of_every_rung_keep_together), CS_TEST(the_same_package_has_the_same_bytes),
          CS_TEST(what_an_earlier_step_makes_is_packaged),
          CS_TEST(what_was_seen_is_reported_of_the_whole_and_of_each_file),
          CS_TEST(big_rungs_are_tried_in_places_as_their_imprint_proves_them), CS_TEST(bad_ones_are_one_error))
