#pragma once

#include <functional>
#include <memory>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/base/worker.h"
#include "posthorn/fleet/broker.h"
#include "posthorn/loop/loop.h"

struct mosquitto;

namespace posthorn::fleet {

/// The real Broker: libmosquitto with TLS on our loop. Each connection is a fresh client, so that
/// renewed certificates count and nothing of an old connection is left; the session of the broker
/// goes on (clean start off, seven days).
class MosquittoBroker final : public Broker {
 public:
  struct Options {
    std::string host;
    std::uint16_t port = 8883;
    std::string alpn;
    seconds keep_alive{60};
    seconds will_delay{30};
    std::string client_id;
    std::string ca_file;
    /// Certificate and key to connect with, PEM files; asked for before each connection.
    std::function<std::pair<std::string, std::string>()> files;
    /// False: the system's clock is before the time of our build; certificates are then not refused
    /// for their dates, since nothing would ever connect.
    std::function<bool()> clock_plausible;
  };

  MosquittoBroker(loop::Loop& loop, Worker& worker, Options options);
  MosquittoBroker(const MosquittoBroker&) = delete;
  MosquittoBroker& operator=(const MosquittoBroker&) = delete;
  ~MosquittoBroker() override;

  void connect(const Publication& will, Listener& listener) override;
  void stop() override;
  Result<int> publish(const Publication& publication) override;
  Result<void> subscribe(const std::vector<Subscription>& wanted) override;
  /// A connection is being made on another thread, which cannot be hurried.
  [[nodiscard]] bool dialling() const { return dialling_; }

 private:
  class Client;
  void begin(std::shared_ptr<Client> client);
  void on_dialled(const std::shared_ptr<Client>& client, int status);
  void watch();
  void turn(int events);
  void tick();
  void lose(Loss why, const std::string& detail);
  void after_call(int status);

  loop::Loop& loop_;
  Worker& worker_;
  Options options_;
  Listener* listener_ = nullptr;
  std::shared_ptr<Client> client_;  // shared: with the thread that dials
  std::unique_ptr<loop::Poll> poll_;
  Timer tick_;
  Timer patience_;
  bool dialling_ = false;
  bool connected_ = false;
  Alive<MosquittoBroker> alive_{this};
};

}  // namespace posthorn::fleet
