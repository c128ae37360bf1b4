#pragma once

#include <optional>
#include <set>
#include <string>

#include "chat/lane/context.h"
#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// Trusted contact tokens: two accounts that know each other hand them out; a first message without
/// the other's is refused with 463. Source: chapters 06 section 3.7, 12 section 7.
class Tokens {
 public:
  explicit Tokens(const MessageContext& context) : context_(context) {}

  /// The <tctoken> for a message to that person: empty when there is none that counts.
  [[nodiscard]] Result<Bytes> token_for(const wire::Jid& chat);
  /// The <cstoken> in its place, for somebody who has given us none: empty while we have no salt,
  /// or do not know the person's LID.
  [[nodiscard]] Result<Bytes> stranger_token_for(const wire::Jid& chat);
  /// The salt that it is made with, from history or app state; empty: withdrawn.
  Result<void> set_salt(ByteView salt);
  /// After a message to that person has left: gives ours out, once per week and person.
  void after_send(const wire::Jid& chat);
  /// After a 463: gives ours out again.
  void issue_again(const wire::Jid& chat);
  /// The person has new keys and has lost what we gave: the same once more, while it counts.
  void on_identity_change(const wire::Jid& person);
  /// <notification type="privacy_token">.
  Result<void> on_notification(const wire::Node& notification);

 private:
  void issue(const wire::Jid& chat, std::int64_t timestamp);

  const MessageContext& context_;
  std::set<wire::Jid> asking_;
  std::optional<Bytes> salt_;  ///< nullopt: not read yet
};

/// HMAC of the recipient's "user@lid" under the salt.
[[nodiscard]] Bytes stranger_token(ByteView salt, const wire::Jid& recipient_lid);

/// <iq> that hands out our token. t: unix seconds.
[[nodiscard]] wire::Node build_token_issue(const wire::Jid& person, std::int64_t t);

/// Whether a received token of that time still counts.
[[nodiscard]] bool token_is_valid(std::int64_t timestamp, std::int64_t now);
/// Whether ours must be given out (again).
[[nodiscard]] bool token_is_due(std::int64_t issued_at, std::int64_t now);

}  // namespace posthorn::chat
