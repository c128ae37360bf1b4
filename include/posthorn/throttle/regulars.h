#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/time.h"

namespace posthorn::throttle {

/// One chat as the phone's history or a shop's own list knows it. Nothing else of a history is kept
/// here: no text, no name.
struct PastChat {
  std::string chat;                  ///< Green-API chatId
  std::optional<Wall> wrote;         ///< the newest message of theirs; absent: none is known
  std::optional<Wall> written;       ///< the newest message of ours
  std::uint32_t unanswered = 0;      ///< messages of ours since the last of theirs
  std::optional<Wall> member_since;  ///< groups
  /// A list says that they have written to us; nobody has seen a message of theirs.
  bool listed = false;
};

/// What became of one piece of a list.
struct ImportReport {
  std::uint32_t added = 0;  ///< people nobody had heard of
  std::uint32_t known = 0;  ///< people who were known before
  struct Refused {
    std::size_t line = 0;  ///< of this piece, from 1
    std::string why;       ///< for whoever wrote the list
  };
  std::uint32_t refused = 0;
  std::vector<Refused> examples;  ///< the first 20 of them
};

}  // namespace posthorn::throttle
