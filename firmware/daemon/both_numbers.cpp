#include "daemon/both_numbers.h"

#include <utility>

#include "daemon/official_side.h"
#include "posthorn/base/user_id.h"
#include "posthorn/cloud/wamid.h"

namespace posthorn::daemon {

void BothNumbers::mark(const std::string& chat, const std::string& message_id,
                       Once<void(Result<std::size_t>)> done) {
  if (official_ == nullptr) return read_marks_.mark(chat, message_id, std::move(done));
  const bool nameless = !user_id_in(chat).empty();
  if (nameless || cloud::is_wamid(message_id)) {
    return official_->mark_read(chat, message_id, cloud::Typing::no, std::move(done));
  }
  if (!message_id.empty() || !official_->has_unread(chat)) {
    return read_marks_.mark(chat, message_id, std::move(done));
  }
  read_marks_.mark(
      chat, "",
      [self = alive_.weak(), chat, done = std::move(done)](Result<std::size_t> own) mutable {
        BothNumbers* me = self.get();
        if (me == nullptr || me->official_ == nullptr) return done(std::move(own));
        me->official_->mark_read(
            chat, "", cloud::Typing::no,
            [own = own ? *own : 0, done = std::move(done)](Result<std::size_t> there) mutable {
              // The linked account may be offline: what the official number has said is said.
              if (there) return done(*there + own);
              if (own > 0) return done(own);
              done(std::move(there));
            });
      });
}

void BothNumbers::show_typing(const std::string& chat, chat::Typing what) {
  if (what == chat::Typing::none) {
    const bool there = shown_there_.erase(chat) > 0;
    if (shown_here_.erase(chat) > 0 || !there) presence_.show_typing(chat, what);
    return;
  }
  if (official_ == nullptr || !official_->wrote_last(chat)) {
    shown_here_.insert(chat);
    return presence_.show_typing(chat, what);
  }
  shown_there_.insert(chat);
  official_->mark_read(chat, "", cloud::Typing::yes, [](const Result<std::size_t>&) {});
}

Result<std::optional<chat::EarlierMessage>> BothNumbers::find(const std::string& chat,
                                                              const std::string& message_id) {
  const bool only_there = !user_id_in(chat).empty() || cloud::is_wamid(message_id);
  if (!only_there) {
    TRY(auto own, earlier_.find(chat, message_id));
    if (own) return own;
  }
  if (official_ == nullptr) return std::optional<chat::EarlierMessage>();
  return official_->earlier(chat, message_id);
}

}  // namespace posthorn::daemon
