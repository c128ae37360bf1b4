#pragma once

#include <cstddef>
#include <list>
#include <string>

#include "posthorn/base/scheduler.h"
#include "posthorn/chat/presence.h"

namespace posthorn::api {

/// "typing…" that a client asked for by itself, without a message: each chat has one at a time, and
/// it ends by itself.
class TypingShows {
 public:
  static constexpr std::size_t kMost = 32;

  TypingShows(Scheduler& scheduler, chat::Presence& presence)
      : scheduler_(scheduler), presence_(presence) {}

  /// Shows it from now on for so long; anew where it is shown already. False: in kMost chats it is.
  [[nodiscard]] bool start(const std::string& chat, chat::Typing what, milliseconds lasts);
  /// Nothing is switched off any more: phones end it by themselves after a moment.
  void stop() { running_.clear(); }

 private:
  struct Running {
    Running(Scheduler& scheduler, std::string to) : chat(std::move(to)), end(scheduler) {}
    std::string chat;
    Timer end;
  };
  void end(const std::string& chat);

  Scheduler& scheduler_;
  chat::Presence& presence_;
  std::list<Running> running_;
};

}  // namespace posthorn::api
