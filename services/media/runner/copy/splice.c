#include "copy/splice.h"

#include <libavutil/display.h>
#include <string.h>

#include "copy/edge.h"
#include "cs/base/text.h"
#include "graph/av.h"
#include "graph/timeline.h"

enum {
    /* quarters of the effort of encoding a frame */
    ENCODE_WORK = 4,
    DECODE_WORK = 1,
    READ_SHARE = 8,  /* packets for one quarter */
    CHECK_WORK = 32, /* of one join */
};

/* ---- sources ---- */

static bool is_container(const char *name) {
    return strncmp(name, "mov,", 4) == 0 || strncmp(name, "matroska,", 9) == 0 || strcmp(name, "mpegts") == 0;
}

static bool is_turned(const AVStream *stream) {
    static const int32_t upright[9] = {1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30};
    size_t size = 0;
    const uint8_t *matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return matrix != NULL && (size < sizeof(upright) || memcmp(matrix, upright, sizeof(upright)) != 0);
}

static bool is_hdr(const struct med_video_facts *video, const AVCodecParameters *params) {
    return video->transfer == AVCOL_TRC_SMPTE2084 || video->transfer == AVCOL_TRC_ARIB_STD_B67 ||
           params->color_trc == AVCOL_TRC_SMPTE2084 || params->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

static const char *why_not_clip(const struct med_clip *clip, const struct med_picture_format *format) {
    const struct med_facts *facts = clip->facts;
    const struct med_video_facts *video = &facts->video;
    if (clip->made != NULL || facts->type != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO || video->stream < 0) {
        return "no_file";
    }
    if (!is_container(facts->container)) {
        return "container";
    }
    if (video->codec != AV_CODEC_ID_H264 && video->codec != AV_CODEC_ID_HEVC) {
        return "codec";
    }
    if (facts->cut_short) {
        return "damaged";
    }
    if (video->rotation != 0) {
        return "rotated";
    }
    if (video->sample_aspect.num != video->sample_aspect.den) {
        return "sample_aspect";
    }
    if (video->width != format->width || video->height != format->height) {
        return "size";
    }
    return av_cmp_q(video->rate, format->rate) != 0 ? "frame_rate" : NULL;
}

static const char *why_not_stream(const struct med_source *source, const struct med_reader *reader) {
    const AVCodecParameters *params = source->params;
    const struct med_video_facts *video = &source->clip->facts->video;
    if (params->width != video->width || params->height != video->height) {
        return "size";
    }
    if (is_turned(reader->info)) {
        return "rotated";
    }
    if (is_hdr(video, params)) {
        return "hdr";
    }
    if (!med_edge_takes(params->codec_id, params->format)) {
        return "pixel_format";
    }
    for (size_t i = 0; params->codec_id == AV_CODEC_ID_H264 && i < source->sets.count; i++) {
        const struct med_set *set = &source->sets.list[i];
        if (set->parent < 0 && med_nal_has_fields(&set->nal)) {
            return "interlaced";
        }
    }
    return NULL;
}

enum cs_status med_source_reader(const struct med_source *source, const struct med_splice *splice, bool known,
                                 struct med_reader **ret_reader, struct cs_err *err) {
    const struct med_video_facts *video = &source->clip->facts->video;
    return med_reader_open(source->clip->fd, video->stream, known, video->start_ticks, splice->format.rate, ret_reader,
                           err);
}

/* What the header of a file does not tell, nothing has to be decoded for again. */
static void complete(AVCodecParameters *params, const struct med_video_facts *video) {
    const uint8_t *header = params->extradata;
    params->format = video->pixel_format;
    params->color_range = video->range;
    params->color_space = video->matrix;
    params->color_primaries = video->primaries;
    params->color_trc = video->transfer;
    params->chroma_location = video->chroma;
    params->sample_aspect_ratio = video->coded_aspect;
    if (params->codec_id == AV_CODEC_ID_H264 && params->extradata_size > 3 && header[0] == 1) {
        params->profile = header[1] | (header[1] == FF_PROFILE_H264_BASELINE ? (header[2] & 0x40) << 3 : 0);
    }
}

/* Opens, looks, and indexes; what an input does not allow is a reason, not a failure. */
static enum cs_status read_source(struct med_splice *splice, struct med_source *source, struct med_copy_index *index,
                                  struct cs_err *err) {
    CS_AUTO(med_reader) *reader = NULL;
    source->reason = why_not_clip(source->clip, &splice->format);
    if (source->reason != NULL) {
        return CS_OK;
    }
    CS_TRY(med_source_reader(source, splice, true, &reader, err));
    source->params = avcodec_parameters_alloc();
    if (source->params == NULL || avcodec_parameters_copy(source->params, reader->info->codecpar) < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "reading");
    }
    complete(source->params, &source->clip->facts->video);
    if (!med_sets_read(source->params, splice->arena, &source->sets)) {
        source->reason = "parameter_sets";
        return CS_OK;
    }
    source->reason = why_not_stream(source, reader);
    if (source->reason != NULL) {
        return CS_OK;
    }
    CS_TRY(med_copy_index_read(reader, &source->sets, index, err));
    source->reason = index->reason;
    source->open = index->open;
    return CS_OK;
}

static bool are_alike(const struct med_source *a, const struct med_source *b) {
    return a->reason == NULL && b->reason == NULL && a->params->format == b->params->format &&
           a->params->color_range == b->params->color_range && a->params->color_space == b->params->color_space &&
           a->params->color_primaries == b->params->color_primaries && a->params->color_trc == b->params->color_trc &&
           med_sets_equal(&a->sets, &b->sets);
}

static void find_group(struct med_splice *splice, struct med_source *source) {
    size_t own = (size_t)(source - splice->sources);
    source->group = own;
    for (size_t i = 0; i < own; i++) {
        if (splice->sources[i].group == i && are_alike(&splice->sources[i], source)) {
            source->group = i;
            return;
        }
    }
}

/* ---- pieces ---- */

static enum cs_status plan_source(struct med_splice *splice, size_t first, struct cs_err *err) {
    struct med_source *source = &splice->sources[splice->source_count++];
    struct med_copy_index index = {0};
    source->clip = splice->pieces[first].piece->clip;
    CS_TRY(read_source(splice, source, &index, err));
    find_group(splice, source);
    for (size_t i = first; i < splice->count; i++) {
        struct med_splice_piece *piece = &splice->pieces[i];
        if (piece->source != NULL || piece->piece->clip->fd != source->clip->fd ||
            piece->piece->clip->made != source->clip->made) {
            continue;
        }
        piece->source = source;
        if (source->reason == NULL) {
            int64_t from = med_frames_at(piece->piece->clip->from_ticks, splice->format.rate);
            med_copy_plan(&index, from, piece->piece->frames, piece->out, &piece->parts);
            splice->sources[source->group].copied += piece->parts.copied;
            piece->parts.read = i == first ? (int64_t)index.count : 0;
        }
    }
    med_copy_index_fini(&index);
    return CS_OK;
}

static const struct med_source *best_group(const struct med_splice *splice) {
    const struct med_source *best = NULL;
    for (size_t i = 0; i < splice->source_count; i++) {
        const struct med_source *source = &splice->sources[i];
        if (source->copied > 0 && (best == NULL || source->copied > best->copied)) {
            best = source;
        }
    }
    return best;
}

/* Pads give 8-bit BT.709 in limited range: only beside such may their frames stand. */
static bool fits_pads(const struct med_source *source) {
    const AVCodecParameters *params = source->params;
    return params->format == AV_PIX_FMT_YUV420P && params->color_range != AVCOL_RANGE_JPEG &&
           (params->color_space == AVCOL_SPC_BT709 ||
            (params->color_space == AVCOL_SPC_UNSPECIFIED && params->height >= 720));
}

static void add_up(struct med_splice *splice) {
    size_t like = (size_t)(splice->like - splice->sources);
    for (size_t i = 0; i < splice->count; i++) {
        struct med_splice_piece *piece = &splice->pieces[i];
        const struct med_copy_parts *parts = &piece->parts;
        piece->kept = piece->source->reason == NULL && piece->source->group == like && parts->copied > 0;
        if (!piece->kept) {
            splice->encoded += piece->piece->frames;
            splice->work += (ENCODE_WORK + DECODE_WORK) * piece->piece->frames;
            continue;
        }
        splice->copied += parts->copied;
        splice->encoded += parts->encoded;
        splice->work += ENCODE_WORK * parts->encoded + DECODE_WORK * parts->decoded + parts->read / READ_SHARE;
        for (size_t k = 0; k < parts->count; k++) {
            const struct med_copy_part *part = &parts->list[k];
            bool joined = parts->count > 1 || part->cut;
            splice->work += part->copied && joined ? CHECK_WORK : 0;
            splice->work += part->copied && part->cut ? 2 * (part->first + part->frames - part->last_key_frame) : 0;
            splice->reorder = part->reorder > splice->reorder ? part->reorder : splice->reorder;
        }
    }
}

static bool all_kept_or_fit(const struct med_splice *splice) {
    for (size_t i = 0; i < splice->count; i++) {
        if (!splice->pieces[i].kept && !fits_pads(splice->like)) {
            return false;
        }
    }
    return true;
}

static const char *why_nothing(const struct med_splice *splice) {
    bool open = false;
    for (size_t i = 0; i < splice->source_count; i++) {
        if (splice->sources[i].reason != NULL) {
            return splice->sources[i].reason;
        }
        open |= splice->sources[i].open;
        if (splice->sources[i].clip->facts->video.variable_rate) {
            return "variable_rate";
        }
    }
    return open ? "open_groups" : "no_whole_group";
}

static void decide(struct med_splice *splice) {
    splice->like = best_group(splice);
    if (splice->like == NULL) {
        splice->reason = why_nothing(splice);
        return;
    }
    add_up(splice);
    if (!all_kept_or_fit(splice)) {
        splice->reason = "colours";
    } else if (splice->like->params->codec_id == AV_CODEC_ID_H264 && med_sets_free_id(&splice->like->sets, 31) < 0) {
        splice->reason = "parameter_sets";
    } else if (splice->work >= (ENCODE_WORK + DECODE_WORK) * splice->frames) {
        splice->reason = "not_worth_it";
    }
    splice->like = splice->reason == NULL ? splice->like : NULL;
}

enum cs_status med_splice_plan(const struct med_made *made, struct cs_arena *arena, struct med_splice *ret_splice,
                               struct cs_err *err) {
    struct med_splice splice = {.arena = arena, .format = made->format, .count = made->piece_count};
    enum cs_status status = CS_OK;
    splice.pieces = cs_arena_array(arena, splice.count, sizeof(*splice.pieces));
    splice.sources = cs_arena_array(arena, splice.count, sizeof(*splice.sources));
    for (size_t i = 0; i < splice.count; i++) {
        splice.pieces[i] = (struct med_splice_piece){.piece = &made->pieces[i], .out = splice.frames};
        splice.frames += made->pieces[i].frames;
    }
    for (size_t i = 0; i < splice.count && status == CS_OK; i++) {
        if (splice.pieces[i].source == NULL) {
            status = plan_source(&splice, i, err);
        }
    }
    if (status != CS_OK) {
        med_splice_fini(&splice);
        return status;
    }
    decide(&splice);
    *ret_splice = splice;
    return CS_OK;
}

void med_splice_fini(struct med_splice *splice) {
    for (size_t i = 0; i < splice->source_count; i++) {
        avcodec_parameters_free(&splice->sources[i].params);
    }
    for (size_t i = 0; i < splice->count; i++) {
        med_copy_parts_fini(&splice->pieces[i].parts);
    }
    *splice = (struct med_splice){0};
}
