#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "posthorn/base/identities.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/address.h"
#include "posthorn/store/alias_store.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/store.h"
#include "posthorn/wire/jid.h"

namespace posthorn::chat {

/// The names of an account: phone number (PN) and LID, and numbers that a till has for it and that
/// are not its own. The one place that says who is who. What the wire names is kept keyed by LID
/// where it is known, everything else by account_of(). Source: chapters 05 section 5, 09 section 1.
class Names final : public Identities {
 public:
  /// All outlive this.
  Names(store::Store& store, store::MessageStore& messages, store::AliasStore& aliases)
      : store_(store), messages_(messages), aliases_(aliases) {}

  [[nodiscard]] std::string account_of(const std::string& chat) override;
  void on_joined(Joined joined) override { joined_ = std::move(joined); }

  /// Whom a chatId from outside means: parse_chat_id(), and for a number that led to an account,
  /// that account. Errors: malformed.
  [[nodiscard]] Result<wire::Jid> addressed(const std::string& chat);
  /// WhatsApp was asked about this number (digits) and named that account.
  Result<void> learn_number(const std::string& number, const wire::Jid& account);
  /// The account behind the number is no longer there.
  Result<void> forget_number(const std::string& number) { return aliases_.drop(number); }

  /// The LID form when it is known, else as given; the device stays.
  [[nodiscard]] Result<wire::Jid> preferred(const wire::Jid& jid);
  /// The other name, bare; nullopt: unknown, or not a person.
  [[nodiscard]] Result<std::optional<wire::Jid>> other(const wire::Jid& jid);
  /// True when learn() would change something.
  [[nodiscard]] Result<bool> is_news(const wire::Jid& pn, const wire::Jid& lid);
  /// Remembers that both are one account and moves what was kept under the number, in one
  /// transaction; people who listen are told. Anything but one PN and one LID (in either order) is
  /// ignored.
  Result<void> learn(const wire::Jid& one, const wire::Jid& other);

  /// What was looked up is read again: a transaction with learn() in it has failed, or logout.
  void forget_cache();

  /// As the API names a chat or sender: the phone number when known, "…@lid" else, groups as they
  /// are.
  [[nodiscard]] Result<std::string> chat_id(const wire::Jid& jid);

 private:
  /// The other name's user part by JID user and server; kept because every message asks several
  /// times.
  [[nodiscard]] Result<std::optional<std::string>> find_other(const wire::Jid& jid);
  void tell(const std::string& from, const std::string& into);

  store::Store& store_;
  store::MessageStore& messages_;
  store::AliasStore& aliases_;
  Joined joined_;
  std::unordered_map<std::string, std::optional<std::string>> lids_;  ///< by number
  std::unordered_map<std::string, std::optional<std::string>> pns_;   ///< by LID
};

}  // namespace posthorn::chat
