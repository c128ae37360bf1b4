#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cloud/content/kinds.h"
#include "cloud/graph_error.h"
#include "posthorn/base/job.h"

namespace posthorn::cloud {

/// One POST of messages, read but for what stands elsewhere: files by id or link, templates.
struct MessageRequest {
  std::string input;  ///< as the client wrote it
  std::string chat;   ///< chatId
  std::string type;
  Content content;                  ///< but for a file
  std::optional<MediaAsked> media;  ///< the file that `content` is to become
  bool with_template = false;       ///< the content comes from a template
  std::string reaction_to;          ///< wamid; "": no reaction
  std::string answer_to;            ///< wamid of the message that it answers; "": none
  std::string callback_data;
  std::string transport;  ///< of ours: as in sendMessage
};

/// The chatId of a user id that Meta has named; may be empty.
using ChatOfUserId = std::function<std::optional<std::string>(const std::string& user_id)>;

/// Errors: as cloud/fields.h; unsupported (131051), crypto stands for a user id that nobody here
/// knows (131062).
[[nodiscard]] Result<MessageRequest> parse_message(const json::Value& body,
                                                   const ChatOfUserId& known = {});

}  // namespace posthorn::cloud
