#include "chat/receive/awaited.h"

#include <algorithm>
#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/receive/envelope.h"
#include "posthorn/base/log.h"
#include "posthorn/wire/node_codec.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr minutes kPatience{10};
constexpr minutes kAfterStart{1};    // what waits in the server comes first
constexpr seconds kBeforePhone{10};  // the sender was asked and may answer himself
constexpr seconds kTogether{1};      // several at once are one question
constexpr seconds kPhoneAnswers{30};
constexpr std::size_t kAskedAtOnce = 20;

Node head_of(const Node& stanza) { return Node(stanza.tag, stanza.attrs); }

/// As the phone knows the message.
wa::MessageKey key_of(const Envelope& envelope) {
  wa::MessageKey key;
  key.set_remotejid(to_string(envelope.chat));
  key.set_fromme(envelope.from_me);
  key.set_id(envelope.id);
  if (envelope.chat.is_group() && !envelope.from_me) {
    key.set_participant(to_string(envelope.sender.bare()));
  }
  return key;
}

}  // namespace

Awaited::Awaited(const MessageContext& context, store::AwaitedStore& store, AskPhone ask_phone,
                 GivenUp given_up)
    : context_(context),
      store_(store),
      ask_phone_(std::move(ask_phone)),
      given_up_(std::move(given_up)),
      timer_(context.scheduler) {
  load();
}

void Awaited::load() {
  auto rows = store_.all();
  if (!rows) {
    log::error("messages", "awaited messages could not be read", {{"why", rows.error()}});
    return;
  }
  const Mono now = context_.scheduler.now();
  for (const auto& row : *rows) {
    auto stanza = wire::decode_node(row.stanza);
    if (!stanza || context_.messages.was_seen(row.key)) {
      if (auto dropped = store_.drop(row.key); !dropped)
        log::warn("messages", "awaited message not dropped", {{"why", dropped.error()}});
      continue;
    }
    Entry entry{*std::move(stanza), static_cast<From>(row.from), std::nullopt, std::nullopt,
                std::nullopt};
    const milliseconds left = row.until - context_.clock.now();
    entry.until = now + std::clamp<milliseconds>(left, kAfterStart, kPatience);
    entry.ask_at = now + kBeforePhone;
    entries_.emplace(row.key, std::move(entry));
  }
  wake();
}

bool Awaited::full(std::uint64_t key) const {
  return entries_.size() >= store::AwaitedStore::kMost && !entries_.contains(key);
}

void Awaited::add(std::uint64_t key, const Node& stanza, From from) {
  entries_.try_emplace(key, Entry{head_of(stanza), from, std::nullopt, std::nullopt, std::nullopt});
}

Result<void> Awaited::write(std::uint64_t key) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return {};  // it has come in the same batch
  store::AwaitedStore::Message row;
  row.key = key;
  TRY(wire::encode_node(at->second.stanza, row.stanza));
  row.from = static_cast<int>(at->second.from);
  row.until = context_.clock.now() + kPatience;
  return store_.save(row);
}

void Awaited::start(std::uint64_t key) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  const Mono now = context_.scheduler.now();
  if (!entry.until) entry.until = now + kPatience;
  const milliseconds wait = entry.from == From::phone ? kTogether : kBeforePhone;
  if (!entry.asked_at && !entry.ask_at) entry.ask_at = now + wait;
  wake();
}

void Awaited::pause(std::uint64_t key) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return;
  at->second.until.reset();
  at->second.ask_at.reset();
}

Result<const Node*> Awaited::find(const wa::MessageKey& named) const {
  const auto chat = wire::parse_jid(named.remotejid());
  std::size_t count = 0;
  const Node* found = nullptr;
  for (const auto& [key, entry] : entries_) {
    if (entry.stanza.text_attr("id") != named.id()) continue;
    TRY(const auto envelope,
        parse_envelope(entry.stanza, context_.line.identity(), context_.clock.now()));
    if (envelope.from_me != named.fromme()) continue;
    ++count;
    found = &entry.stanza;
    if (!chat) continue;
    TRY(const Jid one, context_.names.preferred(from_hosted(chat->bare())));
    TRY(const Jid other, context_.names.preferred(envelope.chat));
    if (one == other) return found;
  }
  // Ids are their senders' choice: where two have chosen the same one, the chat must fit.
  return count == 1 ? found : nullptr;
}

void Awaited::on_online() {
  load();  // what a batch that failed has taken out of memory has its row still
  timer_.start(kBeforePhone, [this] { look(); });
}

Result<void> Awaited::forget_all() {
  entries_.clear();
  timer_.stop();
  return store_.clear();
}

void Awaited::look() {
  const Mono now = context_.scheduler.now();
  give_up(now);
  if (context_.line.online()) ask_phone(now);
  wake();
}

void Awaited::give_up(Mono now) {
  std::map<std::uint64_t, Node> over;
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (!at->second.until || *at->second.until > now) {
      ++at;
      continue;
    }
    over.emplace(at->first, std::move(at->second.stanza));
    at = entries_.erase(at);
  }
  for (const auto& [key, stanza] : over) given_up_(key, stanza);
}

/// Once for each message, several in one question. Section 6.5: no more than 20 open.
void Awaited::ask_phone(Mono now) {
  const auto is_open = [now](const auto& one) {
    return one.second.asked_at && now - *one.second.asked_at < kPhoneAnswers;
  };
  auto open = static_cast<std::size_t>(std::ranges::count_if(entries_, is_open));
  wa::Message question;
  auto& protocol = *question.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::PEER_DATA_OPERATION_REQUEST_MESSAGE);
  auto& request = *protocol.mutable_peerdataoperationrequestmessage();
  request.set_peerdataoperationrequesttype(wa::Message::PLACEHOLDER_MESSAGE_RESEND);
  std::vector<std::uint64_t> keys;
  for (auto& [key, entry] : entries_) {
    if (open >= kAskedAtOnce) break;
    if (!entry.ask_at || *entry.ask_at > now) continue;
    entry.ask_at.reset();
    const auto envelope =
        parse_envelope(entry.stanza, context_.line.identity(), context_.clock.now());
    if (!envelope) continue;
    entry.asked_at = now;
    *request.add_placeholdermessageresendrequest()->mutable_messagekey() = key_of(*envelope);
    keys.push_back(key);
    ++open;
  }
  if (keys.empty()) return;
  ask_phone_(std::move(question), [this, alive = context_.alive, keys](const Result<void>& asked) {
    if (*alive) on_asked(keys, asked);
  });
}

void Awaited::on_asked(const std::vector<std::uint64_t>& keys, const Result<void>& asked) {
  if (asked) return;
  log::info("messages", "the phone could not be asked", {{"why", asked.error()}});
  for (const std::uint64_t key : keys) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) continue;
    at->second.asked_at.reset();
    at->second.ask_at = context_.scheduler.now() + kPhoneAnswers;
  }
  wake();
}

void Awaited::wake() {
  const Mono now = context_.scheduler.now();
  std::optional<Mono> next;
  const auto sooner = [&next](Mono at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [key, entry] : entries_) {
    if (entry.until) sooner(*entry.until);
    if (entry.ask_at && context_.line.online()) sooner(std::max(*entry.ask_at, now + kTogether));
  }
  if (next) timer_.start(std::max(*next - now, milliseconds(0)), [this] { look(); });
}

}  // namespace posthorn::chat
