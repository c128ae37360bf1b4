#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/base/job.h"
#include "throttle/chat_key.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// The last accepted jobs, to answer a till that posts twice with the first id. Fixed size; when
/// more than kKept are accepted within the time, the oldest are forgotten.
class RecentPosts {
 public:
  static constexpr std::size_t kKept = 512;

  /// The id of the same message to the same person accepted within `within`; else remembers this
  /// one.
  std::optional<std::string> find_or_add(const Job& job, const ChatKey& chat, Tick within,
                                         Tick now);
  /// Both names are one person's.
  void join(const ChatKey& from, const ChatKey& into);
  /// The record that the job with this id became.
  void note_sequence(const std::string& id, std::uint64_t sequence);
  /// The job was not queued after all, or was taken out again: the next post of it is a new one.
  void forget(const std::string& id);
  void forget(std::uint64_t sequence);
  /// They have spoken in between: the same words once more are an answer and no second click.
  void on_spoken(const ChatKey& chat);

 private:
  struct Post {
    std::uint64_t content = 0;  ///< hash of kind, text and quoted id; 0: free
    ChatKey chat;
    Tick at = 0;
    std::uint64_t sequence = 0;  ///< 0: not known yet
    std::array<char, 39> id{};
    std::uint8_t id_length = 0;
  };
  std::array<Post, kKept> posts_;
  std::size_t next_ = 0;
};

}  // namespace posthorn::throttle
