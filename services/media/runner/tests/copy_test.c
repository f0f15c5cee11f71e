/* COVERS copy/nal.c sets.c reader.c index.c plan.c edge.c splice.c splicer.c check.c copy.c: what is copied is the
 * source's own, frame by frame, whatever made the source. Looked at through ffmpeg. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "copy/nal.h"
#include "copy/plan.h"
#include "copy/sets.h"
#include "copy/splice.h"
#include "cs/test.h"
#include "graph/timeline.h"
#include "studio.h"

/* ---- frames by their hashes ---- */

enum { FRAMES_MAX = 2048, HASH_SIZE = 33 };

struct hashes {
    size_t count;
    char list[FRAMES_MAX][HASH_SIZE];
};

static struct hashes *hashes_of(struct studio *studio, const char *path) {
    struct hashes *hashes = cs_arena_alloc(studio->arena, sizeof(*hashes));
    const char *command = cs_arena_sprintf(
        studio->arena, "ffmpeg -nostdin -v error -xerror -i '%s' -map 0:v:0 -vsync passthrough -f framemd5 -", path);
    FILE *pipe = popen(command, "r");
    char line[256];
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe) != NULL) {
        const char *hash = strrchr(line, ' ');
        if (line[0] != '#' && hash != NULL) {
            assert_true(hashes->count < FRAMES_MAX);
            memcpy(hashes->list[hashes->count], hash + 1, HASH_SIZE - 1);
            hashes->count++;
        }
    }
    assert_int_equal(pclose(pipe), 0); /* no error while decoding either */
    return hashes;
}

/* A stretch of an input. */
struct stretch {
    const char *path;
    size_t from;
    size_t frames;
};

/* The output's frames, in number, and how many of them are the very ones of the stretches. */
static size_t same_frames(struct studio *studio, const char *output, const struct stretch *stretches) {
    const struct hashes *out = hashes_of(studio, studio_path(studio, output));
    size_t at = 0;
    size_t same = 0;
    for (; stretches->path != NULL; stretches++) {
        const struct hashes *in = hashes_of(studio, stretches->path);
        for (size_t i = 0; i < stretches->frames; i++, at++) {
            assert_true(at < out->count && stretches->from + i < in->count);
            same += strcmp(out->list[at], in->list[stretches->from + i]) == 0;
        }
    }
    assert_int_equal(at, out->count);
    return same;
}

static double copied_share(const struct studio *studio) {
    for (size_t i = 0; i < studio->done->n_metrics; i++) {
        if (strcmp(studio->done->metrics[i]->name, "copiedShare") == 0) {
            return studio->done->metrics[i]->value;
        }
    }
    fail_msg("no copiedShare");
    return 0;
}

/* What the report says was copied is the source's own, and it is at least so much. */
static void expect_copied(struct studio *studio, const char *output, const struct stretch *stretches, double at_least) {
    size_t frames = 0;
    for (size_t i = 0; stretches[i].path != NULL; i++) {
        frames += stretches[i].frames;
    }
    double share = copied_share(studio);
    size_t copied = (size_t)(share * (double)frames + 0.5);
    size_t same = same_frames(studio, output, stretches);
    if (share < at_least || same < copied) {
        fail_msg("%s: %zu of %zu frames copied, %zu the same", output, copied, frames, same);
    }
}

/* ---- sources ---- */

#define PICTURE "-f lavfi -i testsrc2=s=320x180:r=25:d=%d "
#define TONE "-f lavfi -i sine=440:r=48000:d=%d -c:a aac "
#define COLOURS "-pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv "

static const char *film(struct studio *studio, const char *name, int seconds, const char *encode) {
    const char *arguments = cs_arena_sprintf(studio->arena, PICTURE TONE COLOURS "%s", seconds, seconds, encode);
    return studio_make(studio, name, arguments);
}

/* 8 s of which 1.24 … 4.6 and 5.32 … 7.4 stay: frames 31 … 114 and 133 … 184. */
static const char two_cuts[] = "{\"cuts\":[{\"start\":\"0\",\"end\":\"1.24\",\"type\":\"cut\"},"
                               "{\"start\":\"1.24\",\"end\":\"4.60\",\"type\":\"keep\"},"
                               "{\"start\":\"4.60\",\"end\":\"5.32\",\"type\":\"cut\"},"
                               "{\"start\":\"5.32\",\"end\":\"7.40\",\"type\":\"keep\"},"
                               "{\"start\":\"7.40\",\"end\":\"8.00\",\"type\":\"cut\"}]}";

static const Callsheet__V1__MediaFacts *cut(struct studio *studio, const char *source, const char *output) {
    const char *plan = studio_write(studio, "plan.json", two_cuts, sizeof(two_cuts) - 1);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(studio, "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}", output,
                    (const char *[]){source, plan, NULL});
    assert_int_equal(facts->video->frame_count, 84 + 52);
    return facts;
}

#define STRETCHES(source)                                                                                              \
    (const struct stretch[]) {                                                                                         \
        {source, 31, 84}, {source, 133, 52}, {                                                                         \
            0                                                                                                          \
        }                                                                                                              \
    }

/* ---- cuts ---- */

TEST(a_cut_copies_the_frames_of_whole_groups_whatever_made_the_source) {
    static const struct {
        const char *name;
        const char *encode;
        double at_least;
    } sources[] = {
        {"fast.mp4", "-c:v libx264 -preset ultrafast -g 12", 0.7},
        {"medium.mp4", "-c:v libx264 -preset medium -g 12", 0.7},
        {"slow.mov", "-c:v libx264 -preset slow -g 12 -bf 5 -refs 6 -b_strategy 0", 0.6},
        {"baseline.mp4", "-c:v libx264 -profile:v baseline -g 12", 0.7},
        {"main.mkv", "-c:v libx264 -profile:v main -g 12 -bf 1", 0.7},
        {"stream.ts", "-c:v libx264 -preset medium -g 12 -bf 2", 0.7},
        {"other_id.mp4", "-c:v libx264 -x264-params sps-id=1:keyint=12", 0.7},
        {"slices.mp4", "-c:v libx264 -g 12 -slices 4", 0.7},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(sources); i++) {
        const char *source = film(&studio, sources[i].name, 8, sources[i].encode);
        const char *output = cs_arena_sprintf(studio.arena, "cut_%s.mp4", sources[i].name);
        const Callsheet__V1__MediaFacts *facts = cut(&studio, source, output);
        assert_string_equal(facts->video->codec, "h264");
        expect_copied(&studio, output, STRETCHES(source), sources[i].at_least);
        assert_true(studio.progress_last == 1 && !studio.progress_fell);
    }
}

TEST(a_cut_copies_hevc) {
    static const struct {
        const char *name;
        const char *encode;
    } sources[] = {
        {"closed.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=12:open-gop=0:bframes=3"},
        {"deep.mkv", "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params "
                     "log-level=none:keyint=12:open-gop=0"},
        {"stream.ts", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=12:open-gop=0"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(sources); i++) {
        const char *source = film(&studio, sources[i].name, 8, sources[i].encode);
        const char *output = cs_arena_sprintf(studio.arena, "cut_%s.mp4", sources[i].name);
        assert_string_equal(cut(&studio, source, output)->video->codec, "hevc");
        expect_copied(&studio, output, STRETCHES(source), 0.6);
    }
}

/* ---- a browser ---- */

static const char player[] = "<video id=v muted autoplay></video><script>\n"
                             "const v = document.getElementById('v'), say = (text) => console.log('player: ' + text);\n"
                             "v.onended = () => { const q = v.getVideoPlaybackQuality();"
                             " say('ended ' + q.totalVideoFrames + ' ' + q.corruptedVideoFrames); };\n"
                             "v.onerror = () => say('error ' + v.error.message);\n"
                             "v.src = 'cut.mp4';\n"
                             "</script>\n";

static pid_t start_browser(const char *profile, const char *page, int log) {
    pid_t pid = fork();
    if (pid == 0) {
        dup2(log, STDERR_FILENO);
        execlp("timeout", "timeout", "60", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
               "--autoplay-policy=no-user-gesture-required", "--enable-logging=stderr", profile, page, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

/* What the page says at the end of DIR/cut.mp4; "" when it says nothing in time. */
static const char *played(struct studio *studio) {
    const char *page =
        cs_arena_sprintf(studio->arena, "file://%s", studio_write(studio, "page.html", player, sizeof(player) - 1));
    const char *profile = studio_path(studio, "profile");
    const char *said = "";
    char line[4096];
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = start_browser(cs_arena_sprintf(studio->arena, "--user-data-dir=%s", profile), page, ends[1]);
    close(ends[1]);
    FILE *log = fdopen(ends[0], "r");
    while (said[0] == '\0' && fgets(line, sizeof(line), log) != NULL) {
        const char *found = strstr(line, "player: ");
        said = found == NULL ? "" : cs_arena_strndup(studio->arena, found + 8, strcspn(found + 8, "\""));
    }
    kill(pid, SIGTERM); /* timeout hands it on to all of the browser */
    waitpid(pid, NULL, 0);
    (void)fclose(log);
    (void)system(cs_arena_sprintf(studio->arena, "rm -rf '%s'", profile));
    return said;
}

TEST(a_browser_plays_what_was_copied_beside_what_was_encoded) {
    static const char *const presets[] = {"ultrafast", "slow"};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    if (system("command -v chromium >/dev/null") != 0) {
        print_message("skipped without chromium\n");
        return;
    }
    for (size_t i = 0; i < CS_COUNT(presets); i++) {
        const char *encode = cs_arena_sprintf(studio.arena, "-c:v libx264 -preset %s -g 12", presets[i]);
        cut(&studio, film(&studio, "source.mp4", 8, encode), "cut.mp4");
        assert_true(copied_share(&studio) > 0.6);
        assert_string_equal(played(&studio), "ended 136 0");
    }
}

/* ---- merges ---- */

static const char *short_film(struct studio *studio, const char *name, const char *picture, const char *encode) {
    const char *arguments =
        cs_arena_sprintf(studio->arena, "-f lavfi -i %s:d=2 " TONE COLOURS "%s", picture, 2, encode);
    return studio_make(studio, name, arguments);
}

#define X264 "-c:v libx264 -preset medium -g 25"
static const char merge_three[] = "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}},"
                                  "{\"media\":{\"input\":3}}]}}";

TEST(a_merge_of_clips_that_match_copies_all_of_them) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = short_film(&studio, "a.mp4", "testsrc2=s=320x180:r=25", X264);
    const char *b = short_film(&studio, "b.mkv", "gradients=seed=1:s=320x180:r=25", X264);
    const char *c = short_film(&studio, "c.ts", "testsrc=s=320x180:r=25", X264);
    const Callsheet__V1__MediaFacts *facts =
        studio_must(&studio, merge_three, "merged.mp4", (const char *[]){a, b, c, NULL});
    assert_int_equal(facts->video->frame_count, 150);
    expect_copied(&studio, "merged.mp4", (const struct stretch[]){{a, 0, 50}, {b, 0, 50}, {c, 0, 50}, {0}}, 1);
}

TEST(an_odd_clip_of_three_is_encoded_and_the_others_are_copied) {
    static const struct {
        const char *picture;
        const char *encode;
    } odd[] = {
        {"gradients=seed=1:s=640x180:r=25", X264},
        {"gradients=seed=1:s=320x180:r=24", X264},
        {"gradients=seed=1:s=320x180:r=25", "-c:v libx264 -preset ultrafast -profile:v baseline"},
        {"gradients=seed=1:s=320x180:r=25", "-c:v libx265 -x265-params log-level=none"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = short_film(&studio, "a.mp4", "testsrc2=s=320x180:r=25", X264);
    const char *c = short_film(&studio, "c.mp4", "testsrc=s=320x180:r=25", X264);
    for (size_t i = 0; i < CS_COUNT(odd); i++) {
        const char *b = short_film(&studio, "b.mp4", odd[i].picture, odd[i].encode);
        studio_must(&studio, merge_three, "merged.mp4", (const char *[]){a, b, c, NULL});
        const struct hashes *out = hashes_of(&studio, studio_path(&studio, "merged.mp4"));
        const struct hashes *first = hashes_of(&studio, a);
        const struct hashes *last = hashes_of(&studio, c);
        assert_int_equal(out->count, 150);
        assert_memory_equal(out->list[0], first->list[0], (size_t)50 * HASH_SIZE);
        assert_memory_equal(out->list[100], last->list[0], (size_t)50 * HASH_SIZE);
        assert_true(copied_share(&studio) > 0.66 && copied_share(&studio) < 0.67);
    }
}

TEST(a_clip_that_begins_inside_a_group_has_its_head_encoded) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *whole = film(&studio, "whole.mp4", 4, X264);
    const char *late = studio_make(
        &studio, "late.mp4", cs_arena_sprintf(studio.arena, "-ss 0.4 -i '%s' -c copy -movflags faststart", whole));
    studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}", "merged.mp4",
                (const char *[]){whole, late, NULL});
    assert_int_equal(studio.done->outputs[0]->video->frame_count, 190);
    expect_copied(&studio, "merged.mp4", (const struct stretch[]){{whole, 0, 100}, {whole, 10, 90}, {0}}, 0.9);
}

/* ---- what is not copied ---- */

/* Why nothing of frames 31 … 134 of it is copied into an output like it; NULL: some is. */
static const char *why_not(struct studio *studio, const char *path) {
    struct med_facts facts;
    struct med_clip clip = {.facts = &facts, .path = "video", .fd = open(path, O_RDONLY | O_CLOEXEC)};
    assert_true(clip.fd >= 0);
    assert_ok(med_facts_read(clip.fd, &facts, &studio->err), &studio->err);
    const struct med_piece piece = {.clip = &clip, .frames = 104};
    const struct med_made made = {
        .format = {.width = facts.video.width, .height = facts.video.height, .rate = med_facts_output_rate(&facts)},
        .frames = 104,
        .pieces = &piece,
        .piece_count = 1,
    };
    struct med_splice splice;
    clip.from_ticks = med_ticks_at_frame(31, made.format.rate);
    assert_ok(med_splice_plan(&made, studio->arena, &splice, &studio->err), &studio->err);
    const char *reason = splice.reason;
    assert_true((reason == NULL) == (splice.like != NULL));
    med_splice_fini(&splice);
    close(clip.fd);
    return reason;
}

TEST(what_must_change_or_cannot_be_proven_is_not_copied_and_says_why) {
    static const struct {
        const char *name;
        const char *encode;
        const char *reason;
    } sources[] = {
        {"good.mp4", "-c:v libx264 -g 12", NULL},
        {"open.mp4", "-c:v libx264 -g 12 -bf 3 -x264-params open-gop=1", "open_groups"},
        {"open_hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=12", "open_groups"},
        {"one_group.mp4", "-c:v libx264 -g 250 -sc_threshold 0", "no_whole_group"},
        {"few_groups.mp4", "-c:v libx264 -g 90 -sc_threshold 0", "not_worth_it"},
        {"codec.mp4", "-c:v mpeg4 -g 12", "codec"},
        {"container.avi", "-c:v libx264 -g 12 -bf 0", "container"},
        {"fields.mp4", "-c:v libx264 -g 12 -flags +ildct+ilme -x264-params tff=1", "interlaced"},
        {"gaps.mkv", "-c:v libx264 -g 12 -vf select='mod(n\\,7)' -vsync vfr", "variable_rate"},
        {"any_time.mkv", "-c:v libx264 -g 12 -vf settb=1/1000,setpts='PTS+mod(N*N\\,5)*9' -vsync passthrough",
         "frame_rate"},
        {"aspect.mp4", "-c:v libx264 -g 12 -vf setsar=4/3", "sample_aspect"},
        {"hdr.mp4",
         "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -color_trc smpte2084 -x265-params "
         "log-level=none:keyint=12:open-gop=0:transfer=smpte2084",
         "hdr"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(sources); i++) {
        const char *reason = why_not(&studio, film(&studio, sources[i].name, 8, sources[i].encode));
        const char *expected = sources[i].reason;
        if (reason != expected && (reason == NULL || expected == NULL || strcmp(reason, expected) != 0)) {
            fail_msg("%s: %s", sources[i].name, reason == NULL ? "copied" : reason);
        }
    }
    const char *turned =
        studio_make(&studio, "turned.mp4",
                    cs_arena_sprintf(studio.arena, "-i '%s/good.mp4' -c copy -metadata:s:v rotate=90", studio.dir));
    assert_string_equal(why_not(&studio, turned), "rotated");
}

/* The first slices of each group are broken: decoders cover that with what they saw before, which differs. */
TEST(a_copy_that_shows_other_pictures_than_its_source_is_encoded_again) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *whole = film(&studio, "whole.mp4", 8, "-c:v libx264 -g 12");
    const char *broken = studio_make(
        &studio, "broken.mp4",
        cs_arena_sprintf(studio.arena, "-i '%s' -c copy -bsf:v noise=amount='key*400+not(key)*100000000'", whole));
    cut(&studio, broken, "cut.mp4");
    assert_true(copied_share(&studio) == 0);
    assert_int_equal(hashes_of(&studio, studio_path(&studio, "cut.mp4"))->count, 136);
    assert_true(studio.progress_last == 1 && !studio.progress_fell);
}

TEST_MAIN(CS_TEST(a_cut_copies_the_frames_of_whole_groups_whatever_made_the_source), CS_TEST(a_cut_copies_hevc),
          CS_TEST(a_browser_plays_what_was_copied_beside_what_was_encoded),
          CS_TEST(a_merge_of_clips_that_match_copies_all_of_them),
          CS_TEST(an_odd_clip_of_three_is_encoded_and_the_others_are_copied),
          CS_TEST(a_clip_that_begins_inside_a_group_has_its_head_encoded),
          CS_TEST(what_must_change_or_cannot_be_proven_is_not_copied_and_says_why),
          CS_TEST(a_copy_that_shows_other_pictures_than_its_source_is_encoded_again))
