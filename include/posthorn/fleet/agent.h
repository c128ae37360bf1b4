#pragma once

#include <functional>
#include <memory>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/fleet/box_api.h"
#include "posthorn/fleet/broker.h"
#include "posthorn/fleet/identity.h"
#include "posthorn/fleet/settings.h"
#include "posthorn/net/http_client.h"

namespace posthorn::fleet {

/// What the box is; empty where nobody knows.
struct Facts {
  std::string model;
  std::string serial;
  std::string version;  ///< of this agent
  std::string git;
  std::string slot;  ///< of the image that runs: "A"
  std::string country;
  std::string config_digest;
};

class Updater;

/// One box's part in a fleet: tells the broker how the box is and what happens, takes commands.
/// Topics and payloads: firmware/fleet/README.md. Everything on the loop thread.
class Agent {
 public:
  struct Outside {
    Scheduler& scheduler;
    Random& random;
    BlobStore& blobs;  ///< each save() is on disk when it returns
    Broker& broker;
    BoxApi& box;
    Identity& identity;
    /// For diagnose; may be null: then that is refused.
    net::HttpClient* http = nullptr;
    /// For update; may be null: then that is refused.
    Updater* updater = nullptr;
    Facts facts;
    /// The agent cannot go on as it is, and says why: whoever starts it starts it again.
    std::function<void(const std::string& why)> end;
    /// A person at the box's page wants it to leave the fleet: the broker has been told goodbye,
    /// and a pause of the fleet's is taken back. May be empty: then that is refused.
    std::function<void()> leave = {};
  };

  Agent(Outside outside, Settings settings);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent();

  /// Errors: io (state), not_found and malformed (not enrolled).
  Result<void> start();
  /// Says goodbye to the broker, so that the centre reads "online": false at once.
  void stop();

  struct Counters {
    std::uint64_t connects = 0;
    std::uint64_t events = 0;
    std::uint64_t commands = 0;
    std::uint64_t ignored = 0;  ///< retained or unreadable messages to cmd
  };
  [[nodiscard]] Counters counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::fleet
