#include "pairs.h"

#define OP(operation, params) "{\"" operation "\":{" params "}}"
#define IN(n) "{\"input\":" #n "}"
#define VIDEO(operation, params) OP(operation, "\"video\":" IN(1) params)
#define AUDIO_MP3 "-vn -c:a libmp3lame -b:a 192k -ar 48000 -ac 2 " /* the source's rate, as ours */
#define BOTH "-map \"[v]\" -map \"[a]\" " BENCH_X264 BENCH_AAC
#define PICTURE "-map \"[v]\" -map 0:a " BENCH_X264 BENCH_AAC
#define COPIED "-map 0:v -c:v copy "
#define FAST_START "-movflags +faststart "
#define HEARD "ebur128=peak=true" /* loudness and peaks, which ours tells of each output */
/* Ours decodes some key pictures of what was copied, and parts of the sound. */
#define LOOK(output) "-skip_frame nokey -i " output " -map 0:v -map 0:a -f null -"
/* What converting at quality 75 tells the encoder. */
#define H264_75 "-c:v libx264 -preset fast -crf 22 -g 60 -pix_fmt yuv420p "
#define HEVC_75 "-c:v libx265 -preset fast -crf 25 -g 60 -x265-params pools=2:frame-threads=1:log-level=none "
#define VP9_75 "-c:v libvpx-vp9 -crf 30 -b:v 0 -deadline good -cpu-used 4 -row-mt 1 -threads 2 -g 60 "
#define AV1_75 "-c:v libsvtav1 -preset 8 -crf 32 -svtav1-params lp=2 -g 60 "

/* A rung of a package, as ours are. */
#define RUNG(rate)                                                                                                     \
    "-c:v libx264 -preset fast -crf 23 -g 120 -keyint_min 120 -sc_threshold 0 -maxrate " rate " -bufsize " rate        \
    " -movflags +frag_keyframe+delay_moov+default_base_moof+global_sidx "

const struct pair pairs[] = {
    {"merge",
     PAIR_WORK,
     {OP("merge", "\"items\":[{\"media\":" IN(1) ",\"duration\":3},{\"media\":" IN(2) ",\"duration\":3},{\"media\":" IN(
                      3) "}],\"transition\":{\"type\":\"fade\",\"duration\":0.5}"),
      {"a.mp4", "b.mp4", "small.mp4"}},
     "-t 3 -i a.mp4 -t 3 -i b.mp4 -i small.mp4 -filter_complex "
     "\"[2:v]scale=1920:1080:flags=bicubic,fps=30,setsar=1,settb=1/30[o];[0:v]settb=1/30[x];[1:v]settb=1/30[y];"
     "[x][y]xfade=duration=0.5:offset=2.5[p];[p][o]xfade=duration=0.5:offset=5,format=yuv420p[v];"
     "[0:a][1:a]acrossfade=d=0.5[q];[q][2:a]acrossfade=d=0.5[a]\" " BOTH,
     "mp4"},
    {"trim", /* of one long group of pictures: nothing can be copied */
     PAIR_FRAMES,
     {VIDEO("trim", ",\"start\":1"), {"gop.mp4"}},
     "-i gop.mp4 -vf trim=start=1,setpts=PTS-STARTPTS -af atrim=start=1,asetpts=PTS-STARTPTS " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"trimCopied", /* to key frames, as ffmpeg can */
     PAIR_OTHER,
     {VIDEO("trim", ",\"start\":2"), {"clip.mp4"}},
     "-ss 2 -i clip.mp4 -c copy ",
     "mp4",
     {"-ss 2 -i clip.mp4 -c:v copy -af " HEARD " " BENCH_AAC FAST_START "equal.mp4", LOOK("equal.mp4")}},
    {"cut",
     PAIR_WORK,
     {VIDEO("cut", ",\"plan\":" IN(2) ",\"transition\":{\"type\":\"fade\",\"duration\":0.5}"),
      {"gop.mp4", "plan.json"}},
     "-i gop.mp4 -filter_complex "
     "\"[0:v]split[s][t];[s]trim=0:1.5,settb=1/30[x];[t]trim=2,setpts=PTS-STARTPTS,settb=1/30[y];"
     "[x][y]xfade=duration=0.5:offset=1,format=yuv420p[v];"
     "[0:a]asplit[m][n];[m]atrim=0:1.5[p];[n]atrim=2,asetpts=PTS-STARTPTS[q];[p][q]acrossfade=d=0.5[a]\" " BOTH,
     "mp4"},
    {"transitions",
     PAIR_WORK,
     {OP("transitions", "\"items\":[{\"media\":" IN(1) "},{\"media\":" IN(
                            2) "}],\"transition\":{\"type\":\"wipeleft\",\"duration\":1}"),
      {"b.mp4", "gop.mp4"}},
     "-i b.mp4 -i gop.mp4 -filter_complex "
     "\"[0:v]settb=1/30[x];[1:v]settb=1/30[y];[x][y]xfade=wipeleft:duration=1:offset=5,format=yuv420p[v];"
     "[0:a][1:a]acrossfade=d=1[a]\" " BOTH,
     "mp4"},
    {"stitch",
     PAIR_WORK,
     {OP("stitch", "\"scenes\":[{\"media\":" IN(1) "},{\"media\":" IN(2) "}],\"audio\":" IN(3)),
      {"small.mp4", "gop.mp4", "voice.mp3"}},
     "-i small.mp4 -i gop.mp4 -i voice.mp3 -filter_complex "
     "\"[1:v]scale=1280:720:flags=bicubic,fps=25,setsar=1[y];[0:v][y]concat=n=2,format=yuv420p[v];"
     "[0:a][1:a]concat=n=2:v=0:a=1[m];[m][2:a]amix=duration=first:normalize=0[a]\" " BOTH,
     "mp4"},
    {"speed",
     PAIR_FRAMES,
     {VIDEO("speed", ",\"factor\":2"), {"clip.mp4"}},
     "-i clip.mp4 -vf setpts=PTS/2,fps=30 -af atempo=2 " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"reverse",
     PAIR_FRAMES,
     {VIDEO("reverse", ""), {"b.mp4"}},
     "-i b.mp4 -vf reverse -af areverse " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"freeze",
     PAIR_FRAMES,
     {VIDEO("freeze", ",\"at\":1,\"duration\":1"), {"gop.mp4"}},
     "-i gop.mp4 -filter_complex \"[0:v]loop=30:1:30,setpts=N/30/TB[v];"
     "[0:a]asplit[m][n];[m]atrim=0:1,apad=pad_dur=1[p];[n]atrim=1,asetpts=PTS-STARTPTS[q];[p][q]concat=v=0:a=1[a]"
     "\" " BOTH,
     "mp4"},
    {"reframe",
     PAIR_FRAMES,
     {VIDEO("reframe", ",\"aspectRatio\":\"9:16\""), {"clip.mp4"}},
     "-i clip.mp4 -vf crop=608:1080:656:0,scale=1080:1920:flags=bicubic,setsar=1 " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"reframePad",
     PAIR_FRAMES,
     {VIDEO("reframe", ",\"aspectRatio\":\"9:16\",\"mode\":\"pad\""), {"clip.mp4"}},
     "-i clip.mp4 -vf scale=1080:608:flags=bicubic,pad=1080:1920:0:656,setsar=1 " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"reframeBlurPad", /* blurred small, as ours */
     PAIR_WORK,
     {VIDEO("reframe", ",\"aspectRatio\":\"9:16\",\"mode\":\"blurPad\""), {"clip.mp4"}},
     "-i clip.mp4 -filter_complex \"[0:v]split[m][n];"
     "[m]crop=608:1080,scale=108:192:flags=bicubic,boxblur=6:3:3:3,scale=1080:1920:flags=bicubic[b];"
     "[n]scale=1080:608:flags=bicubic[f];[b][f]overlay=0:656,setsar=1,format=yuv420p[v]\" " PICTURE,
     "mp4"},
    {"reframeSmart", /* ffmpeg only crops: ours looks at all pictures first */
     PAIR_OTHER,
     {VIDEO("reframe", ",\"aspectRatio\":\"9:16\",\"mode\":\"smart\""), {"clip.mp4"}},
     "-i clip.mp4 -vf crop=608:1080:656:0,scale=1080:1920:flags=bicubic,setsar=1 " BENCH_X264 BENCH_AAC,
     "mp4",
     {"-skip_loop_filter all -i clip.mp4 -vf scale=320:180,format=gray -an -f null -",
      "-i clip.mp4 -vf crop=608:1080:656:0,scale=1080:1920:flags=bicubic,setsar=1 " BENCH_X264 BENCH_AAC "equal.mp4"}},
    {"addSubtitles",
     PAIR_WORK,
     {VIDEO("addSubtitles", ",\"transcript\":" IN(2)), {"clip.mp4", "chain.ass"}},
     "-i clip.mp4 -vf ass=chain.ass " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"addSubtitlesSoft",
     PAIR_OTHER,
     {VIDEO("addSubtitles", ",\"transcript\":" IN(2) ",\"mode\":\"soft\""), {"clip.mp4", "words.srt"}},
     "-i clip.mp4 -i words.srt -map 0 -map 1 -c copy -c:s mov_text ",
     "mp4",
     {"-i clip.mp4 -i words.srt -map 0 -map 1 -c copy -c:s mov_text " FAST_START "equal.mp4", LOOK("equal.mp4")}},
    {"overlayText",
     PAIR_WORK,
     {VIDEO("overlayText", ",\"texts\":[{\"text\":\"one two three four\"}]"), {"clip.mp4"}},
     "-i clip.mp4 -vf \"drawtext=text='one two three four':fontsize=48:fontcolor=white:borderw=2:"
     "x=(w-tw)/2:y=h-th-50\" " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"brand",
     PAIR_FRAMES,
     {VIDEO("brand", ",\"logo\":" IN(2) ",\"keepLoudness\":true"), {"clip.mp4", "logo.png"}},
     "-i clip.mp4 -i logo.png -filter_complex \"[1:v]scale=192:192,format=yuva420p,colorchannelmixer=aa=0.8[l];"
     "[0:v][l]overlay=W-w-10:H-h-10,format=yuv420p[v]\" " PICTURE,
     "mp4"},
    {"layer",
     PAIR_FRAMES,
     {OP("layer", "\"layers\":[{\"media\":" IN(1) "},{\"media\":" IN(2) ",\"placement\":{\"words\":\"pip\"}}]"),
      {"clip.mp4", "clip.mp4"}},
     "-i clip.mp4 -i clip.mp4 -filter_complex "
     "\"[1:v]scale=480:270:flags=bicubic[l];[0:v][l]overlay=W-w-20:H-h-20,format=yuv420p[v]\" " PICTURE,
     "mp4"},
    {"replaceGreenScreen",
     PAIR_WORK,
     {VIDEO("replaceGreenScreen", ",\"background\":[" IN(2) "]"), {"green.mp4", "gop.mp4"}},
     "-i green.mp4 -i gop.mp4 -filter_complex "
     "\"[0:v]chromakey=0x00FF00:0.25:0.05[k];[1:v][k]overlay,format=yuv420p[v]\" " PICTURE,
     "mp4"},
    {"denoise",
     PAIR_FRAMES,
     {VIDEO("denoise", ""), {"clip.mp4"}},
     "-i clip.mp4 -vf hqdn3d=4:3:6:4.5 " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"stabilise", /* deshake looks at no more than the picture before; ours smooths the camera's way */
     PAIR_OTHER,
     {VIDEO("stabilise", ""), {"clip.mp4"}},
     "-i clip.mp4 -vf deshake " BENCH_X264 BENCH_AAC,
     "mp4"},
    {"convertH264",
     PAIR_FRAMES,
     {VIDEO("convert", ",\"quality\":\"75\",\"width\":1280,\"height\":720"), {"clip.mp4"}},
     "-i clip.mp4 -vf scale=1280:720:flags=bicubic " H264_75 BENCH_AAC,
     "mp4"},
    {"convertHevc",
     PAIR_FRAMES,
     {VIDEO("convert", ",\"quality\":\"75\",\"videoCodec\":\"hevc\""), {"tiny.mp4"}},
     "-i tiny.mp4 " HEVC_75 BENCH_AAC,
     "mp4"},
    {"convertVp9",
     PAIR_FRAMES,
     {VIDEO("convert", ",\"quality\":\"75\",\"container\":\"webm\""), {"tiny.mp4"}},
     "-i tiny.mp4 " VP9_75 "-c:a libopus -b:a 128k ",
     "webm"},
    {"convertAv1",
     PAIR_FRAMES,
     {VIDEO("convert", ",\"quality\":\"75\",\"videoCodec\":\"av1\""), {"tiny.mp4"}},
     "-i tiny.mp4 " AV1_75 BENCH_AAC,
     "mp4"},
    {"package",
     PAIR_WORK,
     {VIDEO("package", ""), {"clip.mp4"}},
     "-i clip.mp4 -filter_complex \"[0:v]split=5[a][b][c][d][e];[b]scale=1280:720:flags=bicubic[p];"
     "[c]scale=854:480:flags=bicubic[q];[d]scale=640:360:flags=bicubic[r];[e]scale=426:240:flags=bicubic[s]\" "
     "-map [p] " RUNG("2510k") "package-720.mp4 -map [q] " RUNG("1258k") "package-480.mp4 -map [r] " RUNG(
         "772k") "package-360.mp4 -map [s] " RUNG("387k") "package-240.mp4 "
                                                          "-map 0:a -c:a aac -b:a 128k -ar 48000 -ac 2 "
                                                          "package-audio.mp4 -map [a] " RUNG("5000k"),
     "mp4"},
    {"thumbnail",
     PAIR_OTHER,
     {VIDEO("thumbnail", ",\"time\":\"3\""), {"clip.mp4"}},
     "-ss 3 -i clip.mp4 -frames:v 1 -q:v 2 ",
     "jpg"},
    {"contactSheet", /* ffmpeg decodes every picture for it */
     PAIR_OTHER,
     {VIDEO("thumbnail", ",\"mode\":\"contactSheet\",\"columns\":3,\"rows\":2"), {"clip.mp4"}},
     "-i clip.mp4 -vf fps=1,scale=320:180:flags=bicubic,tile=3x2 -frames:v 1 -q:v 2 ",
     "jpg"},
    {"sprite",
     PAIR_OTHER,
     {VIDEO("thumbnail", ",\"mode\":\"sprite\",\"columns\":3,\"rows\":2"), {"clip.mp4"}},
     "-i clip.mp4 -vf fps=1,scale=320:180:flags=bicubic,tile=3x2 -frames:v 1 -q:v 2 ",
     "jpg"},
    {"gif", /* ours keeps no picture while it looks for colours: it decodes twice */
     PAIR_OTHER,
     {VIDEO("gif", ""), {"clip.mp4"}},
     "-i clip.mp4 -t 10 -filter_complex "
     "\"[0:v]fps=12,scale=480:-2:flags=bicubic,split[x][y];[x]palettegen[p];[y][p]paletteuse[v]\" -map [v] ",
     "gif",
     {"-i clip.mp4 -t 10 -vf fps=12,scale=480:-2:flags=bicubic,palettegen palette.png",
      "-i clip.mp4 -i palette.png -t 10 -filter_complex "
      "\"[0:v]fps=12,scale=480:-2:flags=bicubic[y];[y][1:v]paletteuse[v]\" -map [v] equal.gif"}},
    {"extractAudio",
     PAIR_WORK,
     {OP("extractAudio", "\"media\":" IN(1)), {"minute.mp4"}},
     "-i minute.mp4 " AUDIO_MP3,
     "mp3",
     {"-i minute.mp4 -af " HEARD " " AUDIO_MP3 "equal.mp3", "-t 8 -i equal.mp3 -f null -"}},
    {"lipSync",
     PAIR_OTHER,
     {VIDEO("lipSync", ",\"audio\":" IN(2)), {"clip.mp4", "voice.mp3"}},
     "-i clip.mp4 -i voice.mp3 " COPIED "-map 1:a -shortest " BENCH_AAC,
     "mp4",
     {"-i clip.mp4 -i voice.mp3 " COPIED "-map 1:a -shortest -af " HEARD " " BENCH_AAC FAST_START "equal.mp4",
      LOOK("equal.mp4")}},
    {"mixAudio",
     PAIR_OTHER,
     {VIDEO("mixAudio", ",\"tracks\":[{\"audio\":" IN(2) ",\"volume\":0.3}]"), {"clip.mp4", "voice.mp3"}},
     "-i clip.mp4 -i voice.mp3 -filter_complex "
     "\"[1:a]volume=0.3[m];[0:a][m]amix=duration=first:normalize=0[a]\" " COPIED "-map \"[a]\" " BENCH_AAC,
     "mp4",
     {"-i clip.mp4 -i voice.mp3 -filter_complex "
      "\"[1:a]volume=0.3[m];[0:a][m]amix=duration=first:normalize=0," HEARD "[a]\" " COPIED
      "-map \"[a]\" " BENCH_AAC FAST_START "equal.mp4",
      LOOK("equal.mp4")}},
    {"loudness", /* both measure, then encode; ours also measures what came out */
     PAIR_OTHER,
     {OP("loudness", "\"audio\":" IN(1)), {"minute.m4a"}},
     "-i minute.m4a -af ebur128=peak=true -f null - -i minute.m4a -map 0:a -af volume=3dB " AUDIO_MP3,
     "mp3",
     {"-i minute.m4a -af " HEARD " -f null - -i minute.m4a -map 0:a -af volume=3dB,alimiter=limit=0.84," HEARD
      " " AUDIO_MP3 "equal.mp3",
      "-i equal.mp3 -af " HEARD " -f null -"}},
};
const size_t pair_count = CS_COUNT(pairs);
