#include "graph/sink.h"

#include <libavformat/avformat.h>
#include <pthread.h>

#include "graph/av.h"
#include "graph/clip.h"
#include "graph/encode.h"
#include "graph/facts.h"
#include "graph/output.h"
#include "graph/progress.h"
#include "graph/quality.h"
#include "graph/queue.h"
#include "graph/resample.h"
#include "graph/timeline.h"

enum {
    PACKETS_QUEUED = 64,
    SOUND_BATCH = 16, /* of pictures each one is progress */
    LISTEN_BLOCK = 4096,
};

/* One encoder with its thread, and the packet that the multiplexer looks at. */
struct track {
    struct med_video *video; /* one of the three */
    struct med_coded *coded;
    struct med_audio *audio;
    AVCodecContext *encoder; /* NULL: coded */
    bool sound;
    AVRational unit; /* of the packets' times */
    int64_t frames;  /* planned, of a picture */
    AVStream *stream;
    struct med_queue *packets;
    pthread_t thread;
    bool started;
    AVPacket *head;
    bool ended;
    int64_t written;
};

struct sink {
    struct med_graph *graph;
    const struct med_encoding *encoding;
    int fd;
    struct med_output output;
    struct track tracks[2];
    size_t count;
    bool unheard; /* its sound is coded, and nobody listened to it */
    int64_t length_ticks;
    int64_t done_ticks;
    struct med_progress progress;
    struct med_quality quality;
};

/* ---- progress, in media time ---- */

static void advance(struct sink *sink, const AVPacket *packet, AVRational unit) {
    int64_t end = med_ticks_from(packet->pts + packet->duration, unit);
    end = end > sink->length_ticks ? sink->length_ticks : end;
    if (end > sink->done_ticks) {
        sink->done_ticks = end;
        if (end < sink->length_ticks) { /* the end is told when the file has been read back */
            med_progress_tell(&sink->progress, med_ticks_to_us(end));
        }
    }
}

/* ---- encoding threads ---- */

static bool enqueue(void *ctx, AVPacket *packet) {
    return med_queue_put(((struct track *)ctx)->packets, packet);
}

static void *encode_track(void *arg) {
    struct track *track = arg;
    struct cs_err err = {0};
    enum cs_status status = track->coded != NULL ? track->coded->run(track->coded, enqueue, track, &err)
                            : track->video != NULL
                                ? med_encode_video(track->encoder, track->video, enqueue, track, &err)
                                : med_encode_audio(track->encoder, track->audio, enqueue, track, &err);
    med_queue_end(track->packets, status == CS_OK ? NULL : &err);
    return NULL;
}

static enum cs_status start_tracks(struct sink *sink, struct cs_err *err) {
    for (size_t i = 0; i < sink->count; i++) {
        struct track *track = &sink->tracks[i];
        track->packets = med_queue_create(PACKETS_QUEUED, track->sound ? SOUND_BATCH : 1, med_packet_free);
        if (pthread_create(&track->thread, NULL, encode_track, track) != 0) {
            return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "no thread for encoding");
        }
        track->started = true;
    }
    return CS_OK;
}

/* ---- the file ---- */

static bool is_mov_family(enum med_container container) {
    return container == MED_MP4 || container == MED_M4A || container == MED_MOV;
}

static enum cs_status open_encoder(struct sink *sink, struct track *track, struct cs_err *err) {
    const struct med_encoding *encoding = sink->encoding;
    bool global = (sink->output.format->oformat->flags & AVFMT_GLOBALHEADER) != 0;
    if (track->video != NULL) {
        struct med_encoding named = *encoding;
        if (named.encoder == NULL) {
            CS_TRY(med_encoding_usual(sink->graph->no_gpl, &named.encoder, err));
        }
        return med_encode_open_picture(&track->video->format, &named, sink->graph->threads, &track->encoder, err);
    }
    const char *name =
        encoding->sound_encoder != NULL ? encoding->sound_encoder : med_container_sound(encoding->container);
    int rate = encoding->sound_rate > 0 ? encoding->sound_rate : MED_SAMPLE_RATE;
    int channels = encoding->sound_channels > 0 ? encoding->sound_channels : 2;
    return med_encode_open_sound(name, encoding->sound_bits_per_s, rate, channels, global, &track->encoder, err);
}

static struct track *add_track(struct sink *sink) {
    return &sink->tracks[sink->count++];
}

static enum cs_status add_stream(struct sink *sink, struct track *track, AVRational unit, struct cs_err *err) {
    track->stream = avformat_new_stream(sink->output.format, NULL);
    int result = track->stream == NULL  ? AVERROR(ENOMEM)
                 : track->coded != NULL ? avcodec_parameters_copy(track->stream->codecpar, track->coded->params)
                                        : avcodec_parameters_from_context(track->stream->codecpar, track->encoder);
    if (result < 0) {
        return med_output_failed(err, result);
    }
    track->unit = unit;
    track->stream->time_base = unit;
    if (track->stream->codecpar->codec_id == AV_CODEC_ID_HEVC && is_mov_family(sink->encoding->container)) {
        track->stream->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1'); /* parameter sets in front, as Apple wants it */
    }
    return CS_OK;
}

static enum cs_status add_picture(struct sink *sink, struct med_video *video, struct med_coded *coded,
                                  struct cs_err *err) {
    struct track *track = add_track(sink);
    AVRational rate = coded != NULL ? coded->rate : video->format.rate;
    track->video = video;
    track->coded = coded;
    track->frames = coded != NULL ? coded->frames : video->frames;
    if (video != NULL) {
        CS_TRY(open_encoder(sink, track, err));
    }
    CS_TRY(add_stream(sink, track, av_inv_q(rate), err));
    track->stream->avg_frame_rate = rate;
    track->stream->r_frame_rate = rate;
    track->stream->sample_aspect_ratio = (AVRational){1, 1};
    sink->length_ticks = med_ticks_at_frame(track->frames, rate);
    return CS_OK;
}

static enum cs_status add_sound(struct sink *sink, struct med_audio *audio, struct cs_err *err) {
    struct track *track = add_track(sink);
    track->sound = true;
    track->audio = audio;
    CS_TRY(open_encoder(sink, track, err));
    track->audio = med_resample(sink->graph, audio, track->encoder->sample_rate);
    if (sink->length_ticks == 0) {
        sink->length_ticks = med_ticks_from(audio->samples, (AVRational){1, MED_SAMPLE_RATE});
    }
    return add_stream(sink, track, track->encoder->time_base, err);
}

static enum cs_status add_coded_sound(struct sink *sink, struct med_coded *coded, struct cs_err *err) {
    struct track *track = add_track(sink);
    track->sound = true;
    track->coded = coded;
    return add_stream(sink, track, av_inv_q(coded->rate), err);
}

static enum cs_status write_header(struct sink *sink, struct cs_err *err) {
    AVDictionary *options = NULL;
    if (is_mov_family(sink->encoding->container)) {
        av_dict_set(&options, "movflags", "+faststart", 0);
    } else if (sink->encoding->container == MED_WEBM || sink->encoding->container == MED_MKV) {
        av_dict_set(&options, "cues_to_front", "1", 0);
        av_dict_set(&options, "avoid_negative_ts", "disabled", 0); /* or the picture would wait for the sound's delay */
    }
    int result = avformat_write_header(sink->output.format, &options);
    av_dict_free(&options);
    return result < 0 ? med_output_failed(err, result) : CS_OK;
}

/* ---- multiplexing ---- */

static enum cs_status look(struct track *track, struct cs_err *err) {
    if (track->head == NULL && !track->ended) {
        void *packet = NULL;
        CS_TRY(med_queue_take(track->packets, &packet, err));
        track->head = packet;
        track->ended = packet == NULL;
    }
    return CS_OK;
}

static struct track *earliest(struct sink *sink) {
    struct track *best = NULL;
    for (size_t i = 0; i < sink->count; i++) {
        struct track *track = &sink->tracks[i];
        if (track->head != NULL &&
            (best == NULL || av_compare_ts(track->head->dts, track->unit, best->head->dts, best->unit) < 0)) {
            best = track;
        }
    }
    return best;
}

/* Who reads Matroska takes the delay of Opus off its times; the multiplexer does not put it on. */
static void add_delay(const struct sink *sink, const struct track *track, AVPacket *packet) {
    bool matroska = sink->encoding->container == MED_WEBM || sink->encoding->container == MED_MKV;
    if (matroska && track->stream->codecpar->codec_id == AV_CODEC_ID_OPUS) {
        packet->pts += track->encoder->initial_padding;
        packet->dts += track->encoder->initial_padding;
    }
}

static enum cs_status write_packets(struct sink *sink, struct cs_err *err) {
    for (;;) {
        for (size_t i = 0; i < sink->count; i++) {
            CS_TRY(look(&sink->tracks[i], err));
        }
        struct track *track = earliest(sink);
        if (track == NULL) {
            return CS_OK;
        }
        MED_AUTO_PACKET *packet = cs_steal(&track->head);
        if (!track->sound || sink->count == 1) {
            advance(sink, packet, track->unit);
        }
        if (!track->sound) {
            med_imprint_add(&sink->quality.imprint, track->stream->codecpar, packet);
        }
        add_delay(sink, track, packet);
        av_packet_rescale_ts(packet, track->unit, track->stream->time_base);
        packet->stream_index = track->stream->index;
        int result = av_write_frame(sink->output.format, packet);
        if (result < 0) {
            return med_output_failed(err, result);
        }
        track->written++;
    }
}

static enum cs_status run(struct sink *sink, struct cs_err *err) {
    sink->progress = med_progress_begin(sink->graph->events, "rendering", med_ticks_to_us(sink->length_ticks));
    CS_TRY(write_header(sink, err));
    CS_TRY(start_tracks(sink, err));
    CS_TRY(write_packets(sink, err));
    return med_output_finish(&sink->output, err);
}

static void close_sink(struct sink *sink) {
    for (size_t i = 0; i < sink->count; i++) {
        if (sink->tracks[i].started) {
            med_queue_stop(sink->tracks[i].packets);
        }
    }
    for (size_t i = 0; i < sink->count; i++) {
        struct track *track = &sink->tracks[i];
        if (track->started) {
            pthread_join(track->thread, NULL);
        }
        av_packet_free(&track->head);
        med_queue_destroy(track->packets);
        avcodec_free_context(&track->encoder);
    }
    med_output_close(&sink->output);
}

/* ---- reading it back ---- */

static int64_t samples_of(const struct track *track) {
    return track->coded != NULL ? track->coded->frames : track->audio->samples;
}

/* To coded sound, which nobody heard before. */
static enum cs_status listen(struct sink *sink, const struct med_facts *facts, struct cs_err *err) {
    const struct med_clip clip = {.fd = sink->fd, .facts = facts, .path = "output"};
    CS_AUTO_FREE float *stereo = cs_alloc_array((size_t)LISTEN_BLOCK * 2, sizeof(float));
    if (!sink->unheard) {
        return CS_OK;
    }
    struct med_audio *pad = med_clip_audio(sink->graph, &clip, sink->quality.samples, 1);
    pad = med_quality_watch_sound(&sink->quality, sink->graph, pad);
    for (int64_t left = pad->samples; left > 0; left -= LISTEN_BLOCK) {
        CS_TRY(pad->pull(pad, stereo, (size_t)(left < LISTEN_BLOCK ? left : LISTEN_BLOCK), err));
    }
    pad->close(pad);
    return CS_OK;
}

static enum cs_status read_back(struct sink *sink, struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts,
                                Callsheet__V1__Quality **ret_quality, struct cs_err *err) {
    struct med_facts facts;
    enum cs_status status = med_facts_read_made(sink->fd, &facts, err);
    if (status != CS_OK) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output cannot be read back");
    }
    CS_TRY(listen(sink, &facts, err));
    CS_TRY(med_quality_judge(&sink->quality, sink->fd, &facts, arena, ret_quality, err));
    for (size_t i = 0; i < sink->count; i++) { /* as planned, not as the container rounds */
        if (sink->tracks[i].sound) {
            facts.audio.samples = samples_of(&sink->tracks[i]);
            facts.audio.length_ticks = med_ticks_from(sink->quality.samples, (AVRational){1, MED_SAMPLE_RATE});
        } else {
            facts.video.rate = av_inv_q(sink->tracks[i].unit);
            facts.video.length_ticks = sink->length_ticks;
            facts.video.variable_rate = false;
        }
    }
    med_facts_to_wire(&facts, arena, ret_facts);
    return CS_OK;
}

static enum cs_status finish(struct sink *sink, enum cs_status status, struct cs_arena *arena,
                             Callsheet__V1__MediaFacts **ret_facts, Callsheet__V1__Quality **ret_quality,
                             struct cs_err *err) {
    if (status == CS_OK) {
        status = run(sink, err);
    }
    close_sink(sink);
    CS_TRY(status);
    CS_TRY(read_back(sink, arena, ret_facts, ret_quality, err));
    med_progress_tell(&sink->progress, med_ticks_to_us(sink->length_ticks));
    return CS_OK;
}

enum cs_status med_sink_run(struct med_graph *graph, const struct med_encoding *encoding, struct med_video *video,
                            struct med_audio *audio, int fd, struct cs_arena *arena,
                            Callsheet__V1__MediaFacts **ret_facts, Callsheet__V1__Quality **ret_quality,
                            struct cs_err *err) {
    struct sink sink = {.graph = graph, .encoding = encoding, .fd = fd};
    enum cs_status status =
        med_output_open(&sink.output, med_container_muxer(sink.encoding->container), fd, graph->output_bytes_max, err);
    if (status == CS_OK && video != NULL) {
        video = med_quality_watch_picture(&sink.quality, graph, med_graph_async(graph, video));
        status = add_picture(&sink, video, NULL, err);
    }
    if (status == CS_OK && audio != NULL) {
        status = add_sound(&sink, med_quality_watch_sound(&sink.quality, graph, audio), err);
    }
    return finish(&sink, status, arena, ret_facts, ret_quality, err);
}

enum cs_status med_sink_run_coded(struct med_graph *graph, const struct med_coded_tracks *coded,
                                  const struct med_encoding *encoding, int fd, struct cs_arena *arena,
                                  Callsheet__V1__MediaFacts **ret_facts, Callsheet__V1__Quality **ret_quality,
                                  struct cs_err *err) {
    const struct med_encoding into_mp4 = {
        .container = MED_MP4,
        .sound_encoder = encoding->sound_encoder,
        .sound_bits_per_s = encoding->sound_bits_per_s,
        .sound_rate = encoding->sound_rate,
        .sound_channels = encoding->sound_channels,
    };
    struct sink sink = {.graph = graph, .encoding = &into_mp4, .fd = fd};
    sink.quality.coded = true;
    sink.quality.frames = coded->picture->frames;
    sink.quality.rate = coded->picture->rate;
    if (coded->picture->seen != NULL) {
        sink.quality.picture = *coded->picture->seen;
    }
    enum cs_status status =
        med_output_open(&sink.output, med_container_muxer(sink.encoding->container), fd, graph->output_bytes_max, err);
    if (status == CS_OK) {
        status = add_picture(&sink, NULL, coded->picture, err);
    }
    if (status == CS_OK && coded->sound != NULL) {
        sink.unheard = true;
        sink.quality.samples = coded->samples;
        status = add_coded_sound(&sink, coded->sound, err);
    } else if (status == CS_OK && coded->audio != NULL) {
        status = add_sound(&sink, med_quality_watch_sound(&sink.quality, graph, coded->audio), err);
    }
    return finish(&sink, status, arena, ret_facts, ret_quality, err);
}
