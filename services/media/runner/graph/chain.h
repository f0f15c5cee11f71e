/*
 * chain: a libavfilter graph from one buffer to one sink, straight but for forks that come together again, built from
 * typed options. No string is ever parsed as filter syntax, so no text can add a filter.
 *
 *     struct med_chain chain = {0};
 *     CS_TRY(med_chain_start(&chain, frame, threads, err));
 *     CS_TRY(med_chain_add(&chain, "scale", (const char *[]){"width", "1280", "height", "720", NULL}, err));
 *     CS_TRY(med_chain_finish(&chain, err));
 */
#ifndef MED_CHAIN_H
#define MED_CHAIN_H

#include <libavfilter/avfilter.h>
#include <libavutil/frame.h>

#include "cs/base/err.h"

struct med_chain {
    AVFilterGraph *graph;
    AVFilterContext *source; /* NULL: the first filter is a source itself */
    AVFilterContext *last;
    AVFilterContext *sink;
};

/* A number as the text of an option. */
struct med_number {
    char text[24];
};
const char *med_number(int value, struct med_number *number);

/* Takes frames like this one. */
enum cs_status med_chain_start(struct med_chain *chain, const AVFrame *like, int threads,
                               struct cs_err *err) CS_MUST_USE;
/* A chain whose first added filter is a source. */
enum cs_status med_chain_start_empty(struct med_chain *chain, struct cs_err *err) CS_MUST_USE;
/* options: name, value, …, NULL. */
enum cs_status med_chain_add(struct med_chain *chain, const char *filter, const char *const *options,
                             struct cs_err *err) CS_MUST_USE;
/* A window that stays this size; it may be moved. */
enum cs_status med_chain_add_crop(struct med_chain *chain, int x, int y, int width, int height,
                                  struct cs_err *err) CS_MUST_USE;
enum cs_status med_chain_move_crop(struct med_chain *chain, int x, int y, struct cs_err *err) CS_MUST_USE;
enum cs_status med_chain_finish(struct med_chain *chain, const char *sink, struct cs_err *err) CS_MUST_USE;
/* One frame in (kept by the caller), one frame out. */
enum cs_status med_chain_apply(struct med_chain *chain, AVFrame *in, AVFrame **ret_out, struct cs_err *err) CS_MUST_USE;
void med_chain_fini(struct med_chain *chain);

#endif
