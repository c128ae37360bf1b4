#include "chat/people/tokens.h"

#include "chat/people/names.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr std::int64_t kBucketSeconds = 604'800;
constexpr std::int64_t kBucketsValid = 3;
constexpr milliseconds kIssueTimeout{30'000};
constexpr std::size_t kMaxTokenBytes = 1024;
constexpr auto kSaltRecord = "chat.nct_salt";

std::int64_t bucket(std::int64_t t) { return t / kBucketSeconds; }

}  // namespace

bool token_is_valid(std::int64_t timestamp, std::int64_t now) {
  return timestamp >= (bucket(now) - kBucketsValid) * kBucketSeconds;
}

bool token_is_due(std::int64_t issued_at, std::int64_t now) {
  return issued_at == 0 || bucket(now) > bucket(issued_at);
}

Node build_token_issue(const Jid& person, std::int64_t t) {
  Node iq(
      "iq",
      {{"to", Jid{"", std::string(wire::kServerUser), 0}}, {"type", "set"}, {"xmlns", "privacy"}});
  Node token("token",
             {{"jid", person.bare()}, {"t", std::to_string(t)}, {"type", "trusted_contact"}});
  iq.content = std::vector<Node>{Node("tokens", {}, std::vector<Node>{std::move(token)})};
  return iq;
}

Result<Bytes> Tokens::token_for(const Jid& chat) {
  TRY(const Jid named, context_.names.preferred(chat.bare()));
  TRY(auto row, context_.messages.token(to_string(named)));
  if (!token_is_valid(row.timestamp, context_.clock.now().unix_seconds())) return Bytes();
  return std::move(row.token);
}

Bytes stranger_token(ByteView salt, const Jid& recipient_lid) {
  return to_bytes(ByteView(crypto::hmac_sha256(salt, as_bytes(to_string(recipient_lid.bare())))));
}

Result<Bytes> Tokens::stranger_token_for(const Jid& chat) {
  if (!salt_) {
    TRY(auto kept, context_.store.load(kSaltRecord));
    salt_ = kept ? std::move(*kept) : Bytes();
  }
  TRY(const Jid named, context_.names.preferred(chat.bare()));
  if (salt_->empty() || !named.is_lid()) return Bytes();
  return stranger_token(*salt_, named);
}

Result<void> Tokens::set_salt(ByteView salt) {
  salt_.reset();
  return salt.empty() ? context_.store.erase(kSaltRecord) : context_.store.save(kSaltRecord, salt);
}

void Tokens::after_send(const Jid& chat) {
  const auto named = context_.names.preferred(chat.bare());
  if (!named || !named->is_person()) return;
  const auto row = context_.messages.token(to_string(*named));
  const std::int64_t now = context_.clock.now().unix_seconds();
  if (row && token_is_due(row->issued_at, now)) issue(*named, now);
}

void Tokens::issue_again(const Jid& chat) {
  const auto named = context_.names.preferred(chat.bare());
  if (named && named->is_person()) issue(*named, context_.clock.now().unix_seconds());
}

void Tokens::on_identity_change(const Jid& person) {
  const auto named = context_.names.preferred(person.bare());
  if (!named || !named->is_person()) return;
  const auto row = context_.messages.token(to_string(*named));
  const std::int64_t now = context_.clock.now().unix_seconds();
  if (!row || row->issued_at == 0 || !token_is_valid(row->issued_at, now)) return;
  issue(*named, row->issued_at);
}

void Tokens::issue(const Jid& chat, std::int64_t timestamp) {
  if (!asking_.insert(chat).second) return;
  context_.line.ask(build_token_issue(chat, timestamp), kIssueTimeout,
                    [this, alive = context_.alive, chat, timestamp](Result<Node> reply) {
                      if (!*alive) return;
                      asking_.erase(chat);
                      if (!reply) return;
                      const auto saved =
                          context_.messages.save_token_issued(to_string(chat), timestamp);
                      if (!saved) log::warn("messages", "token", {{"why", saved.error()}});
                    });
}

Result<void> Tokens::on_notification(const Node& notification) {
  auto sender = notification.jid_attr("sender_lid");
  if (!sender) sender = notification.jid_attr("from");
  const Node* tokens = notification.child("tokens");
  if (!sender || !sender->is_person() || tokens == nullptr) return {};
  TRY(const Jid named, context_.names.preferred(sender->bare()));
  for (const Node& token : tokens->children()) {
    if (token.tag != "token" || token.text_attr("type") != "trusted_contact") continue;
    const ByteView bytes = token.bytes();
    if (bytes.empty() || bytes.size() > kMaxTokenBytes) continue;
    TRY(context_.messages.save_token(to_string(named), bytes, token.int_attr("t").value_or(0)));
  }
  return {};
}

}  // namespace posthorn::chat
