/* What the tests of whole clips look through: it sees what is late. */
#include "sync.h"

#include <math.h>

#include "cs/test.h"

static const double late_s = 0.12;

static struct sync_film read_of(struct studio *studio, const char *name, const char *arguments) {
    return sync_read(studio, studio_make(studio, name, arguments), INFINITY, "");
}

TEST(pictures_and_sound_that_are_late_are_seen_to_be) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *path = studio_make(&studio, "in.mkv",
                                   "-f lavfi -i testsrc2=s=160x90:r=25:d=4 -f lavfi -i "
                                   "\"aevalsrc='0.3*sin(2*PI*(200+90*t)*t)':s=48000:d=4\" -c:v ffv1 -c:a pcm_s16le");
    const struct sync_part all = {.seconds = 3.6};
    struct sync_film source = sync_read(&studio, path, INFINITY, "");
    struct sync_film same =
        read_of(&studio, "same.mp4", cs_arena_sprintf(studio.arena, "-i '%s' -pix_fmt yuv420p -c:a aac", path));
    struct sync_film late_sound = read_of(
        &studio, "sound.mkv",
        cs_arena_sprintf(studio.arena, "-i '%s' -af adelay=%g:all=1 -c:v copy -c:a pcm_s16le", path, late_s * 1000));
    struct sync_film late_picture =
        read_of(&studio, "picture.mkv", cs_arena_sprintf(studio.arena, "-i '%s' -vf tpad=start=3 -c:v ffv1", path));
    double begin = NAN;
    double end = NAN;
    assert_true(sync_pictures(&same, &source, all) == 0);
    sync_sound(&same, &source, all, &begin, &end);
    assert_true(fabs(begin) < 0.002 && fabs(end) < 0.002);
    assert_true(sync_pictures(&late_sound, &source, all) == 0);
    sync_sound(&late_sound, &source, all, &begin, &end);
    assert_true(fabs(begin - late_s) < 0.002 && fabs(end - late_s) < 0.002);
    assert_true(sync_pictures(&late_picture, &source, all) > 0.079);
}

TEST_MAIN(CS_TEST(pictures_and_sound_that_are_late_are_seen_to_be))
