/* Swagger UI comes from a public mirror of npm, by its digest: a page that is not ours can put nothing into this one.
 */
#include "openapi/openapi.h"

#define MIRROR "https://unpkg.com/swagger-ui-dist@5.35.0/"
#define SCRIPT "SwaggerUIBundle({url: \"openapi.json\", dom_id: \"#document\", deepLinking: true});"
#define SCRIPT_DIGEST "sha256-+VYgaDd57ZZ15aTlLKnkKeGOwAQImZMmhRBUoaIOD6c="

const char gw_openapi_page[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<title>Callsheet: the API</title>\n"
    "<link rel=\"stylesheet\" crossorigin=\"anonymous\" href=\"" MIRROR "swagger-ui.css\"\n"
    " integrity=\"sha384-WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I\">\n"
    "<div id=\"document\">The document itself is <a href=\"openapi.json\">openapi.json</a>.</div>\n"
    "<script crossorigin=\"anonymous\" src=\"" MIRROR "swagger-ui-bundle.js\"\n"
    " integrity=\"sha384-gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9\"></script>\n"
    "<script>" SCRIPT "</script>\n"
    "</html>\n";

const char gw_openapi_page_policy[] = "default-src 'none'; script-src https://unpkg.com '" SCRIPT_DIGEST
                                      "'; style-src https://unpkg.com 'unsafe-inline'; img-src data:; connect-src "
                                      "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
