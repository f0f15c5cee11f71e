#include "graph/still.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <unistd.h>

#include "graph/av.h"
#include "graph/chain.h"
#include "graph/facts.h"

static const struct {
    const char *encoder;
    const char *pixels;
    enum AVPixelFormat format;
} kinds[] = {
    [MED_PNG] = {"png", "rgb24", AV_PIX_FMT_RGB24},
    [MED_JPG] = {"mjpeg", "yuvj420p", AV_PIX_FMT_YUVJ420P},
    [MED_WEBP] = {"libwebp", "yuv420p", AV_PIX_FMT_YUV420P},
};

/* To the encoder's pixels; JPEG and PNG have full range. */
static enum cs_status convert(AVFrame *in, enum med_still_format format, AVFrame **ret_out, struct cs_err *err) {
    struct med_chain chain = {0};
    const char *range = format == MED_WEBP ? "tv" : "pc";
    const char *matrix = format == MED_PNG ? "bt709" : "bt601";
    enum cs_status status = med_chain_start(&chain, in, 1, err);
    if (status == CS_OK) {
        status = med_chain_add(&chain, "scale",
                               (const char *[]){"flags", "bicubic+accurate_rnd+bitexact+full_chroma_int",
                                                "in_color_matrix", "bt709", "in_range", "tv", "out_color_matrix",
                                                matrix, "out_range", range, NULL},
                               err);
    }
    if (status == CS_OK) {
        status = med_chain_add(&chain, "format", (const char *[]){"pix_fmts", kinds[format].pixels, NULL}, err);
    }
    if (status == CS_OK) {
        status = med_chain_finish(&chain, "buffersink", err);
    }
    if (status == CS_OK) {
        status = med_chain_apply(&chain, in, ret_out, err);
    }
    med_chain_fini(&chain);
    return status;
}

static int encode(const AVFrame *frame, enum med_still_format format, AVPacket *packet) {
    const AVCodec *codec = avcodec_find_encoder_by_name(kinds[format].encoder);
    AVCodecContext *encoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (encoder == NULL) {
        return AVERROR_ENCODER_NOT_FOUND;
    }
    encoder->width = frame->width;
    encoder->height = frame->height;
    encoder->pix_fmt = kinds[format].format;
    encoder->time_base = (AVRational){1, 1};
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_BITEXACT;
    if (format == MED_JPG) {
        encoder->flags |= AV_CODEC_FLAG_QSCALE;
        encoder->global_quality = 2 * FF_QP2LAMBDA;
        encoder->color_range = AVCOL_RANGE_JPEG;
    } else if (format == MED_WEBP) {
        av_opt_set_double(encoder->priv_data, "quality", 90, 0);
    }
    int result = avcodec_open2(encoder, codec, NULL);
    if (result >= 0) {
        result = avcodec_send_frame(encoder, frame);
    }
    if (result >= 0) {
        result = avcodec_send_frame(encoder, NULL);
    }
    if (result >= 0) {
        result = avcodec_receive_packet(encoder, packet);
    }
    avcodec_free_context(&encoder);
    return result;
}

static enum cs_status put(int fd, const AVPacket *packet, int64_t bytes_max, struct cs_err *err) {
    if (packet->size > bytes_max) {
        return med_av_fail(err, CS_OUT_OF_RANGE, "output_too_big", AVERROR(EFBIG), "writing the output");
    }
    for (int done = 0; done < packet->size;) {
        ssize_t wrote = pwrite(fd, packet->data + done, (size_t)(packet->size - done), done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return cs_fail(err, CS_UNAVAILABLE, "write_failed", "writing the output failed");
        }
        done += (int)wrote;
    }
    return CS_OK;
}

enum cs_status med_still_write(struct med_graph *graph, struct med_video *video, enum med_still_format format, int fd,
                               struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts, struct cs_err *err) {
    MED_AUTO_FRAME *frame = NULL;
    MED_AUTO_FRAME *pixels = NULL;
    MED_AUTO_PACKET *packet = av_packet_alloc();
    struct med_facts facts;
    CS_TRY(video->pull(video, &frame, err));
    CS_TRY(convert(frame, format, &pixels, err));
    pixels->pts = 0;
    pixels->quality = 2 * FF_QP2LAMBDA;
    int result = packet == NULL ? AVERROR(ENOMEM) : encode(pixels, format, packet);
    if (result < 0) {
        return med_av_fail(err, CS_INTERNAL, "encoder", result, "encoding a picture");
    }
    CS_TRY(put(fd, packet, graph->output_bytes_max, err));
    if (med_facts_read(fd, &facts, err) != CS_OK || facts.video.width != video->format.width ||
        facts.video.height != video->format.height) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the picture cannot be read back");
    }
    med_facts_to_wire(&facts, arena, ret_facts);
    return CS_OK;
}
