/* One operation at a time. */
#include <stdio.h>

#include "bench.h"
#include "cs/base/text.h"
#include "pairs.h"

static void say(struct media_bench *bench, const struct pair *pair, const struct usage *ours,
                const struct usage *ffmpeg, const struct likeness *likeness) {
    const char *name = pair->name;
    (void)printf("  %-19s%s %8.2f %8.2f %8.2f %8.2f %8.0f %8.0f   ", name, pair->kind == PAIR_OTHER ? "*" : " ",
                 ours->cpu_s, ffmpeg->cpu_s, ours->cpu_s / ffmpeg->cpu_s, ours->wall_s / ffmpeg->wall_s, ours->rss_mb,
                 ffmpeg->rss_mb);
    (void)(likeness != NULL ? printf("%.1f dB %.4f\n", likeness->psnr_db, likeness->ssim) : printf("\n"));
    (void)fflush(stdout);
    const struct {
        const char *what;
        double value;
    } figures[] = {{"cpu_s", ours->cpu_s},
                   {"ffmpeg_cpu_s", ffmpeg->cpu_s},
                   {"cpu_ratio", ours->cpu_s / ffmpeg->cpu_s},
                   {"wall_s", ours->wall_s},
                   {"wall_ratio", ours->wall_s / ffmpeg->wall_s},
                   {"rss_mb", ours->rss_mb},
                   {"ffmpeg_rss_mb", ffmpeg->rss_mb}};
    for (size_t i = 0; i < CS_COUNT(figures); i++) {
        figure_quiet(&bench->figures, cs_arena_sprintf(bench->arena, "%s_%s", name, figures[i].what), figures[i].value);
    }
    if (likeness != NULL) {
        figure_quiet(&bench->figures, cs_arena_sprintf(bench->arena, "%s_psnr_to_ffmpeg_db", name), likeness->psnr_db);
        figure_quiet(&bench->figures, cs_arena_sprintf(bench->arena, "%s_ssim_to_ffmpeg", name), likeness->ssim);
    }
}

static enum cs_status measure(struct media_bench *bench, const struct pair *pair, double *worst, struct cs_err *err) {
    struct usage ours;
    struct usage ffmpeg;
    struct likeness likeness;
    struct job job = pair->job;
    job.output = cs_arena_sprintf(bench->arena, "%s-ours.%s", pair->name, pair->suffix);
    const char *theirs = cs_arena_sprintf(bench->arena, "%s-ffmpeg.%s", pair->name, pair->suffix);
    CS_TRY(bench_ours(bench, &job, &ours, err));
    CS_TRY(bench_ffmpeg(bench, cs_arena_sprintf(bench->arena, "%s %s", pair->ffmpeg, theirs), &ffmpeg, err));
    bool frames = pair->kind == PAIR_FRAMES;
    if (frames) {
        CS_TRY(bench_compare(bench, job.output, theirs, &likeness, err));
    }
    say(bench, pair, &ours, &ffmpeg, frames ? &likeness : NULL);
    double ratio = ours.cpu_s / ffmpeg.cpu_s;
    *worst = pair->kind != PAIR_OTHER && ratio > *worst ? ratio : *worst;
    return CS_OK;
}

/* A pair that fails is told; the others go on. */
enum cs_status bench_operations(struct media_bench *bench, struct cs_err *err) {
    double worst = 0;
    size_t failed = 0;
    (void)printf("  %-20s %8s %8s %8s %8s %8s %8s   %s\n", "operation", "cpu s", "ffmpeg", "cpu x", "wall x", "rss MB",
                 "ffmpeg", "like ffmpeg's");
    for (size_t i = 0; i < pair_count; i++) {
        if (cs_str_empty(bench->operation) || cs_str_eq(bench->operation, pairs[i].name)) {
            struct cs_err own = {0};
            if (measure(bench, &pairs[i], &worst, &own) != CS_OK) {
                (void)printf("  %-20s failed: %s\n", pairs[i].name, own.message);
                failed++;
            }
        }
    }
    figure(&bench->figures, "worst_op_cpu_ratio", worst, "x",
           "CPU of the dearest operation against ffmpeg, of those (without *) that do the same work");
    return failed == 0 ? CS_OK : cs_fail(err, CS_FAILED_PRECONDITION, "pairs_failed", "%zu pairs failed", failed);
}
