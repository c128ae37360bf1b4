#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/chat/events.h"

namespace posthorn::chat {

/// A message as WhatsApp names it: what older ones are counted from.
struct KnownMessage {
  std::string id;
  bool from_me = false;
  Wall at;  ///< whole seconds
};

/// A message as the phone keeps it.
struct PastMessage {
  /// How far one of ours has come, as the phone knows it; of theirs always none.
  enum class Fate : std::uint8_t { none, pending, sent, delivered, read, failed };

  Message message;
  Fate fate = Fate::none;
};

/// What the phone knows of the time before the box. Source: chapter 12 section 1.
class PhoneHistory {
 public:
  /// Messages of one answer.
  static constexpr std::uint32_t kMostMessages = 50;

  virtual ~PhoneHistory() = default;

  /// Asks the phone for messages of a chat that are older than that one. chat: chatId; count: 1 ..
  /// kMostMessages. done: the newest first, of at most 1 MiB; none: the phone has no older ones.
  /// Nothing of them is kept. One question for each chat at a time, four in all. Errors, each with
  /// a sentence for people: malformed (chat), busy (one is open), disconnected, timeout (no answer
  /// in a minute, or its file not within another), refused (an answer that cannot be read, or whose
  /// file is gone), io, cancelled.
  virtual void older(const std::string& chat, const KnownMessage& than, std::uint32_t count,
                     Once<void(Result<std::vector<PastMessage>>)> done) = 0;

  /// How much of what the phone tells by itself after linking has come: 0 .. 100 percent. 100 too
  /// when nothing more came for two minutes.
  [[nodiscard]] virtual int progress() = 0;
};

}  // namespace posthorn::chat
