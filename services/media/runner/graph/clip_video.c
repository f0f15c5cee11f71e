#include <stdlib.h>
#include <string.h>

#include "graph/av.h"
#include "graph/clip.h"
#include "graph/clip_made.h"
#include "graph/stream.h"
#include "graph/timeline.h"
#include "reframe/path.h"

struct clip_video {
    struct med_video pad;
    struct med_clip clip;
    struct med_fit fit;
    struct med_stream *stream;
    AVFrame *upcoming;      /* decoded, not yet shown */
    int64_t upcoming_index; /* from which frame on it is shown */
    int64_t decoded_until;  /* the frame at which the latest picture ends */
    AVFrame *shown;         /* fitted */
    AVFrame *current;       /* decoded; kept as long as the window may move over it */
    bool stale;             /* it is to be fitted */
    int64_t next;           /* frame to give */
    int64_t from;           /* frame of the input at which the clip begins */
    int64_t skipped;        /* frames of the pad in front of `from` */
    int64_t frames;         /* from `from` on */
    bool ended;
    bool closed;
};

static enum cs_status at_clip(struct clip_video *node, enum cs_status status, struct cs_err *err) {
    return status == CS_OK || err->path[0] != '\0' ? status : cs_err_at(err, node->clip.path);
}

/* A time of the stream as a frame of the clip. */
static int64_t index_at(const struct clip_video *node, int64_t pts) {
    if (node->clip.facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE) {
        return 0;
    }
    int64_t ticks = med_ticks_from(pts, med_stream_info(node->stream)->time_base);
    return med_frames_at(ticks - node->clip.facts->video.start_ticks, node->pad.format.rate) - node->from;
}

static enum cs_status fetch(struct clip_video *node, struct cs_err *err) {
    CS_TRY(med_stream_next(node->stream, &node->upcoming, err));
    node->ended = node->upcoming == NULL;
    if (!node->ended) {
        int64_t length = node->upcoming->pkt_duration > 0 ? node->upcoming->pkt_duration : 0;
        node->upcoming_index = index_at(node, node->upcoming->pts);
        node->decoded_until = index_at(node, node->upcoming->pts + length);
    }
    return CS_OK;
}

/* Before it nothing is shown: of a steady stream, two pictures before the clip's begin. */
static int64_t wanted_ticks(const struct clip_video *node) {
    const struct med_video_facts *video = &node->clip.facts->video;
    bool steady = !video->variable_rate && !video->interlaced && video->rate.num > 0;
    return steady ? video->start_ticks + node->clip.from_ticks - med_ticks_from(2, av_inv_q(video->rate)) : INT64_MIN;
}

static enum cs_status open_at(struct clip_video *node, int64_t seek_ticks, struct cs_err *err) {
    const struct med_stretch stretch = {seek_ticks, wanted_ticks(node)};
    av_frame_free(&node->upcoming);
    med_stream_close(node->stream);
    node->stream = NULL;
    CS_TRY(med_stream_open(node->clip.fd, node->clip.facts->video.stream, node->fit.threads, &stretch, &node->stream,
                           err));
    CS_TRY(fetch(node, err));
    if (node->ended) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "no picture of the input could be decoded");
    }
    if (node->clip.began != NULL) {
        *node->clip.began = node->from + node->upcoming_index;
    }
    return CS_OK;
}

/* Where an index leads to key frames that let nothing through, the clip may begin with one, and what is before it need
 * not be decoded; a quarter of a picture later, as times are rounded. */
static int64_t first_seek_ticks(const struct clip_video *node) {
    const struct med_facts *facts = node->clip.facts;
    bool indexed = strncmp(facts->container, "mov,", 4) == 0 || strncmp(facts->container, "matroska,", 9) == 0;
    bool known = facts->video.codec == AV_CODEC_ID_H264 || facts->video.codec == AV_CODEC_ID_HEVC;
    if (!indexed || !known || facts->video.gops.open || node->clip.from_ticks <= 0) {
        return med_clip_seek_ticks(&node->clip, facts->video.start_ticks);
    }
    int64_t quarter = med_ticks_from(1, av_inv_q(node->pad.format.rate)) / 4;
    return facts->video.start_ticks + node->clip.from_ticks + quarter;
}

/* Files without an index are searched by their times, which may lead to a key frame behind the clip's begin, or to
 * none: then from further and further back, at last from the start. */
static enum cs_status open_clip(struct clip_video *node, struct cs_err *err) {
    int64_t start_ticks = node->clip.facts->video.start_ticks;
    int64_t seek_ticks = first_seek_ticks(node);
    for (int64_t back_ticks = MED_TICKS_PER_S; seek_ticks != INT64_MIN; back_ticks *= 4) {
        struct cs_err own = {0};
        enum cs_status status = open_at(node, seek_ticks, &own);
        if (status == CS_OK && node->upcoming_index <= 0) {
            return CS_OK;
        }
        if (status != CS_OK && status != CS_DATA_LOSS) {
            *err = own;
            return status;
        }
        seek_ticks = seek_ticks - back_ticks > start_ticks ? seek_ticks - back_ticks : INT64_MIN;
    }
    return open_at(node, INT64_MIN, err);
}

/* The input ended with the picture of frame `next`; was more of it promised? */
static enum cs_status check_end(const struct clip_video *node, struct cs_err *err) {
    if (node->clip.facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE) {
        return CS_OK;
    }
    int64_t promised = med_frames_at(node->clip.facts->video.length_ticks, node->pad.format.rate) - node->from;
    if (promised > node->frames) {
        promised = node->frames;
    }
    int64_t missing = promised - (node->decoded_until > node->next ? node->decoded_until : node->next);
    double missing_s = (double)missing / av_q2d(node->pad.format.rate);
    if (missing_s > 0.5 && missing > promised / 10) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input ends %.1f s earlier than it says", missing_s);
    }
    return CS_OK;
}

/* Makes `current` the picture of frame `next`. */
static enum cs_status advance(struct clip_video *node, struct cs_err *err) {
    while (!node->ended && (node->upcoming_index <= node->next || (node->current == NULL && node->shown == NULL))) {
        av_frame_free(&node->current);
        node->current = node->upcoming;
        node->upcoming = NULL;
        node->stale = true;
        CS_TRY(fetch(node, err));
        if (node->ended) {
            CS_TRY(check_end(node, err));
        }
    }
    return CS_OK;
}

static enum cs_status pull_frame(struct clip_video *node, AVFrame **ret_frame, struct cs_err *err) {
    if (node->stream == NULL) {
        CS_TRY(open_clip(node, err));
    }
    CS_TRY(advance(node, err));
    if (med_clip_follow(&node->fit, node->skipped + node->next) || node->stale) {
        av_frame_free(&node->shown);
        CS_TRY(med_fit_apply(&node->fit, node->current, med_stream_info(node->stream), &node->shown, err));
        node->stale = false;
    }
    if (node->fit.path == NULL) {
        av_frame_free(&node->current);
    }
    AVFrame *frame = av_frame_clone(node->shown);
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a frame");
    }
    frame->pts = node->skipped + node->next++;
    *ret_frame = frame;
    return CS_OK;
}

static void close_clip(struct med_video *self) {
    struct clip_video *node = (struct clip_video *)self;
    med_stream_close(node->stream);
    node->stream = NULL;
    av_frame_free(&node->upcoming);
    av_frame_free(&node->current);
    av_frame_free(&node->shown);
    med_fit_fini(&node->fit);
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct clip_video *node = (struct clip_video *)self;
    CS_TRY(at_clip(node, pull_frame(node, ret_frame, err), err));
    if (node->next == node->frames) {
        close_clip(self);
    }
    return CS_OK;
}

/* Before the first picture the demuxer can be set further on; later, pictures between are decoded but not fitted. */
static enum cs_status skip(struct med_video *self, int64_t frames, struct cs_err *err) {
    struct clip_video *node = (struct clip_video *)self;
    bool still = node->clip.facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE;
    (void)err;
    if (node->stream == NULL && node->next == 0 && !still) {
        node->from += frames;
        node->skipped += frames;
        node->frames -= frames;
        node->clip.from_ticks = med_ticks_at_frame(node->from, node->pad.format.rate);
    } else {
        node->next += frames;
    }
    return CS_OK;
}

bool med_clip_follow(struct med_fit *fit, int64_t frame) {
    int x = 0;
    int y = 0;
    if (fit->path == NULL) {
        return false;
    }
    med_path_at(fit->path, frame, &x, &y);
    return med_fit_place(fit, x, y);
}

struct med_video *med_clip_fitted(struct med_graph *graph, const struct med_clip *clip,
                                  const struct med_picture_format *format, int64_t frames, const struct med_fit *fit) {
    struct med_fit own = *fit;
    own.width = format->width;
    own.height = format->height;
    own.threads = graph->threads;
    if (clip->made != NULL) {
        return med_clip_made_video(graph, clip, format, frames, &own);
    }
    struct clip_video *node = (struct clip_video *)med_graph_add_video(graph, sizeof(*node));
    node->pad =
        (struct med_video){.format = *format, .frames = frames, .pull = pull, .skip = skip, .close = close_clip};
    node->clip = *clip;
    node->from = med_frames_at(clip->from_ticks, format->rate);
    node->frames = frames;
    node->fit = own;
    return &node->pad;
}

struct med_video *med_clip_video(struct med_graph *graph, const struct med_clip *clip,
                                 const struct med_picture_format *format, int64_t frames, enum med_fit_mode mode,
                                 enum med_anchor anchor) {
    return med_clip_fitted(graph, clip, format, frames, &(struct med_fit){.mode = mode, .anchor = anchor});
}
