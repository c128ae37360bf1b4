#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/clock.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/net/http_client.h"

namespace posthorn::webhooks {

/// Where notifications go; `url` empty: poll mode, nothing is delivered.
struct Target {
  std::string url;
  std::string token;  ///< "": no Authorization; "Bearer …" and "Basic …" as they are; else Bearer
  std::string pinned_key = {};   ///< "sha256//…": the key an https receiver must have; else ""
  std::string ca = {};           ///< PEM of the only authorities that count; "": the system's
  std::string signing_key = {};  ///< X-Hub-Signature-256 over the bytes of each body; "": none

  bool operator==(const Target&) const = default;
};

struct CourierOptions {
  milliseconds wait{30'000};       ///< for the receiver's answer
  milliseconds retry_gap{60'000};  ///< after a failure, before the same notification again
  milliseconds spacing{20};        ///< between two deliveries: about 50 a second
};

/// The inbox as the courier needs it; the root joins it to the queue.
class Mailbox {
 public:
  struct Head {
    std::uint32_t receipt_id = 0;
    std::string body;
  };
  /// What became of a notification that the receiver does not take.
  struct Refusal {
    int status = 0;      ///< its answer, HTTP
    std::string answer;  ///< the beginning of what it said about it
    int times = 0;
  };
  virtual ~Mailbox() = default;

  /// The oldest notification that has not expired; `ahead`: the one so many behind it, of those
  /// that are at hand.
  [[nodiscard]] virtual std::optional<Head> head(std::size_t ahead) = 0;
  /// done: on disk.
  virtual void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) = 0;
  /// Takes it out of the queue into the list that people look at. done: on disk.
  virtual void set_aside(const Head& head, const Refusal& refusal,
                         Once<void(Result<bool>)> done) = 0;
};

/// Delivers notifications to the shop's webhook: in order, one at a time, the head again and again
/// until the receiver answers 200. A head that the receiver refuses for what is in it, five times,
/// steps aside (three times for kinds that receivers with a closed schema are known to refuse).
/// Where the answer does not say whether it is about this notification or about all, a later one is
/// tried after five times: if that is taken, it was this one. Keeps nothing of its own: after a
/// restart the head of the inbox is simply delivered again.
class Courier {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    net::HttpClient& client;
    Mailbox& mailbox;
  };

  Courier(CourierOptions options, Outside outside);
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  ~Courier();

  /// A changed target is tried at once, whatever the old one is still waited for.
  void set_target(Target target);
  /// A notification was stored.
  void on_notification();
  /// The network came back: do not wait for the end of the pause.
  void retry_now();
  /// Posts `body` as a delivery would, beside the queue. One at a time. done: it was taken. Errors:
  /// refused (what the receiver or the way to it said, and what to do; or that there is no target),
  /// busy, cancelled.
  void test(std::string body, Once<void(Result<void>)> done);
  /// Nothing is delivered any more; an answer that still comes is ignored.
  void stop();

  struct Counters {
    std::uint64_t delivered = 0;
    std::uint64_t failures = 0;
    std::uint64_t refused = 0;  ///< stepped aside: the receiver does not take what is in them
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

  /// What came of one attempt.
  struct Answer {
    Wall at;
    std::string what;  ///< as Report::last
    bool taken = false;
    bool test = false;
  };
  static constexpr std::size_t kAnswersKept = 10;

  /// How it goes with the target of now.
  struct Report {
    std::string url;       ///< "": poll mode
    bool failing = false;  ///< the newest attempt failed
    std::string last;      ///< what came of it: "answers 204", "refused: …"; "": none was made
    std::string what_to_do;
    std::uint64_t failures_in_a_row = 0;
    std::optional<Wall> last_attempt;
    std::optional<Wall> last_delivery;
    std::optional<Wall> failing_since;
    std::deque<Answer> answers;  ///< the newest kAnswersKept, oldest first
  };
  [[nodiscard]] const Report& report() const { return report_; }

 private:
  enum class State : std::uint8_t { idle, posting, removing, pausing, stopped };

  void next();
  [[nodiscard]] net::HttpRequest request_of(const std::string& body) const;
  void post(Mailbox::Head head);
  void keep(Answer answer);
  void on_answer(const Mailbox::Head& head, Result<net::HttpResponse> answer);
  void on_refusal(const Mailbox::Head& head, const net::HttpResponse& answer, bool clearly);
  void note(const Result<net::HttpResponse>& answer);
  void remove(std::uint32_t receipt_id);
  void set_aside();
  void on_removed(const Result<bool>& removed);
  void pause(milliseconds gap);

  CourierOptions options_;
  Outside outside_;
  Target target_;
  State state_ = State::idle;
  Timer timer_;
  Counters counters_;
  Report report_;
  /// The head that the receiver refuses, and how often so far.
  Mailbox::Head refused_;
  Mailbox::Refusal refusal_;
  std::size_t probe_ = 0;       ///< how far behind the head the one stands that is tried; 0: none
  std::size_t next_probe_ = 1;  ///< another one each time: the second may be refused as well
  bool testing_ = false;
  std::uint64_t posts_ = 0;      ///< answers to earlier ones than the last do not count
  std::shared_ptr<bool> alive_;  ///< shared: answers may come after the courier has gone
};

/// The value of the Authorization header; "" when there is none to send.
[[nodiscard]] std::string authorization_of(const std::string& token);

}  // namespace posthorn::webhooks
