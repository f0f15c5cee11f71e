/*
 * check: whether what was copied shows the source's own pictures, bit for bit, on both sides of every join.
 *
 * The finished file is decoded across each join: the group before it from its begin, the first picture of what was
 * encoded, and the first picture behind, which starts a closed group; each copied one is compared with what witnesses
 * saw of the source. Of encoded pictures only the first is decoded: nothing behind refers to the others. Groups that
 * end where a stretch does are proven by their bits.
 */
#ifndef MED_COPY_CHECK_H
#define MED_COPY_CHECK_H

#include "copy/splice.h"
#include "copy/witness.h"

enum { MED_CHECK_FRAMES = 8 /* before a join, that must be seen */ };

/* Adds witnesses where there are none. *ret_same false: some picture differs, is missing or out of place. */
enum cs_status med_copy_check(const struct med_splice *splice, struct med_witnesses *witnesses, int fd, bool *ret_same,
                              struct cs_err *err) CS_MUST_USE;

#endif
