#include "ops/chunk.h"

#include <libavutil/avutil.h>
#include <string.h>

#include "bounds.h"
#include "captions/fonts.h"
#include "cs/base/auto.h"
#include "graph/av.h"
#include "graph/input.h"
#include "graph/sink.h"
#include "ops/chunk_note.h"

enum { CHUNK_S = 10, WORTH_IT_CHUNKS = 3 };

/* ---- where they begin ---- */

struct chunks {
    int64_t count;
    int64_t frames; /* of each but the last */
};

/* Chunks are encoded as usual, and joined without a look at what the whole may have; the joint knows H.264. */
static bool is_encoded_as_usual(const struct med_job *job, const struct med_made *made) {
    bool no_gpl = job->wire->limits != NULL && job->wire->limits->no_gpl_encoders;
    const struct med_encoding *encoding = &made->encoding;
    bool usual_rate = encoding->quality == 0 && encoding->bits_per_s == 0 && encoding->bits_per_s_max == 0;
    return encoding->encoder == NULL && !no_gpl && usual_rate && encoding->keyframe_frames == 0 && made->bytes_max == 0;
}

static struct chunks chunks_of(const struct med_job *job, const struct med_made *made) {
    int64_t frames = med_frames_at(CHUNK_S * MED_TICKS_PER_S, made->format.rate);
    int64_t least = (made->frames + MED_CHUNKS_MAX - 1) / MED_CHUNKS_MAX;
    frames = frames > least ? frames : least;
    struct chunks chunks = {.count = (made->frames + frames - 1) / frames, .frames = frames};
    if (!made->divisible || made->pieces != NULL || !is_encoded_as_usual(job, made) || chunks.count < WORTH_IT_CHUNKS) {
        chunks = (struct chunks){.count = made->frames > 0 ? 1 : 0, .frames = made->frames};
    }
    return chunks;
}

void med_chunk_survey(struct med_job *job, const struct med_made *made) {
    struct chunks chunks = chunks_of(job, made);
    Callsheet__V1__RunnerSurvey *survey = cs_arena_alloc(job->arena, sizeof(*survey));
    callsheet__v1__runner_survey__init(survey);
    survey->frames = made->frames;
    survey->chunks = (uint32_t)chunks.count;
    survey->chunk_frames = chunks.frames;
    survey->tools =
        cs_arena_sprintf(job->arena, "ffmpeg %s fonts %llx", av_version_info(), (unsigned long long)med_fonts_sum());
    if (made->frames > 0) {
        survey->rate = cs_arena_alloc(job->arena, sizeof(*survey->rate));
        callsheet__v1__rational__init(survey->rate);
        survey->rate->num = made->format.rate.num;
        survey->rate->den = made->format.rate.den;
    }
    job->done->survey = survey;
}

/* ---- one ---- */

/* Some of a picture's frames, counted anew. */
struct stretch {
    struct med_filter filter;
    int64_t first;
    int64_t given;
};

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct stretch *stretch = (struct stretch *)self;
    if (stretch->given == 0) {
        CS_TRY(med_video_skip(stretch->filter.source, stretch->first, err));
    }
    CS_TRY(stretch->filter.source->pull(stretch->filter.source, ret_frame, err));
    (*ret_frame)->pts = stretch->given++;
    return CS_OK;
}

static struct med_video *add_stretch(struct med_graph *graph, struct med_video *source, int64_t first, int64_t frames) {
    struct stretch *stretch = (struct stretch *)med_graph_add_filter(graph, sizeof(*stretch), source);
    stretch->filter.pad.frames = frames;
    stretch->filter.pad.pull = pull;
    stretch->filter.pad.skip = NULL;
    stretch->first = first;
    return &stretch->filter.pad;
}

enum cs_status med_chunk_make(struct med_job *job, const struct med_made *made, int fd, struct cs_err *err) {
    const Callsheet__V1__RunnerChunk *chunk = job->wire->chunk;
    if (chunk->first_frame < 0 || chunk->frames < 1 || chunk->first_frame > made->frames - chunk->frames) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_chunk", "a chunk lies outside of the output");
    }
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_video *picture = NULL;
    CS_TRY(med_made_picture(made, graph, &picture, err));
    /* the frame before the chunk is seen, too: only so it is known whether the first one stands still */
    int64_t before = chunk->first_frame > 0 ? 1 : 0;
    struct med_picture_findings seen;
    picture = add_stretch(graph, picture, chunk->first_frame - before, chunk->frames + before);
    picture = med_watch_picture(graph, picture, &seen);
    seen.black.parted = true;
    seen.frozen.parted = true;
    picture = add_stretch(graph, picture, before, chunk->frames);
    Callsheet__V1__MediaFacts *facts = NULL;
    Callsheet__V1__Quality *quality = NULL;
    CS_TRY(med_sink_run(graph, &(struct med_encoding){.container = MED_MP4}, picture, NULL, fd, job->arena, &facts,
                        &quality, err));
    CS_TRY(med_chunk_note_write(fd, &seen, chunk->first_frame - before, err));
    med_job_add_output(job, facts);
    med_job_add_quality(job, quality);
    return CS_OK;
}

/* ---- all ---- */

struct join {
    struct med_coded coded;
    const struct med_job *job;
    struct chunks chunks;
    AVCodecParameters *params; /* of every chunk */
    struct med_picture_findings seen;
};

static enum cs_status unplanned(struct cs_err *err, int64_t index) {
    return cs_fail(err, CS_INTERNAL, "bad_chunk", "chunk %lld is not what was planned", (long long)index);
}

static int64_t frames_of(const struct join *join, int64_t index) {
    int64_t first = index * join->chunks.frames;
    int64_t left = join->coded.frames - first;
    return left < join->chunks.frames ? left : join->chunks.frames;
}

static int fd_of(const struct join *join, int64_t index) {
    const Callsheet__V1__RunnerJob *wire = join->job->wire;
    return join->job->input_fds[wire->inputs - wire->chunks + (uint32_t)index];
}

static enum cs_status open_chunk(const struct join *join, int64_t index, AVFormatContext **ret_format, int *ret_stream,
                                 struct cs_err *err) {
    enum cs_status status = med_input_open(fd_of(join, index), ret_format, err);
    if (status == CS_UNAVAILABLE) {
        return status;
    }
    *ret_stream = status == CS_OK ? med_input_stream(*ret_format, AVMEDIA_TYPE_VIDEO) : -1;
    if (*ret_stream < 0) { /* it is ours: nobody's input is wrong */
        return unplanned(err, index);
    }
    med_input_keep_only(*ret_format, *ret_stream, -1);
    return CS_OK;
}

static bool same_params(const AVCodecParameters *a, const AVCodecParameters *b) {
    return a->codec_id == b->codec_id && a->width == b->width && a->height == b->height &&
           a->extradata_size == b->extradata_size && memcmp(a->extradata, b->extradata, (size_t)a->extradata_size) == 0;
}

static enum cs_status give_packets(struct join *join, int64_t index, AVFormatContext *format, int stream,
                                   med_packet_sink *sink, void *ctx, bool *ret_wanted, struct cs_err *err) {
    const AVStream *from = format->streams[stream];
    const AVRational unit = av_inv_q(join->coded.rate);
    int64_t first = index * join->chunks.frames;
    int64_t planned = frames_of(join, index);
    int64_t given = 0;
    if (!same_params(from->codecpar, join->params)) {
        return unplanned(err, index);
    }
    for (;;) {
        MED_AUTO_PACKET *packet = av_packet_alloc();
        int result = packet == NULL ? AVERROR(ENOMEM) : av_read_frame(format, packet);
        if (result == AVERROR(ENOMEM)) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "a packet");
        }
        if (result < 0) {
            CS_TRY(med_input_ended(format, result, err));
            return given == planned ? CS_OK : unplanned(err, index);
        }
        av_packet_rescale_ts(packet, from->time_base, unit);
        if (packet->pts < 0 || packet->pts >= planned || given == planned) {
            return unplanned(err, index);
        }
        packet->pts += first;
        packet->dts += first;
        packet->duration = 1;
        given++;
        *ret_wanted = sink(ctx, cs_steal(&packet));
        if (!*ret_wanted) {
            return CS_OK;
        }
    }
}

static enum cs_status run(struct med_coded *self, med_packet_sink *sink, void *ctx, struct cs_err *err) {
    struct join *join = (struct join *)self;
    bool wanted = true;
    for (int64_t i = 0; i < join->chunks.count && wanted; i++) {
        AVFormatContext *format = NULL;
        int stream = -1;
        enum cs_status status = open_chunk(join, i, &format, &stream, err);
        if (status == CS_OK) {
            status = give_packets(join, i, format, stream, sink, ctx, &wanted, err);
        }
        med_input_close(&format);
        CS_TRY(status);
    }
    return CS_OK;
}

static void read_notes(struct join *join) {
    med_picture_findings_init(&join->seen, join->coded.rate);
    for (int64_t i = 0; i < join->chunks.count; i++) {
        med_chunk_note_read(fd_of(join, i), join->coded.frames, &join->seen);
    }
    med_spans_joined(&join->seen.black);
    med_spans_joined(&join->seen.frozen);
    join->coded.seen = &join->seen;
}

static enum cs_status read_params(struct join *join, struct cs_err *err) {
    AVFormatContext *format = NULL;
    int stream = -1;
    enum cs_status status = open_chunk(join, 0, &format, &stream, err);
    join->params = avcodec_parameters_alloc();
    if (status == CS_OK &&
        (join->params == NULL || avcodec_parameters_copy(join->params, format->streams[stream]->codecpar) < 0)) {
        status = med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "parameters of a stream");
    }
    med_input_close(&format);
    return status;
}

enum cs_status med_chunk_join(struct med_job *job, const struct med_made *made, int fd, struct cs_err *err) {
    struct join join = {.coded = {.rate = made->format.rate, .frames = made->frames, .run = run},
                        .job = job,
                        .chunks = chunks_of(job, made)};
    if (join.chunks.count != job->wire->chunks || job->wire->chunks >= job->wire->inputs + 1) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_chunk", "this output is made in %lld chunks",
                       (long long)join.chunks.count);
    }
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_coded_tracks tracks = {.picture = &join.coded, .samples = made->samples};
    Callsheet__V1__MediaFacts *facts = NULL;
    Callsheet__V1__Quality *quality = NULL;
    read_notes(&join);
    enum cs_status status = read_params(&join, err);
    join.coded.params = join.params;
    if (status == CS_OK && made->samples > 0) {
        status = med_made_sound(made, graph, &tracks.audio, err);
    }
    if (status == CS_OK) {
        status = med_sink_run_coded(graph, &tracks, &made->encoding, fd, job->arena, &facts, &quality, err);
    }
    avcodec_parameters_free(&join.params);
    CS_TRY(status);
    med_job_add_output(job, facts);
    med_job_add_quality(job, quality);
    return CS_OK;
}
