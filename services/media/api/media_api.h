/*
 * media_api: callsheet.v1.Media, questions that are not jobs.
 */
#ifndef MED_MEDIA_API_H
#define MED_MEDIA_API_H

#include "cs/rpc.h"
#include "jobs/studio.h"

struct cs_rpc_service med_media_service(struct med_studio *studio);

#endif
