#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"
#include "posthorn/chat/events.h"

namespace posthorn::cloud {

/// What a status webhook of the official API says of one message.
struct HeardStatus {
  std::string wamid;
  std::string chat;     ///< chatId; "" where Meta names nobody by number
  std::string user_id;  ///< "DE.1a2b"; "" where there is none
  std::string status;   ///< sent, delivered, read, played, failed
  std::string job_id;   ///< our idMessage, as biz_opaque_callback_data; "" when it has none
  std::int64_t at = 0;
  int code = 0;  ///< with failed
  std::string details;
  json::Value pricing;  ///< null: none
};

/// A message to the official number, or one that was typed there on a phone.
struct HeardMessage {
  chat::Message message;  ///< its id is the wamid; its chat "" where Meta names nobody by number
  std::string user_id;    ///< of the other side: "DE.1a2b"; "" where there is none
  std::string media_id;   ///< the file that content::File is about, still at Meta; "": none
};

/// Somebody has a new user id.
struct HeardChange {
  std::string old_id, new_id;
};

struct Heard {
  std::vector<HeardStatus> statuses;
  std::vector<HeardMessage> messages;
  std::vector<HeardChange> changes;
  std::vector<std::string> account;  ///< fields about the account, for people
};

/// One webhook. What Meta says about people itself ("system") is no message; of it only changes are
/// kept. Kinds, fields and users that are not known are left out, never an error: Meta
/// repeats what is refused and may switch the webhook off. phone_number_id: others' are left out.
/// Errors: malformed (no webhook at all).
[[nodiscard]] Result<Heard> parse_webhook(std::string_view body,
                                          const std::string& phone_number_id);

/// Whether "sha256=…" is the mark of these very bytes.
[[nodiscard]] bool signature_fits(std::string_view body, std::string_view signature,
                                  const std::string& app_secret);

}  // namespace posthorn::cloud
