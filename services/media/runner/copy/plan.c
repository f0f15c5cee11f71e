#include "copy/plan.h"

#include <stdlib.h>

#include "cs/base/mem.h"

enum { REORDER_MAX = 32 /* frames that may be missing between those that were decoded; both codecs allow 16 */ };

static bool copyable(const struct med_copy_entry *entry) {
    return (entry->flags & (MED_ENTRY_SHOWN | MED_ENTRY_BROKEN)) == MED_ENTRY_SHOWN;
}

/* Each of the frames from first on exactly once. */
static bool is_complete(const struct med_copy_entry *entries, size_t count, int64_t first) {
    CS_AUTO_FREE bool *seen = cs_alloc_array(count, sizeof(bool));
    for (size_t i = 0; i < count; i++) {
        int64_t place = entries[i].frame - first;
        if (place < 0 || place >= (int64_t)count || seen[place]) {
            return false;
        }
        seen[place] = true;
    }
    return true;
}

/* How many packets from this key picture on may be copied. */
static size_t run_length(const struct med_copy_index *index, size_t start, int64_t end) {
    int64_t first = index->entries[start].frame;
    int64_t latest = first;
    size_t best = 0;
    for (size_t i = start; i < index->count && copyable(&index->entries[i]); i++) {
        latest = index->entries[i].frame > latest ? index->entries[i].frame : latest;
        int64_t shown = latest - first + 1; /* up to the latest one */
        if (latest >= end || shown - (int64_t)(i - start + 1) > REORDER_MAX) {
            break;
        }
        if (shown == (int64_t)(i - start + 1)) {
            best = i - start + 1;
        }
    }
    return best;
}

static int reorder_of(const struct med_copy_entry *entries, size_t count) {
    int64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t late = (int64_t)i - (entries[i].frame - entries[0].frame);
        most = late > most ? late : most;
    }
    return (int)most;
}

static void append(struct med_copy_parts *parts, const struct med_copy_part *part) {
    if ((parts->count & (parts->count - 1)) == 0) { /* full at powers of two */
        size_t room = parts->count == 0 ? 1 : parts->count * 2;
        parts->list = cs_realloc(parts->list, room * sizeof(*parts->list));
    }
    parts->list[parts->count++] = *part;
}

static void add_run(struct med_copy_parts *parts, const struct med_copy_index *index, size_t start, size_t count,
                    int64_t out) {
    const struct med_copy_entry *entries = &index->entries[start];
    size_t key = count - 1;
    while (key > 0 && (entries[key].flags & MED_ENTRY_CLOSED) == 0) {
        key--;
    }
    size_t after = start + count;
    struct med_copy_part part = {
        .copied = true,
        .first = entries[0].frame,
        .frames = (int64_t)count,
        .out = out,
        .from = entries[0].spot,
        .last_key = entries[key].spot,
        .last_key_frame = entries[key].frame,
        .reorder = reorder_of(entries, count),
        .cut = after < index->count && (index->entries[after].flags & MED_ENTRY_CLOSED) == 0,
    };
    append(parts, &part);
    parts->copied += part.frames;
}

/* Where decoding begins so that all from `first` on comes out whole: a closed group, or one key picture more. Looks
 * backwards from entry `hint`. */
static const struct med_copy_entry *decode_from(const struct med_copy_index *index, size_t hint, int64_t first) {
    int keys = 0;
    for (size_t i = hint + 1; i-- > 0;) {
        const struct med_copy_entry *entry = &index->entries[i];
        if ((entry->flags & MED_ENTRY_KEY) == 0 || entry->frame > first || entry->spot.pts == AV_NOPTS_VALUE) {
            continue;
        }
        if ((entry->flags & MED_ENTRY_CLOSED) != 0 || ++keys == 2) {
            return entry;
        }
    }
    return &index->entries[0];
}

static void add_encoded(struct med_copy_parts *parts, const struct med_copy_index *index, size_t hint, int64_t first,
                        int64_t end, int64_t out) {
    if (end > first) {
        const struct med_copy_entry *from = decode_from(index, hint, first);
        struct med_copy_part part = {.first = first, .frames = end - first, .out = out, .from = from->spot};
        append(parts, &part);
        parts->encoded += part.frames;
        parts->decoded += end - (from->frame < first ? from->frame : first);
    }
}

void med_copy_plan(const struct med_copy_index *index, int64_t first, int64_t frames, int64_t out,
                   struct med_copy_parts *parts) {
    int64_t done = first;
    int64_t end = first + frames;
    for (size_t i = 0; i < index->count; i++) {
        const struct med_copy_entry *entry = &index->entries[i];
        if ((entry->flags & MED_ENTRY_CLOSED) == 0 || entry->frame < done || entry->frame >= end) {
            continue;
        }
        size_t count = run_length(index, i, end);
        if (count < MED_COPY_RUN_MIN) {
            continue;
        }
        if (!is_complete(entry, count, entry->frame)) { /* times that are not to be trusted */
            break;
        }
        add_encoded(parts, index, i, done, entry->frame, out + done - first);
        add_run(parts, index, i, count, out + entry->frame - first);
        done = entry->frame + (int64_t)count;
        i += count - 1;
    }
    if (index->count > 0) {
        add_encoded(parts, index, index->count - 1, done, end, out + done - first);
    }
}

void med_copy_parts_fini(struct med_copy_parts *parts) {
    free(parts->list);
    *parts = (struct med_copy_parts){0};
}
