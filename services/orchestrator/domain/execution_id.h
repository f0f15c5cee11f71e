/*
 * execution_id: names of executions, which say when each was made.
 *
 *     1xDM4q_k3Jw0aZpQ81LmX
 *     `----' `------------'
 *     second     83 random bits
 *
 * The second (Unix time) is in base 62 of 0-9A-Za-z, so ids compare as their times do. The log keeps an execution in
 * the partition of its day (store/migrations/0009_partitions.sql, where execution_day() reads the same): who knows the
 * id knows the place. Ids of the first releases are random throughout; their day is 0.
 *
 * Threads  pure.
 * Trust    ids come from clients as they are.
 */
#ifndef ORC_DOMAIN_EXECUTION_ID_H
#define ORC_DOMAIN_EXECUTION_ID_H

#include <stdint.h>

#include "cs/base/id.h"

/* Puts the time into a random id. */
void orc_execution_id_date(char id[static CS_ID_SIZE], int64_t unix_ms);

/* Of the Unix epoch; 0 when the id carries no time. */
int32_t orc_execution_id_day(const char *id);

#endif
