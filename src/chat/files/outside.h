#pragma once

#include "chat/lane/context.h"
#include "posthorn/base/worker.h"
#include "posthorn/chat/files.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"
#include "posthorn/store/media_store.h"

namespace posthorn::chat {

/// What the parts that carry files share. Everything outlives them.
struct FilesContext {
  const MessageContext& context;
  FilesOutside outside;
  store::MediaStore& media;
};

/// How a media host is asked: the headers, and who is believed to be one.
[[nodiscard]] net::HttpRequest media_request(const FilesContext& context, const std::string& host,
                                             const std::string& path);

}  // namespace posthorn::chat
