/*
 * splicer: runs a splice: copies packets, decodes and encodes edges, one stretch after the other.
 *
 * At most one input, one decoder and one encoder are open at a time, beside the graph's own.
 */
#ifndef MED_SPLICER_H
#define MED_SPLICER_H

#include "copy/splice.h"
#include "copy/witness.h"
#include "graph/sink.h"

struct med_splicer;

enum cs_status med_splicer_create(struct med_graph *graph, const struct med_splice *splice,
                                  struct med_splicer **ret_splicer, struct cs_err *err) CS_MUST_USE;
void med_splicer_destroy(struct med_splicer *splicer);
CS_DEFINE_AUTO(med_splicer, med_splicer_destroy)

/* What decoding for the edges saw of the frames beside them. */
struct med_witnesses *med_splicer_witnesses(struct med_splicer *splicer);

/* For the sink; runs once. */
struct med_coded *med_splicer_coded(struct med_splicer *splicer);

#endif
