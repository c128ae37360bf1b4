#include <algorithm>
#include <array>

#include "api/accept.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "posthorn/api/chat_id.h"

// setDisappearingChat: after how long the messages of a chat disappear. Between two people that is
// a message, which takes its turn behind those before it; a group is told by a question.
namespace posthorn::api {
namespace {

/// Never, a day, a week, 90 days: what WhatsApp has. Source: chapter 07 section 5.4.
constexpr std::array<std::int64_t, 4> kTimers{0, 86'400, 604'800, 7'776'000};

Result<std::uint32_t> parse_timer(const json::Value& body) {
  TRY(const auto asked, optional_int(body, "ephemeralExpiration"));
  if (!asked) return invalid("ephemeralExpiration", "is required");
  if (std::find(kTimers.begin(), kTimers.end(), *asked) == kTimers.end()) {
    return invalid("ephemeralExpiration", "must be one of [0, 86400, 604800, 7776000]");
  }
  return static_cast<std::uint32_t>(*asked);
}

json::Value answer_of(const std::string& chat, std::uint32_t timer) {
  json::Value out(::Json::objectValue);
  out["chatId"] = chat;
  out["disappearingMessagesInChat"] = timer != 0;
  out["ephemeralExpiration"] = timer;
  return out;
}

}  // namespace

void set_disappearing_chat(Context& context, Call call) {
  const auto chat = required_chat(call.body);
  if (!chat) return call.refuse(chat.error());
  const auto timer = parse_timer(call.body);
  if (!timer) return call.refuse(timer.error());
  if (!is_group_chat(*chat)) {
    auto job = parse_job(call.body, context.settings(), {"ephemeralExpiration"},
                         Result<Content::What>(content::Timer{*timer}));
    return queue_job(context, std::move(call), "setDisappearingChat", std::move(job),
                     answer_of(*chat, *timer), ShowId::no);
  }
  chat::Groups::Settings settings;
  settings.timer = *timer;
  context.outside.groups.change_settings(
      *chat, settings,
      [chat = *chat, timer = *timer,
       call = std::move(call)](Result<chat::GroupChange> change) mutable {
        if (!change) return call.refuse(change.error());
        if (!change->done) return call.refuse(Error{Errc::malformed, change->reason});
        call.send(answer_of(chat, timer));
      });
}

}  // namespace posthorn::api
