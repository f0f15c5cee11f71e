/*
 * check: whether what was copied shows the source's own pictures, bit for bit, on both sides of every join.
 *
 * The finished file is decoded across each join: from the last closed group before it to some way behind it, and each
 * copied picture compared with the source's. A join of whole groups of one header is proven by the bits alone; its
 * first pictures are decoded all the same.
 */
#ifndef MED_COPY_CHECK_H
#define MED_COPY_CHECK_H

#include "copy/splice.h"

/* *ret_same false: some picture differs, is missing or out of place. */
enum cs_status med_copy_check(const struct med_splice *splice, int fd, int threads, bool *ret_same,
                              struct cs_err *err) CS_MUST_USE;

#endif
