#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/state/app_state.h"

namespace posthorn::chat {

/// What a <collection> of an answer says. Source: chapter 11 section 7.
struct CollectionAnswer {
  std::int64_t version = 0;
  int error = 0;   ///< 0: none
  Bytes snapshot;  ///< reference to a file; empty: none
  std::vector<Bytes> patches;
  bool more = false;  ///< ask again for the next ones
};
/// nullopt: the answer does not name that collection.
[[nodiscard]] std::optional<CollectionAnswer> parse_collection_answer(const wire::Node& iq,
                                                                      const std::string& name);
/// patch: ours; empty: only a question.
[[nodiscard]] wire::Node build_collection_query(const std::string& name, std::uint64_t version,
                                                bool snapshot, const Bytes& patch);

struct AppState::Round {
  std::string name;
  std::uint64_t version = 0;
  bool snapshot = false;    ///< the whole is asked for
  Collections::Built ours;  ///< to_send empty: nothing of ours goes along
  CollectionAnswer answer;
  std::size_t next = 0;  ///< patch to be applied
  Bytes file;            ///< snapshot or entries that came in a file
  Collections::Snapshot content;
  std::optional<std::vector<wire::SyncRecord>> external;  ///< of the next patch, looking into file
  Collections::Outcome outcome;
};

}  // namespace posthorn::chat
