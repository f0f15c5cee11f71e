/*
 * bench: what operations on media cost, against the ffmpeg command doing the same with the same encoder settings.
 *
 * Everything happens on the same inputs in one run, each pair one after the other, in processes of their own: CPU is
 * user and system time, memory the largest resident set. Ratios count; seconds depend on the machine and its load.
 */
#ifndef BENCH_MEDIA_H
#define BENCH_MEDIA_H

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "figures.h"

enum { BENCH_INPUTS_MAX = 16, BENCH_OUTPUTS_MAX = 32, BENCH_COMMANDS_MAX = 4 };

struct usage {
    double cpu_s;
    double wall_s;
    double rss_mb;
    double copied_share; /* of our own jobs that say it; else 0 */
};

struct media_bench {
    const char *dir;        /* where inputs and outputs lie */
    bool kept;              /* inputs that lie there are those of an earlier run */
    const char *real_media; /* a folder of real clips; NULL: made ones */
    const char *operation;  /* the only one that is measured; "" or NULL: all */
    int64_t rounds;
    int64_t seconds; /* of the clip that most operations work on */
    struct cs_arena *arena;
    struct figures figures;
    double rss_max_mb; /* of our own jobs on 1080p */
};

/* A job of ours: an operation or a list of them (steps), as JSON. Names lie in dir; inputs end with NULL. */
struct job {
    const char *operations;
    const char *inputs[BENCH_INPUTS_MAX];
    const char *output;
};

/* What does the same: runs of ffmpeg one after the other, each by its arguments, parted as a shell does; in dir. */
struct commands {
    const char *const *arguments;
    size_t count;
};

/* Ours and theirs by turns, as often as rounds say, and cheap ones until there was enough to look at: of each run the
 * cheapest counts. ret_theirs: BENCH_COMMANDS_MAX, one of each run. FAILED_PRECONDITION "job_failed" with what it said. */
enum cs_status bench_both(struct media_bench *bench, const struct job *job, struct commands theirs,
                          struct usage *ret_ours, struct usage *ret_theirs, struct cs_err *err) CS_MUST_USE;
/* Of runs one after the other. */
struct usage bench_sum(const struct usage *usages, size_t count);
/* Once. */
enum cs_status bench_ours(struct media_bench *bench, const struct job *job, struct usage *ret_usage,
                          struct cs_err *err) CS_MUST_USE;
enum cs_status bench_ffmpeg(struct media_bench *bench, const char *arguments, struct usage *ret_usage,
                            struct cs_err *err) CS_MUST_USE;
/* Frame n of one against frame n of the other: luma, mean over all frames. */
struct likeness {
    double psnr_db;
    double ssim;
};
enum cs_status bench_compare(struct media_bench *bench, const char *output, const char *reference,
                             struct likeness *ret_likeness, struct cs_err *err) CS_MUST_USE;

/* Lies beside the inputs when all are there. */
#define BENCH_COMPLETE "complete"

/* Inputs; then what is measured. */
enum cs_status bench_make_inputs(struct media_bench *bench, struct cs_err *err) CS_MUST_USE;
enum cs_status bench_operations(struct media_bench *bench, struct cs_err *err) CS_MUST_USE;
enum cs_status bench_chain(struct media_bench *bench, struct cs_err *err) CS_MUST_USE;
enum cs_status bench_copies(struct media_bench *bench, struct cs_err *err) CS_MUST_USE;
enum cs_status bench_memory(struct media_bench *bench, struct cs_err *err) CS_MUST_USE;

/* What our encoder is told: for ffmpeg. */
#define BENCH_X264 "-c:v libx264 -preset veryfast -crf 21 -g 60 -pix_fmt yuv420p "
#define BENCH_AAC "-c:a aac -b:a 192k -ar 48000 -ac 2 "

#endif
