/*
 * studio: what every job and probe works with. Built by app.c, shared by all threads, outlives them.
 */
#ifndef MED_STUDIO_H
#define MED_STUDIO_H

#include "cs/http.h"
#include "cs/runner.h"
#include "cs/storage.h"
#include "scratch.h"
#include "slots.h"

enum { MED_FILE_GIB_MAX = 8 };
#define MED_FILE_BYTES_MAX ((uint64_t)MED_FILE_GIB_MAX << 30) /* of one input or output */

struct med_visits;

struct med_studio {
    struct cs_storage *storage;
    struct med_scratch *scratch;
    struct cs_http *http;
    struct cs_runner *runner;
    bool allow_private_targets;
    bool gpl_encoders;     /* may be chosen */
    uint32_t threads;      /* of a job, of each kind */
    uint64_t memory_bytes; /* of a job */
    uint64_t room_bytes;   /* that must be free, in scratch and storage, before a job begins */
    uint32_t cores;
    struct med_slots *slots;
    struct med_visits *visits;
};

#endif
