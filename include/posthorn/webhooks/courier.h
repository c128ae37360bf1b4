#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/net/http_client.h"

namespace posthorn::webhooks {

/// Where notifications go; `url` empty: poll mode, nothing is delivered.
struct Target {
  std::string url;
  std::string token;  ///< "": no Authorization; "Bearer …" and "Basic …" as they are; else Bearer

  bool operator==(const Target&) const = default;
};

struct CourierOptions {
  milliseconds wait{30'000};       ///< for the receiver's answer
  milliseconds retry_gap{60'000};  ///< after a failure, before the same notification again
  milliseconds spacing{20};        ///< between two deliveries: about 50 a second
};

/// The head of the inbox as the courier needs it; the root joins it to the queue.
class Mailbox {
 public:
  struct Head {
    std::uint32_t receipt_id = 0;
    std::string body;
  };
  virtual ~Mailbox() = default;

  /// The oldest notification that has not expired.
  [[nodiscard]] virtual std::optional<Head> head() = 0;
  /// done: on disk.
  virtual void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) = 0;
};

/// Delivers notifications to the shop's webhook: strictly in order, one at a time, the head again
/// and again until the receiver answers 200. Keeps nothing of its own: after a restart the head of
/// the inbox is simply delivered again.
class Courier {
 public:
  struct Outside {
    Scheduler& scheduler;
    net::HttpClient& client;
    Mailbox& mailbox;
  };

  Courier(CourierOptions options, Outside outside);
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  ~Courier();

  /// A changed target is tried at once.
  void set_target(Target target);
  /// A notification was stored.
  void on_notification();
  /// The network came back: do not wait for the end of the pause.
  void retry_now();
  /// Nothing is delivered any more; an answer that still comes is ignored.
  void stop();

  struct Counters {
    std::uint64_t delivered = 0;
    std::uint64_t failures = 0;
    std::uint64_t dropped = 0;  ///< refused by a receiver that cannot read that kind
    std::string last_error;     ///< of the newest attempt; "" when it succeeded
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { idle, posting, removing, pausing, stopped };

  void next();
  void post(const Mailbox::Head& head);
  void on_answer(const Mailbox::Head& head, const Target& target, Result<net::HttpResponse> answer);
  [[nodiscard]] bool gives_up_on(const Mailbox::Head& head);
  void remove(std::uint32_t receipt_id);
  void pause(milliseconds gap);

  CourierOptions options_;
  Outside outside_;
  Target target_;
  State state_ = State::idle;
  Timer timer_;
  Counters counters_;
  std::uint32_t refused_id_ = 0;  ///< head that the receiver refuses, and how often so far
  int refusals_ = 0;
  std::shared_ptr<bool> alive_;  ///< shared: answers may come after the courier has gone
};

/// The value of the Authorization header; "" when there is none to send.
[[nodiscard]] std::string authorization_of(const std::string& token);

}  // namespace posthorn::webhooks
