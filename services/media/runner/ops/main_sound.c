#include "ops/main_sound.h"

#include "cs/catalog.h"
#include "graph/timeline.h"

/* self of the operations starts with this one. */
static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct med_main_sound *main_sound = made->self;
    (void)err;
    *ret_video = med_clip_video(graph, &main_sound->clip, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    return CS_OK;
}

enum cs_status med_main_sound_read(struct med_job *job, const Callsheet__V1__MediaRef *video,
                                   const Callsheet__V1__MediaRef *audio, const char *format,
                                   struct med_main_sound *ret_main, struct med_made *ret_made, struct cs_err *err) {
    struct med_clip *clip = &ret_main->clip;
    if (audio == NULL) {
        CS_TRY(med_job_video_input(job, video, "video", clip, err));
        *ret_made = med_made_like(clip);
        ret_made->samples = med_samples_at_frame(ret_made->frames, ret_made->format.rate);
        ret_made->picture = build_picture;
        ret_main->piece = (struct med_piece){.clip = clip, .frames = ret_made->frames};
        ret_made->pieces = &ret_main->piece;
        ret_made->piece_count = 1;
    } else {
        CS_TRY(med_job_input(job, audio, "audio", clip, err));
        if (clip->facts->audio.stream < 0) {
            return cs_fail_at(err, "audio", "no_audio", "the input has no sound");
        }
        int64_t samples = av_rescale(clip->facts->audio.length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
        *ret_made = (struct med_made){.samples = samples < 1 ? 1 : samples};
    }
    if (clip->facts->audio.stream >= 0) {
        uint32_t rate = (uint32_t)clip->facts->audio.sample_rate;
        ret_made->encoding.sound_rate = (int)cs_sound_rate(audio == NULL ? "m4a" : format, rate);
    }
    return CS_OK;
}
