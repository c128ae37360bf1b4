#pragma once

#include <vector>

#include "api/context.h"
#include "posthorn/api/api.h"

namespace posthorn::api {

/// sendFileByUpload, sendFileByUrl, uploadFile and downloadFile. context outlives the routes.
[[nodiscard]] std::vector<Route> file_routes(Context& context);

/// GET /files/…: what links of ours lead to, brought from WhatsApp when it is not here yet.
void serve_file(Context& context, const Request& request, Reply reply);

}  // namespace posthorn::api
