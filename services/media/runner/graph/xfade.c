#include "graph/xfade.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/opt.h>
#include <stdio.h>

#include "graph/av.h"

static AVFilterContext *add_source(AVFilterGraph *graph, const char *name, const struct med_picture_format *format) {
    AVFilterContext *source = avfilter_graph_alloc_filter(graph, avfilter_get_by_name("buffer"), name);
    AVBufferSrcParameters *params = av_buffersrc_parameters_alloc();
    if (source != NULL && params != NULL) {
        params->format = AV_PIX_FMT_YUV420P;
        params->width = format->width;
        params->height = format->height;
        params->time_base = av_inv_q(format->rate);
        params->frame_rate = format->rate;
        params->sample_aspect_ratio = (AVRational){1, 1};
        if (av_buffersrc_parameters_set(source, params) < 0 || avfilter_init_str(source, NULL) < 0) {
            source = NULL;
        }
    }
    av_free(params);
    return source;
}

/* xfade works in 4:4:4; what comes out is ours again. */
static int link_back(struct med_xfade *xfade, AVFilterContext *blend) {
    AVFilterContext *format = avfilter_graph_alloc_filter(xfade->graph, avfilter_get_by_name("format"), "back");
    if (format == NULL) {
        return AVERROR(ENOMEM);
    }
    AVDictionary *options = NULL;
    av_dict_set(&options, "pix_fmts", "yuv420p", 0);
    int result = avfilter_init_dict(format, &options);
    av_dict_free(&options);
    if (result >= 0) {
        result = avfilter_link(blend, 0, format, 0);
    }
    return result >= 0 ? avfilter_link(format, 0, xfade->sink, 0) : result;
}

static int add_blend(struct med_xfade *xfade, const char *transition, int64_t frames,
                     const struct med_picture_format *format) {
    AVFilterContext *blend = avfilter_graph_alloc_filter(xfade->graph, avfilter_get_by_name("xfade"), "blend");
    if (blend == NULL) {
        return AVERROR_FILTER_NOT_FOUND;
    }
    char microseconds[32];
    snprintf(microseconds, sizeof(microseconds), "%lldus",
             (long long)av_rescale_q(frames, av_inv_q(format->rate), AV_TIME_BASE_Q));
    int result = av_opt_set(blend->priv, "transition", transition, 0);
    if (result >= 0) {
        result = av_opt_set(blend->priv, "duration", microseconds, 0);
    }
    if (result >= 0) {
        result = av_opt_set(blend->priv, "offset", "0", 0);
    }
    if (result >= 0) {
        result = avfilter_init_str(blend, NULL);
    }
    if (result >= 0) {
        result = avfilter_link(xfade->from, 0, blend, 0);
    }
    if (result >= 0) {
        result = avfilter_link(xfade->to, 0, blend, 1);
    }
    return result >= 0 ? link_back(xfade, blend) : result;
}

enum cs_status med_xfade_start(struct med_xfade *xfade, const char *transition, int64_t frames,
                               const struct med_picture_format *format, struct cs_err *err) {
    *xfade = (struct med_xfade){.graph = avfilter_graph_alloc()};
    if (xfade->graph == NULL) {
        return med_av_fail(err, CS_INTERNAL, "filter", AVERROR(ENOMEM), "a transition");
    }
    xfade->graph->nb_threads = 1;
    av_opt_set(xfade->graph, "scale_sws_opts", "flags=bicubic+accurate_rnd+bitexact", 0);
    xfade->from = add_source(xfade->graph, "from", format);
    xfade->to = add_source(xfade->graph, "to", format);
    int result =
        avfilter_graph_create_filter(&xfade->sink, avfilter_get_by_name("buffersink"), "out", NULL, NULL, xfade->graph);
    if (xfade->from == NULL || xfade->to == NULL) {
        result = AVERROR(ENOMEM);
    }
    if (result >= 0) {
        result = add_blend(xfade, transition, frames, format);
    }
    if (result >= 0) {
        result = avfilter_graph_config(xfade->graph, NULL);
    }
    return result < 0 ? med_av_fail(err, CS_INTERNAL, "filter", result, "a transition") : CS_OK;
}

enum cs_status med_xfade_blend(struct med_xfade *xfade, int64_t n, AVFrame *from, AVFrame *to, AVFrame **ret_frame,
                               struct cs_err *err) {
    MED_AUTO_FRAME *a = from;
    MED_AUTO_FRAME *b = to;
    MED_AUTO_FRAME *out = av_frame_alloc();
    a->pts = n;
    b->pts = n;
    int result = out == NULL ? AVERROR(ENOMEM) : av_buffersrc_add_frame(xfade->from, a);
    if (result >= 0) {
        result = av_buffersrc_add_frame(xfade->to, b);
    }
    if (result >= 0) {
        result = av_buffersink_get_frame(xfade->sink, out);
    }
    if (result < 0) {
        return med_av_fail(err, CS_INTERNAL, "filter", result, "a transition");
    }
    *ret_frame = out;
    out = NULL;
    return CS_OK;
}

void med_xfade_fini(struct med_xfade *xfade) {
    avfilter_graph_free(&xfade->graph);
}
