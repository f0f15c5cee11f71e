#include "package/rendition.h"

#include <stdio.h>

#include "copy/nal.h"
#include "graph/timeline.h"

enum { CHANNELS = 2, NAL_H264_SEQUENCE = 7 };

enum cs_status med_rendition_begin(struct med_rendition *rendition, const struct med_encoding *encoding, int threads,
                                   int fd, int64_t bytes_max, struct cs_err *err) {
    AVRational unit = {1, MED_SAMPLE_RATE};
    if (rendition->video != NULL) {
        unit = av_inv_q(rendition->rate);
        CS_TRY(med_encode_open_picture(&rendition->video->format, encoding, threads, &rendition->encoder, err));
    } else {
        CS_TRY(med_encode_open_sound("aac", encoding->sound_bits_per_s, MED_SAMPLE_RATE, CHANNELS, true,
                                     &rendition->encoder, err));
    }
    return med_segment_writer_open(rendition->encoder, unit, fd, bytes_max, &rendition->writer, err);
}

void med_rendition_fini(struct med_rendition *rendition) {
    med_segment_writer_destroy(cs_steal(&rendition->writer));
    avcodec_free_context(&rendition->encoder);
}

/* ---- on its thread ---- */

static enum cs_status cut_picture(struct med_rendition *rendition, const AVPacket *packet, struct cs_err *err) {
    bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    int64_t begins = rendition->cuts * rendition->segment_frames;
    if (key != (packet->pts == begins)) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "frame %lld is %s", (long long)packet->pts,
                       key ? "a key frame inside of a segment" : "no key frame where a segment begins");
    }
    if (key) {
        rendition->cuts++;
        return med_segment_writer_cut(rendition->writer, med_ticks_at_frame(begins, rendition->rate), err);
    }
    return CS_OK;
}

static enum cs_status cut_sound(struct med_rendition *rendition, const AVPacket *packet, struct cs_err *err) {
    int64_t begins = med_samples_at_frame(rendition->cuts * rendition->segment_frames, rendition->rate);
    int64_t sample = packet->pts < 0 ? 0 : packet->pts;
    if (rendition->cuts > 0 && sample < begins) {
        return CS_OK;
    }
    rendition->cuts++;
    return med_segment_writer_cut(rendition->writer, med_ticks_from(sample, (AVRational){1, MED_SAMPLE_RATE}), err);
}

static enum cs_status put(struct med_rendition *rendition, AVPacket *packet, struct cs_err *err) {
    CS_TRY(rendition->video != NULL ? cut_picture(rendition, packet, err) : cut_sound(rendition, packet, err));
    return med_segment_writer_put(rendition->writer, packet, err);
}

static bool take(void *ctx, AVPacket *packet) {
    struct med_rendition *rendition = ctx;
    enum cs_status status = put(rendition, packet, &rendition->failure);
    av_packet_free(&packet);
    return status == CS_OK;
}

enum cs_status med_rendition_run(struct med_rendition *rendition, struct cs_err *err) {
    CS_TRY(rendition->video != NULL ? med_encode_video(rendition->encoder, rendition->video, take, rendition, err)
                                    : med_encode_audio(rendition->encoder, rendition->audio, take, rendition, err));
    if (rendition->failure.status != CS_OK) {
        *err = rendition->failure;
    }
    return rendition->failure.status;
}

/* ---- afterwards ---- */

enum cs_status med_rendition_end(struct med_rendition *rendition, struct cs_arena *arena,
                                 struct med_segments *ret_segments, struct cs_err *err) {
    return med_segment_writer_end(rendition->writer, rendition->length_ticks, arena, ret_segments, err);
}

enum cs_status med_rendition_codec(const struct med_rendition *rendition, char ret_codec[MED_CODEC_BYTES],
                                   struct cs_err *err) {
    const AVCodecContext *encoder = rendition->encoder;
    if (rendition->audio != NULL) {
        (void)snprintf(ret_codec, MED_CODEC_BYTES, "mp4a.40.2");
        return CS_OK;
    }
    struct med_nal_walk walk = {
        .codec = AV_CODEC_ID_H264, .at = encoder->extradata, .end = encoder->extradata + encoder->extradata_size};
    struct med_nal nal;
    while (encoder->extradata != NULL && med_nal_next(&walk, &nal)) {
        if (nal.type == NAL_H264_SEQUENCE && nal.size >= 4) {
            (void)snprintf(ret_codec, MED_CODEC_BYTES, "avc1.%02x%02x%02x", nal.data[1], nal.data[2], nal.data[3]);
            return CS_OK;
        }
    }
    return cs_fail(err, CS_INTERNAL, "encoder", "the encoder does not say what its stream is");
}
