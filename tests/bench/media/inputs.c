/* What the jobs work on. All 1080p at 30 frames a second but where a name says otherwise. */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

#define SOURCE_X264 "-c:v libx264 -preset veryfast -crf 19 -g 60 -bf 2 -pix_fmt yuv420p "

/* What is small and does not say so would be taken for BT.601, and converted by ours alone. */
#define BT709 "-colorspace bt709 -color_primaries bt709 -color_trc bt709 "

/* Nothing behind its begin can be copied. */
#define ONE_GOP "-c:v libx264 -preset veryfast -crf 19 -g 9999 -keyint_min 9999 -sc_threshold 0 -pix_fmt yuv420p "

static const char *const made_picture = "-f lavfi -i testsrc2=s=1920x1080:r=30,noise=alls=10:allf=t";

/* Two channels that differ: of two that are the same some encoders take several times as long. */
#define MADE_SOUND(seed)                                                                                               \
    "-f lavfi -i \"anoisesrc=r=48000:c=pink:a=0.2:seed=" #seed "[l];anoisesrc=r=48000:c=pink:a=0.2:seed=1" #seed       \
    "[r];[l][r]join=inputs=2:channel_layout=stereo\""

/* Real ones when they are there: encoders and decoders work differently on drawn pictures and generated sounds. */
static const char *real_or_made(const struct media_bench *bench, const char *name, const char *options,
                                const char *made) {
    const char *path =
        bench->real_media == NULL ? NULL : cs_arena_sprintf(bench->arena, "%s/%s", bench->real_media, name);
    return path == NULL || access(path, R_OK) != 0 ? made : cs_arena_sprintf(bench->arena, "%s -i '%s'", options, path);
}

static const char captions[] =
    "[Script Info]\nScriptType: v4.00+\nPlayResX: 1080\nPlayResY: 1920\n\n[V4+ Styles]\n"
    "Format: Name,Fontname,Fontsize,PrimaryColour,SecondaryColour,OutlineColour,BackColour,Bold,Italic,Underline,"
    "StrikeOut,ScaleX,ScaleY,Spacing,Angle,BorderStyle,Outline,Shadow,Alignment,MarginL,MarginR,MarginV,Encoding\n"
    "Style: Default,Noto "
    "Sans,60,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,200,1\n\n"
    "[Events]\nFormat: Layer,Start,End,Style,Name,MarginL,MarginR,MarginV,Effect,Text\n"
    "Dialogue: 0,0:00:00.00,0:00:18.00,Default,,0,0,0,,one two three four\n";
static const char words[] = "1\n00:00:00,000 --> 00:00:02,000\none two three four\n\n"
                            "2\n00:00:02,000 --> 00:00:04,000\nfive six seven eight\n\n";
static enum cs_status write_text(const struct media_bench *bench, const char *name, const char *text,
                                 struct cs_err *err) {
    FILE *file = fopen(cs_arena_sprintf(bench->arena, "%s/%s", bench->dir, name), "we");
    if (file == NULL) {
        return cs_fail(err, CS_UNAVAILABLE, "write_failed", "%s cannot be written", name);
    }
    bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written ? CS_OK
                                        : cs_fail(err, CS_UNAVAILABLE, "write_failed", "%s cannot be written", name);
}

static enum cs_status write_texts(const struct media_bench *bench, struct cs_err *err) {
    CS_TRY(write_text(bench, "chain.ass", captions, err));
    CS_TRY(write_text(bench, "words.srt", words, err));
    return write_text(bench, "plan.json",
                      cs_arena_sprintf(bench->arena,
                                       "{\"cuts\":[{\"start\":0,\"end\":1.5,\"type\":\"keep\"},"
                                       "{\"start\":1.5,\"end\":2,\"type\":\"cut\"},"
                                       "{\"start\":2,\"end\":%d,\"type\":\"keep\"}]}",
                                       (int)bench->seconds),
                      err);
}

enum cs_status bench_make_inputs(struct media_bench *bench, struct cs_err *err) {
    struct usage usage;
    const char *const commands[] = {
        cs_arena_sprintf(bench->arena,
                         "%s %s -map 0:v -map 1:a "
                         "-t 20 -vf scale=1920:1080,fps=30,setsar=1 " SOURCE_X264 BENCH_AAC "film.mp4",
                         real_or_made(bench, "video/bbb_720p25_h264_aac51_5s.mp4", "-stream_loop 4", made_picture),
                         real_or_made(bench, "audio/voices_around_fire_stereo_30s.mp3", "", MADE_SOUND(1))),
        "-i film.mp4 -t 6 " SOURCE_X264 "-c:a aac a.mp4",
        "-ss 6 -i film.mp4 -t 6 " SOURCE_X264 "-c:a aac b.mp4",
        "-ss 12 -i film.mp4 -t 6 " SOURCE_X264 "-c:a aac c.mp4",
        "-i film.mp4 -t 6 -vf scale=1280:720,fps=25 " SOURCE_X264 "-c:a aac odd.mp4",
        "-stream_loop 29 -i film.mp4 -c copy -t 600 long.mp4",
        cs_arena_sprintf(bench->arena, "-i film.mp4 -t %d " SOURCE_X264 "-c:a aac clip.mp4", (int)bench->seconds),
        cs_arena_sprintf(bench->arena, "-i film.mp4 -t %d " ONE_GOP "-c:a aac gop.mp4", (int)bench->seconds),
        cs_arena_sprintf(bench->arena, "-i film.mp4 -t %d -vf scale=1280:720,fps=25 " SOURCE_X264 "-c:a aac small.mp4",
                         (int)bench->seconds),
        cs_arena_sprintf(
            bench->arena,
            "-f lavfi -i color=0x00FF00:s=1920x1080:r=30 -i film.mp4 -filter_complex "
            "\"[1:v]scale=960:540[f];[0:v][f]overlay=480+100*sin(t):270[v]\" -map [v] -map 1:a -t %d " SOURCE_X264
            "-c:a aac green.mp4",
            (int)bench->seconds),
        "-i film.mp4 -t 3 -vf scale=320:180 " SOURCE_X264 BT709 "-c:a aac tiny.mp4",
        "-i long.mp4 -t 60 -c copy minute.mp4",
        "-i minute.mp4 -vn -c:a copy minute.m4a",
        "-f lavfi -i color=red@0.6:s=240x240,format=rgba -frames:v 1 logo.png",
        cs_arena_sprintf(bench->arena, "%s -t 20 -ar 48000 -c:a libmp3lame voice.mp3",
                         real_or_made(bench, "audio/rain_stereo_60s.mp3", "", MADE_SOUND(2))),
    };
    enum cs_status status = write_texts(bench, err);
    for (size_t i = 0; i < CS_COUNT(commands) && status == CS_OK && !bench->kept; i++) {
        status = bench_ffmpeg(bench, commands[i], &usage, err);
    }
    return status == CS_OK ? write_text(bench, BENCH_COMPLETE, "", err) : status;
}
