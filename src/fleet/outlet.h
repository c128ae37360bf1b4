#pragma once

#include <map>

#include "posthorn/base/function.h"
#include "posthorn/fleet/broker.h"

namespace posthorn::fleet {

/// Publishes, and tells each caller what became of it.
class Outlet {
 public:
  enum class Fate : std::uint8_t { acknowledged, refused, lost };
  using Done = Function<void(Fate)>;

  explicit Outlet(Broker& broker) : broker_(broker) {}

  /// done runs later, or not at all when false is returned: not connected, or the broker's client
  /// takes no more.
  bool publish(const Publication& publication, Done done = nullptr);
  void on_connected() { connected_ = true; }
  /// Everything that waits for an acknowledgement is lost.
  void on_lost();
  void on_acknowledged(int id, bool taken);
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  Broker& broker_;
  bool connected_ = false;
  std::map<int, Done> waiting_;
};

}  // namespace posthorn::fleet
