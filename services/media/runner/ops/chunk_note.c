#include "ops/chunk_note.h"

#include <errno.h>
#include <libavutil/intreadwrite.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "callsheet/v1/runner.pb-c.h"
#include "cs/base/auto.h"
#include "cs/base/mem.h"

/* A box that players skip: its size, its type, our word, the message, and the size again, to be found from behind. */
enum { SIZE_BYTES = 4, NUMBERS_MAX = 2 * MED_SPANS_MAX, BOX_BYTES_MAX = 16 << 10 };

static const char type_and_word[] = "freecallsheet seen 1";

enum { HEAD_BYTES = SIZE_BYTES + sizeof(type_and_word) - 1, FRAME_BYTES = HEAD_BYTES + SIZE_BYTES };

static size_t list(const struct med_spans *spans, int64_t first, int64_t numbers[NUMBERS_MAX]) {
    for (size_t i = 0; i < spans->count; i++) {
        numbers[2 * i] = spans->items[i].start + first;
        numbers[2 * i + 1] = spans->items[i].end + first;
    }
    return 2 * spans->count;
}

enum cs_status med_chunk_note_write(int fd, const struct med_picture_findings *seen, int64_t first,
                                    struct cs_err *err) {
    int64_t black[NUMBERS_MAX];
    int64_t frozen[NUMBERS_MAX];
    uint8_t box[BOX_BYTES_MAX];
    Callsheet__V1__RunnerChunkSeen note = CALLSHEET__V1__RUNNER_CHUNK_SEEN__INIT;
    struct stat facts;
    note.n_black = list(&seen->black, first, black);
    note.black = black;
    note.n_frozen = list(&seen->frozen, first, frozen);
    note.frozen = frozen;
    size_t size = callsheet__v1__runner_chunk_seen__get_packed_size(&note) + FRAME_BYTES;
    if (size > sizeof(box) || fstat(fd, &facts) != 0) {
        return cs_fail(err, CS_INTERNAL, "write_failed", "what was seen of a chunk cannot be kept");
    }
    AV_WB32(box, (uint32_t)size);
    memcpy(box + SIZE_BYTES, type_and_word, sizeof(type_and_word) - 1);
    (void)callsheet__v1__runner_chunk_seen__pack(&note, box + HEAD_BYTES);
    AV_WB32(box + size - SIZE_BYTES, (uint32_t)size);
    if (pwrite(fd, box, size, facts.st_size) != (ssize_t)size) {
        return cs_fail(err, CS_UNAVAILABLE, "write_failed", "what was seen of a chunk cannot be written");
    }
    return CS_OK;
}

/* Returns how many bytes the message has; 0: there is none. */
static size_t find(int fd, uint8_t box[BOX_BYTES_MAX]) {
    struct stat facts;
    if (fstat(fd, &facts) != 0 || facts.st_size < FRAME_BYTES ||
        pread(fd, box, SIZE_BYTES, facts.st_size - SIZE_BYTES) != SIZE_BYTES) {
        return 0;
    }
    size_t size = AV_RB32(box);
    if (size < FRAME_BYTES || size > BOX_BYTES_MAX || (off_t)size > facts.st_size ||
        pread(fd, box, size, facts.st_size - (off_t)size) != (ssize_t)size || AV_RB32(box) != size ||
        memcmp(box + SIZE_BYTES, type_and_word, sizeof(type_and_word) - 1) != 0) {
        return 0;
    }
    return size - FRAME_BYTES;
}

static void join(struct med_spans *whole, const int64_t *numbers, size_t count, int64_t frames) {
    int64_t least = 0;
    for (size_t i = 0; i + 1 < count && numbers[i] >= least && numbers[i] < numbers[i + 1] && numbers[i + 1] <= frames;
         i += 2) {
        med_spans_join(whole, numbers[i], numbers[i + 1]);
        least = numbers[i];
    }
}

void med_chunk_note_read(int fd, int64_t frames, struct med_picture_findings *whole) {
    uint8_t box[BOX_BYTES_MAX];
    size_t size = find(fd, box);
    Callsheet__V1__RunnerChunkSeen *note =
        size > 0 ? callsheet__v1__runner_chunk_seen__unpack(NULL, size, box + HEAD_BYTES) : NULL;
    if (note != NULL) {
        join(&whole->black, note->black, note->n_black, frames);
        join(&whole->frozen, note->frozen, note->n_frozen, frames);
        callsheet__v1__runner_chunk_seen__free_unpacked(note, NULL);
    }
}
