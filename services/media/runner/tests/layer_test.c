/* COVERS ops/layer.c compose.c replace_green_screen.c, graph/overlay.c loop.c black.c, fit.c's cutouts: layers where,
 * when and how they are asked for. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "flash.h"
#include "graph/overlay.h"
#include "studio.h"

enum { WIDTH = 320, HEIGHT = 180 };

static const char gray_film[] = "-f lavfi -i color=0x808080:s=320x180:r=25:d=1";

struct view {
    uint8_t *rgb;
    size_t frames;
    int width, height;
};

static struct view see(struct studio *studio, int width, int height) {
    struct view view = {.width = width, .height = height};
    view.rgb = studio_rgb(studio, "out.mp4", width, height, &view.frames);
    return view;
}

static const uint8_t *pixel(const struct view *view, size_t frame, int x, int y) {
    assert_true(frame < view->frames && x >= 0 && x < view->width && y >= 0 && y < view->height);
    return view->rgb + ((frame * (size_t)view->height + (size_t)y) * (size_t)view->width + (size_t)x) * 3;
}

static bool is_near(const uint8_t *got, int red, int green, int blue, int off) {
    return abs(got[0] - red) <= off && abs(got[1] - green) <= off && abs(got[2] - blue) <= off;
}

static void assert_color(const struct view *view, size_t frame, int x, int y, int red, int green, int blue) {
    static const int coding = 20; /* what an encoder makes of edges and colours */
    const uint8_t *got = pixel(view, frame, x, y);
    if (!is_near(got, red, green, blue, coding)) {
        fail_msg("frame %zu at %d,%d: %d,%d,%d instead of %d,%d,%d", frame, x, y, got[0], got[1], got[2], red, green,
                 blue);
    }
}

static bool is_red(const uint8_t *got) {
    return got[0] > 160 && got[1] < 90 && got[2] < 90;
}

/* The box that red fills: first and last columns and rows of it, seen along the middle. */
static void assert_red_box(const struct view *view, size_t frame, int x, int y, int width, int height) {
    int first_x = -1, last_x = -1, first_y = -1, last_y = -1;
    for (int at = 0; at < view->width; at++) {
        if (is_red(pixel(view, frame, at, y + height / 2))) {
            first_x = first_x < 0 ? at : first_x;
            last_x = at;
        }
    }
    for (int at = 0; at < view->height; at++) {
        if (is_red(pixel(view, frame, x + width / 2, at))) {
            first_y = first_y < 0 ? at : first_y;
            last_y = at;
        }
    }
    bool right = abs(first_x - x) <= 1 && abs(first_y - y) <= 1 && abs(last_x - (x + width - 1)) <= 1 &&
                 abs(last_y - (y + height - 1)) <= 1;
    if (!right) {
        fail_msg("red is at %d…%d, %d…%d instead of %d…%d, %d…%d", first_x, last_x, first_y, last_y, x, x + width - 1,
                 y, y + height - 1);
    }
}

TEST(sy_097_layers_lie_where_their_placements_say) {
    static const struct {
        const char *how;
        int x, y, width, height;
    } cases[] = {
        {"\"placement\":{\"words\":\"w-1/2 h-1/3 top-right\"}", 160, 0, 160, 60},
        {"\"placement\":{\"words\":\"pip\"}", 320 - 80 - 20, 180 - 44 - 20, 80, 44},
        {"\"placement\":{\"words\":\"w-1/4 bottom-left\"}", 0, 180 - 80, 80, 80},
        {"\"placement\":{\"words\":\"center\"}", 120, 50, 80, 80},
        {"\"placement\":{\"words\":\"w-1/2 h-1/2 bottom-center\"},\"fit\":\"contain\"", 114, 90, 90, 90},
        {"\"placement\":{\"width\":\"iw/4\",\"height\":\"60\",\"position\":{\"x\":\"W-w-10\",\"y\":\"30\"}}", 230, 30,
         80, 60},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=0x808080:s=320x180:r=25:d=0.2");
    const char *box = studio_make(&studio, "box.png", "-f lavfi -i color=red:s=80x80 -frames:v 1");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan = cs_arena_sprintf(
            studio.arena, "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},%s}]}}",
            cases[i].how);
        const Callsheet__V1__MediaFacts *facts =
            studio_must(&studio, plan, "out.mp4", (const char *[]){film, box, NULL});
        assert_int_equal(facts->video->frame_count, 5);
        struct view view = see(&studio, WIDTH, HEIGHT);
        assert_red_box(&view, 4, cases[i].x, cases[i].y, cases[i].width, cases[i].height);
        free(view.rgb);
    }
}

TEST(sy_097_a_layer_over_the_edge_is_cut_off_there) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", gray_film);
    const char *box = studio_make(&studio, "box.png", "-f lavfi -i color=red@0.999:s=80x80,format=rgba -frames:v 1");
    static const struct {
        const char *x, *y;
        int see_x, see_y, width, height;
    } cases[] = {{"-30", "-20", 0, 0, 50, 60}, {"W-50", "H-60", 270, 120, 50, 60}, {"-90", "0", 0, 0, 0, 0}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan =
            cs_arena_sprintf(studio.arena,
                             "{\"layer\":{\"outputDuration\":0.08,\"layers\":[{\"media\":{\"input\":1}},{\"media\":{"
                             "\"input\":2},\"placement\":{\"width\":\"80\",\"position\":{\"x\":\"%s\",\"y\":\"%s\"}}}]"
                             "}}",
                             cases[i].x, cases[i].y);
        studio_must(&studio, plan, "out.mp4", (const char *[]){film, box, NULL});
        struct view view = see(&studio, WIDTH, HEIGHT);
        assert_int_equal(view.frames, 2);
        if (cases[i].width > 0) {
            assert_red_box(&view, 1, cases[i].see_x, cases[i].see_y, cases[i].width, cases[i].height);
        } else {
            assert_color(&view, 1, 2, 40, 128, 128, 128);
        }
        free(view.rgb);
    }
}

TEST(sy_099_keyed_green_is_gone_and_what_stands_before_it_stays) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=blue:s=320x180:r=25:d=0.4");
    /* a red square on green, twice as big as it is shown */
    const char *actor =
        studio_make(&studio, "actor.mp4",
                    "-f lavfi -i \"color=0x00FF00:s=640x360:r=25:d=0.4,drawbox=240:100:160:160:red:fill\" "
                    "-c:v libx264 -qp 12");
    static const char *const plans[] = {
        "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"chromaKey\":true,\"main\":true}],"
        "\"outputWidth\":320}}",
        "{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"main\":true},{\"media\":{\"input\":2},\"chromaKey\":true,"
        "\"chromaKeyColor\":\"#00FF00\",\"similarity\":0.3,\"blend\":0.1}]}}",
    };
    for (size_t i = 0; i < CS_COUNT(plans); i++) {
        studio_must(&studio, plans[i], "out.mp4", (const char *[]){film, actor, NULL});
        struct view view = see(&studio, WIDTH, HEIGHT);
        assert_int_equal(view.frames, 10);
        assert_red_box(&view, 5, 120, 50, 80, 80);
        assert_color(&view, 5, 160, 90, 254, 0, 0);
        assert_color(&view, 5, 20, 20, 0, 0, 254);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                const uint8_t *got = pixel(&view, 5, x, y);
                if (got[1] > got[0] + 24 && got[1] > got[2] + 24) {
                    fail_msg("green is left at %d,%d: %d,%d,%d", x, y, got[0], got[1], got[2]);
                }
            }
        }
        free(view.rgb);
    }
}

/* ---- blending, without an encoder between ---- */

enum { SIDE = 64 };

/* One frame of one colour again and again. */
struct flat {
    struct med_video pad;
    enum AVPixelFormat pixels;
    int luma, chroma, alpha;
    int64_t next;
};

static enum cs_status pull_flat(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct flat *flat = (struct flat *)self;
    const int levels[] = {flat->luma, flat->chroma, flat->chroma, flat->alpha};
    AVFrame *frame = av_frame_alloc();
    (void)err;
    assert_non_null(frame);
    frame->format = flat->pixels;
    frame->width = self->format.width;
    frame->height = self->format.height;
    assert_true(av_frame_get_buffer(frame, 0) >= 0);
    for (int plane = 0; plane < 4 && frame->data[plane] != NULL; plane++) {
        int rows = plane == 1 || plane == 2 ? frame->height / 2 : frame->height;
        memset(frame->data[plane], levels[plane], (size_t)frame->linesize[plane] * (size_t)rows);
    }
    frame->pts = flat->next++;
    *ret_frame = frame;
    return CS_OK;
}

static struct med_video *add_flat(struct med_graph *graph, enum AVPixelFormat pixels, int luma, int chroma, int alpha,
                                  int64_t frames) {
    struct flat *flat = (struct flat *)med_graph_add_video(graph, sizeof(*flat));
    flat->pad = (struct med_video){
        .format = {.width = SIDE, .height = SIDE, .rate = {25, 1}}, .frames = frames, .pull = pull_flat};
    flat->pixels = pixels;
    flat->luma = luma;
    flat->chroma = chroma;
    flat->alpha = alpha;
    return &flat->pad;
}

static int multiplied(int level, int zero, int alpha) {
    return (int)lround(zero + (level - zero) * alpha / 255.0);
}

static void assert_level(const AVFrame *frame, int plane, int x, int y, double want) {
    int got = frame->data[plane][(ptrdiff_t)y * frame->linesize[plane] + x];
    if (fabs(got - want) > 2) {
        fail_msg("plane %d at %d,%d: %d instead of %g", plane, x, y, got, want);
    }
}

TEST(sy_097_opacity_is_exact_within_two_levels) {
    enum { BELOW_Y = 71, BELOW_C = 100, ABOVE_Y = 200, ABOVE_C = 40 };
    for (int alpha = 0; alpha <= 255; alpha += 15) {
        for (int percent = 0; percent <= 100; percent++) {
            CS_AUTO(med_graph) *graph = med_graph_create(NULL, NULL);
            struct cs_err err = {0};
            bool opaque = alpha == 255;
            const struct med_overlay over = {
                .picture = add_flat(graph, opaque ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUVA420P,
                                    multiplied(ABOVE_Y, 16, alpha), multiplied(ABOVE_C, 128, alpha), alpha, 1),
                .x = -6,
                .y = 10,
                .opacity = percent / 100.0,
            };
            struct med_video *video =
                med_overlay(graph, add_flat(graph, AV_PIX_FMT_YUV420P, BELOW_Y, BELOW_C, 0, 2), &over);
            AVFrame *frame = NULL;
            double share = percent / 100.0 * alpha / 255;
            assert_ok(video->pull(video, &frame, &err), &err);
            assert_level(frame, 0, 57, 10, BELOW_Y + share * (ABOVE_Y - BELOW_Y));
            assert_level(frame, 0, 58, 10, BELOW_Y);
            assert_level(frame, 0, 57, 9, BELOW_Y);
            assert_level(frame, 2, 28, 5, BELOW_C + share * (ABOVE_C - BELOW_C));
            assert_level(frame, 2, 29, 5, BELOW_C);
            av_frame_free(&frame);
            assert_ok(video->pull(video, &frame, &err), &err);
            assert_level(frame, 0, 20, 20, BELOW_Y); /* its one frame is over */
            av_frame_free(&frame);
        }
    }
}

TEST(sy_097_a_layer_is_there_from_its_start_to_its_end_to_the_frame) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", gray_film);
    const char *box = studio_make(&studio, "box.png", "-f lavfi -i color=red:s=80x80 -frames:v 1");
    studio_must(&studio,
                "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"start\":0.2,"
                "\"duration\":0.4,\"placement\":{\"words\":\"center\"}}]}}",
                "out.mp4", (const char *[]){film, box, NULL});
    struct view view = see(&studio, WIDTH, HEIGHT);
    assert_int_equal(view.frames, 25);
    for (size_t frame = 0; frame < 25; frame++) {
        if (is_red(pixel(&view, frame, 160, 90)) != (frame >= 5 && frame < 15)) {
            fail_msg("frame %zu is wrong", frame);
        }
    }
    free(view.rgb);
}

TEST(sy_097_higher_layers_hide_lower_ones) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=0x808080:s=320x180:r=25:d=0.2");
    const char *red = studio_make(&studio, "red.png", "-f lavfi -i color=red:s=80x80 -frames:v 1");
    const char *blue = studio_make(&studio, "blue.png", "-f lavfi -i color=blue:s=80x80 -frames:v 1");
    static const struct {
        const char *z;
        bool red_wins;
    } cases[] = {{"0", false}, {"-1", true}, {"1", false}};
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan =
            cs_arena_sprintf(studio.arena,
                             "{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"main\":true,\"zIndex\":-5},"
                             "{\"media\":{\"input\":2},\"placement\":{\"words\":\"center\"}},"
                             "{\"media\":{\"input\":3},\"placement\":{\"words\":\"center\"},\"zIndex\":%s}]}}",
                             cases[i].z);
        studio_must(&studio, plan, "out.mp4", (const char *[]){film, red, blue, NULL});
        struct view view = see(&studio, WIDTH, HEIGHT);
        assert_int_equal(is_red(pixel(&view, 2, 160, 90)), cases[i].red_wins);
        free(view.rgb);
    }
}

TEST(sy_097_transparency_of_every_kind_shows_what_is_below) {
    static const struct {
        const char *name;
        const char *how;
    } kinds[] = {
        {"a.png", "-frames:v 1"},
        {"a.webp", "-frames:v 1 -c:v libwebp -lossless 1"},
        {"a.gif", "-vf \"split[a][b],[a]palettegen[p],[b][p]paletteuse\""},
        {"a9.webm", "-c:v libvpx-vp9 -pix_fmt yuva420p -b:v 2M -auto-alt-ref 0"},
        {"a8.webm", "-c:v libvpx -pix_fmt yuva420p -b:v 2M -auto-alt-ref 0"},
        {"a.mov", "-c:v qtrle"},
        {"a4444.mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"},
        {"afv.mkv", "-c:v ffv1 -pix_fmt yuva420p"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=blue:s=320x180:r=10:d=0.4");
    for (size_t i = 0; i < CS_COUNT(kinds); i++) {
        /* the left half is red, the right one transparent green */
        const char *how = cs_arena_sprintf(
            studio.arena,
            "-f lavfi -i \"color=red:s=160x160:r=10:d=0.4,format=rgba,geq=r='255*lt(X,80)':g='255*gte(X,80)':b=0:"
            "a='255*lt(X,80)'\" %s",
            kinds[i].how);
        const char *piece = studio_make(&studio, kinds[i].name, how);
        studio_must(
            &studio,
            "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"placement\":{\"words\":"
            "\"center\"}}]}}",
            "out.mp4", (const char *[]){film, piece, NULL});
        struct view view = see(&studio, WIDTH, HEIGHT);
        assert_int_equal(view.frames, 4);
        print_message("%s\n", kinds[i].name);
        assert_color(&view, 3, 120, 90, 254, 0, 0);
        assert_color(&view, 3, 200, 90, 0, 0, 254);
        assert_color(&view, 3, 40, 90, 0, 0, 254);
        free(view.rgb);
    }
}

TEST(sy_100_media_of_a_timeline_share_what_is_left) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=0x808080:s=320x180:r=25:d=2");
    const char *red = studio_make(&studio, "red.png", "-f lavfi -i color=red:s=320x180 -frames:v 1");
    const char *blue = studio_make(&studio, "blue.mp4", "-f lavfi -i color=blue:s=160x90:r=30:d=0.2");
    /* 50 frames: 10 red, then 20 blue, 20 red */
    studio_must(
        &studio,
        "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"timeline\":[{\"media\":{\"input\":2},\"duration\":"
        "0.4},{\"media\":{\"input\":3}},{\"media\":{\"input\":2}}],\"placement\":{\"words\":\"w-1/2\"}}]}}",
        "out.mp4", (const char *[]){film, red, blue, NULL});
    struct view view = see(&studio, WIDTH, HEIGHT);
    assert_int_equal(view.frames, 50);
    for (size_t frame = 0; frame < 50; frame++) {
        bool want_red = frame < 10 || frame >= 30;
        if (is_red(pixel(&view, frame, 160, 90)) != want_red) {
            fail_msg("frame %zu is wrong", frame);
        }
    }
    assert_red_box(&view, 3, 80, 44, 160, 90);
    free(view.rgb);
    assert_fails(studio_run(&studio,
                            "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"timeline\":[{\"media\":{\"input\":2},"
                            "\"duration\":2},{\"media\":{\"input\":3}}]}]}}",
                            "out.mp4", (const char *[]){film, red, blue, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "timeline_too_long");
    assert_string_equal(studio.err.path, "layers[1].timeline");
}

TEST(sy_101_the_main_layer_gives_size_rate_length_and_sound) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *silent = studio_make(&studio, "silent.mp4", "-f lavfi -i color=0x808080:s=320x180:r=25:d=2");
    const char *loud = studio_make(&studio, "loud.mp4",
                                   "-f lavfi -i color=red:s=160x120:r=30:d=1 -f lavfi -i sine=f=440:d=1 -c:a aac "
                                   "-shortest");
    const char *const inputs[] = {silent, loud, NULL};
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}", "out.mp4", inputs);
    assert_int_equal(facts->video->width, 320);
    assert_int_equal(facts->video->frame_count, 50);
    assert_null(facts->audio);
    facts = studio_must(
        &studio, "{\"layer\":{\"mainLayer\":1,\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}",
        "out.mp4", inputs);
    assert_int_equal(facts->video->width, 160);
    assert_int_equal(facts->video->height, 120);
    assert_int_equal(facts->video->frame_count, 30);
    assert_int_equal(facts->video->frame_rate->num, 30);
    assert_non_null(facts->audio);
    /* another layer's sound, from its start on */
    facts = studio_must(&studio,
                        "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"start\":0.5,"
                        "\"volume\":0.5}]}}",
                        "out.mp4", inputs);
    size_t samples = 0;
    CS_AUTO_FREE float *sound = studio_sound(&studio, "out.mp4", &samples);
    assert_true(studio_loudest(sound, 0, 23000) < 0.01);
    assert_true(studio_loudest(sound, 30000, 30000) > 0.03);
    assert_true(studio_loudest(sound, 75000, 18000) < 0.01);
    assert_fails(
        studio_run(&studio, "{\"layer\":{\"layers\":[{\"timeline\":[{\"media\":{\"input\":1}}]}]}}", "out.mp4", inputs),
        &studio.err, CS_INVALID_ARGUMENT, "no_main_layer");
    assert_non_null(strstr(studio.err.message, "No main layer found"));
}

TEST(sy_102_length_is_that_of_the_plan_the_main_layer_or_the_first) {
    static const struct {
        const char *plan;
        int frames;
    } cases[] = {
        {"\"outputDuration\":0.4,\"layers\":[{\"media\":{\"input\":1}}]", 10},
        {"\"outputDuration\":1.6,\"layers\":[{\"media\":{\"input\":1}}]", 40},
        {"\"layers\":[{\"media\":{\"input\":1}}]", 25},
        {"\"layers\":[{\"media\":{\"input\":1},\"duration\":0.6}]", 15},
        {"\"layers\":[{\"media\":{\"input\":2},\"main\":true},{\"media\":{\"input\":1}}]", 30}, /* an image has 30/s */
        {"\"layers\":[{\"media\":{\"input\":2},\"duration\":0.5}]", 15},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", gray_film);
    const char *red = studio_make(&studio, "red.png", "-f lavfi -i color=red:s=64x64 -frames:v 1");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan = cs_arena_sprintf(studio.arena, "{\"layer\":{%s}}", cases[i].plan);
        const Callsheet__V1__MediaFacts *facts =
            studio_must(&studio, plan, "out.mp4", (const char *[]){film, red, NULL});
        assert_int_equal(facts->video->frame_count, cases[i].frames);
    }
    assert_fails(studio_run(&studio, "{\"layer\":{\"layers\":[{\"media\":{\"input\":2}}]}}", "out.mp4",
                            (const char *[]){film, red, NULL}),
                 &studio.err, CS_INVALID_ARGUMENT, "no_duration");
}

TEST(sy_103_backgrounds_share_the_time_and_are_looped) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *actor = studio_make(&studio, "actor.mp4",
                                    "-f lavfi -i \"color=0x00FF00:s=320x180:r=25:d=2,drawbox=120:50:80:80:red:fill\" "
                                    "-f lavfi -i sine=d=2 -c:a aac -c:v libx264 -qp 12");
    /* 10 frames: 5 white, 5 black */
    const char *blink = studio_make(&studio, "blink.mp4",
                                    "-f lavfi -i \"color=white:s=64x64:r=25:d=0.4,drawbox=0:0:64:64:black:fill:enable="
                                    "'gte(n,5)'\" -c:v libx264 -qp 8");
    const char *blue = studio_make(&studio, "blue.png", "-f lavfi -i color=blue:s=100x300 -frames:v 1");
    const Callsheet__V1__MediaFacts *facts = studio_must(
        &studio, "{\"replaceGreenScreen\":{\"video\":{\"input\":1},\"background\":[{\"input\":2},{\"input\":3}]}}",
        "out.mp4", (const char *[]){actor, blink, blue, NULL});
    assert_int_equal(facts->video->frame_count, 50);
    assert_non_null(facts->audio);
    struct view view = see(&studio, WIDTH, HEIGHT);
    for (size_t frame = 0; frame < 50; frame++) {
        bool white = pixel(&view, frame, 20, 90)[0] > 200;
        if (white != (frame < 25 && frame % 10 < 5)) {
            fail_msg("frame %zu is wrong", frame);
        }
        assert_color(&view, frame, 160, 90, 254, 0, 0);
    }
    assert_color(&view, 30, 20, 20, 0, 0, 254); /* fills the picture */
    free(view.rgb);
    assert_int_not_equal(
        studio_run(&studio,
                   "{\"replaceGreenScreen\":{\"video\":{\"input\":1},\"background\":[{\"input\":2},{\"input\":9}]}}",
                   "out.mp4", (const char *[]){actor, blink, NULL}),
        CS_OK);
    assert_string_equal(studio.err.path, "background[1]");
}

TEST(sy_097_a_layer_that_begins_again_is_heard_again) {
    static const struct {
        struct flash_film film;
        size_t flashes; /* in 4 s */
    } cases[] = {
        {{.rate_num = 30, .frames = 30}, 4},
        {{.rate_num = 25, .frames = 37}, 3}, /* 44 frames of the output */
        {{.rate_num = 30000, .rate_den = 1001, .frames = 60}, 4},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *black = studio_make(&studio, "black.mp4", "-f lavfi -i color=black:s=160x120:r=30:d=4");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *film = flash_make(&studio, "film.mp4", &cases[i].film);
        (void)studio_must(&studio,
                          "{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"main\":true},{\"media\":{\"input\":2},"
                          "\"loop\":true,\"volume\":0.8}]}}",
                          "out.mp4", (const char *[]){black, film, NULL});
        struct flash_sight sight = flash_look(&studio, "out.mp4", 30, 1);
        flash_expect(&sight, cases[i].flashes, 30, 1);
    }
}

/* Green on the left; of the red on the right the upper third is opaque, the middle half of it, the lower not at all. */
TEST(sy_099_what_was_transparent_before_the_key_stays_so) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", "-f lavfi -i color=blue:s=320x180:r=25:d=0.4");
    const char *actor = studio_make(&studio, "actor.png",
                                    "-f lavfi -i \"color=black:s=320x180,format=rgba,geq=r='255*gte(X,160)':"
                                    "g='255*lt(X,160)':b=0:a='255*lt(Y,60)+128*between(Y,60,119)'\" -frames:v 1");
    (void)studio_must(&studio,
                      "{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"main\":true},{\"media\":{\"input\":2},"
                      "\"chromaKey\":true}]}}",
                      "out.mp4", (const char *[]){film, actor, NULL});
    struct view view = see(&studio, WIDTH, HEIGHT);
    for (size_t frame = 0; frame < 10; frame += 9) {
        assert_color(&view, frame, 80, 30, 0, 0, 254);
        assert_color(&view, frame, 80, 90, 0, 0, 254);
        assert_color(&view, frame, 80, 150, 0, 0, 254);
        assert_color(&view, frame, 240, 30, 254, 0, 0);
        assert_color(&view, frame, 240, 90, 128, 0, 127);
        assert_color(&view, frame, 240, 150, 0, 0, 254);
    }
    free(view.rgb);
}

TEST(sy_097_an_animation_moves_and_starts_again) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", gray_film);
    /* red for 0.2 s, blue for 0.2 s */
    const char *gif = studio_make(&studio, "blink.gif",
                                  "-f lavfi -i \"color=red:s=64x64:r=10:d=0.4,drawbox=0:0:64:64:blue:fill:enable="
                                  "'gte(n,2)'\"");
    studio_must(&studio,
                "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"placement\":{\"words\":"
                "\"center\"}}]}}",
                "out.mp4", (const char *[]){film, gif, NULL});
    struct view view = see(&studio, WIDTH, HEIGHT);
    for (size_t frame = 0; frame < 25; frame++) {
        if (is_red(pixel(&view, frame, 160, 90)) != (frame % 10 < 5)) {
            fail_msg("frame %zu is wrong", frame);
        }
    }
    free(view.rgb);
}

TEST(sy_097_layers_keep_picture_and_sound_together) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film =
        flash_make(&studio, "film.mp4", &(struct flash_film){.rate_num = 30000, .rate_den = 1001, .frames = 450});
    const char *box = studio_make(&studio, "box.png", "-f lavfi -i color=red:s=20x20 -frames:v 1");
    studio_must(&studio,
                "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"placement\":{\"words\":"
                "\"top-left\"}}]}}",
                "out.mp4", (const char *[]){film, box, NULL});
    struct flash_sight sight = flash_look(&studio, "out.mp4", 30000, 1001);
    flash_expect(&sight, 15, 30000, 1001);
    /* as a layer that is not the main one, later */
    const char *black = studio_make(&studio, "black.mp4", "-f lavfi -i color=black:s=160x120:r=30000/1001:d=17");
    studio_must(
        &studio,
        "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},\"start\":1,\"volume\":1}]}}",
        "out.mp4", (const char *[]){black, film, NULL});
    sight = flash_look(&studio, "out.mp4", 30000, 1001);
    flash_expect(&sight, 15, 30000, 1001);
}

TEST(sy_097_what_cannot_be_a_layer_is_refused_with_its_path) {
    static const struct {
        const char *layer;
        const char *path;
        const char *reason;
    } cases[] = {
        {"{\"media\":{\"input\":2}}", "layers[1].media", "no_video"},
        {"{\"media\":{\"input\":9}}", "layers[1].media", "no_input"},
        {"{\"timeline\":[{\"media\":{\"input\":2}}]}", "layers[1].timeline[0].media", "no_video"},
        {"{\"media\":{\"input\":1},\"placement\":{\"width\":\"1/0\"}}", "layers[1].placement.width", "bad_expression"},
        {"{\"media\":{\"input\":1},\"placement\":{\"width\":\"iw-320\"}}", "layers[1].placement.width", "out_of_range"},
        {"{\"media\":{\"input\":1},\"opacity\":2}", "layers[1].opacity", "out_of_range"},
        {"{\"media\":{\"input\":1},\"chromaKey\":true,\"chromaKeyColor\":\"grass\"}", "layers[1].chromaKeyColor",
         "bad_color"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", gray_film);
    const char *sound = studio_make(&studio, "sound.wav", "-f lavfi -i sine=d=1");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const char *plan =
            cs_arena_sprintf(studio.arena, "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},%s]}}", cases[i].layer);
        assert_fails(studio_run(&studio, plan, "out.mp4", (const char *[]){film, sound, NULL}), &studio.err,
                     CS_INVALID_ARGUMENT, cases[i].reason);
        assert_string_equal(studio.err.path, cases[i].path);
    }
}

TEST(sy_097_real_media_can_be_layers) {
    static const char *const names[] = {"images/logo_alpha_256.png",
                                        "images/animation_circle.gif",
                                        "images/exif_orientation_6_landscape.jpg",
                                        "video/no_duration_header_720p15_vp9_opus.webm",
                                        "video/phone_iphone_portrait_h264_aac_mono_rot90.mov",
                                        "video/phone_dolby_vision_hlg_hevc10_rot90_5frames.mov"};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = studio_make(&studio, "film.mp4", gray_film);
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        const char *piece = studio_real(&studio, names[i]);
        for (int keyed = 0; piece != NULL && keyed < 2; keyed++) {
            const char *plan =
                cs_arena_sprintf(studio.arena,
                                 "{\"layer\":{\"layers\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2},"
                                 "\"chromaKey\":%s,\"placement\":{\"words\":\"pip\"},\"fit\":\"contain\"}]}}",
                                 keyed ? "true" : "false");
            studio_must(&studio, plan, "out.mp4", (const char *[]){film, piece, NULL});
        }
    }
    const char *man = studio_real(&studio, "video/man_green_screen_720p30_h264_aac_24s.mp4");
    const char *flower = studio_real(&studio, "video/flower_960x540p2997_h264_aac_5s.mp4");
    if (man != NULL && flower != NULL) {
        studio_must(&studio,
                    "{\"layer\":{\"outputDuration\":0.2,\"outputWidth\":320,\"layers\":[{\"media\":{\"input\":2}},"
                    "{\"media\":{\"input\":1},\"chromaKey\":true}]}}",
                    "out.mp4", (const char *[]){man, flower, NULL});
        struct view view = see(&studio, WIDTH, HEIGHT);
        for (int x = 0; x < WIDTH; x++) {
            const uint8_t *got = pixel(&view, 3, x, 10);
            assert_false(got[1] > got[0] + 100 && got[1] > got[2] + 100);
        }
        free(view.rgb);
    }
}

TEST_MAIN(CS_TEST(sy_097_layers_lie_where_their_placements_say), CS_TEST(sy_097_a_layer_over_the_edge_is_cut_off_there),
          CS_TEST(sy_099_keyed_green_is_gone_and_what_stands_before_it_stays),
          CS_TEST(sy_097_opacity_is_exact_within_two_levels),
          CS_TEST(sy_097_a_layer_is_there_from_its_start_to_its_end_to_the_frame),
          CS_TEST(sy_097_higher_layers_hide_lower_ones), CS_TEST(sy_097_transparency_of_every_kind_shows_what_is_below),
          CS_TEST(sy_100_media_of_a_timeline_share_what_is_left),
          CS_TEST(sy_101_the_main_layer_gives_size_rate_length_and_sound),
          CS_TEST(sy_102_length_is_that_of_the_plan_the_main_layer_or_the_first),
          CS_TEST(sy_103_backgrounds_share_the_time_and_are_looped),
          CS_TEST(sy_097_a_layer_that_begins_again_is_heard_again),
          CS_TEST(sy_099_what_was_transparent_before_the_key_stays_so),
          CS_TEST(sy_097_an_animation_moves_and_starts_again), CS_TEST(sy_097_layers_keep_picture_and_sound_together),
          CS_TEST(sy_097_what_cannot_be_a_layer_is_refused_with_its_path), CS_TEST(sy_097_real_media_can_be_layers))
