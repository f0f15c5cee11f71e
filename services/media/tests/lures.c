#include "lures.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/base/text.h"
#include "cs/test.h"

/* @ is what it names. */
static const struct {
    const char *name;
    const char *options;
    const char *text;
} texts[] = {
    {"hls.mp4", "-f hls", "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n@\n#EXT-X-ENDLIST\n"},
    {"hls_key.mp4", NULL,
     "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI=\"@\"\n#EXTINF:1,\n@\n#EXT-X-ENDLIST\n"},
    {"hls_master.m3u8", "-f hls", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n@\n"},
    {"dash.mp4", "-f dash",
     "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
     "mediaPresentationDuration=\"PT2S\" profiles=\"urn:mpeg:dash:profile:isoff-main:2011\"><Period duration=\"PT2S\">"
     "<AdaptationSet mimeType=\"video/mp4\" contentType=\"video\"><Representation id=\"1\" bandwidth=\"1000\" "
     "codecs=\"avc1\" width=\"16\" height=\"16\"><BaseURL>@</BaseURL></Representation></AdaptationSet></Period></MPD>"},
    {"concat.mp4", "-f concat -safe 0", "ffconcat version 1.0\nfile '@'\n"},
    {"session.mp4", NULL, "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=@\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"},
    {"picture.svg", NULL,
     "<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY x SYSTEM \"@\">]>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
     "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"64\" height=\"64\"><image xlink:href=\"@\" width=\"64\" "
     "height=\"64\"/><text>&x;</text></svg>"},
    {"words.ass", NULL,
     "[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,@,20\n"
     "[Events]\nFormat: Start, End, Style, Text\nDialogue: 0:00:00.00,0:00:01.00,Default,{\\fn@}hello\n"},
    {"words.srt", NULL, "1\n00:00:00,000 --> 00:00:01,000\n<font face=\"@\">movie=@,subtitles=@</font>\n"},
};

static char *put_in(struct cs_arena *arena, const char *text, const char *name) {
    CS_AUTO_BUF made = {0};
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '@') {
            cs_buf_puts(&made, name);
        } else {
            cs_buf_putc(&made, *at);
        }
    }
    cs_buf_putc(&made, '\0');
    return cs_arena_strdup(arena, (const char *)made.data);
}

static void write_file(const char *path, const void *bytes, size_t size_bytes) {
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
}

/* ---- a film whose pictures are said to lie in another file ---- */

enum { FILM_BYTES_MAX = 1 << 20, ALIAS_BYTES_MAX = 512, ENTRY_HEAD = 12, ALIAS_HEAD = 150, ABSOLUTE_PATH = 2 };

static void put_number(uint8_t *at, uint32_t value) {
    for (size_t i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static uint32_t get_number(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* An old Macintosh alias: nothing but an absolute path. */
static size_t make_alias(const char *target, uint8_t ret_entry[ALIAS_BYTES_MAX]) {
    size_t length = (strlen(target) + 1) & ~(size_t)1;
    size_t size = ENTRY_HEAD + ALIAS_HEAD + 4 + length + 4;
    assert_true(size <= ALIAS_BYTES_MAX);
    memset(ret_entry, 0, ALIAS_BYTES_MAX);
    put_number(ret_entry, (uint32_t)size);
    memcpy(ret_entry + 4, "alis", 4);
    uint8_t *record = ret_entry + ENTRY_HEAD + ALIAS_HEAD;
    put_number(record, (uint32_t)ABSOLUTE_PATH << 16 | (uint32_t)length);
    memcpy(record + 4, target, strlen(target));
    put_number(record + 4 + length, 0xFFFF0000); /* the end */
    return size;
}

static void grow_box(uint8_t *film, size_t size, const char *type, uint32_t by) {
    uint8_t *found = memmem(film, size, type, 4);
    assert_non_null(found);
    put_number(found - 4, get_number(found - 4) + by);
}

static const char *write_film(struct cs_arena *arena, const char *dir, const char *target) {
    static const char *const around[] = {"moov", "trak", "mdia", "minf", "dinf", "dref"};
    const char *path = cs_arena_sprintf(arena, "%s/elsewhere.mov", dir);
    const char *command = cs_arena_sprintf(arena,
                                           "ffmpeg -nostdin -v error -y -f lavfi -i color=s=64x64:d=1:r=5 -c:v mpeg4 "
                                           "-fflags bitexact -f mov '%s'",
                                           path);
    assert_int_equal(system(command), 0);
    uint8_t *film = cs_arena_alloc(arena, FILM_BYTES_MAX + ALIAS_BYTES_MAX);
    uint8_t entry[ALIAS_BYTES_MAX];
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    size_t size = fread(film, 1, FILM_BYTES_MAX, file);
    (void)fclose(file);
    uint8_t *own = memmem(film, size, "dref", 4);
    assert_non_null(own);
    own += 4 + 8; /* version, flags, count; its only entry says "in this file" */
    size_t alias = make_alias(target, entry);
    size_t old = get_number(own);
    memmove(own + alias, own + old, size - (size_t)(own + old - film));
    memcpy(own, entry, alias);
    for (size_t i = 0; i < CS_COUNT(around); i++) {
        grow_box(film, size, around[i], (uint32_t)(alias - old));
    }
    write_file(path, film, size + alias - old);
    return path;
}

/* ---- */

size_t lures_write(struct cs_arena *arena, const char *dir, const char *canary, const char *address,
                   struct lure ret_lures[LURES_MAX]) {
    size_t count = 0;
    const char *url = cs_arena_sprintf(arena, "file://%s", canary);
    for (size_t i = 0; i < CS_COUNT(texts); i++) {
        for (int file = 0; file < 2; file++) {
            const char *text = put_in(arena, texts[i].text, file != 0 ? url : address);
            const char *path = cs_arena_sprintf(arena, "%s/%s_%s", dir, file != 0 ? "file" : "address", texts[i].name);
            write_file(path, text, strlen(text));
            ret_lures[count++] = (struct lure){path, texts[i].options, file != 0};
        }
    }
    ret_lures[count++] =
        (struct lure){write_film(arena, dir, canary), "-enable_drefs 1 -use_absolute_path 1 -f mov", true};
    return count;
}
