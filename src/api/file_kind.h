#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/content.h"
#include "posthorn/files/store.h"

namespace posthorn::api {

/// A stored file as the message that brings it. name: as its sender calls it, may be empty;
/// said_type: the type that its sender says, may be empty; beginning: its first bytes (4 KiB do).
/// What the bytes are counts before what the name says: a PDF called .jpg goes as a document.
/// Source: Green-API's table of endings and kinds; WhatsApp's sizes (chapter 08 section 10).
[[nodiscard]] content::File describe_file(const files::File& stored, std::string_view name,
                                          std::string_view said_type, ByteView beginning);

}  // namespace posthorn::api
