#pragma once

#include <optional>
#include <string>

#include "chat/lane/context.h"
#include "posthorn/base/once.h"
#include "posthorn/base/recent_map.h"
#include "posthorn/chat/calls.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// Follows each call from its offer to its end; tells each step once, whatever the server repeats.
/// Source: chapter 12 section 5.
class CallWatch final : public Calls {
 public:
  /// context outlives this.
  explicit CallWatch(const MessageContext& context) : context_(context) {}

  void reject_incoming(bool on) override { reject_ = on; }

  /// One <call>. handled always runs: when what it means is on disk, at once when it means nothing.
  void take(const wire::Node& stanza, Once<void()> handled);

 private:
  static constexpr std::size_t kRemembered = 256;

  struct Known {
    Call call;
    bool ringing = false;
    bool taken = false;
    bool over = false;
  };
  [[nodiscard]] std::optional<Call::Status> step(Known& known, const wire::Node& stanza,
                                                 const wire::Node& what);
  [[nodiscard]] std::string caller(const wire::Node& stanza, const wire::Node& what) const;
  void reject(const wire::Node& stanza, const wire::Node& offer);
  void tell(Call call, Once<void()> handled);

  const MessageContext& context_;
  bool reject_ = false;
  RecentMap<std::string, Known> known_{kRemembered};
};

}  // namespace posthorn::chat
