/* How much memory jobs take, and that it does not depend on how long their inputs are, nor on how many. */
#include <stdio.h>

#include "bench.h"

enum { TIMES = 4, SHORT_S = 4, CLIPS = 125 };

/* 1: the film, 2: a short one behind or over it. */
static const struct {
    const char *name;
    const char *operations;
    const char *more; /* a further input; NULL: none */
} rows[] = {
    {"transition",
     "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
     "\"transition\":{\"type\":\"fade\",\"duration\":1}}}",
     "memory-1.mp4"},
    {"reverse", "{\"reverse\":{\"video\":{\"input\":1}}}", NULL},
    {"speed", "{\"speed\":{\"video\":{\"input\":1},\"factor\":2}}", NULL},
    {"layer",
     "{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"main\":true},"
     "{\"media\":{\"input\":2},\"placement\":{\"words\":\"pip\"},\"loop\":true}]}}",
     "memory-1.mp4"},
    {"green", "{\"replaceGreenScreen\":{\"video\":{\"input\":1},\"background\":[{\"input\":2}]}}", "memory-1.mp4"},
    {"stabilise", "{\"stabilise\":{\"video\":{\"input\":1}}}", NULL},
    {"denoise", "{\"denoise\":{\"video\":{\"input\":1},\"picture\":\"high\",\"sound\":\"high\"}}", NULL},
    {"smart", "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"9:16\",\"mode\":\"smart\"}}", NULL},
    {"blur", "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"9:16\",\"mode\":\"blurPad\"}}", NULL},
    {"captions", "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":2}}}", "words.srt"},
    {"chain",
     "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}],"
     "\"transition\":{\"type\":\"fade\",\"duration\":1}}},"
     "{\"reframe\":{\"video\":{\"step\":1},\"aspectRatio\":\"9:16\",\"mode\":\"blurPad\"}},"
     "{\"addSubtitles\":{\"video\":{\"step\":2},\"text\":\"one two three\"}}]",
     "memory-1.mp4"},
};

struct table {
    double growth;
    double largest_mb;
};

static enum cs_status measure(struct media_bench *bench, const char *name, const struct job *less,
                              const struct job *more, struct table *table, struct cs_err *err) {
    struct usage one;
    struct usage many;
    CS_TRY(bench_ours(bench, less, &one, err));
    CS_TRY(bench_ours(bench, more, &many, err));
    double growth = many.rss_mb / one.rss_mb;
    (void)printf("  %-19s %8.0f %8.0f %8.2f\n", name, one.rss_mb, many.rss_mb, growth);
    (void)fflush(stdout);
    figure_quiet(&bench->figures, cs_arena_sprintf(bench->arena, "memory_%s_mb", name), many.rss_mb);
    figure_quiet(&bench->figures, cs_arena_sprintf(bench->arena, "memory_%s_growth", name), growth);
    table->growth = growth > table->growth ? growth : table->growth;
    table->largest_mb = many.rss_mb > table->largest_mb ? many.rss_mb : table->largest_mb;
    return CS_OK;
}

static enum cs_status make_inputs(struct media_bench *bench, struct cs_err *err) {
    struct usage usage;
    const char *const commands[] = {
        cs_arena_sprintf(bench->arena, "-i film.mp4 -t %d -c copy memory-1.mp4", (int)SHORT_S),
        cs_arena_sprintf(bench->arena, "-i film.mp4 -t %d -c copy memory-4.mp4", SHORT_S * TIMES),
        "-i film.mp4 -t 1 -vf scale=320:180 -c:v libx264 -preset veryfast -c:a aac tiny-1.mp4",
        "-i film.mp4 -t 1 -vf scale=160:90 -c:v libx264 -preset veryfast -c:a aac tiny-2.mp4",
    };
    for (size_t i = 0; i < CS_COUNT(commands); i++) {
        CS_TRY(bench_ffmpeg(bench, commands[i], &usage, err));
    }
    return CS_OK;
}

/* Of two films in turns, each item opened anew. */
static const char *merge_of(const struct media_bench *bench, size_t clips) {
    CS_AUTO_BUF json = {0};
    cs_buf_puts(&json, "{\"merge\":{\"items\":[");
    for (size_t i = 0; i < clips; i++) {
        cs_buf_printf(&json, "%s{\"media\":{\"input\":%zu},\"duration\":0.2}", i > 0 ? "," : "", i % 2 + 1);
    }
    cs_buf_puts(&json, "]}}");
    return cs_arena_sprintf(bench->arena, "%.*s", (int)json.size, (const char *)json.data);
}

static enum cs_status measure_all(struct media_bench *bench, struct table *table, struct cs_err *err) {
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        const struct job less = {rows[i].operations, {"memory-1.mp4", rows[i].more}, "memory.mp4"};
        const struct job more = {rows[i].operations, {"memory-4.mp4", rows[i].more}, "memory.mp4"};
        CS_TRY(measure(bench, rows[i].name, &less, &more, table, err));
    }
    const struct job few = {merge_of(bench, CLIPS), {"tiny-1.mp4", "tiny-2.mp4"}, "memory.mp4"};
    const struct job many = {merge_of(bench, TIMES * CLIPS), {"tiny-1.mp4", "tiny-2.mp4"}, "memory.mp4"};
    return measure(bench, "clips", &few, &many, table, err);
}

enum cs_status bench_memory(struct media_bench *bench, struct cs_err *err) {
    struct table table = {0};
    int64_t rounds = bench->rounds;
    (void)printf("memory of jobs on 1080p    %d s     %d s   growth (clips: %d and %d small ones)\n", (int)SHORT_S,
                 SHORT_S * TIMES, (int)CLIPS, TIMES * CLIPS);
    CS_TRY(make_inputs(bench, err));
    bench->rounds = 1;
    enum cs_status status = measure_all(bench, &table, err);
    bench->rounds = rounds;
    figure(&bench->figures, "memory_largest_mb", table.largest_mb, "MB", "largest of these");
    figure(&bench->figures, "memory_growth", table.growth, "x", "worst growth with four times as much to do");
    return status;
}
