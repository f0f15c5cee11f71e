/* Where pictures are copied instead of encoded: against ffmpeg encoding all of them. */
#include <stdio.h>

#include "bench.h"
#include "cs/base/text.h"

static enum cs_status write_plan(const struct media_bench *bench, const char *name, double length_s, double every_s,
                                 double cut_s, struct cs_err *err) {
    FILE *file = fopen(cs_arena_sprintf(bench->arena, "%s/%s", bench->dir, name), "we");
    if (file == NULL) {
        return cs_fail(err, CS_UNAVAILABLE, "write_failed", "%s cannot be written", name);
    }
    double at = 0;
    (void)fprintf(file, "{\"cuts\":[");
    for (double next = every_s; next < length_s - cut_s; next += every_s) {
        (void)fprintf(file,
                      "{\"start\":%.2f,\"end\":%.2f,\"type\":\"keep\"},{\"start\":%.2f,\"end\":%.2f,\"type\":\"cut\"},",
                      at, next, next, next + cut_s);
        at = next + cut_s;
    }
    (void)fprintf(file, "{\"start\":%.2f,\"end\":%.2f,\"type\":\"keep\"}]}", at, length_s);
    return fclose(file) == 0 ? CS_OK : cs_fail(err, CS_UNAVAILABLE, "write_failed", "%s cannot be written", name);
}

/* Our CPU against that of ffmpeg which encodes everything, or one part of `parts` that cost the same. */
static enum cs_status compare(struct media_bench *bench, const char *name, const struct job *job, const char *ffmpeg,
                              int parts, const char *words, struct cs_err *err) {
    struct usage ours;
    struct usage runs[BENCH_COMMANDS_MAX];
    if (!cs_str_empty(bench->operation) && !cs_str_eq(bench->operation, name)) {
        return CS_OK;
    }
    CS_TRY(bench_both(bench, job, (struct commands){&ffmpeg, 1}, &ours, runs, err));
    figure(&bench->figures, name, parts * runs[0].cpu_s / ours.cpu_s, "x", words);
    figure(&bench->figures, cs_arena_sprintf(bench->arena, "%s_cpu_s", name), ours.cpu_s, "s", "… CPU");
    figure(&bench->figures, cs_arena_sprintf(bench->arena, "%s_copied", name), 100 * ours.copied_share, "%",
           "… of the pictures copied");
    return CS_OK;
}

static const char cut[] = "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":2}}}";
static const char merge[] =
    "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}},{\"media\":{\"input\":3}}]}}";

enum cs_status bench_copies(struct media_bench *bench, struct cs_err *err) {
    const struct job short_cut = {cut, {"film.mp4", "plan-20s.json"}, "cut-20s.mp4"};
    const struct job long_cut = {cut, {"long.mp4", "plan-10min.json"}, "cut-10min.mp4"};
    const struct job alike = {merge, {"a.mp4", "b.mp4", "c.mp4"}, "merge-alike.mp4"};
    const struct job odd = {merge, {"a.mp4", "b.mp4", "odd.mp4"}, "merge-odd.mp4"};
    CS_TRY(write_plan(bench, "plan-20s.json", 20, 7.1, 1.3, err));
    CS_TRY(write_plan(bench, "plan-10min.json", 600, 100.3, 2.7, err));
    CS_TRY(compare(bench, "smartcut_2in20s", &short_cut, "-i film.mp4 -t 17.4 " BENCH_X264 BENCH_AAC "cut-20s-full.mp4",
                   1, "2 cuts in 20 s: CPU saved", err));
    CS_TRY(compare(
        bench, "copymerge_speedup", &alike,
        "-i a.mp4 -i b.mp4 -i c.mp4 -filter_complex "
        "\"[0:v][1:v][2:v]concat=n=3[v];[0:a][1:a][2:a]concat=n=3:v=0:a=1[a]\" -map [v] -map [a] " BENCH_X264 BENCH_AAC
        "merge-alike-full.mp4",
        1, "a merge of matching clips: CPU saved", err));
    CS_TRY(compare(
        bench, "oddmerge_speedup", &odd,
        "-i a.mp4 -i b.mp4 -i odd.mp4 -filter_complex "
        "\"[2:v]scale=1920:1080,fps=30,setsar=1[o];[0:v][1:v][o]concat=n=3[v];[0:a][1:a][2:a]concat=n=3:v=0:a=1[a]\" "
        "-map [v] -map [a] " BENCH_X264 BENCH_AAC "merge-odd-full.mp4",
        1, "a merge with one odd clip of three: CPU saved", err));
    /* the film comes again and again: a tenth of it costs a tenth */
    return compare(bench, "smartcut_5in10min", &long_cut,
                   "-i long.mp4 -t 58.65 " BENCH_X264 BENCH_AAC "cut-10min-full.mp4", 10, "5 cuts in 10 min: CPU saved",
                   err);
}
