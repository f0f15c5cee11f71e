/* One operation at a time, encoded in full by both. */
#include <stdio.h>

#include "bench.h"

struct pair {
    const char *name;
    struct job job;
    const char *ffmpeg; /* arguments up to the output's name */
    const char *suffix; /* of the outputs */
    bool pictures;      /* comparable frame by frame */
};

#define VIDEO(operation, params) "{\"" operation "\":{\"video\":{\"input\":1}" params "}}"

static const struct pair pairs[] = {
    {"merge",
     {"{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}},{\"media\":{\"input\":3}}],"
      "\"transition\":{\"type\":\"fade\",\"duration\":0.5}}}",
      {"a.mp4", "b.mp4", "odd.mp4"}},
     "-i a.mp4 -i b.mp4 -i odd.mp4 -filter_complex "
     "\"[2:v]scale=1920:1080,fps=30,setsar=1,settb=1/30[o];[0:v]settb=1/30[x];[1:v]settb=1/30[y];"
     "[x][y]xfade=duration=0.5:offset=5.5[p];[p][o]xfade=duration=0.5:offset=11,format=yuv420p[v];"
     "[0:a][1:a]acrossfade=d=0.5[q];[q][2:a]acrossfade=d=0.5[a]\" -map [v] -map [a] " BENCH_X264 BENCH_AAC,
     "mp4",
     false},
    {"reframe",
     {VIDEO("reframe", ",\"aspectRatio\":\"9:16\""), {"film.mp4"}},
     "-i film.mp4 -vf crop=608:1080:656:0,scale=1080:1920:flags=bicubic,setsar=1 " BENCH_X264 BENCH_AAC,
     "mp4",
     true},
    {"addSubtitles",
     {VIDEO("addSubtitles",
            ",\"text\":\"one two three four five six seven eight nine ten\",\"style\":{\"preset\":\"minimal\"}"),
      {"film.mp4"}},
     "-i film.mp4 -vf subtitles=words.srt " BENCH_X264 BENCH_AAC,
     "mp4",
     false},
    {"brand",
     {VIDEO("brand", ",\"logo\":{\"input\":2},\"keepLoudness\":true"), {"film.mp4", "logo.png"}},
     "-i film.mp4 -i logo.png -filter_complex "
     "\"[1:v]scale=192:192,format=yuva420p,colorchannelmixer=aa=0.8[l];[0:v][l]overlay=W-w-10:H-h-10,format=yuv420p[v]"
     "\" "
     "-map [v] -map 0:a " BENCH_X264 BENCH_AAC,
     "mp4",
     true},
    {"extractAudio",
     {"{\"extractAudio\":{\"media\":{\"input\":1}}}", {"film.mp4"}},
     "-i film.mp4 -vn -c:a libmp3lame -b:a 192k -ar 48000 -ac 2 ",
     "mp3",
     false},
};

static void say(struct media_bench *bench, const struct pair *pair, const struct usage *ours,
                const struct usage *ffmpeg, const struct likeness *likeness) {
    const char *name = pair->name;
    (void)printf("  %-20s %8.2f %8.2f %8.2f %8.2f %8.0f %8.0f   ", name, ours->cpu_s, ffmpeg->cpu_s,
                 ours->cpu_s / ffmpeg->cpu_s, ours->wall_s / ffmpeg->wall_s, ours->rss_mb, ffmpeg->rss_mb);
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

static enum cs_status write_words(struct media_bench *bench, struct cs_err *err) {
    FILE *file = fopen(cs_arena_sprintf(bench->arena, "%s/words.srt", bench->dir), "we");
    if (file == NULL) {
        return cs_fail(err, CS_UNAVAILABLE, "write_failed", "words.srt cannot be written");
    }
    for (int i = 0; i < 5; i++) {
        (void)fprintf(file, "%d\n00:00:%02d,000 --> 00:00:%02d,000\none two three four\n\n", i + 1, i * 4, i * 4 + 4);
    }
    return fclose(file) == 0 ? CS_OK : cs_fail(err, CS_UNAVAILABLE, "write_failed", "words.srt cannot be written");
}

enum cs_status bench_operations(struct media_bench *bench, struct cs_err *err) {
    double worst = 0;
    CS_TRY(write_words(bench, err));
    (void)printf("  %-20s %8s %8s %8s %8s %8s %8s   %s\n", "operation", "cpu s", "ffmpeg", "cpu x", "wall x", "rss MB",
                 "ffmpeg", "like ffmpeg's");
    for (size_t i = 0; i < CS_COUNT(pairs); i++) {
        const struct pair *pair = &pairs[i];
        struct usage ours;
        struct usage ffmpeg;
        struct likeness likeness;
        struct job job = pair->job;
        job.output = cs_arena_sprintf(bench->arena, "%s-ours.%s", pair->name, pair->suffix);
        const char *theirs = cs_arena_sprintf(bench->arena, "%s-ffmpeg.%s", pair->name, pair->suffix);
        CS_TRY(bench_ours(bench, &job, &ours, err));
        CS_TRY(bench_ffmpeg(bench, cs_arena_sprintf(bench->arena, "%s %s", pair->ffmpeg, theirs), &ffmpeg, err));
        if (pair->pictures) {
            CS_TRY(bench_compare(bench, job.output, theirs, &likeness, err));
        }
        say(bench, pair, &ours, &ffmpeg, pair->pictures ? &likeness : NULL);
        worst = ours.cpu_s / ffmpeg.cpu_s > worst ? ours.cpu_s / ffmpeg.cpu_s : worst;
    }
    figure(&bench->figures, "worst_op_cpu_ratio", worst, "x", "CPU of the dearest operation against ffmpeg");
    return CS_OK;
}
