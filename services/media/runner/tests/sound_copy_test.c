/* COVERS copy/sound.c sound_plan.c sound_edge.c, graph/aac.c: packets of sound that are copied into a merge, what is
 * heard where they meet, and when they are not. Heard through ffmpeg. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "graph/aac.h"
#include "studio.h"

enum {
    RATE = 48000,
    PLACE = 1024,
    FADE = 240,
    BLOCK = 128,
    NEAR = 7 * PLACE, /* a join gives way at most so far */
    CLIPS_MAX = 12
};

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})
#define AAC "-c:a aac -aac_pns 0 -ar 48000 -ac 2 "

static const double copied_db = -90; /* of full scale: nothing was done to it but adding floats in another order */
static const double edge_db = -18;   /* against the loudest nearby, of a short block */
static const double edge_floor_db = -58;

/* Sound goes on for longer than the picture: it has to be cut. */
static const char *film(struct studio *studio, const char *name, int frames, const char *sound, const char *encode) {
    return studio_make(studio, name,
                       cs_arena_sprintf(studio->arena,
                                        "-f lavfi -t %g -i testsrc2=s=64x64:r=25 -t %g %s -map 0:v -map 1:a "
                                        "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p %s",
                                        frames / 25.0, frames / 25.0 + 0.2, sound, encode));
}

static const char *merge_of(struct studio *studio, size_t count) {
    const char *items = "";
    for (size_t i = 0; i < count; i++) {
        items = cs_arena_sprintf(studio->arena, "%s%s{\"media\":{\"input\":%zu}}", items, i > 0 ? "," : "", i + 1);
    }
    return cs_arena_sprintf(studio->arena, "{\"merge\":{\"items\":[%s]}}", items);
}

static const Callsheet__V1__Quality *quality_of(const struct studio *studio) {
    assert_int_equal(studio->done->n_qualities, 1);
    return studio->done->qualities[0]->quality;
}

/* ---- what should be heard ---- */

struct piece {
    const char *name;
    size_t start; /* samples of the output */
    size_t length;
    float *samples;
    size_t count;
    int moved;
};

struct heard {
    float *samples;
    size_t count;
};

static double difference(const struct heard *out, const struct piece *piece, size_t from, size_t count, int moved) {
    double sum = 0;
    for (size_t i = from; i < from + count; i++) {
        double off = out->samples[piece->start + i + (size_t)moved] - piece->samples[i];
        sum += off * off;
    }
    return sum;
}

/* By how much the piece lies elsewhere in the output: by what fits in its middle. */
static int moved_by(const struct heard *out, const struct piece *piece) {
    int best = 0;
    double least = INFINITY;
    for (int moved = -PLACE; moved <= PLACE; moved++) {
        double off = difference(out, piece, piece->length / 2, (size_t)8 * PLACE, moved);
        best = off < least ? moved : best;
        least = off < least ? off : least;
    }
    return best;
}

static void add(struct heard *wanted, const struct piece *piece) {
    for (size_t i = 0; i < piece->length; i++) {
        size_t at = piece->start + i + (size_t)piece->moved;
        size_t left = piece->length - i;
        size_t left_of_all = at < wanted->count ? wanted->count - at : 0;
        left = left_of_all < left ? left_of_all : left;
        if (left > 0) {
            wanted->samples[at] += piece->samples[i] * (left <= FADE ? (float)left / (FADE + 1) : 1);
        }
    }
}

static bool is_near_join(const struct piece *pieces, size_t count, size_t at) {
    for (size_t i = 1; i < count; i++) {
        if (at + NEAR > pieces[i].start && at < pieces[i].start + NEAR) {
            return true;
        }
    }
    return at + NEAR > pieces[count - 1].start + pieces[count - 1].length;
}

static double power(const float *samples, const float *minus) {
    double sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        double value = samples[i] - (minus != NULL ? minus[i] : 0);
        sum += value * value;
    }
    return sum / BLOCK;
}

static double loudest_near(const struct heard *wanted, size_t at) {
    double loudest = 0;
    for (size_t from = at > PLACE ? at - PLACE : 0; from <= at + PLACE && from + BLOCK <= wanted->count;
         from += BLOCK) {
        double level = power(wanted->samples + from, NULL);
        loudest = level > loudest ? level : loudest;
    }
    return loudest;
}

static void compare(const struct heard *out, const struct heard *wanted, const struct piece *pieces, size_t count) {
    for (size_t at = 0; at + BLOCK <= wanted->count; at += BLOCK) {
        double off = power(out->samples + at, wanted->samples + at);
        double off_db = 10 * log10(off + 1e-20);
        double relative_db = 10 * log10((off + 1e-20) / (loudest_near(wanted, at) + 1e-20));
        bool good = off_db <= copied_db ||
                    (is_near_join(pieces, count, at) && (off_db <= edge_floor_db || relative_db <= edge_db));
        if (!good) {
            fail_msg("%s at %zu: off by %.1f dB of full scale, %.1f dB of what is near", pieces[0].name, at, off_db,
                     relative_db);
        }
    }
}

/* The merge is there; the packets of its sound are those of the pieces, and where they meet hardly anything is off. */
static void listen(struct studio *studio, const char *output, struct piece *pieces, size_t count) {
    const struct piece *last = &pieces[count - 1];
    struct heard out = {0};
    struct heard wanted = {.count = last->start + last->length};
    out.samples = studio_sound_in_time(studio, output, &out.count);
    wanted.samples = calloc(wanted.count, sizeof(float));
    assert_true(out.count >= wanted.count && out.count < wanted.count + 2 * PLACE);
    for (size_t i = 0; i < count; i++) {
        pieces[i].samples = studio_sound_in_time(studio, pieces[i].name, &pieces[i].count);
        assert_true(pieces[i].count > pieces[i].length);
        pieces[i].moved = moved_by(&out, &pieces[i]);
        assert_true(abs(pieces[i].moved) <= PLACE / 2);
        assert_true(i > 0 || pieces[i].moved == 0);
        add(&wanted, &pieces[i]);
    }
    compare(&out, &wanted, pieces, count);
    for (size_t i = 0; i < count; i++) {
        free(pieces[i].samples);
    }
    free(out.samples);
    free(wanted.samples);
}

/* Clips of so many frames, and more, each of its own sound: # is the clip's number. */
struct sounds {
    const char *name;
    const char *sound;
    const char *encode;
};

static void merge_and_listen(struct studio *studio, const struct sounds *sounds, int frames, size_t count,
                             double at_least) {
    struct piece pieces[CLIPS_MAX] = {0};
    const char *inputs[CLIPS_MAX + 1] = {0};
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        int of_clip = frames + (int)i;
        char *sound = cs_arena_strdup(studio->arena, sounds->sound);
        char *number = strchr(sound, '#');
        if (number != NULL) {
            *number = (char)('1' + i);
        }
        pieces[i] = (struct piece){
            .name = cs_arena_sprintf(studio->arena, "%s%zu.mp4", sounds->name, i),
            .start = at,
            .length = (size_t)of_clip * RATE / 25,
        };
        at += pieces[i].length;
        inputs[i] = film(studio, pieces[i].name, of_clip, sound, sounds->encode);
    }
    studio_must(studio, merge_of(studio, count), "merged.mp4", inputs);
    const Callsheet__V1__Quality *quality = quality_of(studio);
    if (quality->copied_share != 1 || quality->sound_copied_share < at_least) {
        fail_msg("%s: %.3f of the sound was copied: %s", sounds->name, quality->sound_copied_share,
                 quality->sound_copy_reason);
    }
    assert_string_equal(quality->sound_copy_reason, "");
    assert_true(quality->sound_moved_ms <= PLACE / 2 * 1000.0 / RATE);
    assert_true(fabs(quality->av_offset_ms) < 1 && fabs(quality->av_drift_ms) < 40);
    assert_true(llabs(quality->sample_count - quality->planned_sample_count) <= 2 * PLACE);
    assert_true(fabs(quality->loudness->integrated - studio_level(studio, "merged.mp4", "I:")) < 0.2);
    listen(studio, "merged.mp4", pieces, count);
}

TEST(a_merge_copies_the_packets_of_sound_and_its_joins_are_not_heard) {
    static const struct sounds all[] = {
        {"sine", "-f lavfi -i sine=4#7:r=48000", AAC},
        {"high", "-f lavfi -i sine=90#1:r=48000", AAC},
        {"noise", "-f lavfi -i anoisesrc=r=48000:c=pink:a=0.3:seed=#", AAC "-b:a 192k"},
        {"clicks", "-f lavfi -i \"aevalsrc='0.7*lt(mod(t+0.0#\\,0.11)\\,0.001)':s=48000\"", AAC},
        {"chirp", "-f lavfi -i \"aevalsrc='0.3*sin(2*PI*(200+#00*t)*t)|0.3*sin(900*t)':s=48000\"", AAC "-b:a 160k"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    for (size_t i = 0; i < CS_COUNT(all); i++) {
        merge_and_listen(&studio, &all[i], 73, 3, 0.9);
    }
}

TEST(voices_are_copied_too) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *voices = studio_real(&studio, "audio/voices_around_fire_stereo_30s.mp3");
    if (voices != NULL) {
        const struct sounds sounds = {"voices", cs_arena_sprintf(studio.arena, "-ss # -i '%s'", voices), AAC};
        merge_and_listen(&studio, &sounds, 73, 3, 0.9);
    }
}

TEST(offsets_of_many_clips_do_not_add_up) {
    static const struct sounds sounds = {"many", "-f lavfi -i anoisesrc=r=48000:c=pink:a=0.3:seed=#", AAC};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    merge_and_listen(&studio, &sounds, 31, 9, 0.8);
}

TEST(the_sound_of_one_clip_is_copied_from_its_first_packet_on) {
    static const struct sounds sounds = {"one", "-f lavfi -i sine=440:r=48000", AAC};
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    merge_and_listen(&studio, &sounds, 75, 1, 0.95);
    assert_true(quality_of(&studio)->sound_moved_ms == 0);
}

TEST(copied_sound_is_the_same_bytes_each_time) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *a = film(&studio, "a.mp4", 60, "-f lavfi -i sine=440:r=44100", "-c:a aac");
    const char *b = film(&studio, "b.mp4", 47, "-f lavfi -i anoisesrc=r=44100:c=brown:a=0.3", "-c:a aac -ac 1");
    studio_must(&studio, merge_of(&studio, 2), "first.mp4", INPUTS(a, b));
    assert_true(quality_of(&studio)->sound_copied_share > 0.9);
    studio_must(&studio, merge_of(&studio, 2), "second.mp4", INPUTS(a, b));
    studio_same(&studio, "first.mp4", "second.mp4");
}

/* ---- when it is not ---- */

TEST(sound_that_cannot_be_copied_is_encoded_and_the_report_says_why) {
    static const char sine[] = "-f lavfi -i sine=440:r=48000";
    static const struct {
        const char *name;
        int frames;
        const char *sound;
        const char *encode;
        const char *reason;
    } others[] = {
        {"mono.mp4", 50, sine, "-c:a aac -ac 1", "configuration"},
        {"rate.mp4", 50, sine, "-c:a aac -ac 2 -ar 44100", "configuration"},
        {"low.mp4", 50, sine, "-c:a aac -ac 2 -ar 22050", "codec"},
        {"codec.mp4", 50, sine, "-c:a libmp3lame", "codec"},
        {"container.mkv", 50, sine, AAC, "container"},
        {"none.mp4", 50, "-f lavfi -i anullsrc", "-an", "no_sound"},
        {"short.mp4", 12, sine, AAC, "short"},
        {"ends.mp4", 100, "-f lavfi -i sine=440:r=48000:d=2", AAC, "gaps"},
        {"jumps.mp4", 100, sine, AAC "-af \"aselect='not(between(t,1,1.5))'\"", "gaps"},
    };
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *good = film(&studio, "good.mp4", 50, sine, AAC);
    for (size_t i = 0; i < CS_COUNT(others); i++) {
        const char *other = film(&studio, others[i].name, others[i].frames, others[i].sound, others[i].encode);
        const Callsheet__V1__MediaFacts *facts =
            studio_must(&studio, merge_of(&studio, 3), "merged.mp4", INPUTS(good, other, good));
        const Callsheet__V1__Quality *quality = quality_of(&studio);
        assert_int_equal(facts->video->frame_count, 100 + others[i].frames);
        if (quality->sound_copied_share != 0 || strcmp(quality->sound_copy_reason, others[i].reason) != 0) {
            fail_msg("%s: %.2f copied: %s", others[i].name, quality->sound_copied_share, quality->sound_copy_reason);
        }
        assert_true(quality->copied_share == 1);
        assert_true(fabs(quality->av_offset_ms) < 1 && fabs(quality->av_drift_ms) < 40);
        assert_true(studio.progress_last == 1 && !studio.progress_fell);
    }
}

TEST(sound_whose_level_changes_is_encoded) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = film(&studio, "clip.mp4", 50, "-f lavfi -i sine=440:r=48000", AAC);
    studio_must(&studio, "{\"merge\":{\"items\":[{\"media\":{\"input\":1},\"volume\":0.5}]}}", "merged.mp4",
                INPUTS(clip));
    assert_string_equal(quality_of(&studio)->sound_copy_reason, "changed");
}

/* Half a place is more than a picture then. */
TEST(sound_is_not_moved_by_more_than_a_picture) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *clip = studio_make(&studio, "clip.mp4",
                                   "-f lavfi -i testsrc2=s=64x64:r=120:d=1.25 -f lavfi -i sine=440:r=48000:d=1.5 "
                                   "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p " AAC);
    studio_must(&studio, merge_of(&studio, 2), "merged.mp4", INPUTS(clip, clip));
    assert_string_equal(quality_of(&studio)->sound_copy_reason, "offset");
}

/* ---- headers ---- */

TEST(only_aac_lc_that_hides_nothing_is_plain) {
    static const struct {
        uint8_t header[8];
        int size;
        int rate;
        int channels;
        bool plain;
    } headers[] = {
        {{0x11, 0x90}, 2, 48000, 2, true},
        {{0x12, 0x08}, 2, 44100, 1, true},
        {{0x11, 0xb0}, 2, 48000, 6, true},
        {{0x11, 0x90, 0x56, 0xe5, 0x00}, 5, 48000, 2, true},  /* says that nothing is hidden */
        {{0x13, 0x90, 0x56, 0xe5, 0xa0}, 5, 44100, 2, false}, /* SBR */
        {{0x2b, 0x92, 0x08, 0x00}, 4, 44100, 2, false},       /* HE-AAC */
        {{0xeb, 0x8a, 0x08, 0x00}, 4, 44100, 2, false},       /* HE-AAC 2 */
        {{0x13, 0x90}, 2, 22050, 2, false},                   /* may hide SBR */
        {{0x11, 0x94}, 2, 48000, 2, false},                   /* 960 samples a frame */
        {{0x11, 0xb8}, 2, 48000, 8, false},
        {{0x11, 0x80}, 2, 48000, 2, false}, /* channels are told elsewhere */
        {{0x11, 0x90}, 2, 48000, 6, false}, /* the container says something else */
        {{0x11}, 1, 48000, 2, false},
    };
    for (size_t i = 0; i < CS_COUNT(headers); i++) {
        uint8_t header[8 + AV_INPUT_BUFFER_PADDING_SIZE] = {0};
        memcpy(header, headers[i].header, sizeof(headers[i].header));
        const AVCodecParameters params = {
            .codec_id = AV_CODEC_ID_AAC,
            .extradata = header,
            .extradata_size = headers[i].size,
            .sample_rate = headers[i].rate,
            .ch_layout = {.order = AV_CHANNEL_ORDER_UNSPEC, .nb_channels = headers[i].channels},
        };
        if (med_aac_is_plain(&params) != headers[i].plain) {
            fail_msg("header %zu", i);
        }
    }
}

TEST_MAIN(CS_TEST(a_merge_copies_the_packets_of_sound_and_its_joins_are_not_heard), CS_TEST(voices_are_copied_too),
          CS_TEST(offsets_of_many_clips_do_not_add_up),
          CS_TEST(the_sound_of_one_clip_is_copied_from_its_first_packet_on),
          CS_TEST(copied_sound_is_the_same_bytes_each_time),
          CS_TEST(sound_that_cannot_be_copied_is_encoded_and_the_report_says_why),
          CS_TEST(sound_whose_level_changes_is_encoded), CS_TEST(sound_is_not_moved_by_more_than_a_picture),
          CS_TEST(only_aac_lc_that_hides_nothing_is_plain))
