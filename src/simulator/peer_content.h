#pragma once

#include <string>

#include "posthorn/base/json.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/wa.pb.h"

/// What virtual devices say beside texts.
namespace posthorn::simulator {

/// The message that one of the words of CONTROL.md describes ("location", "contacts", "poll", …);
/// an empty message: none of them is in the object. Errors: malformed.
[[nodiscard]] Result<wa::Message> read_peer_content(const json::Value& value);

/// What a stanza says in the open about that message.
struct StanzaLook {
  std::string type = "text";
  std::string mediatype;  ///< empty: none
  std::string polltype;   ///< of <meta>; empty: none
};
[[nodiscard]] StanzaLook look_of(const wa::Message& message);

/// The content inside deviceSentMessage, or the message itself.
[[nodiscard]] const wa::Message& content_of(const wa::Message& message);

/// Green-API's word for the kind, "" for texts and what changes them.
[[nodiscard]] std::string kind_of(const wa::Message& message);

/// A vote in `poll`, sealed under its secret. author, voter: user JIDs as text. Errors: not_found
/// (an option that the poll has not), crypto.
[[nodiscard]] Result<wa::Message> seal_vote(Random& random, const wa::Message& poll,
                                            const std::string& poll_id, const std::string& author,
                                            const std::string& voter,
                                            const std::vector<std::string>& options);

}  // namespace posthorn::simulator
