#pragma once

#include <string>

#include "api/context.h"
#include "posthorn/api/http.h"
#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

namespace posthorn::api {

/// The form of setGroupPicture and setProfilePicture: one file, and the group, in either order.
struct PictureForm {
  std::string group;  ///< groupId or chatId; empty: the form has none
  std::string picture;
};
/// Errors: malformed (no form, no file, not a JPEG), in the words of a 400.
[[nodiscard]] Result<PictureForm> parse_picture_form(const Request& request);

/// Their answer: word: done, and why not. why: empty when it is done.
[[nodiscard]] json::Value picture_answer(const char* word, const std::string& why);
/// Answers for a picture that is set, with its address; null: WhatsApp does not tell it.
void answer_new_picture(Context& context, Call call, const char* word, const std::string& chat);
/// True, or the call has been answered with what is missing.
[[nodiscard]] bool may_set_picture(const Context& context, Call& call, const char* word);

}  // namespace posthorn::api
