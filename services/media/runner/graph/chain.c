#include "graph/chain.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/dict.h>
#include <libavutil/mem.h>
#include <stdio.h>

#include "graph/av.h"

const char *med_number(int value, struct med_number *number) {
    (void)snprintf(number->text, sizeof(number->text), "%d", value);
    return number->text;
}

static enum cs_status failed(struct cs_err *err, int averror, const char *what) {
    return med_av_fail(err, CS_INTERNAL, "filter", averror, what);
}

enum cs_status med_chain_start_empty(struct med_chain *chain, struct cs_err *err) {
    chain->graph = avfilter_graph_alloc();
    return chain->graph == NULL ? failed(err, AVERROR(ENOMEM), "filter graph") : CS_OK;
}

enum cs_status med_chain_start(struct med_chain *chain, const AVFrame *like, int threads, struct cs_err *err) {
    CS_TRY(med_chain_start_empty(chain, err));
    chain->graph->nb_threads = threads;
    chain->source = avfilter_graph_alloc_filter(chain->graph, avfilter_get_by_name("buffer"), "in");
    AVBufferSrcParameters *params = av_buffersrc_parameters_alloc();
    if (chain->source == NULL || params == NULL) {
        av_free(params);
        return failed(err, AVERROR(ENOMEM), "filter source");
    }
    params->format = like->format;
    params->width = like->width;
    params->height = like->height;
    params->sample_aspect_ratio = like->sample_aspect_ratio;
    params->time_base = (AVRational){1, 1000};
    int result = av_buffersrc_parameters_set(chain->source, params);
    av_free(params);
    if (result >= 0) {
        result = avfilter_init_str(chain->source, NULL);
    }
    chain->last = chain->source;
    return result < 0 ? failed(err, result, "filter source") : CS_OK;
}

/* Not linked yet. */
static enum cs_status make(struct med_chain *chain, const char *filter, const char *const *options,
                           AVFilterContext **ret_filter, struct cs_err *err) {
    const AVFilter *kind = avfilter_get_by_name(filter);
    AVFilterContext *made = kind == NULL ? NULL : avfilter_graph_alloc_filter(chain->graph, kind, NULL);
    if (made == NULL) {
        return cs_fail(err, CS_INTERNAL, "filter", "the filter %s is not available", filter);
    }
    AVDictionary *typed = NULL;
    for (; options != NULL && options[0] != NULL; options += 2) {
        av_dict_set(&typed, options[0], options[1], 0);
    }
    int result = avfilter_init_dict(made, &typed);
    bool unknown = av_dict_count(typed) > 0;
    av_dict_free(&typed);
    if (result >= 0 && unknown) {
        result = AVERROR_OPTION_NOT_FOUND;
    }
    *ret_filter = made;
    return result < 0 ? failed(err, result, filter) : CS_OK;
}

enum cs_status med_chain_add(struct med_chain *chain, const char *filter, const char *const *options,
                             struct cs_err *err) {
    AVFilterContext *next = NULL;
    CS_TRY(make(chain, filter, options, &next, err));
    int result = chain->last != NULL ? avfilter_link(chain->last, 0, next, 0) : 0;
    chain->last = next;
    return result < 0 ? failed(err, result, filter) : CS_OK;
}

enum cs_status med_chain_add_crop(struct med_chain *chain, int x, int y, int width, int height, struct cs_err *err) {
    struct med_number left, top, w, h;
    const char *options[] = {"out_w", med_number(width, &w), "out_h", med_number(height, &h), "x", med_number(x, &left),
                             "y",     med_number(y, &top),   NULL};
    return med_chain_add(chain, "crop", options, err);
}

/* The filter only moves its pointers: no picture is copied. */
enum cs_status med_chain_move_crop(struct med_chain *chain, int x, int y, struct cs_err *err) {
    struct med_number left, top;
    int result = avfilter_graph_send_command(chain->graph, "crop", "x", med_number(x, &left), NULL, 0, 0);
    if (result >= 0) {
        result = avfilter_graph_send_command(chain->graph, "crop", "y", med_number(y, &top), NULL, 0, 0);
    }
    return result < 0 ? failed(err, result, "moving a window") : CS_OK;
}

enum cs_status med_chain_finish(struct med_chain *chain, const char *sink, struct cs_err *err) {
    CS_TRY(med_chain_add(chain, sink, NULL, err));
    chain->sink = chain->last;
    int result = avfilter_graph_config(chain->graph, NULL);
    return result < 0 ? failed(err, result, "configuring filters") : CS_OK;
}

enum cs_status med_chain_apply(struct med_chain *chain, AVFrame *in, AVFrame **ret_out, struct cs_err *err) {
    int result = av_buffersrc_add_frame_flags(chain->source, in, AV_BUFFERSRC_FLAG_KEEP_REF);
    MED_AUTO_FRAME *out = av_frame_alloc();
    if (out == NULL) {
        result = AVERROR(ENOMEM);
    }
    if (result >= 0) {
        result = av_buffersink_get_frame(chain->sink, out);
    }
    if (result < 0) {
        return failed(err, result, "filtering");
    }
    *ret_out = out;
    out = NULL;
    return CS_OK;
}

void med_chain_fini(struct med_chain *chain) {
    avfilter_graph_free(&chain->graph);
    *chain = (struct med_chain){0};
}
