/* COVERS ops/smart.c graph/draft.c graph/shrink.c ops/reframe.c ops/fit_words.c graph/fit.c graph/window.c
 * graph/backdrop.c: pictures in other shapes. */
#include <math.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

/* 320x180: red on the left 80, blue on the right 80, white on the top 20 between them, else green. */
static const char *const flag = "-f lavfi -i \"color=0x00B000:s=320x180:r=10:d=0.3,format=rgb24,"
                                "drawbox=x=0:w=80:h=180:t=fill:color=0xC00000,"
                                "drawbox=x=240:w=80:h=180:t=fill:color=0x0000C0,"
                                "drawbox=x=80:w=160:h=20:t=fill:color=0xE0E0E0,"
                                "scale=out_color_matrix=bt709:out_range=tv,format=yuv444p,"
                                "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709\" "
                                "-c:v libx264 -qp 4 -preset ultrafast -pix_fmt yuv444p -colorspace bt709 "
                                "-color_primaries bt709 -color_trc bt709 ";

struct shot {
    uint8_t *rgb;
    int width;
    int height;
};

static struct shot first_of(struct studio *studio, const Callsheet__V1__MediaFacts *facts) {
    struct shot shot = {.width = (int)facts->video->width, .height = (int)facts->video->height};
    size_t frames = 0;
    shot.rgb = studio_rgb(studio, "out.mp4", shot.width, shot.height, &frames);
    assert_true(frames > 0);
    return shot;
}

static struct shot reframe(struct studio *studio, const char *clip, const char *params) {
    const char *json = cs_arena_sprintf(studio->arena, "{\"reframe\":{\"video\":{\"input\":1},%s}}", params);
    return first_of(studio, studio_must(studio, json, "out.mp4", INPUTS(clip)));
}

static void expect_size(const struct shot *shot, int width, int height) {
    assert_int_equal(shot->width, width);
    assert_int_equal(shot->height, height);
}

static void expect_near(const struct shot *shot, int x, int y, int rgb, int tolerance) {
    const uint8_t *at = shot->rgb + 3 * ((size_t)y * (size_t)shot->width + (size_t)x);
    const int wanted[3] = {rgb >> 16, rgb >> 8 & 0xff, rgb & 0xff};
    for (int i = 0; i < 3; i++) {
        if (abs(at[i] - wanted[i]) > tolerance) {
            fail_msg("at %d,%d: %02x%02x%02x instead of %06x", x, y, at[0], at[1], at[2], rgb);
        }
    }
}

static void expect_at(const struct shot *shot, int x, int y, int rgb) {
    expect_near(shot, x, y, rgb, 10);
}

/* ---- modes ---- */

TEST(a_padded_picture_lies_whole_on_its_colour) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "flag.mp4", flag);
    struct shot shot = reframe(&studio, clip, "\"mode\":\"pad\",\"padColor\":\"#336699\",\"width\":180,\"height\":320");
    expect_size(&shot, 180, 320);
    expect_at(&shot, 90, 10, 0x336699);
    expect_at(&shot, 90, 105, 0x336699);
    expect_at(&shot, 90, 113, 0xE0E0E0); /* the picture's lines 108 … 209 */
    expect_at(&shot, 10, 160, 0xC00000);
    expect_at(&shot, 90, 160, 0x00B000);
    expect_at(&shot, 170, 206, 0x0000C0);
    expect_at(&shot, 90, 213, 0x336699);
    free(shot.rgb);
    shot = reframe(&studio, clip, "\"mode\":\"pad\",\"aspectRatio\":\"1:1\"");
    expect_size(&shot, 1080, 1080);
    expect_at(&shot, 540, 20, 0x000000);
    expect_at(&shot, 540, 540, 0x00B000);
    free(shot.rgb);
}

TEST(a_blur_padded_picture_lies_whole_on_its_own_blur) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "flag.mp4", flag);
    struct shot shot = reframe(&studio, clip, "\"mode\":\"blurPad\",\"width\":180,\"height\":320");
    expect_size(&shot, 180, 320);
    expect_at(&shot, 90, 113, 0xE0E0E0);
    expect_at(&shot, 10, 160, 0xC00000);
    expect_at(&shot, 170, 200, 0x0000C0);
    expect_near(&shot, 90, 300, 0x00B000, 16); /* the middle of it, enlarged */
    const uint8_t *sharp = shot.rgb + 3 * (size_t)180 * 2 + 90 * 3;
    assert_true(sharp[0] > 90); /* white on top, on its way to green */
    /* where white ends in the background, it ends gradually */
    int steps = 0;
    for (size_t y = 1; y < 100; y++) {
        const uint8_t *at = shot.rgb + 3 * (y * 180 + 90);
        steps += at[0] != at[-3 * 180];
    }
    assert_true(steps >= 8);
    free(shot.rgb);
    /* one that fills its frame has no background */
    shot = reframe(&studio, clip, "\"mode\":\"blurPad\",\"width\":160,\"height\":90");
    expect_at(&shot, 20, 45, 0xC00000);
    expect_at(&shot, 140, 85, 0x0000C0);
    free(shot.rgb);
}

TEST(a_stretched_picture_fills_its_frame_with_all_it_has) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    struct shot shot =
        reframe(&studio, studio_make(&studio, "flag.mp4", flag), "\"mode\":\"stretch\",\"width\":180,\"height\":320");
    expect_at(&shot, 38, 160, 0xC00000);
    expect_at(&shot, 52, 160, 0x00B000);
    expect_at(&shot, 90, 28, 0xE0E0E0);
    expect_at(&shot, 90, 44, 0x00B000);
    expect_at(&shot, 142, 160, 0x0000C0);
    free(shot.rgb);
}

TEST(a_crop_of_any_size_keeps_its_anchor) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "flag.mp4", flag);
    struct shot shot = reframe(&studio, clip, "\"width\":90,\"height\":180,\"crop\":\"left\"");
    expect_size(&shot, 90, 180);
    expect_at(&shot, 70, 90, 0xC00000);
    expect_at(&shot, 86, 90, 0x00B000);
    free(shot.rgb);
    shot = reframe(&studio, clip, "\"mode\":\"crop\",\"width\":90,\"height\":180,\"crop\":\"right\"");
    expect_at(&shot, 3, 90, 0x00B000);
    expect_at(&shot, 20, 90, 0x0000C0);
    free(shot.rgb);
}

TEST(nothing_outside_of_a_rect_is_used) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "flag.mp4", flag);
    struct shot shot = reframe(&studio, clip, "\"rect\":{\"x\":240,\"y\":0,\"width\":61,\"height\":180}");
    expect_size(&shot, 60, 180);
    expect_at(&shot, 2, 2, 0x0000C0);
    expect_at(&shot, 57, 177, 0x0000C0);
    free(shot.rgb);
    shot = reframe(&studio, clip,
                   "\"rect\":{\"x\":80,\"y\":20,\"width\":240,\"height\":160},\"width\":160,\"height\":160,"
                   "\"crop\":\"right\"");
    expect_at(&shot, 60, 3, 0x00B000);
    expect_at(&shot, 100, 80, 0x0000C0);
    free(shot.rgb);
    shot = reframe(&studio, clip,
                   "\"rect\":{\"x\":0,\"y\":0,\"width\":80,\"height\":160},\"mode\":\"pad\",\"width\":160,"
                   "\"height\":160");
    expect_at(&shot, 20, 80, 0x000000);
    expect_at(&shot, 80, 80, 0xC00000);
    expect_at(&shot, 140, 80, 0x000000);
    free(shot.rgb);
    static const char outside[] = "{\"reframe\":{\"video\":{\"input\":1},\"rect\":{\"x\":81,\"y\":0,\"width\":240,"
                                  "\"height\":160}}}";
    assert_fails(studio_run(&studio, outside, "out.mp4", INPUTS(clip)), &studio.err, CS_INVALID_ARGUMENT,
                 "out_of_range");
    assert_string_equal(studio.err.path, "rect");
}

TEST(a_rect_counts_pixels_as_they_are_shown) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *wide =
        studio_make(&studio, "wide.mp4", cs_arena_sprintf(studio.arena, "%s -vf scale=160:180,setsar=2", flag));
    struct shot shot = reframe(&studio, wide, "\"rect\":{\"x\":250,\"y\":0,\"width\":60,\"height\":180}");
    expect_size(&shot, 60, 180);
    expect_at(&shot, 4, 90, 0x0000C0);
    expect_at(&shot, 56, 90, 0x0000C0);
    free(shot.rgb);
}

/* ---- merges ---- */

TEST(a_merge_fits_its_visuals_as_it_is_told) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "flag.mp4", flag);
    const char *tall =
        studio_make(&studio, "tall.mp4", "-f lavfi -i color=gray:s=90x160:r=10:d=0.1 -c:v libx264 -pix_fmt yuv420p");
    static const struct {
        const char *how;
        int left;
        int top;
    } cases[] = {
        {"\"fit\":\"pad\"", 0xC00000, 0x000000},
        {"\"padColor\":\"#808080\"", 0xC00000, 0x808080},
        {"\"fit\":\"crop\"", 0x00B000, 0xE0E0E0},
        {"\"fit\":\"stretch\"", 0xC00000, 0xE0E0E0},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *json = cs_arena_sprintf(
            studio.arena, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],%s}}",
            cases[i].how);
        const Callsheet__V1__MediaFacts *facts = studio_must(&studio, json, "out.mp4", INPUTS(tall, clip));
        size_t frames = 0;
        uint8_t *all = studio_rgb(&studio, "out.mp4", 90, 160, &frames);
        struct shot second = {.rgb = all + (size_t)90 * 160 * 3, .width = 90, .height = 160};
        assert_int_equal(facts->video->frame_count, 4);
        assert_int_equal(frames, 4);
        expect_near(&second, 6, 84, cases[i].left, 24);
        expect_near(&second, 45, 7, cases[i].top, 24);
        free(all);
    }
}

TEST(a_merge_takes_no_more_than_4k_from_a_photo) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    static const struct {
        const char *size;
        uint32_t width;
        uint32_t height;
    } photos[] = {{"5600x4200", 2880, 2160}, {"4200x5600", 2160, 2880}, {"9000x300", 3840, 128}, {"640x480", 640, 480}};
    for (size_t i = 0; i < CS_COUNT(photos); i++) {
        const char *photo = studio_make(
            &studio, "photo.jpg",
            cs_arena_sprintf(studio.arena, "-f lavfi -i color=0x208040:s=%s:d=1 -frames:v 1", photos[i].size));
        const Callsheet__V1__MediaFacts *facts = studio_must(
            &studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1},\"duration\":0.05}]}}", "out.mp4", INPUTS(photo));
        assert_int_equal(facts->video->width, photos[i].width);
        assert_int_equal(facts->video->height, photos[i].height);
    }
}

/* ---- colours, turns and pixel shapes of real files ---- */

enum { PATCHES = 6 };

/* Means of patches: what compression does to single pixels does not matter. */
static void patches_of(const struct shot *shot, double ret_means[PATCHES * PATCHES * 3]) {
    int wide = shot->width / PATCHES;
    int high = shot->height / PATCHES;
    for (int patch = 0; patch < PATCHES * PATCHES; patch++) {
        double sum[3] = {0};
        for (int i = 0; i < wide * high; i++) {
            int x = patch % PATCHES * wide + i % wide;
            int y = patch / PATCHES * high + i / wide;
            for (int c = 0; c < 3; c++) {
                sum[c] += shot->rgb[3 * (y * shot->width + x) + c];
            }
        }
        for (int c = 0; c < 3; c++) {
            ret_means[patch * 3 + c] = sum[c] / (wide * high);
        }
    }
}

#define TONE_MAP                                                                                                       \
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,"       \
    "format=yuv444p,"
#define FROM(matrix, range)                                                                                            \
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=" matrix ",zscale=min=" matrix ":m=bt709:rin=" range   \
    ":r=tv,"

static void expect_as_zscale(struct studio *studio, const char *name, const char *filters, int width, int height) {
    const char *real = studio_real(studio, name);
    double ours[PATCHES * PATCHES * 3];
    double theirs[PATCHES * PATCHES * 3];
    size_t frames = 0;
    if (real == NULL) {
        return;
    }
    struct shot shot =
        reframe(studio, real,
                cs_arena_sprintf(studio->arena, "\"mode\":\"stretch\",\"width\":%d,\"height\":%d", width, height));
    patches_of(&shot, ours);
    free(shot.rgb);
    studio_make(studio, "reference.mkv",
                cs_arena_sprintf(studio->arena,
                                 "-i '%s' -map 0:v:0 -frames:v 1 -vf \"%szscale=w=%d:h=%d,"
                                 "format=yuv444p\" -colorspace bt709 -c:v ffv1",
                                 real, filters, width, height));
    shot.rgb = studio_rgb(studio, "reference.mkv", width, height, &frames);
    patches_of(&shot, theirs);
    free(shot.rgb);
    double worst = 0;
    for (size_t i = 0; i < CS_COUNT(ours); i++) {
        worst = fmax(worst, fabs(ours[i] - theirs[i]));
    }
    print_message("%s: patches differ by %.1f of 255 at most\n", name, worst);
    assert_true(worst < 6);
}

TEST(real_files_look_as_the_reference_says) {
    static const struct {
        const char *name;
        const char *filters;
        int width;
        int height;
    } files[] = {
        {"video/vertical_720x1280_hdr10_av1_aac_4s.mp4", TONE_MAP, 180, 320},
        {"video/hdr10_1080p_hevc10_aac_1s.mp4", TONE_MAP, 320, 180},
        {"video/hlg_1080p_hevc10_aac_color_test.mp4", TONE_MAP, 320, 180},
        {"video/phone_dolby_vision_hlg_hevc10_rot90_5frames.mov", TONE_MAP, 180, 320},
        {"video/vp9_10bit_426x240_23976_roadtrip_3s.webm", FROM("bt2020nc", "tv"), 212, 120},
        {"video/vfr_128x128_h264_yuv444p_15s.mp4", FROM("smpte170m", "tv"), 128, 128},
        {"video/testcard_1080p30_hevc_fullrange_aac_10s.mp4", FROM("bt470bg", "pc"), 480, 270},
        {"video/phone_portrait_4k60_h264_rot90_0.3s.mp4", FROM("bt470bg", "pc"), 270, 480},
        {"video/bbb_1080p24_h264_aac51_rot90.mp4", FROM("bt709", "tv"), 180, 320},
        {"video/phone_iphone_portrait_h264_aac_mono_rot90.mov", FROM("bt709", "tv"), 180, 320},
        {"video/bbb_800x640_sar64x45_h264_noaudio_4s.mp4", FROM("smpte170m", "tv"), 320, 180},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        expect_as_zscale(&studio, files[i].name, files[i].filters, files[i].width, files[i].height);
    }
}

/* ---- smart ---- */

/* A bright square that comes from the left, crosses, and is elsewhere after a cut at 2 s; under it, a grey texture. */
static const char *const actor =
    "-f lavfi -i "
    "\"nullsrc=s=320x180:r=25:d=2,geq=lum='if(lt(abs(X-30-T*110),14)*lt(abs(Y-90),20),235,90+mod(X*7+Y*13,23))':"
    "cb=128:cr=128\" -f lavfi -i "
    "\"nullsrc=s=320x180:r=25:d=2,geq=lum='if(lt(abs(X-260+4*sin(T*9)),14)*lt(abs(Y-90),20),"
    "235,40+mod(X*3+Y*5,19))':cb=128:cr=128\" -filter_complex \"[0][1]concat=n=2:v=1\" -c:v libx264 -preset veryfast "
    "-crf 16 -pix_fmt yuv420p ";

/* Frames in which all of the bright square is seen: 28 x 40 points. */
static size_t frames_with_actor(struct studio *studio, int width, int height, size_t *ret_frames) {
    CS_AUTO_FREE uint8_t *grey = studio_grey(studio, "out.mp4", width, height, ret_frames);
    size_t seen = 0;
    for (size_t n = 0; n < *ret_frames; n++) {
        const uint8_t *frame = grey + n * (size_t)(width * height);
        int bright = 0;
        for (int i = 0; i < width * height; i++) {
            bright += frame[i] > 180;
        }
        seen += bright >= 27 * 38;
    }
    return seen;
}

static double mean_difference(const uint8_t *a, const uint8_t *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += abs(a[i] - b[i]);
    }
    return sum / (double)count;
}

#define SMART "{\"reframe\":{\"video\":{\"input\":1},\"mode\":\"smart\",\"width\":100,\"height\":180%s}}"

static void run_smart(struct studio *studio, const char *more, const char *const *inputs) {
    assert_ok(studio_run(studio, cs_arena_sprintf(studio->arena, SMART, more), "out.mp4", inputs), &studio->err);
    assert_int_equal(studio->done->n_outputs, 2);
    assert_int_equal(studio->done->outputs[0]->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO);
    assert_int_equal(studio->done->outputs[1]->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_REFRAME_PATH);
}

TEST(sy_086_a_smart_window_keeps_what_moves_in_the_picture) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    size_t frames = 0;
    run_smart(&studio, "", INPUTS(studio_make(&studio, "actor.mp4", actor)));
    size_t seen = frames_with_actor(&studio, 100, 180, &frames);
    print_message("seen in %zu of %zu frames\n", seen, frames);
    assert_int_equal(frames, 100);
    assert_true(seen >= 97);
    char *path = studio_read(&studio, "reframe_path.json", NULL);
    assert_non_null(strstr(path, "\"start\": 0,"));
    assert_non_null(strstr(path, "\"start\": 50,"));
    assert_null(strstr(strstr(path, "\"start\": 50,") + 10, "\"start\""));
}

TEST(a_path_given_back_makes_the_same_pictures_and_an_edited_one_others) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "actor.mp4", actor);
    size_t frames = 0;
    run_smart(&studio, "", INPUTS(clip));
    CS_AUTO_FREE uint8_t *first = studio_grey(&studio, "out.mp4", 100, 180, &frames);
    const char *path = studio_read(&studio, "reframe_path.json", NULL);
    const char *given = studio_write(&studio, "given.json", path, strlen(path));
    run_smart(&studio, ",\"path\":{\"input\":2}", INPUTS(clip, given));
    CS_AUTO_FREE uint8_t *again = studio_grey(&studio, "out.mp4", 100, 180, &frames);
    assert_int_equal(frames, 100);
    /* a window two points beside is off by 9 in its texture; two runs of the encoder by less than 2 */
    for (size_t n = 0; n < frames; n++) {
        assert_true(mean_difference(first + n * 18000, again + n * 18000, 18000) < 3);
    }
    assert_string_equal(studio_read(&studio, "reframe_path.json", NULL), path);

    static const char edited[] =
        "{\"picture\":{\"width\":320,\"height\":180},\"window\":{\"width\":100,\"height\":180},\"frameRate\":\"25/1\","
        "\"frames\":100,\"shots\":[{\"start\":0,\"camera\":\"stationary\",\"keyframes\":[{\"frame\":0,\"x\":210,\"y\":"
        "0}]}]}";
    given = studio_write(&studio, "edited.json", edited, sizeof(edited) - 1);
    run_smart(&studio, ",\"path\":{\"input\":2}", INPUTS(clip, given));
    size_t seen = frames_with_actor(&studio, 100, 180, &frames);
    assert_in_range(seen, 50, 75); /* the second half, and the end of the first */

    given = studio_write(&studio, "bad.json", "{}", 2);
    assert_fails(studio_run(&studio, cs_arena_sprintf(studio.arena, SMART, ",\"path\":{\"input\":2}"), "out.mp4",
                            INPUTS(clip, given)),
                 &studio.err, CS_INVALID_ARGUMENT, "bad_reframe_path");
    assert_string_equal(studio.err.path, "path");
}

TEST(a_smart_window_moves_down_a_tall_and_turned_picture) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *upright = studio_make(&studio, "actor.mp4", actor);
    /* stored lying, shown as 180x320: what went along goes down */
    const char *turned = studio_make(&studio, "turned.mp4",
                                     cs_arena_sprintf(studio.arena, "-i %s -c copy -metadata:s:v rotate=90", upright));
    size_t frames = 0;
    assert_ok(studio_run(&studio,
                         "{\"reframe\":{\"video\":{\"input\":1},\"mode\":\"smart\",\"width\":180,\"height\":100}}",
                         "out.mp4", INPUTS(turned)),
              &studio.err);
    size_t seen = frames_with_actor(&studio, 180, 100, &frames);
    assert_int_equal(frames, 100);
    assert_true(seen >= 97);
}

TEST(a_smart_window_follows_what_an_earlier_step_makes) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "actor.mp4", actor);
    size_t frames = 0;
    assert_ok(studio_run(&studio,
                         "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}}]}},{\"reframe\":{\"video\":{\"step\":1},"
                         "\"mode\":\"smart\",\"width\":100,\"height\":180}}]",
                         "out.mp4", INPUTS(clip)),
              &studio.err);
    assert_true(frames_with_actor(&studio, 100, 180, &frames) >= 97);
}

TEST_MAIN(CS_TEST(a_padded_picture_lies_whole_on_its_colour), CS_TEST(a_blur_padded_picture_lies_whole_on_its_own_blur),
          CS_TEST(a_stretched_picture_fills_its_frame_with_all_it_has), CS_TEST(a_crop_of_any_size_keeps_its_anchor),
          CS_TEST(nothing_outside_of_a_rect_is_used), CS_TEST(a_rect_counts_pixels_as_they_are_shown),
          CS_TEST(a_merge_fits_its_visuals_as_it_is_told), CS_TEST(a_merge_takes_no_more_than_4k_from_a_photo),
          CS_TEST(real_files_look_as_the_reference_says),
          CS_TEST(sy_086_a_smart_window_keeps_what_moves_in_the_picture),
          CS_TEST(a_path_given_back_makes_the_same_pictures_and_an_edited_one_others),
          CS_TEST(a_smart_window_moves_down_a_tall_and_turned_picture),
          CS_TEST(a_smart_window_follows_what_an_earlier_step_makes))
