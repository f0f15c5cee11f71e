/*
 * size: how big a generated picture is.
 */
#ifndef MED_SIZE_H
#define MED_SIZE_H

#include "graph/graph.h"

/* resolution names the shorter side: "480p" "720p" (default) "1080p"; "720p" at "9:16" is 720x1280. Even numbers. */
enum cs_status med_size_of_generated(const char *resolution, const char *aspect_ratio,
                                     struct med_picture_format *format, struct cs_err *err) CS_MUST_USE;
enum cs_status med_size_from_short_side(int short_side, const char *aspect_ratio, const char *aspect_default,
                                        struct med_picture_format *format, struct cs_err *err) CS_MUST_USE;

#endif
