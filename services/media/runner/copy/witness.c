#include "copy/witness.h"

#include <libavutil/imgutils.h>
#include <libavutil/murmur3.h>
#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

/* Format, size, and all that is seen. */
static void hash_picture(const AVFrame *picture, uint8_t ret_hash[16]) {
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(picture->format);
    struct AVMurMur3 *hash = av_murmur3_alloc();
    const int shape[3] = {picture->format, picture->width, picture->height};
    memset(ret_hash, 0, 16);
    if (hash == NULL || format == NULL) {
        av_free(hash);
        return;
    }
    av_murmur3_init(hash);
    av_murmur3_update(hash, (const uint8_t *)shape, sizeof(shape));
    int planes = av_pix_fmt_count_planes(picture->format);
    for (int plane = 0; plane < planes; plane++) {
        int bytes = av_image_get_linesize(picture->format, picture->width, plane);
        bool chroma = plane == 1 || plane == 2;
        int rows = chroma ? AV_CEIL_RSHIFT(picture->height, format->log2_chroma_h) : picture->height;
        for (int y = 0; bytes > 0 && y < rows; y++) {
            av_murmur3_update(hash, picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane], (size_t)bytes);
        }
    }
    av_murmur3_final(hash, ret_hash);
    av_free(hash);
}

void med_witness_add(struct med_witnesses *witnesses, const AVFrame *picture, int64_t out) {
    struct med_witness witness = {.out = out};
    hash_picture(picture, witness.hash);
    cs_buf_put(&witnesses->list, &witness, sizeof(witness));
}

static int by_frame(const void *a, const void *b) {
    int64_t x = ((const struct med_witness *)a)->out;
    int64_t y = ((const struct med_witness *)b)->out;
    return (x > y) - (x < y);
}

void med_witness_sort(struct med_witnesses *witnesses) {
    struct med_witness *list = (struct med_witness *)(void *)witnesses->list.data;
    size_t count = witnesses->list.size / sizeof(*list);
    size_t kept = 0;
    if (count > 0) {
        qsort(list, count, sizeof(*list), by_frame);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || list[i].out != list[kept - 1].out) {
            list[kept++] = list[i];
        }
    }
    witnesses->list.size = kept * sizeof(*list);
}

const struct med_witness *med_witness_find(const struct med_witnesses *witnesses, int64_t out) {
    const struct med_witness key = {.out = out};
    size_t count = witnesses->list.size / sizeof(key);
    return count == 0 ? NULL : bsearch(&key, witnesses->list.data, count, sizeof(key), by_frame);
}

bool med_witness_agrees(const struct med_witness *witness, const AVFrame *picture) {
    uint8_t hash[16];
    hash_picture(picture, hash);
    return memcmp(hash, witness->hash, sizeof(hash)) == 0;
}

void med_witness_fini(struct med_witnesses *witnesses) {
    cs_buf_fini(&witnesses->list);
}
