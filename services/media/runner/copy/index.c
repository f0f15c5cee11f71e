#include "copy/index.h"

#include "bounds.h"
#include "graph/timeline.h"

static struct med_copy_entry look(const struct med_reader *reader, const struct med_sets *sets, const AVPacket *packet,
                                  bool *ret_new_sets) {
    struct med_access_unit unit =
        med_nal_look(sets->codec, sets->length_size, packet->data, (size_t)(packet->size > 0 ? packet->size : 0));
    struct med_copy_entry entry = {.spot = {.pts = packet->pts, .dts = packet->dts}, .frame = INT32_MIN};
    if (unit.damaged || unit.unsupported || (packet->flags & AV_PKT_FLAG_CORRUPT) != 0) {
        entry.flags |= MED_ENTRY_BROKEN;
    }
    if (unit.start || unit.open_start || (packet->flags & AV_PKT_FLAG_KEY) != 0) {
        entry.flags |= MED_ENTRY_KEY;
    }
    entry.flags |= unit.start ? MED_ENTRY_CLOSED : 0; /* so far */
    entry.flags |= unit.leading ? MED_ENTRY_LEADING : 0;
    *ret_new_sets = !med_sets_cover_packet(sets, packet->data, (size_t)packet->size);
    if (packet->pts != AV_NOPTS_VALUE && med_ticks_are_sane(med_ticks_from(packet->pts, reader->info->time_base))) {
        int64_t frame = med_reader_frame_at(reader, packet->pts);
        if (frame > INT32_MIN && frame < INT32_MAX) {
            entry.frame = (int32_t)frame;
            entry.flags |= (packet->flags & AV_PKT_FLAG_DISCARD) == 0 ? MED_ENTRY_SHOWN : 0;
        }
    }
    return entry;
}

/* A key picture whose followers are shown before it does not close its group. */
static void prove(struct med_copy_index *index) {
    int64_t earliest = INT64_MAX; /* of all that follow */
    for (size_t i = index->count; i-- > 0;) {
        struct med_copy_entry *entry = &index->entries[i];
        if (entry->spot.pts == AV_NOPTS_VALUE || earliest <= entry->spot.pts) {
            entry->flags &= ~(unsigned)MED_ENTRY_CLOSED;
        }
        earliest = entry->spot.pts != AV_NOPTS_VALUE && entry->spot.pts < earliest ? entry->spot.pts : earliest;
        index->open |= (entry->flags & (MED_ENTRY_KEY | MED_ENTRY_CLOSED)) == MED_ENTRY_KEY;
    }
}

enum cs_status med_copy_index_read(struct med_reader *reader, const struct med_sets *sets,
                                   struct med_copy_index *ret_index, struct cs_err *err) {
    struct cs_buf entries = {0};
    struct med_copy_index index = {0};
    const AVPacket *packet = NULL;
    enum cs_status status = CS_OK;
    while ((status = med_reader_packet(reader, &packet, err)) == CS_OK && packet != NULL) {
        bool new_sets = false;
        struct med_copy_entry entry = look(reader, sets, packet, &new_sets);
        index.reason = new_sets ? "parameter_sets" : index.reason;
        if (++index.count > MED_SCAN_PACKETS_MAX) {
            status = cs_fail(err, CS_OUT_OF_RANGE, "too_many_packets", "an input may have %d packets at most",
                             MED_SCAN_PACKETS_MAX);
            break;
        }
        cs_buf_put(&entries, &entry, sizeof(entry));
    }
    index.entries = (struct med_copy_entry *)(void *)cs_buf_steal(&entries);
    if (status != CS_OK) {
        med_copy_index_fini(&index);
        return status;
    }
    prove(&index);
    *ret_index = index;
    return CS_OK;
}

void med_copy_index_fini(struct med_copy_index *index) {
    free(index->entries);
    *index = (struct med_copy_index){0};
}
