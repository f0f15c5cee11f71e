/* The document that describes this API, and a page that shows it. */
#include "openapi/openapi.h"

#include "api/api.h"

void gw_handle_openapi(struct gw_api *api, struct gw_request *request, __attribute__((unused)) const char *arg) {
    gw_answer_header(request, "Cache-Control", "no-cache");
    gw_answer_text(request, 200, "application/json", api->openapi);
}

void gw_handle_swagger_ui(__attribute__((unused)) struct gw_api *api, struct gw_request *request,
                          __attribute__((unused)) const char *arg) {
    gw_answer_header(request, "Content-Security-Policy", gw_openapi_page_policy);
    gw_answer_text(request, 200, "text/html; charset=utf-8", gw_openapi_page);
}
