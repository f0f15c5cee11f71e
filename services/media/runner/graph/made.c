#include "graph/made.h"

#include "cs/base/text.h"
#include "graph/timeline.h"

enum cs_status med_made_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                struct cs_err *err) {
    CS_TRY(made->picture(made, graph, ret_video, err));
    bool kept = (*ret_video)->frames == made->frames && (*ret_video)->format.width == made->format.width &&
                (*ret_video)->format.height == made->format.height;
    return kept ? CS_OK : cs_fail(err, CS_INTERNAL, "filter", "an operation made another picture than it planned");
}

enum cs_status med_made_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                              struct cs_err *err) {
    CS_TRY(made->sound(made, graph, ret_audio, err));
    bool kept = (*ret_audio)->samples == made->samples;
    return kept ? CS_OK : cs_fail(err, CS_INTERNAL, "filter", "an operation made another sound than it planned");
}

struct med_facts med_made_facts(const struct med_made *made) {
    struct med_facts facts = {
        .type = made->frames > 0 ? CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO
                                 : CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO,
        .video.stream = made->frames > 0 ? 0 : -1,
        .audio.stream = made->samples > 0 ? 0 : -1,
    };
    cs_str_copy(facts.container, sizeof(facts.container), "frames");
    if (made->frames > 0) {
        facts.video.codec = AV_CODEC_ID_RAWVIDEO;
        facts.video.width = made->format.width;
        facts.video.height = made->format.height;
        facts.video.rate = made->format.rate;
        facts.video.sample_aspect = (AVRational){1, 1};
        facts.video.frames = made->frames;
        facts.video.length_ticks = med_ticks_at_frame(made->frames, made->format.rate);
        facts.video.pixel_format = AV_PIX_FMT_YUV420P;
        facts.video.transfer = AVCOL_TRC_BT709;
    }
    if (made->samples > 0) {
        facts.audio.codec = AV_CODEC_ID_PCM_F32LE;
        facts.audio.sample_rate = MED_SAMPLE_RATE;
        facts.audio.channels = 2;
        facts.audio.samples = made->samples;
        facts.audio.length_ticks = med_ticks_from(made->samples, (AVRational){1, MED_SAMPLE_RATE});
    }
    return facts;
}
