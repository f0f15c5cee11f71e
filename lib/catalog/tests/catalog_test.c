#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cs/catalog.h"
#include "cs/json.h"
#include "cs/test.h"

/* {"merge":{…}} as an operation in the arena. */
static Callsheet__V1__Operation *operation_of(const char *text, struct cs_arena *arena) {
    struct cs_err err = {0};
    CS_AUTO_JSON *value = NULL;
    ProtobufCMessage *message = NULL;
    assert_ok(cs_json_parse(text, strlen(text), &value, &err), &err);
    assert_ok(cs_json_to_message(value, &callsheet__v1__operation__descriptor, "", arena, &message, &err), &err);
    return (Callsheet__V1__Operation *)message;
}

struct bad_case {
    const char *text;
    const char *path;
    const char *reason;
};

static void assert_refused(const struct bad_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct cs_err err = {0};
        enum cs_status status = cs_catalog_check(operation_of(cases[i].text, arena), &err);
        if (status != CS_INVALID_ARGUMENT || strcmp(err.path, cases[i].path) != 0 ||
            strcmp(err.reason, cases[i].reason) != 0) {
            fail_msg("%s: got %d %s at \"%s\": %s", cases[i].text, status, err.reason, err.path, err.message);
        }
    }
}

static void assert_accepted(const char *const *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct cs_err err = {0};
        if (cs_catalog_check(operation_of(texts[i], arena), &err) != CS_OK) {
            fail_msg("%s: %s at \"%s\": %s", texts[i], err.reason, err.path, err.message);
        }
    }
}

TEST(every_operation_of_the_proto_has_a_row) {
    const ProtobufCMessageDescriptor *descriptor = &callsheet__v1__operation__descriptor;
    assert_int_equal(cs_catalog_count(), descriptor->n_fields);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const struct cs_operation *row = cs_catalog_by_case(descriptor->fields[i].id);
        assert_non_null(row);
        assert_ptr_equal(cs_catalog_by_name(row->name), row);
        assert_true(row->timeout_ms > 0);
    }
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *row = cs_catalog_at(i);
        assert_true((row->output == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED) ==
                    (row->output_name[0] == '\0'));
    }
    assert_null(cs_catalog_at(cs_catalog_count()));
}

TEST(names_and_aliases_are_found_and_others_are_not) {
    assert_string_equal(cs_catalog_by_name("generate")->name, "generateVideo");
    assert_true(cs_catalog_by_name("deliverWebhook")->internal);
    assert_false(cs_catalog_by_name("noop")->internal);
    assert_null(cs_catalog_by_name("Merge"));
    assert_null(cs_catalog_by_name(""));
    assert_null(cs_catalog_by_name(NULL));
    assert_null(cs_catalog_by_case(CALLSHEET__V1__OPERATION__PARAMS__NOT_SET));
}

TEST(params_are_the_message_inside) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__Operation *operation = operation_of("{\"reframe\":{\"aspectRatio\":\"1:1\"}}", arena);
    assert_ptr_equal(cs_operation_params(operation), operation->reframe);
    assert_ptr_equal(cs_operation_params(operation)->descriptor, &callsheet__v1__reframe__descriptor);
    assert_null(cs_operation_params(operation_of("{}", arena)));
    assert_null(cs_operation_params(NULL));
}

TEST(files_are_named_by_operation_and_parameters) {
    static const char *const cases[][2] = {
        {"{\"merge\":{}}", "merged.mp4"},
        {"{\"generateImage\":{}}", "output.png"},
        {"{\"generateImage\":{\"outputFormat\":\"webp\"}}", "output.webp"},
        {"{\"addSubtitles\":{}}", "captioned.mp4"},
        {"{\"addSubtitles\":{\"subtitleFiles\":true}}",
         "captioned.mp4 transcript.json subtitles.srt subtitles.vtt subtitles.ass"},
        {"{\"thumbnail\":{}}", "thumbnail.jpg"},
        {"{\"thumbnail\":{\"mode\":\"sprite\",\"format\":\"webp\"}}", "thumbnail.webp storyboard.vtt"},
        {"{\"convert\":{}}", "output.mp4"},
        {"{\"convert\":{\"container\":\"webm\"}}", "output.webm"},
        {"{\"package\":{\"rungs\":[{\"height\":361},{\"height\":720}]}}",
         "master.m3u8 manifest.mpd video_source.mp4 video_source.m3u8 video_720.mp4 video_720.m3u8 video_360.mp4 "
         "video_360.m3u8 audio.mp4 audio.m3u8"},
        {"{\"package\":{\"formats\":[\"dash\"],\"words\":[{\"word\":\"a\"}]}}",
         "manifest.mpd video_source.mp4 video_1080.mp4 video_720.mp4 video_480.mp4 video_360.mp4 video_240.mp4 "
         "audio.mp4 "
         "subtitles.vtt"},
        {"{\"package\":{\"formats\":[\"hls\"],\"rungs\":[{\"height\":240}],\"transcript\":{\"job\":\"a\"}}}",
         "master.m3u8 video_source.mp4 video_source.m3u8 video_240.mp4 video_240.m3u8 audio.mp4 audio.m3u8 "
         "subtitles.vtt subtitles.m3u8"},
        {"{\"transcribe\":{}}", "transcript.json subtitles.srt subtitles.vtt subtitles.ass"},
        {"{\"external\":{}}", ""},
        {"{}", ""},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        CS_AUTO_BUF all = {0};
        char **names = NULL;
        size_t count = 0;
        cs_catalog_output_names(operation_of(cases[i][0], arena), arena, &names, &count);
        assert_true(count <= CS_JOB_OUTPUTS_MAX);
        for (size_t j = 0; j < count; j++) {
            cs_buf_printf(&all, "%s%s", j > 0 ? " " : "", names[j]);
        }
        assert_string_equal(all.data != NULL ? all.data : "", cases[i][1]);
    }
}

TEST(good_parameters_are_accepted) {
    static const char *const texts[] = {
        "{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\"}}",
        "{\"generateVideo\":{\"provider\":\"fal\",\"image\":{\"job\":\"a\"},\"audio\":{\"url\":\"https://x.y/"
        "a.mp3\"}}}",
        "{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"replicate\",\"duration\":0.1,\"resolution\":\"1080p\","
        "\"aspectRatio\":\"9:21\",\"seed\":-1,\"cameraMotion\":\"dynamic\"}}",
        "{\"generateImage\":{\"prompt\":\"a\",\"provider\":\"local\",\"outputFormat\":\"webp\"}}",
        "{\"generateImage\":{\"provider\":\"local\",\"image\":[{\"upload\":\"u1\"}]}}",
        "{\"generateAudio\":{\"text\":\"hi\",\"provider\":\"hume\",\"speed\":2}}",
        "{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}]}}",
        "{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"image\",\"duration\":3,\"offset\":0},"
        "{\"media\":{\"job\":\"b\"},\"type\":\"audio\",\"offset\":1.5,\"volume\":0}],"
        "\"transition\":{\"type\":\"crossfade\",\"duration\":0.5},\"frameRate\":\"30000/"
        "1001\",\"aspectRatio\":\"4:5\"}}",
        "{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"9:16\",\"crop\":\"right\"}}",
        "{\"reframe\":{\"video\":{\"job\":\"a\"},\"mode\":\"pad\",\"padColor\":\"#369\",\"width\":16,\"height\":4096}}",
        "{\"reframe\":{\"video\":{\"job\":\"a\"},\"rect\":{\"x\":1,\"y\":0,\"width\":16,\"height\":17}}}",
        "{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"9:16\",\"mode\":\"smart\",\"path\":{\"upload\":"
        "\"p\"}}}",
        "{\"denoise\":{\"video\":{\"job\":\"a\"},\"picture\":\"off\",\"sound\":\"high\"}}",
        "{\"stabilise\":{\"video\":{\"job\":\"a\"},\"strength\":\"low\"}}",
        "{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"fit\":\"blurPad\"}}",
        "{\"lipSync\":{\"video\":{\"job\":\"a\"},\"audio\":{\"job\":\"b\"},\"volume\":0}}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"text\":\"one "
        "two\",\"start\":1,\"end\":2,\"language\":\"pt-BR\"}}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"words\":[{\"word\":\"hi\",\"start\":0,\"end\":0}],"
        "\"style\":{\"preset\":\"story\",\"fontSize\":8,\"color\":\"#fff\",\"outlineColor\":\"&H40000000\","
        "\"backgroundColor\":\"00ff00\",\"borderStyle\":3,\"alignment\":5,\"animation\":\"glow\",\"position\":\"top\"}}"
        "}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"transcript\":{\"job\":\"t\"}}}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"transcript\":{\"job\":\"t\"},\"mode\":\"soft\"}}",
        "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"text\":\"a\",\"style\":{\"animation\":\"karaoke_word_box\"}}}",
        "{\"extractAudio\":{\"media\":{\"job\":\"a\"}}}",
        "{\"transcribe\":{\"media\":{\"job\":\"a\"},\"language\":\"en\"}}",
        "{\"planCuts\":{\"transcript\":{\"job\":\"t\"},\"media\":{\"job\":\"a\"},\"minPauseMs\":100,\"fillerWords\":["
        "\"you "
        "know\"],\"minSegmentDuration\":0}}",
        "{\"planCuts\":{\"media\":{\"job\":\"a\"},\"detect\":\"silence\",\"marginMs\":0,\"snapMs\":0}}",
        "{\"cut\":{\"video\":{\"job\":\"a\"},\"plan\":{\"job\":\"p\"},\"transition\":{\"type\":\"fade\",\"duration\":0."
        "3}}}",
        "{\"retimeSubtitles\":{\"transcript\":{\"job\":\"t\"},\"plan\":{\"job\":\"p\"},\"transitionDuration\":0}}",
        "{\"trim\":{\"video\":{\"job\":\"a\"},\"keep\":[{\"start\":0,\"end\":1},{\"start\":1,\"end\":2.5}]}}",
        "{\"trim\":{\"video\":{\"job\":\"a\"},\"start\":1,\"duration\":2}}",
        "{\"speed\":{\"video\":{\"job\":\"a\"},\"factor\":0.1,\"start\":1}}",
        "{\"transitions\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"plan\":{\"job\":\"p\"},\"audioFadeDuration\":0.1}"
        "}",
        "{\"stitch\":{\"scenes\":[{\"media\":{\"job\":\"a\"},\"transition\":\"cut\"},{\"media\":{\"job\":\"b\"}}],"
        "\"transition\":{\"type\":\"dissolve\"},\"audio\":{\"job\":\"m\"},\"audioVolume\":0.3}}",
        "{\"freeze\":{\"video\":{\"job\":\"a\"},\"duration\":2,\"sound\":\"continuing\"}}",
        "{\"brand\":{\"video\":{\"job\":\"a\"}}}",
        "{\"brand\":{\"video\":{\"job\":\"a\"},\"intro\":{\"job\":\"i\"},\"outro\":{\"upload\":\"u\"},"
        "\"introDuration\":0.1,"
        "\"fadeDuration\":0,\"logo\":{\"job\":\"l\"},\"logoPosition\":\"topLeft\",\"logoSize\":1,\"logoOpacity\":0,"
        "\"logoMargin\":0,\"loudness\":-23}}",
        "{\"brand\":{\"video\":{\"job\":\"a\"},\"loudness\":0,\"keepLoudness\":true}}",
        "{\"deliverWebhook\":{\"url\":\"http://127.0.0.1:1/x\",\"eventId\":\"e\"}}",
        "{\"noop\":{}}",
    };
    assert_accepted(texts, CS_COUNT(texts));
}

TEST(bad_generation_is_refused_with_its_path) {
    static const struct bad_case cases[] = {
        {"{}", "", "no_operation"},
        {"{\"generateVideo\":{\"provider\":\"local\"}}", "prompt", "required"},
        {"{\"generateVideo\":{\"prompt\":\"a\"}}", "provider", "required"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"nope\"}}", "provider", "unknown_provider"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"model\":\"a\\nb\"}}", "model", "bad_text"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"duration\":0}}", "duration", "out_of_range"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"duration\":60.1}}", "duration", "out_of_range"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"resolution\":\"4k\"}}", "resolution",
         "unknown_word"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"aspectRatio\":\"2:1\"}}", "aspectRatio",
         "unknown_word"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"image\":{}}}", "image", "required"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"endImage\":{\"url\":\"ftp://x/y\"}}}",
         "endImage", "bad_url"},
        {"{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"audio\":{\"job\":\"a b\"}}}", "audio",
         "bad_id"},
        {"{\"generateImage\":{\"provider\":\"local\"}}", "prompt", "required"},
        {"{\"generateImage\":{\"prompt\":\"a\",\"provider\":\"local\",\"outputFormat\":\"gif\"}}", "outputFormat",
         "unknown_word"},
        {"{\"generateImage\":{\"provider\":\"local\",\"image\":[{\"job\":\"a\"},{}]}}", "image[1]", "required"},
        {"{\"generateAudio\":{\"provider\":\"local\"}}", "text", "required"},
        {"{\"generateAudio\":{\"text\":\"a\",\"provider\":\"local\",\"speed\":0.4}}", "speed", "out_of_range"},
    };
    assert_refused(cases, CS_COUNT(cases));
}

TEST(sy_069_sy_070_generation_has_seven_shapes_and_three_sizes) {
    static const char *const words[][2] = {
        {"aspectRatio", "16:9"}, {"aspectRatio", "4:3"},  {"aspectRatio", "1:1"},  {"aspectRatio", "3:4"},
        {"aspectRatio", "9:16"}, {"aspectRatio", "21:9"}, {"aspectRatio", "9:21"}, {"resolution", "480p"},
        {"resolution", "720p"},  {"resolution", "1080p"},
    };
    static const char *const others[][2] = {
        {"aspectRatio", "4:5"}, {"aspectRatio", "16x9"}, {"aspectRatio", "0:1"},
        {"resolution", "720"},  {"resolution", "1440p"}, {"resolution", "720P"},
    };
    static const char form[] = "{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\",\"%s\":\"%s\"}}";
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    for (size_t i = 0; i < CS_COUNT(words); i++) {
        const char *text = cs_arena_sprintf(arena, form, words[i][0], words[i][1]);
        assert_accepted(&text, 1);
    }
    for (size_t i = 0; i < CS_COUNT(others); i++) {
        const char *text = cs_arena_sprintf(arena, form, others[i][0], others[i][1]);
        assert_refused(&(struct bad_case){text, others[i][0], "unknown_word"}, 1);
    }
}

TEST(sy_073_an_image_needs_a_prompt_or_an_image) {
    static const char *const good[] = {
        "{\"generateImage\":{\"prompt\":\"a\",\"provider\":\"fal\",\"outputFormat\":\"jpg\",\"aspectRatio\":\"3:4\","
        "\"seed\":7}}",
        "{\"generateImage\":{\"image\":[{\"job\":\"a\"}],\"provider\":\"fal\",\"outputFormat\":\"png\"}}",
        "{\"generateImage\":{\"prompt\":\"a\",\"image\":[{\"job\":\"a\"},{\"job\":\"b\"}],\"provider\":\"fal\","
        "\"outputFormat\":\"webp\"}}",
    };
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    assert_accepted(good, CS_COUNT(good));
    assert_fails(cs_catalog_check(operation_of("{\"generateImage\":{\"provider\":\"fal\"}}", arena), &err), &err,
                 CS_INVALID_ARGUMENT, "required");
    assert_string_equal(err.message, "Either prompt or image must be provided");
}

TEST(sy_074_speech_has_at_most_forty_thousand_letters) {
    static const char *const providers[] = {"hume", "elevenlabs"};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    char *text = cs_arena_alloc(arena, 40002);
    memset(text, 'a', 40001);
    for (size_t i = 0; i < CS_COUNT(providers); i++) {
        struct cs_err err = {0};
        Callsheet__V1__Operation *operation = operation_of(
            cs_arena_sprintf(arena, "{\"generateAudio\":{\"text\":\"a\",\"provider\":\"%s\"}}", providers[i]), arena);
        char **names = NULL;
        size_t count = 0;
        text[40000] = 'a';
        operation->generate_audio->text = text;
        assert_fails(cs_catalog_check(operation, &err), &err, CS_INVALID_ARGUMENT, "too_long");
        assert_string_equal(err.path, "text");
        text[40000] = '\0';
        err = (struct cs_err){0};
        assert_ok(cs_catalog_check(operation, &err), &err);
        cs_catalog_output_names(operation, arena, &names, &count);
        assert_true(count == 1 && strcmp(names[0], "output.mp3") == 0);
    }
}

TEST(sy_078_a_merge_needs_an_item_that_is_seen) {
    static const char *const texts[][2] = {
        {"{\"merge\":{}}", "At least 1 item required for merging"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"audio\"}]}}",
         "At least 1 visual item (video or image) required for merging"},
    };
    for (size_t i = 0; i < CS_COUNT(texts); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct cs_err err = {0};
        assert_int_equal(cs_catalog_check(operation_of(texts[i][0], arena), &err), CS_INVALID_ARGUMENT);
        assert_string_equal(err.message, texts[i][1]);
    }
}

TEST(sy_089_words_for_the_looks_of_subtitles_are_known) {
    static const char *const words[][2] = {
        {"position", "top"},     {"position", "center"},      {"position", "bottom"}, {"animation", "fade"},
        {"animation", "slide"},  {"animation", "typewriter"}, {"preset", "default"},  {"preset", "minimal"},
        {"preset", "bold"},      {"preset", "tiktok"},        {"preset", "youtube"},  {"preset", "story"},
        {"preset", "cinematic"},
    };
    for (size_t i = 0; i < CS_COUNT(words); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        const char *text = cs_arena_sprintf(
            arena, "{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"text\":\"b\",\"style\":{\"%s\":\"%s\"}}}",
            words[i][0], words[i][1]);
        assert_accepted(&text, 1);
    }
}

TEST(bad_editing_is_refused_with_its_path) {
    static const struct bad_case cases[] = {
        {"{\"merge\":{}}", "items", "required"},
        {"{\"merge\":{\"items\":[{}]}}", "items[0].media", "required"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"audio\"}]}}", "items", "no_visual"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"transcript\"}]}}", "items[0].type",
         "unknown_word"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"volume\":1.01}]}}", "items[0].volume", "out_of_range"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"duration\":0}]}}", "items[0].duration", "out_of_range"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"video\",\"offset\":1}]}}", "items[0].offset",
         "not_applicable"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"transition\":{\"type\":\"custom\"}}}",
         "transition.type", "unknown_word"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"transition\":{\"type\":\"fade\",\"duration\":0.01}}}",
         "transition.duration", "out_of_range"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"frameRate\":\"121\"}}", "frameRate", "bad_frame_rate"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"aspectRatio\":\"5:4\"}}", "aspectRatio",
         "unknown_word"},
        {"{\"reframe\":{\"aspectRatio\":\"1:1\"}}", "video", "required"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"}}}", "aspectRatio", "required"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:2\"}}", "aspectRatio", "unknown_word"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\",\"mode\":\"zoom\"}}", "mode", "unknown_word"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"width\":100}}", "height", "required"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"width\":100,\"height\":101}}", "height", "out_of_range"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"width\":100,\"height\":5000}}", "height", "out_of_range"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"width\":100,\"height\":100,\"aspectRatio\":\"1:1\"}}",
         "aspectRatio", "one_of"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"rect\":{\"width\":15,\"height\":40}}}", "rect.width",
         "out_of_range"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\",\"padColor\":\"#fff\"}}", "padColor",
         "one_of"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\",\"mode\":\"pad\",\"padColor\":\"red\"}}",
         "padColor", "bad_color"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\",\"mode\":\"pad\",\"crop\":\"top\"}}", "crop",
         "one_of"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"9:16\",\"path\":{\"job\":\"b\"}}}", "path",
         "one_of"},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"9:16\",\"mode\":\"smart\",\"rect\":{\"width\":16,"
         "\"height\":16}}}",
         "rect", "one_of"},
        {"{\"denoise\":{\"video\":{\"job\":\"a\"},\"picture\":\"most\"}}", "picture", "unknown_word"},
        {"{\"stabilise\":{\"video\":{\"job\":\"a\"},\"strength\":\"off\"}}", "strength", "unknown_word"},
        {"{\"stabilise\":{}}", "video", "required"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"fit\":\"smart\"}}", "fit", "unknown_word"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"fit\":\"crop\",\"padColor\":\"#000\"}}", "padColor",
         "one_of"},
        {"{\"lipSync\":{\"video\":{\"job\":\"a\"}}}", "audio", "required"},
        {"{\"lipSync\":{\"video\":{\"job\":\"a\"},\"audio\":{\"job\":\"b\"},\"volume\":-0.1}}", "volume",
         "out_of_range"},
        {"{\"deliverWebhook\":{\"url\":\"x\",\"eventId\":\"e\"}}", "url", "bad_url"},
        {"{\"deliverWebhook\":{\"url\":\"http://x\"}}", "eventId", "required"},
    };
    assert_refused(cases, CS_COUNT(cases));
}

TEST(sy_105_moments_are_seconds_clocks_and_percentages) {
    static const struct {
        const char *text;
        double seconds; /* of 200; below 0: refused */
    } cases[] = {
        {"", 1},    {"2.5", 2.5}, {"00:00:01", 1}, {"1:02:03.5", 3723.5}, {"50%", 100}, {"0%", 0},       {"100%", 200},
        {"-1", -1}, {"101%", -1}, {"%", -1},       {"1:60", -1},          {"x", -1},    {"1:2:3:4", -1}, {"1:", -1},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        double seconds = -1;
        assert_int_equal(cs_moment_read(cases[i].text, 200, &seconds), cases[i].seconds >= 0);
        assert_true(fabs(seconds - cases[i].seconds) < 1e-9);
    }
    static const struct bad_case bad[] = {
        {"{\"thumbnail\":{}}", "video", "required"},
        {"{\"thumbnail\":{\"video\":{\"job\":\"a\"},\"mode\":\"all\"}}", "mode", "unknown_word"},
        {"{\"thumbnail\":{\"video\":{\"job\":\"a\"},\"time\":\"soon\"}}", "time", "bad_time"},
        {"{\"thumbnail\":{\"video\":{\"job\":\"a\"},\"format\":\"tiff\"}}", "format", "unknown_word"},
        {"{\"thumbnail\":{\"video\":{\"job\":\"a\"},\"columns\":401}}", "columns", "out_of_range"},
    };
    assert_refused(bad, CS_COUNT(bad));
}

TEST(sy_105_bad_conversions_are_refused_with_their_path) {
#define CONVERT(rest) "{\"convert\":{\"video\":{\"job\":\"a\"}" rest "}}"
    static const char *const good[] = {
        CONVERT(""),
        CONVERT(",\"container\":\"mkv\",\"videoCodec\":\"av1\",\"audioCodec\":\"mp3\",\"quality\":\"1\""),
        CONVERT(",\"container\":\"webm\",\"videoCodec\":\"av1\",\"audioCodec\":\"none\",\"targetSizeMb\":0.01"),
        CONVERT(",\"quality\":\"high\",\"maxBitrateKbps\":50,\"width\":16,\"height\":8192,\"frameRate\":\"24\""),
    };
    static const struct bad_case bad[] = {
        {"{\"convert\":{}}", "video", "required"},
        {CONVERT(",\"container\":\"avi\""), "container", "unknown_word"},
        {CONVERT(",\"videoCodec\":\"h266\""), "videoCodec", "unknown_word"},
        {CONVERT(",\"container\":\"webm\",\"videoCodec\":\"h264\""), "videoCodec", "not_applicable"},
        {CONVERT(",\"container\":\"mov\",\"videoCodec\":\"vp9\""), "videoCodec", "not_applicable"},
        {CONVERT(",\"container\":\"webm\",\"audioCodec\":\"aac\""), "audioCodec", "not_applicable"},
        {CONVERT(",\"quality\":\"best\""), "quality", "out_of_range"},
        {CONVERT(",\"quality\":\"0\""), "quality", "out_of_range"},
        {CONVERT(",\"quality\":\"101\""), "quality", "out_of_range"},
        {CONVERT(",\"maxBitrateKbps\":49"), "maxBitrateKbps", "out_of_range"},
        {CONVERT(",\"audioBitrateKbps\":400"), "audioBitrateKbps", "out_of_range"},
        {CONVERT(",\"targetSizeMb\":0"), "targetSizeMb", "out_of_range"},
        {CONVERT(",\"targetSizeMb\":1,\"quality\":\"low\""), "targetSizeMb", "one_of"},
        {CONVERT(",\"targetSizeMb\":1,\"maxBitrateKbps\":500"), "targetSizeMb", "one_of"},
        {CONVERT(",\"width\":8"), "width", "out_of_range"},
        {CONVERT(",\"height\":9000"), "height", "out_of_range"},
        {CONVERT(",\"frameRate\":\"121\""), "frameRate", "bad_frame_rate"},
        {CONVERT(",\"encoder\":\"a\\nb\""), "encoder", "bad_text"},
    };
    assert_accepted(good, CS_COUNT(good));
    assert_refused(bad, CS_COUNT(bad));
}

TEST(bad_packages_are_refused_with_their_path) {
#define PACKAGE(rest) "{\"package\":{\"video\":{\"job\":\"a\"}" rest "}}"
    static const char *const good[] = {
        PACKAGE(""),
        PACKAGE(",\"formats\":[\"dash\",\"hls\"],\"rungs\":[{\"height\":64},{\"height\":4320,\"bitrateKbps\":50}]"),
        PACKAGE(
            ",\"segmentDuration\":20,\"audioBitrateKbps\":320,\"transcript\":{\"job\":\"b\"},\"language\":\"pt-BR\","
            "\"subtitlesName\":\"a \\\"b\\\"\""),
        PACKAGE(",\"words\":[{\"word\":\"hi\",\"start\":0,\"end\":0}]"),
    };
    static const struct bad_case bad[] = {
        {"{\"package\":{}}", "video", "required"},
        {PACKAGE(",\"formats\":[\"hls\",\"smooth\"]"), "formats[1]", "unknown_word"},
        {PACKAGE(",\"formats\":[\"\"]"), "formats[0]", "required"},
        {PACKAGE(",\"formats\":[\"hls\",\"dash\",\"hls\"]"), "formats", "too_many"},
        {PACKAGE(",\"rungs\":[{\"height\":720},{\"height\":63}]"), "rungs[1].height", "out_of_range"},
        {PACKAGE(",\"rungs\":[{\"bitrateKbps\":100}]"), "rungs[0].height", "out_of_range"},
        {PACKAGE(",\"rungs\":[{\"height\":360},{\"height\":361}]"), "rungs[1].height", "duplicate"},
        {PACKAGE(",\"rungs\":[{\"height\":360,\"bitrateKbps\":49}]"), "rungs[0].bitrateKbps", "out_of_range"},
        {PACKAGE(",\"rungs\":[{},{},{},{},{},{},{},{},{}]"), "rungs", "too_many"},
        {PACKAGE(",\"segmentDuration\":0.5"), "segmentDuration", "out_of_range"},
        {PACKAGE(",\"audioBitrateKbps\":8"), "audioBitrateKbps", "out_of_range"},
        {PACKAGE(",\"transcript\":{\"job\":\"b\"},\"words\":[{\"word\":\"a\"}]"), "words", "one_of"},
        {PACKAGE(",\"words\":[{\"word\":\"a\",\"start\":2,\"end\":1}]"), "words[0].end", "out_of_range"},
        {PACKAGE(",\"language\":\"e n\""), "language", "bad_text"},
        {PACKAGE(",\"subtitlesName\":\"a\\nb\""), "subtitlesName", "bad_text"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"MEDIA_TYPE_STREAM\"}]}}", "items[0].type",
         "unknown_word"},
    };
    assert_accepted(good, CS_COUNT(good));
    assert_refused(bad, CS_COUNT(bad));
}

TEST(ta_042_ta_047_bad_edits_of_talks_are_refused_with_their_path) {
#define BRAND(rest) "{\"brand\":{\"video\":{\"job\":\"a\"}" rest "}}"
#define CUT(rest) "{\"cut\":{\"video\":{\"job\":\"a\"},\"plan\":{\"job\":\"p\"}" rest "}}"
    static const struct bad_case cases[] = {
        {"{\"extractAudio\":{}}", "media", "required"},
        {"{\"transcribe\":{}}", "media", "required"},
        {"{\"transcribe\":{\"media\":{\"job\":\"a\"},\"language\":\"de\"}}", "language", "language_not_supported"},
        {"{\"transcribe\":{\"media\":{\"job\":\"a\"},\"language\":\"EN\"}}", "language", "language_not_supported"},
        {"{\"planCuts\":{\"media\":{\"job\":\"a\"}}}", "transcript", "required"},
        {"{\"planCuts\":{\"transcript\":{\"job\":\"t\"},\"media\":{\"job\":\"a\"},\"minPauseMs\":99}}", "minPauseMs",
         "out_of_range"},
        {"{\"planCuts\":{\"transcript\":{\"job\":\"t\"},\"media\":{\"job\":\"a\"},\"fillerWords\":[\"um\",\"\"]}}",
         "fillerWords[1]", "required"},
        {"{\"planCuts\":{\"media\":{\"job\":\"a\"},\"detect\":\"luck\"}}", "detect", "unknown_word"},
        {"{\"planCuts\":{\"transcript\":{\"job\":\"t\"},\"media\":{\"job\":\"a\"},\"detect\":\"silence\"}}",
         "transcript", "not_applicable"},
        {"{\"planCuts\":{\"transcript\":{\"job\":\"t\"},\"media\":{\"job\":\"a\"},\"marginMs\":100}}", "marginMs",
         "not_applicable"},
        {"{\"planCuts\":{\"media\":{\"job\":\"a\"},\"detect\":\"silence\",\"snapMs\":501}}", "snapMs", "out_of_range"},
        {"{\"cut\":{\"video\":{\"job\":\"a\"}}}", "plan", "required"},
        {CUT(",\"transition\":{\"type\":\"fade\",\"duration\":0}"), "transition.duration", "out_of_range"},
        {"{\"retimeSubtitles\":{\"transcript\":{\"job\":\"t\"}}}", "plan", "required"},
        {"{\"retimeSubtitles\":{\"transcript\":{\"job\":\"t\"},\"plan\":{\"job\":\"p\"},\"video\":{\"job\":\"v\"},"
         "\"transitionDuration\":1}}",
         "transitionDuration", "one_of"},
        {"{\"brand\":{}}", "video", "required"},
        {BRAND(",\"intro\":{}"), "intro", "required"},
        {BRAND(",\"outro\":{\"url\":\"file:///etc/passwd\"}"), "outro", "bad_url"},
        {BRAND(",\"introDuration\":0"), "introDuration", "out_of_range"},
        {BRAND(",\"outroDuration\":601"), "outroDuration", "out_of_range"},
        {BRAND(",\"fadeDuration\":-0.1"), "fadeDuration", "out_of_range"},
        {BRAND(",\"logo\":{\"job\":\"a b\"}"), "logo", "bad_id"},
        {BRAND(",\"logoPosition\":\"middle\""), "logoPosition", "unknown_word"},
        {BRAND(",\"logoSize\":0"), "logoSize", "out_of_range"},
        {BRAND(",\"logoOpacity\":1.1"), "logoOpacity", "out_of_range"},
        {BRAND(",\"logoMargin\":1001"), "logoMargin", "out_of_range"},
        {BRAND(",\"loudness\":0"), "loudness", "out_of_range"},
        {BRAND(",\"loudness\":-16,\"keepLoudness\":true"), "loudness", "one_of"},
    };
    assert_refused(cases, CS_COUNT(cases));
}

TEST(bad_edits_of_time_are_refused_with_their_path) {
#define TRIM(rest) "{\"trim\":{\"video\":{\"job\":\"a\"}" rest "}}"
    static const struct bad_case cases[] = {
        {"{\"trim\":{\"end\":1}}", "video", "required"},
        {TRIM(""), "keep", "required"},
        {TRIM(",\"end\":1,\"drop\":[{\"start\":0,\"end\":1}]"), "", "one_of"},
        {TRIM(",\"end\":1,\"duration\":1"), "duration", "one_of"},
        {TRIM(",\"start\":2,\"end\":2"), "end", "empty_range"},
        {TRIM(",\"keep\":[{\"start\":3,\"end\":2}]"), "keep[0]", "empty_range"},
        {TRIM(",\"drop\":[{\"start\":1,\"end\":2},{\"start\":1.9,\"end\":3}]"), "drop[1]", "overlapping_ranges"},
        {TRIM(",\"keep\":[{\"start\":-1,\"end\":2}]"), "keep[0].start", "out_of_range"},
        {"{\"speed\":{\"video\":{\"job\":\"a\"}}}", "factor", "out_of_range"},
        {"{\"speed\":{\"video\":{\"job\":\"a\"},\"factor\":10.1}}", "factor", "out_of_range"},
        {"{\"speed\":{\"video\":{\"job\":\"a\"},\"factor\":2,\"start\":4,\"end\":3}}", "end", "empty_range"},
        {"{\"freeze\":{\"video\":{\"job\":\"a\"},\"at\":1}}", "duration", "out_of_range"},
        {"{\"freeze\":{\"video\":{\"job\":\"a\"},\"duration\":1,\"sound\":\"loud\"}}", "sound", "unknown_word"},
        {"{\"reverse\":{}}", "video", "required"},
        {"{\"transitions\":{}}", "items", "required"},
        {"{\"transitions\":{\"items\":[{\"media\":{\"job\":\"a\"}},{\"media\":{\"job\":\"b\"}}],\"plan\":{\"job\":"
         "\"p\"}}}",
         "items", "one_of"},
        {"{\"transitions\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"transition\":{\"duration\":11}}}",
         "transition.duration", "out_of_range"},
        {"{\"transitions\":{\"items\":[{\"media\":{\"job\":\"a\"}}],\"transition\":{\"type\":\"custom\"}}}",
         "transition.type", "unknown_word"},
        {"{\"stitch\":{}}", "scenes", "required"},
        {"{\"stitch\":{\"scenes\":[{\"media\":{\"job\":\"a\"},\"transition\":\"jump\"}]}}", "scenes[0].transition",
         "unknown_word"},
        {"{\"stitch\":{\"scenes\":[{\"media\":{\"job\":\"a\"}}],\"audioVolume\":2}}", "audioVolume", "out_of_range"},
        {"{\"stitch\":{\"scenes\":[{\"media\":{\"job\":\"a\"}}],\"audioFadeOut\":601}}", "audioFadeOut",
         "out_of_range"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"fadeIn\":-1}]}}", "items[0].fadeIn", "out_of_range"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"MEDIA_TYPE_VIDEO\",\"loop\":true}]}}",
         "items[0].loop", "not_applicable"},
        {"{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"},\"type\":\"MEDIA_TYPE_IMAGE\",\"trimStart\":1}]}}",
         "items[0].trimStart", "not_applicable"},
        {"{\"stitch\":{\"scenes\":[{\"media\":{\"job\":\"a\"}}],\"aspectRatio\":\"2:1\"}}", "aspectRatio",
         "unknown_word"},
        {CUT(",\"gapFill\":\"music\""), "gapFill", "unknown_word"},
    };
    assert_refused(cases, CS_COUNT(cases));
}

TEST(bad_subtitles_are_refused_with_their_path) {
#define ON_VIDEO(rest) "{\"addSubtitles\":{\"video\":{\"job\":\"a\"}" rest "}}"
    static const struct bad_case cases[] = {
        {"{\"addSubtitles\":{\"text\":\"a\"}}", "video", "required"},
        {ON_VIDEO(""), "", "required"},
        {ON_VIDEO(",\"text\":\"a\",\"transcript\":{\"job\":\"t\"}"), "", "one_of"},
        {ON_VIDEO(",\"words\":[{\"start\":0,\"end\":1}]"), "words[0].word", "required"},
        {ON_VIDEO(",\"words\":[{\"word\":\"a\",\"start\":2,\"end\":1}]"), "words[0].end", "out_of_range"},
        {ON_VIDEO(",\"words\":[{\"word\":\"a\",\"start\":-1,\"end\":1}]"), "words[0].start", "out_of_range"},
        {ON_VIDEO(",\"transcript\":{\"url\":\"file:///etc/passwd\"}"), "transcript", "bad_url"},
        {ON_VIDEO(",\"text\":\"a\",\"start\":3,\"end\":2"), "end", "out_of_range"},
        {ON_VIDEO(",\"text\":\"a\",\"start\":3,\"end\":3"), "end", "out_of_range"},
        {ON_VIDEO(",\"transcript\":{\"job\":\"t\"},\"end\":3"), "end", "not_applicable"},
        {ON_VIDEO(",\"text\":\"a\",\"language\":\"en_US\""), "language", "bad_text"},
        {ON_VIDEO(",\"text\":\"a\",\"mode\":\"loud\""), "mode", "unknown_word"},
        {ON_VIDEO(",\"text\":\"a\",\"mode\":\"soft\",\"style\":{}"), "style", "not_applicable"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"preset\":\"x\"}"), "style.preset", "unknown_word"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"fontFamily\":\"Arial,20\"}"), "style.fontFamily", "bad_text"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"fontSize\":7}"), "style.fontSize", "out_of_range"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"fontWeight\":\"900\"}"), "style.fontWeight", "unknown_word"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"color\":\"red\"}"), "style.color", "bad_color"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"borderStyle\":2}"), "style.borderStyle", "unknown_word"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"alignment\":0}"), "style.alignment", "out_of_range"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"wordsPerCaption\":51}"), "style.wordsPerCaption", "out_of_range"},
        {ON_VIDEO(",\"text\":\"a\",\"style\":{\"activeWordScale\":4}"), "style.activeWordScale", "out_of_range"},
    };
    assert_refused(cases, CS_COUNT(cases));
}

TEST(numbers_that_are_none_and_words_of_a_newer_peer_are_refused) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    Callsheet__V1__Operation *operation =
        operation_of("{\"lipSync\":{\"video\":{\"job\":\"a\"},\"audio\":{\"job\":\"b\"},\"volume\":1}}", arena);
    operation->lip_sync->volume->value = NAN;
    assert_fails(cs_catalog_check(operation, &err), &err, CS_INVALID_ARGUMENT, "out_of_range");
    operation = operation_of("{\"reframe\":{\"video\":{\"job\":\"a\"},\"aspectRatio\":\"1:1\"}}", arena);
    operation->reframe->crop = (Callsheet__V1__CropAnchor)99;
    assert_fails(cs_catalog_check(operation, &err), &err, CS_INVALID_ARGUMENT, "unknown_word");
    operation->params_case = (Callsheet__V1__Operation__ParamsCase)55;
    assert_fails(cs_catalog_check(operation, &err), &err, CS_INVALID_ARGUMENT, "no_operation");
}

TEST(limits_hold_at_their_edge) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    char *text = cs_arena_alloc(arena, 8002);
    memset(text, 'a', 8001);
    Callsheet__V1__Operation *operation =
        operation_of("{\"generateVideo\":{\"prompt\":\"a\",\"provider\":\"local\"}}", arena);
    operation->generate_video->prompt = text;
    assert_fails(cs_catalog_check(operation, &err), &err, CS_INVALID_ARGUMENT, "too_long");
    text[8000] = '\0';
    assert_ok(cs_catalog_check(operation, &err), &err);

    operation = operation_of("{\"noop\":{\"payload\":\"YQ==\"}}", arena);
    operation->noop->payload.len = CS_JOB_PARAMS_BYTES_MAX + 1;
    operation->noop->payload.data = cs_arena_alloc(arena, operation->noop->payload.len);
    assert_fails(cs_catalog_check(operation, &err), &err, CS_INVALID_ARGUMENT, "too_big");

    operation = operation_of("{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}}]}}", arena);
    Callsheet__V1__MergeItem **items = cs_arena_array(arena, 1001, sizeof(Callsheet__V1__MergeItem *));
    for (size_t i = 0; i < 1001; i++) {
        items[i] = operation->merge->items[0];
    }
    operation->merge->items = items;
    operation->merge->n_items = 1000;
    assert_ok(cs_catalog_check(operation, &err), &err);
    operation->merge->n_items = 1001;
    assert_fails(cs_catalog_check(operation, &err), &err, CS_INVALID_ARGUMENT, "too_many");
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    assert_fails(cs_catalog_media_slots(operation, arena, &slots, &count, &err), &err, CS_OUT_OF_RANGE,
                 "too_many_inputs");
}

TEST(media_slots_come_in_field_order_with_paths_and_types) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    Callsheet__V1__Operation *merge = operation_of(
        "{\"merge\":{\"items\":[{\"media\":{\"job\":\"a\"}},{\"media\":{\"job\":\"b\"},\"type\":\"audio\"}]}}", arena);
    assert_ok(cs_catalog_media_slots(merge, arena, &slots, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(slots[1].path, "items[1].media");
    assert_string_equal(slots[1].ref->job, "b");
    assert_int_equal(slots[0].accepts, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED);
    assert_int_equal(slots[1].accepts, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO);

    Callsheet__V1__Operation *video = operation_of(
        "{\"generateVideo\":{\"audio\":{\"job\":\"s\"},\"endImage\":{\"job\":\"e\"},\"image\":{\"job\":\"i\"}}}",
        arena);
    assert_ok(cs_catalog_media_slots(video, arena, &slots, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_string_equal(slots[0].path, "image");
    assert_string_equal(slots[1].path, "endImage");
    assert_string_equal(slots[2].path, "audio");
    assert_int_equal(slots[2].accepts, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO);

    static const struct {
        const char *text;
        size_t count;
        Callsheet__V1__MediaType last;
    } others[] = {
        {"{\"generateImage\":{\"image\":[{\"job\":\"a\"},{\"job\":\"b\"}]}}", 2,
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE},
        {"{\"reframe\":{\"video\":{\"job\":\"a\"}}}", 1, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO},
        {"{\"lipSync\":{\"video\":{\"job\":\"a\"},\"audio\":{\"job\":\"b\"}}}", 2,
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO},
        {"{\"addSubtitles\":{\"video\":{\"job\":\"a\"},\"transcript\":{\"job\":\"b\"}}}", 2,
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT},
        {"{\"extractAudio\":{\"media\":{\"job\":\"a\"}}}", 1, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED},
        {"{\"transcribe\":{\"media\":{\"job\":\"a\"}}}", 1, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED},
        {"{\"planCuts\":{\"transcript\":{\"job\":\"a\"},\"media\":{\"job\":\"b\"}}}", 2,
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED},
        {"{\"cut\":{\"video\":{\"job\":\"a\"},\"plan\":{\"job\":\"b\"}}}", 2,
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_CUT_PLAN},
        {"{\"retimeSubtitles\":{\"transcript\":{\"job\":\"a\"},\"plan\":{\"job\":\"b\"}}}", 2,
         CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_CUT_PLAN},
        {"{\"brand\":{\"video\":{\"job\":\"a\"},\"intro\":{\"job\":\"b\"},\"outro\":{\"job\":\"c\"},\"logo\":{\"job\":"
         "\"d\"}}}",
         4, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE},
        {"{\"noop\":{}}", 0, 0},
        {"{}", 0, 0},
    };
    for (size_t i = 0; i < CS_COUNT(others); i++) {
        assert_ok(cs_catalog_media_slots(operation_of(others[i].text, arena), arena, &slots, &count, &err), &err);
        assert_int_equal(count, others[i].count);
        if (count != 0) {
            assert_int_equal(slots[count - 1].accepts, others[i].last);
        }
    }
}

/* An operation with nothing but this one reference. */
static Callsheet__V1__Operation *operation_with(const ProtobufCFieldDescriptor *operation,
                                                const ProtobufCFieldDescriptor *field, struct cs_arena *arena) {
    const ProtobufCMessageDescriptor *kind = operation->descriptor;
    Callsheet__V1__MediaRef *ref = cs_arena_alloc(arena, sizeof(*ref));
    callsheet__v1__media_ref__init(ref);
    ProtobufCMessage *params = cs_arena_alloc(arena, kind->sizeof_message);
    kind->message_init(params);
    void *place = (char *)params + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *(Callsheet__V1__MediaRef ***)place = cs_arena_copy(arena, &ref, sizeof(Callsheet__V1__MediaRef *));
        *(size_t *)(void *)((char *)params + field->quantifier_offset) = 1;
    } else {
        *(Callsheet__V1__MediaRef **)place = ref;
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
            *(uint32_t *)(void *)((char *)params + field->quantifier_offset) = field->id;
        }
    }
    Callsheet__V1__Operation *made = cs_arena_alloc(arena, sizeof(*made));
    callsheet__v1__operation__init(made);
    made->params_case = (Callsheet__V1__Operation__ParamsCase)operation->id;
    made->noop = (Callsheet__V1__Noop *)params; /* every member of the union is a pointer to a message */
    return made;
}

TEST(every_reference_of_every_operation_has_a_slot) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const ProtobufCMessageDescriptor *operations = &callsheet__v1__operation__descriptor;
    struct cs_err err = {0};
    size_t found = 0;
    for (unsigned i = 0; i < operations->n_fields; i++) {
        const ProtobufCMessageDescriptor *params = operations->fields[i].descriptor;
        for (unsigned k = 0; k < params->n_fields; k++) {
            if (params->fields[k].descriptor != &callsheet__v1__media_ref__descriptor) {
                continue;
            }
            struct cs_media_slot *slots = NULL;
            size_t count = 0;
            assert_ok(cs_catalog_media_slots(operation_with(&operations->fields[i], &params->fields[k], arena), arena,
                                             &slots, &count, &err),
                      &err);
            if (count != 1) {
                fail_msg("%s.%s has %zu slots", params->name, params->fields[k].name, count);
            }
            found++;
        }
    }
    assert_true(found > 20);
}

TEST(vocabularies_answer) {
    uint32_t a = 0;
    uint32_t b = 0;
    assert_true(cs_reframe_size("4:5", &a, &b));
    assert_int_equal(a, 1080);
    assert_int_equal(b, 1350);
    assert_true(cs_reframe_size("21:9", &a, &b));
    assert_int_equal(a, 2520);
    assert_false(cs_reframe_size("", &a, &b));
    assert_true(cs_aspect_ratio("9:21", &a, &b));
    assert_int_equal(b, 21);
    assert_false(cs_aspect_ratio("4:5", &a, &b));
    assert_string_equal(cs_transition_name("wipe"), "wipeleft");
    assert_string_equal(cs_transition_name("crossfade"), "fade");
    assert_string_equal(cs_transition_name("squeezev"), "squeezev");
    assert_null(cs_transition_name("custom"));
    assert_null(cs_transition_name(""));
    assert_null(cs_transition_name(NULL));
}

TEST(frame_rates_are_numbers_or_fractions) {
    uint32_t num = 0;
    uint32_t den = 0;
    assert_true(cs_frame_rate("30000/1001", &num, &den));
    assert_int_equal(num, 30000);
    assert_int_equal(den, 1001);
    assert_true(cs_frame_rate("120", &num, &den));
    assert_int_equal(den, 1);
    static const char *const bad[] = {"",    "0",  "121", "29.97",        "30/0",         "-30",
                                      "30/", "/1", "1e2", "30000/1001/1", "2000000/20000"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        assert_false(cs_frame_rate(bad[i], &num, &den));
    }
    assert_false(cs_frame_rate(NULL, &num, &den));
}

TEST(sy_093_colors_are_read_in_all_four_forms) {
    static const struct {
        const char *text;
        uint32_t bgr;
        uint8_t alpha;
    } good[] = {{"#f80", 0x0088FF, 0},       {"#FF8800", 0x0088FF, 0},       {"ff8800", 0x0088FF, 0},
                {"&H0000FFFF", 0x00FFFF, 0}, {"&H80112233", 0x112233, 0x80}, {"&H80112233&", 0x112233, 0x80}};
    uint32_t bgr = 0;
    uint8_t alpha = 0;
    for (size_t i = 0; i < CS_COUNT(good); i++) {
        assert_true(cs_caption_color(good[i].text, &bgr, &alpha));
        assert_int_equal(bgr, good[i].bgr);
        assert_int_equal(alpha, good[i].alpha);
    }
    static const char *const bad[] = {"", "#", "#ff", "#ffff", "fff", "red", "#ff8800 ", "&H", "&H1234567", "#ff8800&"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        assert_false(cs_caption_color(bad[i], &bgr, &alpha));
    }
    assert_false(cs_caption_color(NULL, &bgr, &alpha));
}

TEST(web_urls_have_a_scheme_and_a_host_and_nothing_odd) {
    static const char *const good[] = {"http://a", "HTTPS://a.b:8443/c?d=e#f", "http://[::1]:80/",
                                       "https://1.2.3.4/%20"};
    for (size_t i = 0; i < CS_COUNT(good); i++) {
        assert_true(cs_web_url_valid(good[i]));
    }
    static const char *const bad[] = {"",
                                      "a",
                                      "//a",
                                      "ftp://a",
                                      "http://",
                                      "http:///a",
                                      "http://:1/",
                                      "http://u:p@a/",
                                      "http://a b/",
                                      "http://a/b c",
                                      "http://a/\n",
                                      "http://a\\b",
                                      "https://.a/",
                                      "javascript:alert(1)"};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        assert_false(cs_web_url_valid(bad[i]));
    }
    char *big = cs_alloc(CS_URL_BYTES_MAX + 2);
    memset(big, 'a', CS_URL_BYTES_MAX + 1);
    memcpy(big, "http://", 7);
    assert_false(cs_web_url_valid(big));
    big[CS_URL_BYTES_MAX] = '\0';
    assert_true(cs_web_url_valid(big));
    free(big);
    assert_false(cs_web_url_valid(NULL));
}

TEST(sy_131_retries_follow_class_and_kind_of_work) {
    const struct cs_operation *merge = cs_catalog_by_name("merge");
    struct cs_retry_policy policy = cs_catalog_retry(merge, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT);
    assert_int_equal(policy.attempts_max, 5);
    assert_int_equal(policy.base_ms, 2000);
    assert_int_equal(policy.cap_ms, 60000);
    static const Callsheet__V1__FailureClass final[] = {
        CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT,
        CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CODEC_UNSUPPORTED,
        CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CONTENT_REJECTED,
        CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_AUTH,
        CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_BILLING,
        CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_OUTCOME_UNKNOWN,
        CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CANCELLED,
        (Callsheet__V1__FailureClass)99,
    };
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *operation = cs_catalog_at(i);
        bool tried_again =
            cs_catalog_retry(operation, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT).attempts_max > 1;
        assert_int_equal(tried_again,
                         operation->worker != CS_WORKER_WEBHOOKS && operation->worker != CS_WORKER_ORCHESTRATOR);
        for (size_t k = 0; k < CS_COUNT(final); k++) {
            assert_int_equal(cs_catalog_retry(operation, final[k]).attempts_max, 1);
        }
    }
    assert_int_equal(cs_catalog_retry(merge, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_UNSPECIFIED).attempts_max, 2);
    assert_int_equal(cs_catalog_retry(NULL, CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT).attempts_max, 1);
}

/* Attempts, base and cap, as requirements §5.1 lists them for each kind of work; what it says nothing about is our own
 * choice, and is listed too so that nobody changes it unawares. */
TEST(ta_050_w13_retries_are_those_of_the_requirements) {
    static const struct {
        const char *operation;
        Callsheet__V1__FailureClass failure_class;
        struct cs_retry_policy policy;
    } rows[] = {
        /* media 5 / 2000 / 60000 */
        {"merge", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT, {5, 2000, 60000}},
        {"reframe", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_RATE_LIMITED, {5, 2000, 60000}},
        {"addSubtitles", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TIMEOUT, {3, 2000, 60000}},
        {"merge", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL, {2, 2000, 60000}},
        /* generation: 3 retries, 5000 x 2^attempt */
        {"generateVideo", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT, {4, 5000, 60000}},
        {"generateImage", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_RATE_LIMITED, {10, 5000, 600000}},
        {"generateAudio", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TIMEOUT, {2, 5000, 60000}},
        {"generateVideo", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL, {2, 5000, 60000}},
        /* deliveries have a schedule of their own in the orchestrator */
        {"deliverWebhook", CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT, {1, 0, 0}},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct cs_retry_policy policy = cs_catalog_retry(cs_catalog_by_name(rows[i].operation), rows[i].failure_class);
        assert_int_equal(policy.attempts_max, rows[i].policy.attempts_max);
        assert_int_equal(policy.base_ms, rows[i].policy.base_ms);
        assert_int_equal(policy.cap_ms, rows[i].policy.cap_ms);
    }
}

TEST(only_work_that_tells_how_far_it_is_must_get_further) {
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *operation = cs_catalog_at(i);
        assert_int_equal(operation->no_progress_ms != 0, operation->worker == CS_WORKER_MEDIA);
        assert_true(operation->no_progress_ms < operation->timeout_ms);
    }
}

TEST(ex_024_inputs_that_are_not_there_are_dropped_and_others_stay) {
#define REF "{\"url\":\"https://e.com/a\"}"
    static const char *const operations[] = {
        "{\"generateVideo\":{\"image\":" REF ",\"startImage\":" REF ",\"endImage\":" REF ",\"audio\":" REF "}}",
        "{\"generateImage\":{\"image\":[" REF "," REF "]}}",
        "{\"merge\":{\"items\":[{\"media\":" REF "},{\"media\":" REF "},{\"media\":" REF "}]}}",
        "{\"reframe\":{\"video\":" REF "}}",
        "{\"lipSync\":{\"video\":" REF ",\"audio\":" REF "}}",
        "{\"addSubtitles\":{\"video\":" REF ",\"transcript\":" REF "}}",
        "{\"extractAudio\":{\"media\":" REF "}}",
        "{\"transcribe\":{\"media\":" REF "}}",
        "{\"planCuts\":{\"transcript\":" REF ",\"media\":" REF "}}",
        "{\"cut\":{\"video\":" REF ",\"plan\":" REF "}}",
        "{\"retimeSubtitles\":{\"transcript\":" REF ",\"plan\":" REF ",\"video\":" REF "}}",
        "{\"brand\":{\"video\":" REF ",\"intro\":" REF ",\"outro\":" REF ",\"logo\":" REF "}}",
    };
#undef REF
    for (size_t i = 0; i < CS_COUNT(operations); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        Callsheet__V1__Operation *operation = operation_of(operations[i], arena);
        struct cs_media_slot *slots = NULL;
        size_t count = 0;
        struct cs_err err = {0};
        assert_ok(cs_catalog_media_slots(operation, arena, &slots, &count, &err), &err);
        for (size_t left = count + 1; left-- > 0;) { /* the first one goes, then the next */
            for (size_t k = 0; k < count; k++) {
                slots[k].ref->input = k < count - left ? 0 : (uint32_t)k + 1;
            }
            struct cs_media_slot *kept = NULL;
            size_t kept_count = 0;
            cs_catalog_drop_unresolved(operation);
            assert_ok(cs_catalog_media_slots(operation, arena, &kept, &kept_count, &err), &err);
            assert_int_equal(kept_count, left);
            for (size_t k = 0; k < left; k++) {
                assert_ptr_equal(kept[k].ref, slots[count - left + k].ref);
            }
        }
    }
    Callsheet__V1__Operation empty = CALLSHEET__V1__OPERATION__INIT;
    cs_catalog_drop_unresolved(&empty);
}

static void files_have_the_content_types_of_their_names(void **state) {
    (void)state;
    static const char *const names[] = {"a.mp3", "a.m4a", "a.wav", "a.flac", "a.opus", "a.ogg"};
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        assert_memory_equal(cs_catalog_content_type(names[i]), "audio/", 6);
    }
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const char *name = cs_catalog_at(i)->output_name;
        bool known = strcmp(cs_catalog_content_type(name), "application/octet-stream") != 0;
        assert_int_equal(known, name[0] != '\0');
    }
    assert_string_equal(cs_catalog_content_type("dev/t/e/j/1/subtitles.SRT"), "application/x-subrip");
    assert_string_equal(cs_catalog_content_type("master.m3u8"), "application/vnd.apple.mpegurl");
    assert_string_equal(cs_catalog_content_type("manifest.mpd"), "application/dash+xml");
    assert_string_equal(cs_catalog_content_type("no extension"), "application/octet-stream");
}

TEST_MAIN(CS_TEST(every_operation_of_the_proto_has_a_row), CS_TEST(names_and_aliases_are_found_and_others_are_not),
          CS_TEST(params_are_the_message_inside), CS_TEST(files_are_named_by_operation_and_parameters),
          CS_TEST(files_have_the_content_types_of_their_names), CS_TEST(good_parameters_are_accepted),
          CS_TEST(sy_069_sy_070_generation_has_seven_shapes_and_three_sizes),
          CS_TEST(sy_073_an_image_needs_a_prompt_or_an_image),
          CS_TEST(sy_074_speech_has_at_most_forty_thousand_letters), CS_TEST(sy_078_a_merge_needs_an_item_that_is_seen),
          CS_TEST(sy_089_words_for_the_looks_of_subtitles_are_known), CS_TEST(bad_generation_is_refused_with_its_path),
          CS_TEST(bad_editing_is_refused_with_its_path), CS_TEST(sy_105_moments_are_seconds_clocks_and_percentages),
          CS_TEST(sy_105_bad_conversions_are_refused_with_their_path),
          CS_TEST(bad_packages_are_refused_with_their_path),
          CS_TEST(ta_042_ta_047_bad_edits_of_talks_are_refused_with_their_path),
          CS_TEST(bad_edits_of_time_are_refused_with_their_path), CS_TEST(bad_subtitles_are_refused_with_their_path),
          CS_TEST(numbers_that_are_none_and_words_of_a_newer_peer_are_refused), CS_TEST(limits_hold_at_their_edge),
          CS_TEST(media_slots_come_in_field_order_with_paths_and_types),
          CS_TEST(every_reference_of_every_operation_has_a_slot), CS_TEST(vocabularies_answer),
          CS_TEST(frame_rates_are_numbers_or_fractions), CS_TEST(sy_093_colors_are_read_in_all_four_forms),
          CS_TEST(web_urls_have_a_scheme_and_a_host_and_nothing_odd),
          CS_TEST(sy_131_retries_follow_class_and_kind_of_work),
          CS_TEST(ta_050_w13_retries_are_those_of_the_requirements),
          CS_TEST(only_work_that_tells_how_far_it_is_must_get_further),
          CS_TEST(ex_024_inputs_that_are_not_there_are_dropped_and_others_stay))
