#include <utility>

#include "chat/receive/work.h"

/// Messages that the server does not have for this device: sent before it was linked, to be seen
/// once, by a bot. Source: chapter 06 section 6.5.
namespace posthorn::chat {
namespace {

/// The phone is not asked for older ones.
constexpr hours kPhoneHas{14 * 24};

}  // namespace

/// Linked devices never get what may be seen once; the shop should know that something came. For
/// all else the phone is asked.
Result<void> Receiver::read_unavailable(Work& work) {
  work.ignored = true;
  const Envelope& envelope = work.envelope;
  const std::string& type = envelope.unavailable_type;
  // A story that cannot be read is not asked for; what our own devices tell each other comes again
  // when it is needed.
  if (type.starts_with("bot") || envelope.is_status() || envelope.category == "peer") return {};
  const bool once = type.starts_with("view_once");
  const Wall now = context_.clock.now();
  const bool old = now.trusted && now - envelope.timestamp > kPhoneHas;
  if (!once && !old) {
    work.out.ask_phone = true;
    return {};
  }
  Parsed parsed;
  parsed.content.emplace();
  if (once)
    parsed.content->what = content::Other{"viewOnceMessage", ""};
  else
    parsed.content->what = content::Undecryptable{};
  TRY(work.out.event, build_event(work, std::move(parsed)));
  return {};
}

Result<Reception> Receiver::receive_copy(const wire::Node& stanza, const wa::WebMessageInfo& info) {
  Work work{stanza};
  TRY(work.envelope, parse_envelope(stanza, context_.line.identity(), context_.clock.now()));
  TRY(work.out.keys, seen_keys_of(context_.names, work.envelope));
  if (was_seen(work.out.keys)) return std::move(work.out);
  const auto opened = open_wrappers(info.message());
  if (!opened) {
    work.out.keys.clear();  // still awaited: told as unreadable when its time is over
    return std::move(work.out);
  }
  work.out.seen_key = work.out.keys.front();
  work.context_info =
      (opened->message->has_messagecontextinfo() ? *opened->message : info.message())
          .messagecontextinfo();
  if (!work.context_info.has_messagesecret() && info.has_messagesecret()) {
    work.context_info.set_messagesecret(info.messagesecret());
  }
  TRY(interpret(work, *opened));
  return std::move(work.out);
}

}  // namespace posthorn::chat
