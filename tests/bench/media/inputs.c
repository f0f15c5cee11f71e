/* What the jobs work on. All 1080p at 30 frames a second but where a name says otherwise. */
#include <unistd.h>

#include "bench.h"

#define SOURCE_X264 "-c:v libx264 -preset veryfast -crf 19 -g 60 -bf 2 -pix_fmt yuv420p "

static const char *const made_picture = "-f lavfi -i testsrc2=s=1920x1080:r=30,noise=alls=10:allf=t";

/* Real film when it is there: encoders and decoders work differently on drawn pictures. */
static const char *picture_of(const struct media_bench *bench) {
    const char *film = bench->real_media == NULL
                           ? NULL
                           : cs_arena_sprintf(bench->arena, "%s/video/bbb_720p25_h264_aac51_5s.mp4", bench->real_media);
    if (film == NULL || access(film, R_OK) != 0) {
        return made_picture;
    }
    return cs_arena_sprintf(bench->arena, "-stream_loop 4 -i '%s'", film);
}

enum cs_status bench_make_inputs(struct media_bench *bench, struct cs_err *err) {
    struct usage usage;
    int64_t rounds = bench->rounds;
    bench->rounds = 1;
    const char *const commands[] = {
        cs_arena_sprintf(
            bench->arena,
            "%s -f lavfi -i \"sine=f=330:r=48000,volume=-14dB,aformat=channel_layouts=stereo\" -map 0:v -map 1:a "
            "-t 20 -vf scale=1920:1080,fps=30,setsar=1 " SOURCE_X264 BENCH_AAC "film.mp4",
            picture_of(bench)),
        "-i film.mp4 -t 6 " SOURCE_X264 "-c:a aac a.mp4",
        "-ss 6 -i film.mp4 -t 6 " SOURCE_X264 "-c:a aac b.mp4",
        "-ss 12 -i film.mp4 -t 6 " SOURCE_X264 "-c:a aac c.mp4",
        "-i film.mp4 -t 6 -vf scale=1280:720,fps=25 " SOURCE_X264 "-c:a aac odd.mp4",
        "-stream_loop 29 -i film.mp4 -c copy -t 600 long.mp4",
        "-f lavfi -i color=red@0.6:s=240x240,format=rgba -frames:v 1 logo.png",
        "-f lavfi -i \"sine=f=440:r=48000:d=20\" -c:a libmp3lame voice.mp3",
    };
    enum cs_status status = CS_OK;
    for (size_t i = 0; i < CS_COUNT(commands) && status == CS_OK; i++) {
        status = bench_ffmpeg(bench, commands[i], &usage, err);
    }
    bench->rounds = rounds;
    return status;
}
