#include "chat/send/resend.h"

#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"
#include "posthorn/signal/padding.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::uint32_t kMaxRequests = 10;
constexpr std::uint32_t kMaxCount = 5;
constexpr std::size_t kMaxRemembered = 1000;
constexpr std::size_t kMaxWaiting = 256;

std::string asker(const RetryRequest& request) {
  return to_string(request.requester) + "|" + request.message_id;
}

}  // namespace

Result<RetryRequest> parse_retry_request(const Node& receipt) {
  RetryRequest request;
  const Node* retry = receipt.child("retry");
  const auto from = receipt.jid_attr("from");
  if (retry == nullptr || !from) return fail(Errc::malformed, "retry receipt without <retry>");
  // The receipt's own id may be another one.
  request.message_id = retry->attr("id").value_or(receipt.text_attr("id"));
  if (request.message_id.empty()) return fail(Errc::malformed, "retry receipt without id");
  const auto count = retry->int_attr("count").value_or(1);
  request.count = count < 1 || count > 100 ? 1 : static_cast<std::uint32_t>(count);
  request.t = retry->text_attr("t");
  request.from = *from;
  request.participant = receipt.jid_attr("participant");
  request.recipient = receipt.jid_attr("recipient");
  request.requester = from_hosted(request.participant.value_or(*from));
  if (const Node* registration = receipt.child("registration")) {
    request.registration_id = decode_be(registration->bytes());
  }
  if (receipt.child("keys") != nullptr) {
    auto keys = parse_bundle(receipt);
    if (keys) request.keys = std::move(*keys);
  }
  return request;
}

template <class F>
auto Resends::later(F member) {
  return [self = self_, turn = turn_, member](auto result) {
    if (*self != nullptr && (*self)->turn_ == turn) ((**self).*member)(std::move(result));
  };
}

Resends::Resends(SendTools tools, GroupDesk& groups, std::span<const Job> unsure)
    : tools_(tools), groups_(groups), self_(std::make_shared<Resends*>(this)) {
  for (const Job& job : unsure) unsure_.emplace(job.id, job);
}

Resends::~Resends() {
  *self_ = nullptr;
  forget_waiting();
  if (current_) current_->done();
}

void Resends::add(RetryRequest request, Once<void()> done) {
  if (waiting_.size() >= kMaxWaiting) return done();
  waiting_.push_back({std::move(request), std::move(done), {}, {}, {}, {}});
  if (!current_) next();
}

void Resends::forget_waiting() {
  std::deque<Entry> waiting = std::exchange(waiting_, {});
  for (Entry& entry : waiting) entry.done();
}

void Resends::next() {
  if (current_ || waiting_.empty()) return;
  current_.emplace(std::move(waiting_.front()));
  waiting_.pop_front();
  ++turn_;
  begin();
}

void Resends::finish(std::string_view why) {
  if (!why.empty()) log::debug("messages", "no resend", {{"why", why}});
  Once<void()> done = std::move(current_->done);
  current_.reset();
  ++turn_;
  done();
  next();
}

/// Somebody who asks for ever would keep us busy for ever.
bool Resends::may_ask(const RetryRequest& request) {
  const std::string key = asker(request);
  std::uint32_t& times = asked_[key];
  if (times == 0) asked_order_.push_back(key);
  ++times;
  const bool refused = times > kMaxRequests || (request.count >= kMaxCount && times > kMaxCount);
  while (asked_order_.size() > kMaxRemembered) {
    asked_.erase(asked_order_.front());
    base_keys_.erase(asked_order_.front());
    asked_order_.pop_front();
  }
  return !refused;
}

Result<bool> Resends::read_row() {
  TRY(const auto sent, tools_.context.messages.sent(current_->request.message_id));
  if (!sent || !current_->message.ParseFromString(to_string(sent->message))) return false;
  TRY(current_->chat, wire::parse_jid(sent->chat));
  return true;
}

Result<bool> Resends::build_anew() {
  const auto job = unsure_.find(current_->request.message_id);
  if (job == unsure_.end()) return false;
  TRY(const Jid named, tools_.context.names.addressed(job->second.chat));
  TRY(current_->chat, tools_.context.names.preferred(named));
  TRY(current_->message, message_of(tools_.context, job->second, current_->chat, current_->chat));
  TRY(save_sent(tools_.context, job->second, current_->chat, current_->message));
  return true;
}

Result<bool> Resends::find_message() {
  Entry& entry = *current_;
  TRY(const bool has_row, read_row());
  if (!has_row) {
    TRY(const bool built, build_anew());
    if (!built) return false;
  }
  // Only the chat it went to and our own devices may have it.
  const session::Identity& self = tools_.context.line.identity();
  if (!entry.chat.is_person()) return entry.chat == entry.request.from.bare();
  TRY(const Jid asking, tools_.context.names.preferred(entry.request.requester.bare()));
  TRY(const Jid chat, tools_.context.names.preferred(entry.chat));
  return asking == chat || is_own_user(self, entry.request.requester);
}

void Resends::begin() {
  if (!may_ask(current_->request)) return finish("asked too often");
  const auto found = find_message();
  if (!found) return finish(to_string(found.error()));
  if (!*found) return finish("no such message");
  const Jid& chat = current_->chat;
  if (chat.is_person()) return prepare();
  groups_.may_read(chat, current_->request.requester.bare(), later(&Resends::on_member));
}

void Resends::on_member(Result<bool> may_read) {
  if (!may_read) return finish(to_string(may_read.error()));
  if (!*may_read) return finish("not of that group");
  prepare();
}

void Resends::prepare() {
  tools_.lane.exclusive(
      [self = self_, turn = turn_]() -> Result<void> {
        if (*self == nullptr || (*self)->turn_ != turn) return {};
        return (*self)->prepare_session();
      },
      later(&Resends::on_prepared));
}

/// Decides whether the session at hand is the broken one, and drops it then.
Result<void> Resends::prepare_session() {
  const RetryRequest& request = current_->request;
  auto& protocol = tools_.protocol;
  TRY(const Jid device, tools_.context.names.preferred(request.requester));
  const signal::Address address = address_of(device);
  if (request.keys) {
    const auto processed = tools_.sessions.process(device, *request.keys);
    if (processed) return {};
    log::warn("messages", "keys of a retry request are refused", {{"why", processed.error()}});
  }
  TRY(const auto registration, protocol.remote_registration_id(address));
  if (!registration) return {};
  if (request.registration_id && *request.registration_id != *registration) {
    return protocol.delete_session(address);
  }
  if (request.count < 2) return {};
  TRY(auto base_key, protocol.session_base_key(address));
  if (!base_key) return {};
  const std::string key = asker(request);
  const auto known = base_keys_.find(key);
  if (request.count == 2 || known == base_keys_.end()) {
    base_keys_[key] = std::move(*base_key);
    return {};
  }
  // Still the session of the second request: it does not work for the other side.
  if (known->second == *base_key) return protocol.delete_session(address);
  return {};
}

void Resends::on_prepared(Result<void> result) {
  if (!result) return finish(to_string(result.error()));
  tools_.sessions.ensure({current_->request.requester}, FetchReason::ordinary,
                         [self = self_, turn = turn_](Result<SessionBuilder::Lists> built) {
                           if (*self == nullptr || (*self)->turn_ != turn) return;
                           if (!built) return (*self)->finish(to_string(built.error()));
                           (*self)->tools_.lane.exclusive(
                               [self, turn]() -> Result<void> {
                                 if (*self == nullptr || (*self)->turn_ != turn) return {};
                                 return (*self)->encrypt();
                               },
                               (*self)->later(&Resends::on_encrypted));
                         });
}

Result<void> Resends::encrypt() {
  Entry& entry = *current_;
  const auto& context = tools_.context;
  const bool own = is_own_user(context.line.identity(), entry.request.requester);
  const bool to_self = is_own_user(context.line.identity(), entry.chat);
  wa::Message content =
      own && entry.chat.is_person() ? build_device_sent(entry.message, entry.chat) : entry.message;
  if (entry.chat.is_person() && !own && !to_self) {
    TRY(entry.tctoken, tools_.tokens.token_for(entry.chat));
  }
  TRY(const Jid device, context.names.preferred(entry.request.requester));
  if (!entry.chat.is_person()) {
    TRY(groups_.add_key(entry.chat, device, content));
  }
  const Bytes padded = signal::pad(as_bytes(content.SerializeAsString()), context.random);
  TRY(entry.encrypted, tools_.protocol.encrypt(address_of(device), padded));
  return {};
}

void Resends::on_encrypted(Result<void> result) {
  if (!result) return finish(to_string(result.error()));
  tools_.context.store.leave(later(&Resends::on_may_leave));
}

void Resends::on_may_leave(Result<void> result) {
  if (!result) return finish(to_string(result.error()));
  Entry& entry = *current_;
  ResentMessage message;
  message.id = entry.request.message_id;
  message.to = entry.request.from;
  message.participant = entry.request.participant;
  message.recipient = entry.request.recipient;
  message.t = entry.request.t;
  message.attrs = describe_content(entry.message);
  message.encrypted = std::move(*entry.encrypted);
  message.count = entry.request.count;
  message.device_identity = tools_.context.line.identity().device_identity;
  message.tctoken = std::move(entry.tctoken);
  if (entry.chat.is_group())
    message.addressing_mode = entry.request.requester.is_lid() ? "lid" : "pn";
  tools_.context.line.write(build_resend(message));
  finish({});
}

}  // namespace posthorn::chat
