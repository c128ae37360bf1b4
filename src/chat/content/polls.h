#pragma once

#include <string>
#include <vector>

#include "posthorn/base/content.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// The options that a decrypted vote names by their hashes, in the poll's order.
[[nodiscard]] std::vector<std::string> chosen_options(const content::Poll& poll,
                                                      const wa::Message::PollVoteMessage& vote);

}  // namespace posthorn::chat
