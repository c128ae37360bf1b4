#include "chat/receive/retry_request.h"

#include <utility>

#include "chat/people/bundles.h"
#include "chat/receive/receipts.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Node;

constexpr std::uint32_t kMaxRequests = 4;
constexpr std::size_t kMaxRemembered = 1000;
constexpr std::size_t kMaxWaiting = 1000;
constexpr milliseconds kPace{200};
constexpr std::uint32_t kOfOneSender = 200;
constexpr int kNackRetry = 500;
constexpr std::byte kKeyType{5};

Node bytes_node(const char* tag, Bytes bytes) { return Node(tag, {}, std::move(bytes)); }

Node key_node(const char* tag, std::uint32_t id, const signal::PublicKey& key,
              std::optional<signal::Signature> signature) {
  std::vector<Node> children;
  children.push_back(bytes_node("id", encode_be(id, 3)));
  children.push_back(bytes_node("value", to_bytes(ByteView(key))));
  if (signature) children.push_back(bytes_node("signature", to_bytes(ByteView(*signature))));
  return Node(tag, {}, std::move(children));
}

Node keys_node(const RetryKeys& keys) {
  std::vector<Node> children;
  children.push_back(bytes_node("type", Bytes{kKeyType}));
  children.push_back(bytes_node("identity", to_bytes(ByteView(keys.identity))));
  children.push_back(key_node("key", keys.one_time.id, keys.one_time.key.public_key, std::nullopt));
  children.push_back(key_node("skey", keys.signed_prekey.id, keys.signed_prekey.key.public_key,
                              keys.signed_prekey.signature));
  children.push_back(bytes_node("device-identity", keys.device_identity));
  return Node("keys", {}, std::move(children));
}

bool is_status(const Node& stanza) {
  const auto from = stanza.jid_attr("from");
  return from && from->server == wire::kServerBroadcast;
}

}  // namespace

Node build_retry_request(const Node& failed, std::uint32_t count, int reason,
                         std::uint32_t registration_id, const std::optional<RetryKeys>& keys) {
  const std::string id = failed.text_attr("id");
  Node receipt("receipt", {{"id", id}});
  if (const auto from = failed.jid_attr("from")) receipt.set_attr("to", *from);
  receipt.set_attr("type", std::string("retry"));
  for (const char* name : {"participant", "recipient"}) {
    if (const auto jid = failed.jid_attr(name)) receipt.set_attr(name, *jid);
  }
  if (failed.text_attr("category") == "peer") receipt.set_attr("category", std::string("peer"));
  std::vector<Node> children;
  Node retry("retry", {{"v", "1"}, {"count", std::to_string(count)}, {"id", id}});
  retry.set_attr("t", failed.text_attr("t"));
  if (reason != 0) retry.set_attr("error", std::to_string(reason));
  children.push_back(std::move(retry));
  children.push_back(bytes_node("registration", encode_be(registration_id, 4)));
  if (keys) children.push_back(keys_node(*keys));
  receipt.content = std::move(children);
  return receipt;
}

RetryRequests::RetryRequests(const MessageContext& context, signal::Protocol& protocol)
    : context_(context),
      protocol_(protocol),
      timer_(context.scheduler),
      self_(std::make_shared<RetryRequests*>(this)) {}

RetryRequests::~RetryRequests() { *self_ = nullptr; }

bool RetryRequests::may_ask(const std::string& sender) {
  const Mono now = context_.scheduler.now();
  Hour& hour = hours_.at(sender);
  if (!hour.since || now - *hour.since >= hours(1)) hour = {now, 0};
  return ++hour.requests <= kOfOneSender;
}

std::optional<std::uint32_t> RetryRequests::next_count(std::uint64_t key,
                                                       std::optional<std::uint32_t> resend_count) {
  const auto at = asked_.find(key);
  // After a restart the resend itself says how often it was asked for.
  const std::uint32_t known = at != asked_.end() ? at->second.count : resend_count.value_or(0);
  const std::uint32_t next = known + 1;
  if (next > kMaxRequests) return std::nullopt;
  if (at == asked_.end()) oldest_first_.push_back(key);
  asked_[key].count = next;
  while (oldest_first_.size() > kMaxRemembered) {
    asked_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  return next;
}

void RetryRequests::forget(std::uint64_t key) {
  if (asked_.erase(key) > 0) std::erase(oldest_first_, key);
}

std::vector<std::uint64_t> RetryRequests::forget_waiting() {
  std::vector<std::uint64_t> keys;
  // What was not asked for must not count as asked for.
  for (const Entry& entry : waiting_) {
    if (const auto at = asked_.find(entry.key); at != asked_.end()) --at->second.count;
    keys.push_back(entry.key);
  }
  waiting_.clear();
  return keys;
}

bool RetryRequests::has_room() const { return waiting_.size() < kMaxWaiting; }

bool RetryRequests::ask(FailedMessage failed, std::uint64_t key, std::uint32_t count) {
  if (!has_room()) {
    // Not acked, so the server delivers it again at the next login.
    if (const auto at = asked_.find(key); at != asked_.end()) --at->second.count;
    return false;
  }
  // Its content is no use any more; a flood of large ones would fill the memory.
  failed.stanza = Node(failed.stanza.tag, std::move(failed.stanza.attrs));
  waiting_.push_back({std::move(failed), key, count});
  if (!timer_.active()) pump();
  return true;
}

void RetryRequests::pump() {
  if (waiting_.empty()) return;
  const Entry entry = std::move(waiting_.front());
  waiting_.pop_front();
  write(entry);
  timer_.start(kPace, [this] { pump(); });
}

/// Each message has one of its own, the same in each request for it: a device that is asked for
/// several of them would build a session from each request, and one key serves one session.
Result<RetryKeys> RetryRequests::fresh_keys(std::uint64_t key) {
  RetryKeys keys;
  TRY(const auto own, protocol_.own_identity(context_.clock.now()));
  keys.identity = own.key.public_key;
  const auto asked = asked_.find(key);
  TRY(keys.one_time,
      protocol_.pre_key_for_retry(asked == asked_.end() ? std::nullopt : asked->second.one_time));
  if (asked != asked_.end()) asked->second.one_time = keys.one_time.id;
  TRY(keys.signed_prekey, protocol_.current_signed_pre_key());
  keys.device_identity = context_.line.identity().device_identity;
  return keys;
}

void RetryRequests::write(const Entry& entry) {
  const auto own = protocol_.own_identity(context_.clock.now());
  if (!own) {
    log::error("messages", "own keys cannot be read", {{"why", own.error()}});
    return;
  }
  std::optional<RetryKeys> keys;
  if (entry.count >= 2 || entry.failed.without_session) {
    auto fresh = fresh_keys(entry.key);
    if (!fresh) {
      log::error("messages", "no keys for a retry request", {{"why", fresh.error()}});
      return;
    }
    keys = std::move(*fresh);
  }
  const Node& stanza = entry.failed.stanza;
  Node request =
      build_retry_request(stanza, entry.count, entry.failed.reason, own->registration_id, keys);
  // A nack of a status message would hold up the whole offline queue.
  Node ack = build_ack(stanza, context_.line.identity(), is_status(stanza) ? 0 : kNackRetry);
  // The one-time key must be on disk before anybody can use it.
  context_.store.durable([self = self_, request = std::move(request),
                          ack = std::move(ack)](Result<void> result) mutable {
    if (*self == nullptr || !result) return;
    (*self)->context_.line.write(std::move(request));
    (*self)->context_.line.write(std::move(ack));
  });
}

}  // namespace posthorn::chat
