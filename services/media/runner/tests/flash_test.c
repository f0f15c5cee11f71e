/* COVERS tests/flash.c: the film that shows whether picture and sound keep together, and who looks at it. */
#include <math.h>

#include "cs/test.h"
#include "flash.h"

TEST(a_fresh_film_is_in_time_whatever_its_rate) {
    static const int rates[][2] = {{30000, 1001}, {25, 1}, {60, 1}, {24000, 1001}};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(rates); i++) {
        const struct flash_film film = {
            .rate_num = rates[i][0], .rate_den = rates[i][1], .frames = 5 * rates[i][0] / rates[i][1]};
        flash_make(&studio, "film.mp4", &film);
        struct flash_sight sight = flash_look(&studio, "film.mp4", rates[i][0], rates[i][1]);
        assert_int_equal(sight.frames, film.frames);
        flash_expect(&sight, 5, rates[i][0], rates[i][1]);
        assert_true(sight.offset_max < 24); /* half a millisecond: what AAC does to a tone */
        assert_true(sight.items[1].frame == round(1.5 * rates[i][0] / rates[i][1]));
    }
}

TEST(what_is_late_drifts_or_is_not_there_is_seen) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *film = flash_make(&studio, "film.mov", &(struct flash_film){.frames = 300, .encode = "-c:a pcm_s16le"});
    studio_make(&studio, "late.mov",
                cs_arena_sprintf(studio.arena, "-i %s -c:v copy -af adelay=50 -c:a pcm_s16le", film));
    struct flash_sight sight = flash_look(&studio, "late.mov", 30, 1);
    assert_true(fabs(sight.items[3].offset - 2400) < 5 && fabs(sight.offset_max - 2400) < 5);
    assert_true(fabs(sight.slope) < 0.01);
    studio_make(
        &studio, "slow.mov",
        cs_arena_sprintf(studio.arena, "-i %s -c:v copy -af asetrate=47952,aresample=48000 -c:a pcm_s16le", film));
    sight = flash_look(&studio, "slow.mov", 30, 1);
    assert_true(fabs(sight.slope - 60) < 1); /* a thousandth */
    studio_make(&studio, "mute.mov",
                cs_arena_sprintf(studio.arena,
                                 "-i %s -c:v copy -af \"volume=0:enable='between(t,2,3)'\" -c:a pcm_s16le", film));
    sight = flash_look(&studio, "mute.mov", 30, 1);
    assert_int_equal(sight.count, 10);
    assert_true(isinf(sight.offset_max) && isnan(sight.items[2].offset) && fabs(sight.items[3].offset) < 5);
}

TEST_MAIN(CS_TEST(a_fresh_film_is_in_time_whatever_its_rate), CS_TEST(what_is_late_drifts_or_is_not_there_is_seen))
