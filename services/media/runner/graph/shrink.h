/*
 * shrink: a decoded picture as a small grey one, upright: means of its brightness, as the decoder gave it.
 */
#ifndef MED_SHRINK_H
#define MED_SHRINK_H

#include "graph/chain.h"
#include "graph/window.h"

struct med_shrink {
    int width; /* of the small picture */
    int height;
    /* below: shrink.c's */
    struct med_chain chain; /* for formats whose brightness is not simply there */
    int in_width, in_height, in_format;
    uint8_t *lying; /* the small picture as it is stored */
};

void med_shrink_init(struct med_shrink *shrink, int width, int height);
/* stream as with med_fit_apply. ret_grey: width x height. */
enum cs_status med_shrink_apply(struct med_shrink *shrink, AVFrame *in, const AVStream *stream, uint8_t *ret_grey,
                                struct cs_err *err) CS_MUST_USE;
void med_shrink_fini(struct med_shrink *shrink);

#endif
