/*
 * index: every packet of a stream in the order of decoding, and what the stream's own bits prove about it.
 *
 * Owns     med_copy_index_fini frees the entries: about 24 bytes a packet.
 * Limits   MED_SCAN_PACKETS_MAX packets.
 */
#ifndef MED_COPY_INDEX_H
#define MED_COPY_INDEX_H

#include "copy/reader.h"
#include "copy/sets.h"

enum {
    MED_ENTRY_SHOWN = 1,   /* has a time, and no edit list hides it */
    MED_ENTRY_KEY = 2,     /* decoding may begin here; pictures shown before it may be damaged then */
    MED_ENTRY_CLOSED = 4,  /* proven: what follows needs nothing before it, and is shown after it */
    MED_ENTRY_BROKEN = 8,  /* must not be copied */
    MED_ENTRY_LEADING = 16 /* shown before the key picture that it follows */
};

struct med_copy_entry {
    struct med_spot spot;
    int32_t frame; /* of the input, at the output's rate */
    uint32_t flags;
};

struct med_copy_index {
    struct med_copy_entry *entries;
    size_t count;
    bool open;          /* has key pictures whose group is not closed */
    const char *reason; /* why nothing of it can be copied, or NULL */
};

/* Reads the stream from where it is to its end. */
enum cs_status med_copy_index_read(struct med_reader *reader, const struct med_sets *sets,
                                   struct med_copy_index *ret_index, struct cs_err *err) CS_MUST_USE;
void med_copy_index_fini(struct med_copy_index *index);

#endif
