#pragma once

#include <functional>
#include <list>
#include <utility>

#include "posthorn/api/api.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

/// Requests of qr that came before WhatsApp gave us a code to show: asking begins a round of
/// codes, the first one comes a moment later.
class QrWait {
 public:
  static constexpr milliseconds kLook{200};
  static constexpr seconds kLongest{10};

  /// status: tells why there is no code.
  QrWait(Scheduler& scheduler, const Clock& clock, session::Linking& link,
         std::function<Status()> status)
      : link_(link),
        status_(std::move(status)),
        clock_(clock),
        scheduler_(scheduler),
        look_(scheduler) {}

  /// What there is to show now; asking begins a round of codes.
  [[nodiscard]] std::optional<json::Value> current();
  /// Answers when there is a code, or WhatsApp asks for a passkey, or the account is linked, or
  /// kLongest is over.
  void answer(Call call);
  void stop();

 private:
  struct Waiting {
    Call call;
    Mono until;
  };

  [[nodiscard]] std::string why_none() const;
  void look();

  session::Linking& link_;
  std::function<Status()> status_;
  const Clock& clock_;
  Scheduler& scheduler_;
  Timer look_;
  std::list<Waiting> waiting_;
};

}  // namespace posthorn::api
