#pragma once

#include <string>

#include "posthorn/api/http.h"
#include "posthorn/base/result.h"

namespace posthorn::api {

/// The form of setGroupPicture and setProfilePicture: one file, and the group, in either order.
struct PictureForm {
  std::string group;  ///< groupId or chatId; empty: the form has none
  std::string picture;
};
/// Errors: malformed (no form, no file, not a JPEG), in the words of a 400.
[[nodiscard]] Result<PictureForm> parse_picture_form(const Request& request);

}  // namespace posthorn::api
