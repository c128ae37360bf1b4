#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posthorn/base/content.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::chat {

/// A message as the API shows it. Chats and senders are Green-API chatIds ("…@c.us", "…@g.us",
/// "…@lid" only when no phone number is known).
struct Message {
  std::string id;
  std::string chat;
  std::string sender;
  std::string sender_name;  ///< push name
  std::string chat_name;
  bool from_me = false;  ///< typed on the phone or another linked device
  Wall timestamp;
  Content content;
  bool by_admin = false;  ///< a deletion by an admin of the group, whoever wrote the message
};

/// A receipt for a message of ours, from the chat that it went to.
struct Receipt {
  enum class Kind : std::uint8_t { delivered, read, played };
  Kind kind = Kind::delivered;
  std::string message_id;
  std::string chat;         ///< as the till named it when it posted the message
  bool by_api = false;      ///< posted by the till, not typed on a phone
  bool before_ack = false;  ///< the server has not said yet that it took the message
  Wall timestamp;
};

/// One chat as the phone's history knows it, without anything that was said in it.
struct PastChat {
  std::string chat;
  std::optional<Wall> wrote;         ///< the newest message of theirs
  std::optional<Wall> written;       ///< the newest message of ours
  std::uint32_t unanswered = 0;      ///< messages of ours since the last of theirs, 255 at most
  std::optional<Wall> member_since;  ///< groups
};
/// A piece of the history, some hundred chats. `stored` when it is on disk wherever it is kept.
struct PastChats {
  std::vector<PastChat> chats;
};

/// What has become of a call that came in.
struct Call {
  enum class Status : std::uint8_t {
    offer,     ///< it rings
    pick_up,   ///< taken on the phone or another linked device
    hung_up,   ///< over
    missed,    ///< it rang while the box was away
    declined,  ///< rejected, here or on another device
  };
  Status status = Status::offer;
  std::string id;
  std::string chat;  ///< chatId of who calls
  bool video = false;
  Wall timestamp;
};

/// The owner has blocked somebody on the phone, while the box ran.
struct Blocked {
  std::string chat;  ///< chatId
  Wall at;           ///< when the box learned of it
};

using Event = std::variant<Message, Receipt, PastChats, Call, Blocked>;

/// Where events go. `stored` runs when whatever the event became is on disk (at once when it became
/// nothing); a Message's delivery receipt leaves only after that. An error keeps the message
/// unacknowledged, so that the server sends it again.
using EventSink = std::function<void(Event event, Once<void(Result<void>)> stored)>;

}  // namespace posthorn::chat
