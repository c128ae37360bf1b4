#include "api/accept.h"
#include "api/fields.h"
#include "api/handlers.h"

namespace posthorn::api {

namespace {

constexpr std::int64_t kShortest = 1000;  // milliseconds
constexpr std::int64_t kUsual = 5000;

struct Wish {
  std::string chat;
  chat::Typing what = chat::Typing::text;
  milliseconds lasts{kUsual};
};

Result<Wish> parse_typing_wish(const json::Value& body) {
  Wish wish;
  TRY(wish.chat, required_chat(body));
  TRY(const auto lasts, number_between(body, "typingTime", kShortest, kLongestTyping.count()));
  if (lasts) wish.lasts = milliseconds(*lasts);
  TRY(wish.what, parse_typing_type(body));
  return wish;
}

}  // namespace

void send_typing(Context& context, Call call) {
  const auto wish = parse_typing_wish(call.body);
  if (!wish) return call.refuse(wish.error());
  if (!context.typing.start(wish->chat, wish->what, wish->lasts)) {
    return call.refuse(429, "typing is shown in " + std::to_string(TypingShows::kMost) +
                                " chats already, try again when one of them ends");
  }
  call.send_text("");
}

}  // namespace posthorn::api
