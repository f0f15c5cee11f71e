/* One operation at a time. */
#include <stdio.h>

#include "bench.h"
#include "cs/base/text.h"
#include "pairs.h"

/* Of one pair. */
struct outcome {
    struct usage ours;
    struct usage ffmpeg;
    struct usage equal; /* all zero: not told */
};

static double ratio_of(const struct usage *ours, const struct usage *theirs) {
    return theirs->cpu_s > 0 ? ours->cpu_s / theirs->cpu_s : 0;
}

static void print(const struct pair *pair, const struct outcome *outcome, const struct likeness *likeness) {
    const struct usage *ours = &outcome->ours;
    const struct usage *ffmpeg = &outcome->ffmpeg;
    char equal[16] = "";
    if (outcome->equal.cpu_s > 0) {
        (void)snprintf(equal, sizeof(equal), "%.2f", ratio_of(ours, &outcome->equal));
    }
    (void)printf("  %-19s%s %8.2f %8.2f %8.2f %8s %8.2f %8.0f %8.0f   ", pair->name,
                 pair->kind == PAIR_OTHER ? "*" : " ", ours->cpu_s, ffmpeg->cpu_s, ratio_of(ours, ffmpeg), equal,
                 ours->wall_s / ffmpeg->wall_s, ours->rss_mb, ffmpeg->rss_mb);
    (void)(likeness != NULL ? printf("%.1f dB %.4f\n", likeness->psnr_db, likeness->ssim) : printf("\n"));
    (void)fflush(stdout);
}

static void note(struct media_bench *bench, const char *name, const char *what, double value) {
    figure_quiet(&bench->figures, cs_arena_sprintf(bench->arena, "%s_%s", name, what), value);
}

static void note_all(struct media_bench *bench, const char *name, const struct outcome *outcome,
                     const struct likeness *likeness) {
    note(bench, name, "cpu_s", outcome->ours.cpu_s);
    note(bench, name, "ffmpeg_cpu_s", outcome->ffmpeg.cpu_s);
    note(bench, name, "cpu_ratio", ratio_of(&outcome->ours, &outcome->ffmpeg));
    note(bench, name, "wall_s", outcome->ours.wall_s);
    note(bench, name, "wall_ratio", outcome->ours.wall_s / outcome->ffmpeg.wall_s);
    note(bench, name, "rss_mb", outcome->ours.rss_mb);
    note(bench, name, "ffmpeg_rss_mb", outcome->ffmpeg.rss_mb);
    if (outcome->equal.cpu_s > 0) {
        note(bench, name, "equal_cpu_s", outcome->equal.cpu_s);
        note(bench, name, "equal_cpu_ratio", ratio_of(&outcome->ours, &outcome->equal));
    }
    if (likeness != NULL) {
        note(bench, name, "psnr_to_ffmpeg_db", likeness->psnr_db);
        note(bench, name, "ssim_to_ffmpeg", likeness->ssim);
    }
}

static enum cs_status run_pair(struct media_bench *bench, const struct pair *pair, const struct job *job,
                               const char *theirs, struct outcome *ret_outcome, struct cs_err *err) {
    const char *commands[1 + PAIR_EQUAL_MAX] = {cs_arena_sprintf(bench->arena, "%s %s", pair->ffmpeg, theirs)};
    struct usage usages[BENCH_COMMANDS_MAX];
    size_t count = 1;
    for (size_t i = 0; i < PAIR_EQUAL_MAX && pair->equal[i] != NULL; i++) {
        commands[count++] = pair->equal[i];
    }
    CS_TRY(bench_both(bench, job, (struct commands){commands, count}, &ret_outcome->ours, usages, err));
    ret_outcome->ffmpeg = usages[0];
    ret_outcome->equal = bench_sum(usages + 1, count - 1);
    return CS_OK;
}

/* The dearest operations. */
struct worst {
    double ratio; /* of those that do the same work */
    double equal; /* of those that are told against equal work */
};

static enum cs_status measure(struct media_bench *bench, const struct pair *pair, struct worst *worst,
                              struct cs_err *err) {
    struct outcome outcome;
    struct likeness likeness;
    struct job job = pair->job;
    job.output = cs_arena_sprintf(bench->arena, "%s-ours.%s", pair->name, pair->suffix);
    const char *theirs = cs_arena_sprintf(bench->arena, "%s-ffmpeg.%s", pair->name, pair->suffix);
    CS_TRY(run_pair(bench, pair, &job, theirs, &outcome, err));
    bool frames = pair->kind == PAIR_FRAMES;
    if (frames) {
        CS_TRY(bench_compare(bench, job.output, theirs, &likeness, err));
    }
    print(pair, &outcome, frames ? &likeness : NULL);
    note_all(bench, pair->name, &outcome, frames ? &likeness : NULL);
    double ratio = ratio_of(&outcome.ours, &outcome.ffmpeg);
    double equal = ratio_of(&outcome.ours, &outcome.equal);
    worst->ratio = pair->kind != PAIR_OTHER && ratio > worst->ratio ? ratio : worst->ratio;
    worst->equal = equal > worst->equal ? equal : worst->equal;
    return CS_OK;
}

/* A pair that fails is told; the others go on. */
enum cs_status bench_operations(struct media_bench *bench, struct cs_err *err) {
    struct worst worst = {0};
    size_t failed = 0;
    (void)printf("  %-20s %8s %8s %8s %8s %8s %8s %8s   %s\n", "operation", "cpu s", "ffmpeg", "cpu x", "equal x",
                 "wall x", "rss MB", "ffmpeg", "like ffmpeg's");
    for (size_t i = 0; i < pair_count; i++) {
        if (cs_str_empty(bench->operation) || cs_str_eq(bench->operation, pairs[i].name)) {
            struct cs_err own = {0};
            if (measure(bench, &pairs[i], &worst, &own) != CS_OK) {
                (void)printf("  %-20s failed: %s\n", pairs[i].name, own.message);
                failed++;
            }
        }
    }
    figure(&bench->figures, "worst_op_cpu_ratio", worst.ratio, "x",
           "CPU of the dearest operation against ffmpeg, of those (without *) that do the same work");
    figure(&bench->figures, "worst_op_equal_cpu_ratio", worst.equal, "x",
           "… against runs of ffmpeg that also do and check what ours does, of those where that is more (equal x)");
    return failed == 0 ? CS_OK : cs_fail(err, CS_FAILED_PRECONDITION, "pairs_failed", "%zu pairs failed", failed);
}
