#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::fleet {

/// One message to the broker.
struct Publication {
  std::string topic;
  std::string payload;
  int qos = 1;                                 ///< 0 or 1
  bool retain = false;                         ///< the broker keeps it as the topic's last word
  std::optional<std::uint64_t> sequence = {};  ///< sent as the user property "seq"
  seconds expiry{0};                           ///< 0: the broker keeps it as long as it likes
  std::string correlation = {};                ///< MQTT 5 correlation data, as it came

  bool operator==(const Publication&) const = default;
};

/// One message from the broker.
struct Incoming {
  std::string topic;
  std::string payload;
  bool retained = false;
  std::string response_topic = {};  ///< MQTT 5; empty: none was given
  std::string correlation = {};
};

/// What to hear. Retained words are given with the retain flag also when they are fresh.
struct Subscription {
  std::string filter;
  bool retained = false;  ///< what the broker has kept comes at once
};

/// Why a connection is not there (any more).
enum class Loss : std::uint8_t {
  unreachable,  ///< name, TCP, time
  broken,       ///< it was there and went away
  certificate,  ///< TLS: one side does not believe the other
  refused,      ///< the broker understood and said no
  taken_over,   ///< another client came with our identity (not every broker says so)
};
[[nodiscard]] std::string_view to_string(Loss loss);

/// An MQTT 5 client, from outside: libmosquitto in the box, a fake in tests. One connection at a
/// time; what was not acknowledged when it ends is forgotten here and is published again by whoever
/// owns it. Everything on the loop thread; nothing calls back inside a call.
class Broker {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_connected() = 0;
    /// Once for each connect() that was not followed by stop(); detail is for people.
    virtual void on_lost(Loss why, const std::string& detail) = 0;
    /// The broker has answered the publication with that number (QoS 1). taken: it has it; else its
    /// rules say no.
    virtual void on_acknowledged(int id, bool taken) = 0;
    virtual void on_message(const Incoming& message) = 0;
  };
  virtual ~Broker() = default;

  /// Begins to connect; `will` is what the broker publishes for us when we are gone. Ends in
  /// on_connected or on_lost.
  virtual void connect(const Publication& will, Listener& listener) = 0;
  /// Says goodbye, so that the will is not published. No callback follows.
  virtual void stop() = 0;
  /// A number for on_acknowledged. Errors: disconnected, full, malformed (topic).
  virtual Result<int> publish(const Publication& publication) = 0;
  virtual Result<void> subscribe(const std::vector<Subscription>& wanted) = 0;
};

}  // namespace posthorn::fleet
