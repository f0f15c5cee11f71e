/*
 * streams: all streams of a file, also those that nothing here would use: subtitles, other languages, covers, data.
 *
 * Streams that the facts do not tell of are measured by reading their packets in a pass of their own.
 */
#ifndef MED_STREAMS_H
#define MED_STREAMS_H

#include "graph/facts.h"

/* Fills `streams` and `chapter_count` of the facts' message. */
enum cs_status med_streams_read(int fd, const struct med_facts *facts, struct cs_arena *arena,
                                Callsheet__V1__MediaFacts *facts_wire, struct cs_err *err) CS_MUST_USE;

#endif
