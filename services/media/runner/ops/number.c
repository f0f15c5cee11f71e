#include "ops/number.h"

double med_number_or(const Google__Protobuf__DoubleValue *value, double absent) {
    return value == NULL ? absent : value->value;
}

enum cs_status med_number_read(const Google__Protobuf__DoubleValue *value, double absent, double min, double max,
                               const char *path, double *ret_number, struct cs_err *err) {
    double number = med_number_or(value, absent);
    if (!(number >= min && number <= max)) {
        return cs_fail_at(err, path, "out_of_range", "%s must be %g to %g", path, min, max);
    }
    *ret_number = number;
    return CS_OK;
}
