/* merge → reframe → addSubtitles → brand: as one job of ours, and as four runs of ffmpeg. */
#include "bench.h"

#define JOIN "\"[0:v][1:v][2:v]concat=n=3[v];[0:a][1:a][2:a]concat=n=3:v=0:a=1[a]\" -map [v] -map [a] "
#define FRAME "crop=608:1080:656:0,scale=1080:1920:flags=bicubic,setsar=1"
#define LOGO "[1:v]scale=108:108,format=yuva420p,colorchannelmixer=aa=0.8[l]"

static const char *const steps[] = {
    "-i a.mp4 -i b.mp4 -i c.mp4 -filter_complex " JOIN BENCH_X264 BENCH_AAC "chain-1.mp4",
    "-i chain-1.mp4 -vf " FRAME " " BENCH_X264 BENCH_AAC "chain-2.mp4",
    "-i chain-2.mp4 -vf ass=chain.ass " BENCH_X264 BENCH_AAC "chain-3.mp4",
    "-i chain-3.mp4 -i logo.png -filter_complex \"" LOGO
    ";[0:v][l]overlay=W-w-10:H-h-10,format=yuv420p[v]\" -map [v] -map "
    "0:a " BENCH_X264 BENCH_AAC "chain-4.mp4",
};

/* The same without loss, to measure both by. */
static const char lossless[] =
    "-i a.mp4 -i b.mp4 -i c.mp4 -i logo.png -filter_complex "
    "\"[0:v][1:v][2:v]concat=n=3," FRAME
    ",ass=chain.ass[w];[3:v]scale=108:108,format=yuva420p,colorchannelmixer=aa=0.8[l];"
    "[w][l]overlay=W-w-10:H-h-10,format=yuv420p[v]\" -map [v] -c:v libx264 -preset ultrafast -qp 0 chain-lossless.mp4";

static const struct job chain = {
    "[{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}},{\"media\":{\"input\":3}}]}},"
    "{\"reframe\":{\"video\":{\"step\":1},\"aspectRatio\":\"9:16\"}},"
    "{\"addSubtitles\":{\"video\":{\"step\":2},\"transcript\":{\"input\":5}}},"
    "{\"brand\":{\"video\":{\"step\":3},\"logo\":{\"input\":4},\"keepLoudness\":true}}]",
    {"a.mp4", "b.mp4", "c.mp4", "logo.png", "chain.ass"},
    "chain-ours.mp4",
};

enum cs_status bench_chain(struct media_bench *bench, struct cs_err *err) {
    struct usage ours;
    struct usage runs[BENCH_COMMANDS_MAX];
    struct usage once;
    struct likeness our_likeness;
    struct likeness their_likeness;
    CS_TRY(bench_both(bench, &chain, (struct commands){steps, CS_COUNT(steps)}, &ours, runs, err));
    struct usage theirs = bench_sum(runs, CS_COUNT(steps));
    CS_TRY(bench_ffmpeg(bench, lossless, &once, err));
    CS_TRY(bench_compare(bench, "chain-ours.mp4", "chain-lossless.mp4", &our_likeness, err));
    CS_TRY(bench_compare(bench, "chain-4.mp4", "chain-lossless.mp4", &their_likeness, err));
    figure(&bench->figures, "chain4_cpu_s", ours.cpu_s, "s", "merge, reframe, subtitles, logo in one job: CPU");
    figure(&bench->figures, "chain4_ffmpeg_cpu_s", theirs.cpu_s, "s", "… as four runs of ffmpeg");
    figure(&bench->figures, "chain4_cpu_ratio", ours.cpu_s / theirs.cpu_s, "x", "… against those");
    figure(&bench->figures, "chain4_wall_ratio", ours.wall_s / theirs.wall_s, "x", "… in time");
    figure(&bench->figures, "chain4_psnr_db", our_likeness.psnr_db, "dB", "… PSNR to the same without loss");
    figure(&bench->figures, "chain4_ffmpeg_psnr_db", their_likeness.psnr_db, "dB", "… of the four runs");
    return CS_OK;
}
