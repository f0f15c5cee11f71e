/* pg_schema: the migrated database of the tests of pg. */
#ifndef PG_SCHEMA_H
#define PG_SCHEMA_H

#include "cs/pg.h"
#include "cs/test_support.h"

extern const struct cs_test_template pg_schema;

#endif
