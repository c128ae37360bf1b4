#pragma once

#include <vector>

#include "api/context.h"
#include "posthorn/api/api.h"
#include "posthorn/base/function.h"

namespace posthorn::api {

/// sendFileByUpload, sendFileByUrl, uploadFile, downloadFile and the statuses with a file. context
/// outlives the routes.
[[nodiscard]] std::vector<Route> file_routes(Context& context);

/// Whether it says itself that it is more than any file may have.
[[nodiscard]] bool is_too_large_upload(const Request& head);
inline constexpr std::string_view kTooLargeUpload =
    "The file is larger than 100 MB, which is the most that WhatsApp takes from here";

/// Brings what a body names by urlFile and fileName into the store. then: with the call that waits
/// for its answer; else it has been answered: refused, or as a repeat of the same POST to `method`,
/// whose file may be another one by now, or gone. Fetched before the answer.
using OnFile = Function<void(Call call, content::File file)>;
void take_file_by_url(Context& context, Call call, const char* method, OnFile then);

/// GET /files/…: what links of ours lead to, brought from WhatsApp when it is not here yet.
void serve_file(Context& context, const Request& request, Reply reply);

}  // namespace posthorn::api
