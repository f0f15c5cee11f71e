#include "graph/animation.h"

#include <assert.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>

#include "graph/av.h"
#include "graph/chain.h"
#include "graph/facts.h"
#include "io/avio_fd.h"

static enum cs_status failed(struct cs_err *err, int averror, const char *what) {
    return med_av_fail(err, CS_INTERNAL, "encoder", averror, what);
}

/* Exact, and the same everywhere. */
static const char *const to_rgb[] = {"flags",
                                     "bicubic+accurate_rnd+bitexact+full_chroma_int",
                                     "in_color_matrix",
                                     "bt709",
                                     "in_range",
                                     "tv",
                                     "out_range",
                                     "pc",
                                     NULL};

static enum cs_status pull(struct med_video *video, struct med_chain *chain, const char *pixels, AVFrame **ret_frame,
                           struct cs_err *err) {
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(video->pull(video, &frame, err));
    if (chain->graph == NULL) {
        CS_TRY(med_chain_start(chain, frame, 1, err));
        CS_TRY(med_chain_add(chain, "scale", to_rgb, err));
        CS_TRY(med_chain_add(chain, "format", (const char *[]){"pix_fmts", pixels, NULL}, err));
        CS_TRY(med_chain_finish(chain, "buffersink", err));
    }
    return med_chain_apply(chain, frame, ret_frame, err);
}

/* ---- the palette ---- */

static enum cs_status start_palette(struct med_chain *chain, const AVFrame *like, int colors, struct cs_err *err) {
    struct med_number number;
    CS_TRY(med_chain_start(chain, like, 1, err));
    CS_TRY(med_chain_add(chain, "palettegen",
                         (const char *[]){"max_colors", med_number(colors, &number), "reserve_transparent", "0", NULL},
                         err));
    return med_chain_finish(chain, "buffersink", err);
}

static enum cs_status collect(struct med_video *video, int colors, struct med_chain *pixels, struct med_chain *palette,
                              AVFrame **ret_palette, struct cs_err *err) {
    int result = 0;
    for (int64_t n = 0; n < video->frames && result >= 0; n++) {
        MED_AUTO_FRAME *frame = NULL;
        CS_TRY(pull(video, pixels, "bgra", &frame, err));
        if (palette->graph == NULL) {
            CS_TRY(start_palette(palette, frame, colors, err));
        }
        result = av_buffersrc_add_frame(palette->source, frame);
    }
    MED_AUTO_FRAME *found = av_frame_alloc();
    result = result >= 0 && found == NULL ? AVERROR(ENOMEM) : result;
    result = result < 0 ? result : av_buffersrc_add_frame(palette->source, NULL);
    result = result < 0 ? result : av_buffersink_get_frame(palette->sink, found);
    if (result < 0) {
        return failed(err, result, "choosing colours");
    }
    *ret_palette = found;
    found = NULL;
    return CS_OK;
}

enum cs_status med_palette_find(struct med_video *video, int colors, AVFrame **ret_palette, struct cs_err *err) {
    struct med_chain pixels = {0};
    struct med_chain palette = {0};
    enum cs_status status = collect(video, colors, &pixels, &palette, ret_palette, err);
    med_chain_fini(&pixels);
    med_chain_fini(&palette);
    return status;
}

/* ---- frames in its colours ---- */

struct mapper {
    AVFilterGraph *graph;
    AVFilterContext *frames;
    AVFilterContext *palette;
    AVFilterContext *sink;
};

static int add_source(struct mapper *mapper, const AVFrame *like, const char *name, AVFilterContext **ret_source) {
    AVFilterContext *source = avfilter_graph_alloc_filter(mapper->graph, avfilter_get_by_name("buffer"), name);
    AVBufferSrcParameters *params = av_buffersrc_parameters_alloc();
    if (source == NULL || params == NULL) {
        av_free(params);
        return AVERROR(ENOMEM);
    }
    params->format = like->format;
    params->width = like->width;
    params->height = like->height;
    params->time_base = (AVRational){1, 1000};
    params->sample_aspect_ratio = (AVRational){1, 1};
    int result = av_buffersrc_parameters_set(source, params);
    av_free(params);
    *ret_source = source;
    return result < 0 ? result : avfilter_init_str(source, NULL);
}

static int link_mapper(struct mapper *mapper) {
    AVFilterContext *use = avfilter_graph_alloc_filter(mapper->graph, avfilter_get_by_name("paletteuse"), "use");
    int result = use == NULL ? AVERROR(ENOMEM) : av_opt_set(use, "dither", "sierra2_4a", AV_OPT_SEARCH_CHILDREN);
    result = result < 0 ? result : avfilter_init_str(use, NULL);
    result = result < 0 ? result : avfilter_link(mapper->frames, 0, use, 0);
    result = result < 0 ? result : avfilter_link(mapper->palette, 0, use, 1);
    result = result < 0 ? result
                        : avfilter_graph_create_filter(&mapper->sink, avfilter_get_by_name("buffersink"), "out", NULL,
                                                       NULL, mapper->graph);
    result = result < 0 ? result : avfilter_link(use, 0, mapper->sink, 0);
    return result < 0 ? result : avfilter_graph_config(mapper->graph, NULL);
}

static int start_mapper(struct mapper *mapper, const AVFrame *frame, AVFrame *palette) {
    mapper->graph = avfilter_graph_alloc();
    if (mapper->graph == NULL) {
        return AVERROR(ENOMEM);
    }
    mapper->graph->nb_threads = 1;
    int result = add_source(mapper, frame, "frames", &mapper->frames);
    result = result < 0 ? result : add_source(mapper, palette, "palette", &mapper->palette);
    result = result < 0 ? result : link_mapper(mapper);
    palette->pts = 0;
    result =
        result < 0 ? result : av_buffersrc_add_frame_flags(mapper->palette, palette, (int)AV_BUFFERSRC_FLAG_KEEP_REF);
    return result < 0 ? result : av_buffersrc_add_frame(mapper->palette, NULL);
}

static enum cs_status map(struct mapper *mapper, AVFrame *frame, AVFrame *palette, AVFrame **ret_frame,
                          struct cs_err *err) {
    MED_AUTO_FRAME *mapped = av_frame_alloc();
    int result = mapped == NULL ? AVERROR(ENOMEM) : mapper->graph == NULL ? start_mapper(mapper, frame, palette) : 0;
    result = result < 0 ? result : av_buffersrc_add_frame(mapper->frames, frame);
    result = result < 0 ? result : av_buffersink_get_frame(mapper->sink, mapped);
    if (result < 0) {
        return failed(err, result, "giving a frame its colours");
    }
    *ret_frame = mapped;
    mapped = NULL;
    return CS_OK;
}

/* ---- the file ---- */

struct writer {
    AVFormatContext *format;
    AVIOContext *io;
    AVCodecContext *encoder;
    AVPacket *packet;
    bool begun;
};

static int open_encoder(struct writer *writer, const AVFrame *like, AVRational rate) {
    bool gif = like->format == AV_PIX_FMT_PAL8;
    const AVCodec *codec = avcodec_find_encoder_by_name(gif ? "gif" : "libwebp_anim");
    writer->encoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (writer->encoder == NULL) {
        return AVERROR_ENCODER_NOT_FOUND;
    }
    writer->encoder->width = like->width;
    writer->encoder->height = like->height;
    writer->encoder->pix_fmt = like->format;
    writer->encoder->time_base = av_inv_q(rate);
    writer->encoder->framerate = rate;
    writer->encoder->thread_count = 1;
    writer->encoder->flags |= AV_CODEC_FLAG_BITEXACT;
    return avcodec_open2(writer->encoder, codec, NULL);
}

static int open_file(struct writer *writer, bool gif, int loop, int fd, int64_t bytes_max) {
    int result = avformat_alloc_output_context2(&writer->format, NULL, gif ? "gif" : "webp", NULL);
    writer->io = med_avio_writer(fd, bytes_max);
    if (result < 0 || writer->io == NULL) {
        return AVERROR(ENOMEM);
    }
    writer->format->pb = writer->io;
    writer->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    AVStream *stream = avformat_new_stream(writer->format, NULL);
    if (stream == NULL) {
        return AVERROR(ENOMEM);
    }
    result = avcodec_parameters_from_context(stream->codecpar, writer->encoder);
    stream->time_base = writer->encoder->time_base;
    /* a GIF counts what comes after the first time */
    int again = !gif ? loop : loop == 0 ? 0 : loop == 1 ? -1 : loop - 1;
    result = result < 0 ? result : av_opt_set_int(writer->format, "loop", again, AV_OPT_SEARCH_CHILDREN);
    return result < 0 ? result : avformat_write_header(writer->format, NULL);
}

/* frame NULL: what is left. */
static int put(struct writer *writer, const AVFrame *frame) {
    int result = avcodec_send_frame(writer->encoder, frame);
    while (result >= 0) {
        result = avcodec_receive_packet(writer->encoder, writer->packet);
        if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) {
            return 0;
        }
        if (result >= 0) {
            av_packet_rescale_ts(writer->packet, writer->encoder->time_base, writer->format->streams[0]->time_base);
            result = av_write_frame(writer->format, writer->packet);
        }
        av_packet_unref(writer->packet);
    }
    return result;
}

static enum cs_status next_frame(struct med_video *video, AVFrame *palette, struct med_chain *pixels,
                                 struct mapper *mapper, AVFrame **ret_frame, struct cs_err *err) {
    if (palette == NULL) {
        return video->pull(video, ret_frame, err);
    }
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(pull(video, pixels, "bgra", &frame, err));
    return map(mapper, frame, palette, ret_frame, err);
}

static void tell(const struct med_graph *graph, const struct med_video *video, int64_t done) {
    if (graph->events != NULL && graph->events->progress != NULL) {
        Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
        progress.stage = (char *)(uintptr_t) "rendering";
        progress.fraction = (double)done / (double)video->frames;
        graph->events->progress(&progress, graph->events->user);
    }
}

static enum cs_status write_all(struct med_graph *graph, struct med_video *video, AVFrame *palette, int loop, int fd,
                                struct writer *writer, struct med_chain *pixels, struct mapper *mapper,
                                struct cs_err *err) {
    int result = writer->packet == NULL ? AVERROR(ENOMEM) : 0;
    assert(video->frames > 0);
    for (int64_t n = 0; n < video->frames && result >= 0; n++) {
        MED_AUTO_FRAME *frame = NULL;
        CS_TRY(next_frame(video, palette, pixels, mapper, &frame, err));
        assert(frame != NULL);
        frame->pts = n;
        if (!writer->begun) {
            writer->begun = true;
            result = open_encoder(writer, frame, video->format.rate);
            result = result < 0 ? result : open_file(writer, palette != NULL, loop, fd, graph->output_bytes_max);
        }
        result = result < 0 ? result : put(writer, frame);
        tell(graph, video, n + 1);
    }
    assert(result < 0 || (writer->encoder != NULL && writer->io != NULL));
    result = result < 0 ? result : put(writer, NULL);
    result = result < 0 ? result : av_write_trailer(writer->format);
    if (result >= 0) {
        avio_flush(writer->io);
        result = writer->io->error < 0 ? writer->io->error : 0;
    }
    if (result == AVERROR(EFBIG)) {
        return med_av_fail(err, CS_OUT_OF_RANGE, "output_too_big", result, "writing the output");
    }
    return result < 0 ? failed(err, result, "writing a moving picture") : CS_OK;
}

enum cs_status med_animation_write(struct med_graph *graph, struct med_video *video, AVFrame *palette, int loop, int fd,
                                   struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts, struct cs_err *err) {
    struct writer writer = {.packet = av_packet_alloc()};
    struct med_chain pixels = {0};
    struct mapper mapper = {0};
    struct med_facts facts;
    enum cs_status status = write_all(graph, video, palette, loop, fd, &writer, &pixels, &mapper, err);
    av_packet_free(&writer.packet);
    avcodec_free_context(&writer.encoder);
    avformat_free_context(writer.format);
    med_avio_free(&writer.io);
    med_chain_fini(&pixels);
    avfilter_graph_free(&mapper.graph);
    CS_TRY(status);
    if (palette == NULL) { /* our demuxers know no moving WebP */
        facts = (struct med_facts){.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE, .audio.stream = -1};
        facts.video.codec = AV_CODEC_ID_WEBP;
        facts.video.width = video->format.width;
        facts.video.height = video->format.height;
        facts.video.pixel_format = AV_PIX_FMT_YUV420P;
    } else if (med_facts_read(fd, &facts, err) != CS_OK || facts.video.frames != video->frames ||
               facts.video.width != video->format.width) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the moving picture cannot be read back");
    }
    facts.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE;
    med_facts_to_wire(&facts, arena, ret_facts);
    return CS_OK;
}
