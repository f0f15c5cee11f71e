#include "api/body.h"

#include "cs/json.h"

enum cs_status gw_body_read(struct gw_request *request, json_t **ret_value, struct cs_err *err) {
    const struct cs_buf *body = gw_request_body(request);
    if (body->size == 0) {
        *ret_value = json_object();
        return CS_OK;
    }
    return cs_json_parse(body->data, body->size, ret_value, err);
}
