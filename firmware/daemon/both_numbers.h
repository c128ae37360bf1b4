#pragma once

#include <set>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/chat/earlier.h"
#include "posthorn/chat/presence.h"
#include "posthorn/chat/read_marks.h"

namespace posthorn::daemon {

class OfficialSide;

/// The linked account and the official number as one, for methods that name a message or a chat
/// and not a number: read marks, "typing…" and what was said before. Each goes to the number that
/// the message went by; of a chat as a whole to the one that they wrote to last.
class BothNumbers final : public chat::ReadMarks, public chat::Presence, public chat::Earlier {
 public:
  /// The linked account's; they outlive this.
  BothNumbers(chat::ReadMarks& read_marks, chat::Presence& presence, chat::Earlier& earlier)
      : read_marks_(read_marks), presence_(presence), earlier_(earlier) {}

  /// Null: it goes. Before, all is the linked account's.
  void join(OfficialSide* official) { official_ = official; }

  /// Without an id both numbers' messages of the chat are marked. Errors: also those of
  /// OfficialSide::mark_read().
  void mark(const std::string& chat, const std::string& message_id,
            Once<void(Result<std::size_t>)> done) override;
  /// At the official number "typing…" marks their newest message as read, too, and ends by itself.
  void show_typing(const std::string& chat, chat::Typing what) override;
  void keep_online(bool on) override { presence_.keep_online(on); }
  [[nodiscard]] Result<std::optional<chat::EarlierMessage>> find(
      const std::string& chat, const std::string& message_id) override;

 private:
  chat::ReadMarks& read_marks_;
  chat::Presence& presence_;
  chat::Earlier& earlier_;
  OfficialSide* official_ = nullptr;
  std::set<std::string> shown_here_;   ///< chats in which the linked account types
  std::set<std::string> shown_there_;  ///< in which the official number does
  Alive<BothNumbers> alive_{this};
};

}  // namespace posthorn::daemon
