/* COVERS copy/nal.c sets.c plan.c: what may be copied, from bits and from lists of pictures. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "copy/plan.h"
#include "cs/base/text.h"
#include "cs/test.h"

/* ---- plans ---- */

/* Pictures in order of decoding, by the frame at which they are shown. K: closes its group; k: a key picture that does
 * not; !: broken; -: hidden. */
static struct med_copy_index index_of(const char *pictures) {
    struct med_copy_index index = {.entries = cs_alloc_array(strlen(pictures), sizeof(struct med_copy_entry))};
    while (*pictures != '\0') {
        struct med_copy_entry *entry = &index.entries[index.count++];
        char mark = isdigit((unsigned char)*pictures) ? ' ' : *pictures++;
        char *end = NULL;
        entry->frame = (int32_t)strtol(pictures, &end, 10);
        entry->spot = (struct med_spot){.pts = entry->frame * 100, .dts = (int64_t)index.count * 100};
        entry->flags = mark == '-' ? 0 : MED_ENTRY_SHOWN;
        entry->flags |= mark == 'K' ? MED_ENTRY_KEY | MED_ENTRY_CLOSED : mark == 'k' ? MED_ENTRY_KEY : 0;
        entry->flags |= mark == '!' ? MED_ENTRY_BROKEN : 0;
        pictures = *end == ' ' ? end + 1 : end;
    }
    return index;
}

/* "copy FIRST…LAST" and "encode FIRST…LAST from SPOT", each once. */
static void expect_plan(const char *pictures, int64_t first, int64_t frames, const char *expected) {
    struct med_copy_index index = index_of(pictures);
    struct med_copy_parts parts = {0};
    CS_AUTO_BUF text = {0};
    med_copy_plan(&index, first, frames, 1000, &parts);
    int64_t out = 1000;
    for (size_t i = 0; i < parts.count; i++) {
        const struct med_copy_part *part = &parts.list[i];
        assert_int_equal(part->out, out);
        out += part->frames;
        cs_buf_printf(&text, "%s%s %d-%d", i > 0 ? ", " : "", part->copied ? "copy" : "encode", (int)part->first,
                      (int)(part->first + part->frames - 1));
        if (part->copied) {
            cs_buf_printf(&text, "%s last %d late %d", part->cut ? " cut" : "", (int)part->last_key_frame,
                          part->reorder);
        } else {
            cs_buf_printf(&text, " from %d", (int)(part->from.pts / 100));
        }
    }
    assert_int_equal(out, 1000 + frames);
    assert_string_equal(text.data, expected);
    med_copy_parts_fini(&parts);
    free(index.entries);
}

#define GROUP_0 "K0 4 2 1 3 8 6 5 7 "
#define GROUP_9 "K9 13 11 10 12 17 15 14 16 "
#define GROUP_18 "K18 22 20 19 21 26 24 23 25 "

TEST(whole_groups_are_copied_as_one_run) {
    expect_plan(GROUP_0 GROUP_9 GROUP_18, 0, 27, "copy 0-26 last 18 late 2");
    expect_plan(GROUP_0 GROUP_9 GROUP_18, 9, 9, "copy 9-17 last 9 late 2");
}

TEST(a_stretch_that_begins_inside_a_group_is_encoded_up_to_the_next) {
    expect_plan(GROUP_0 GROUP_9 GROUP_18, 3, 24, "encode 3-8 from 0, copy 9-26 last 18 late 2");
}

TEST(a_run_ends_where_its_pictures_are_neighbours_in_both_orders) {
    /* 22 comes before 19 and 20: only 18 is whole when the stretch ends at 20 */
    expect_plan(GROUP_0 GROUP_9 GROUP_18, 9, 12, "copy 9-18 cut last 18 late 2, encode 19-20 from 18");
    expect_plan(GROUP_0 GROUP_9 GROUP_18, 9, 14, "copy 9-22 cut last 18 late 2");
}

TEST(short_runs_and_open_groups_are_encoded) {
    expect_plan(GROUP_0 GROUP_9 GROUP_18, 5, 7, "encode 5-11 from 0");
    expect_plan("K0 4 2 1 3 k9 7 5 6 8 13 11 10 12", 3, 11, "encode 3-13 from 0");
    expect_plan("K0 1 2 3 4 5 6 7 8 k9 10 k11 12 13", 13, 1, "encode 13-13 from 9"); /* one key picture more */
}

TEST(what_is_broken_hidden_missing_or_there_twice_ends_a_run) {
    expect_plan("K0 1 2 3 4 5 6 7 8 !9 10 11 K12 13 14 15 16 17 18 19", 0, 20,
                "copy 0-8 cut last 0 late 0, encode 9-11 from 0, copy 12-19 last 12 late 0");
    expect_plan("-0 -1 -2 3 4 K5 6 7 8 9 10 11 12", 3, 10, "encode 3-4 from 0, copy 5-12 last 5 late 0");
    expect_plan("K0 1 2 3 4 5 6 7 8 10 11 12 13 14 15", 0, 16, "copy 0-8 cut last 0 late 0, encode 9-15 from 0");
    expect_plan("K0 1 2 3 3 5 6 7 8 9", 0, 10, "encode 0-9 from 0"); /* as many pictures as frames */
}

/* ---- bits ---- */

static const uint8_t h264_sets[] = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x0f, 0x88, 0, 0, 1, 0x68, 0xcb, 0x8c};
static const uint8_t avcc[] = {1,    0x42, 0xc0, 0x0a, 0xff, 0xe1, 0, 7,    0x67, 0x42, 0xc0,
                               0x0a, 0xd9, 0x0f, 0x88, 1,    0,    3, 0x68, 0xcb, 0x8c};

static bool read_sets(const uint8_t *bytes, size_t size, enum AVCodecID codec, struct cs_arena *arena,
                      struct med_sets *sets) {
    uint8_t *copy = cs_alloc(size + AV_INPUT_BUFFER_PADDING_SIZE);
    memcpy(copy, bytes, size);
    const AVCodecParameters params = {.codec_id = codec, .extradata = copy, .extradata_size = (int)size};
    bool good = med_sets_read(&params, arena, sets);
    free(copy);
    return good;
}

TEST(parameter_sets_are_the_same_in_both_headers) {
    struct cs_arena *arena = cs_arena_create();
    struct med_sets a;
    struct med_sets b;
    assert_true(read_sets(h264_sets, sizeof(h264_sets), AV_CODEC_ID_H264, arena, &a));
    assert_true(read_sets(avcc, sizeof(avcc), AV_CODEC_ID_H264, arena, &b));
    assert_int_equal(a.length_size, 0);
    assert_int_equal(b.length_size, 4);
    assert_int_equal(b.count, 2);
    assert_true(med_sets_equal(&a, &b));
    assert_int_equal(b.list[0].id, 0);
    assert_int_equal(b.list[1].parent, 0);
    assert_int_equal(med_sets_free_id(&b, 31), 1);
    for (size_t size = 0; size < sizeof(avcc); size++) {
        assert_false(read_sets(avcc, size, AV_CODEC_ID_H264, arena, &b));
    }
    cs_arena_destroy(arena);
}

TEST(packets_lose_their_sets_and_delimiters_and_nothing_else) {
    static const uint8_t packet[] = {0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 3, 0x68, 0xcb, 0x8c, 0, 0, 0, 3, 0x65, 0x88, 0x84};
    static const uint8_t kept[] = {0, 0, 0, 1, 0x65, 0x88, 0x84};
    struct cs_arena *arena = cs_arena_create();
    struct med_sets sets;
    CS_AUTO_BUF out = {0};
    assert_true(read_sets(avcc, sizeof(avcc), AV_CODEC_ID_H264, arena, &sets));
    assert_true(med_sets_put_packet(&sets, packet, sizeof(packet), &out));
    assert_int_equal(out.size, sizeof(kept));
    assert_memory_equal(out.data, kept, sizeof(kept));
    assert_true(med_sets_cover_packet(&sets, packet, sizeof(packet)));
    assert_true(med_nal_look(AV_CODEC_ID_H264, 4, packet, sizeof(packet)).start);
    assert_true(med_nal_look(AV_CODEC_ID_H264, 4, packet, sizeof(packet) - 1).damaged);
    assert_false(med_sets_put_packet(&sets, packet, sizeof(packet) - 1, &out));
    cs_arena_destroy(arena);
}

TEST(other_sets_inside_a_packet_are_noticed) {
    static const uint8_t packet[] = {0, 0, 0, 3, 0x68, 0xcb, 0x8d, 0, 0, 0, 3, 0x65, 0x88, 0x84};
    struct cs_arena *arena = cs_arena_create();
    struct med_sets sets;
    assert_true(read_sets(avcc, sizeof(avcc), AV_CODEC_ID_H264, arena, &sets));
    assert_false(med_sets_cover_packet(&sets, packet, sizeof(packet)));
    cs_arena_destroy(arena);
}

TEST(units_of_hevc_are_told_by_their_kind) {
    static const struct {
        uint8_t head[2];
        enum med_nal_kind kind;
    } units[] = {
        {{0x02, 1}, MED_NAL_PICTURE},    {{0x26, 1}, MED_NAL_START},       {{0x28, 1}, MED_NAL_START},
        {{0x2a, 1}, MED_NAL_OPEN_START}, {{0x20, 1}, MED_NAL_OPEN_START},  {{0x10, 1}, MED_NAL_LEADING},
        {{0x0c, 1}, MED_NAL_LEADING},    {{0x40, 1}, MED_NAL_SET},         {{0x44, 1}, MED_NAL_SET},
        {{0x46, 1}, MED_NAL_DELIMITER},  {{0x02, 9}, MED_NAL_UNSUPPORTED}, {{0x4e, 1}, MED_NAL_OTHER},
    };
    for (size_t i = 0; i < CS_COUNT(units); i++) {
        const struct med_nal nal = {.data = units[i].head, .size = 2, .type = units[i].head[0] >> 1};
        assert_int_equal(med_nal_kind(AV_CODEC_ID_HEVC, &nal), units[i].kind);
    }
}

/* ---- hostile bits ---- */

static uint32_t random_state = 1;

static uint32_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static void walk_all(enum AVCodecID codec, int length_size, const uint8_t *bytes, size_t size) {
    struct med_nal_walk walk = {.codec = codec, .length_size = length_size, .at = bytes, .end = bytes + size};
    struct med_nal nal;
    size_t seen = 0;
    while (med_nal_next(&walk, &nal)) {
        int id = 0;
        int parent = 0;
        assert_true(nal.data >= bytes && nal.data + nal.size <= bytes + size && nal.size > 0);
        seen += nal.size;
        (void)med_nal_kind(codec, &nal);
        if (med_nal_set_ids(codec, &nal, &id, &parent)) {
            assert_in_range(id, 0, 255);
            assert_true(parent >= -1 && parent <= 31);
        }
        (void)med_nal_has_fields(&nal);
    }
    assert_true(seen <= size);
}

/* Exactly as many bytes as there are, so that a checker sees every step beyond them. */
TEST(changed_bits_never_lead_outside_of_their_bytes) {
    enum { ROUNDS = 20000, SIZE_MAX_BYTES = 96 };
    struct cs_arena *arena = cs_arena_create();
    for (int round = 0; round < ROUNDS; round++) {
        const uint8_t *model = round % 2 == 0 ? avcc : h264_sets;
        size_t model_size = round % 2 == 0 ? sizeof(avcc) : sizeof(h264_sets);
        size_t size = 1 + random_bits() % SIZE_MAX_BYTES;
        uint8_t *bytes = cs_alloc(size);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = i < model_size ? model[i] : (uint8_t)(random_bits() % 4 == 0 ? random_bits() : 0);
        }
        for (uint32_t changes = random_bits() % 6; changes > 0; changes--) {
            bytes[random_bits() % size] = (uint8_t)random_bits();
        }
        for (int length_size = 0; length_size <= 4; length_size++) {
            walk_all(AV_CODEC_ID_H264, length_size, bytes, size);
            walk_all(AV_CODEC_ID_HEVC, length_size, bytes, size);
            (void)med_nal_look(AV_CODEC_ID_HEVC, length_size, bytes, size);
        }
        struct med_sets sets;
        (void)read_sets(bytes, size, AV_CODEC_ID_H264, arena, &sets);
        (void)read_sets(bytes, size, AV_CODEC_ID_HEVC, arena, &sets);
        free(bytes);
        cs_arena_reset(arena);
    }
    cs_arena_destroy(arena);
}

TEST_MAIN(CS_TEST(whole_groups_are_copied_as_one_run),
          CS_TEST(a_stretch_that_begins_inside_a_group_is_encoded_up_to_the_next),
          CS_TEST(a_run_ends_where_its_pictures_are_neighbours_in_both_orders),
          CS_TEST(short_runs_and_open_groups_are_encoded),
          CS_TEST(what_is_broken_hidden_missing_or_there_twice_ends_a_run),
          CS_TEST(parameter_sets_are_the_same_in_both_headers),
          CS_TEST(packets_lose_their_sets_and_delimiters_and_nothing_else),
          CS_TEST(other_sets_inside_a_packet_are_noticed), CS_TEST(units_of_hevc_are_told_by_their_kind),
          CS_TEST(changed_bits_never_lead_outside_of_their_bytes))
