/*
 * backdrop: what is behind a picture that does not fill its frame: one colour, or the picture itself, enlarged and
 * blurred.
 *
 * The blur works on a picture of about a hundred lines, which is then enlarged: nobody can tell, and it costs half.
 */
#ifndef MED_BACKDROP_H
#define MED_BACKDROP_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/chain.h"
#include "graph/window.h"

struct med_backdrop {
    int width; /* of the frame; even */
    int height;
    struct med_window inner; /* where the picture lies; even numbers */
    bool blurred;
    uint32_t rgb; /* 0xRRGGBB, unless blurred */
    /* below: backdrop.c's */
    struct med_chain chain;
    AVFrame *flat;
};

/* A picture of the inner window's size, 8-bit 4:2:0 BT.709 limited, into a frame of its own. */
enum cs_status med_backdrop_apply(struct med_backdrop *backdrop, const AVFrame *picture, AVFrame **ret_frame,
                                  struct cs_err *err) CS_MUST_USE;
void med_backdrop_fini(struct med_backdrop *backdrop);

#endif
