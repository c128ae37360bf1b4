#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "api/qr_wait.h"
#include "posthorn/api/api.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

/// scanqrcode: the codes as they change, over a WebSocket, until the phone has scanned one. Source:
/// Green-API's documentation of "QR code via websocket", July 2026.
class QrSockets {
 public:
  static constexpr milliseconds kLook{500};
  static constexpr seconds kLongest{100};
  /// Each costs the picture of a code every twenty seconds.
  static constexpr std::size_t kMost = 8;

  /// account: what is told of the account once it is linked.
  QrSockets(Scheduler& scheduler, QrWait& codes, session::Linking& link,
            std::function<json::Value()> account)
      : scheduler_(scheduler),
        codes_(codes),
        link_(link),
        account_(std::move(account)),
        look_(scheduler) {}

  void open(Call call);
  void stop();

 private:
  struct One {
    std::shared_ptr<WebSocket> socket;  ///< shared: with the server
    Mono until;
    std::string told;
    bool linked_before = false;
  };
  void look();
  /// False: it has been told all.
  bool tell(One& one, const std::optional<json::Value>& now);

  Scheduler& scheduler_;
  QrWait& codes_;
  session::Linking& link_;
  std::function<json::Value()> account_;
  Timer look_;
  std::vector<One> open_;
  Alive<QrSockets> alive_{this};
};

}  // namespace posthorn::api
