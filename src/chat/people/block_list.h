#pragma once

#include <set>
#include <string>

#include "chat/lane/context.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// Whom the owner has blocked on the phone. Asked for after each login and whenever the server says
/// that it has changed. In memory only: until the answer is there nobody counts as blocked.
/// Source: chapter 09 sections 7.3 and 8.2.
class BlockList {
 public:
  /// The context outlives this; its sink is told who is new in the list (Blocked). Whom the first
  /// list after a start or a login has was blocked at some time before.
  explicit BlockList(const MessageContext& context) : context_(context) {}

  void ask();
  /// Another account is linked.
  void forget_all() {
    people_.clear();
    known_ = false;
  }

  /// Under either name. Errors: io (the names).
  [[nodiscard]] Result<bool> holds(const wire::Jid& person) const;

 private:
  void take(const wire::Node& list);

  void tell(const wire::Jid& person) const;

  const MessageContext& context_;
  bool known_ = false;            ///< a list of this account has come
  std::set<std::string> people_;  ///< bare JIDs under every name that the server gave, bounded
};

}  // namespace posthorn::chat
