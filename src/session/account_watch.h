#pragma once

#include <optional>

#include "posthorn/base/clock.h"
#include "posthorn/base/function.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/session/events.h"
#include "session/questions.h"

namespace posthorn::session {

/// Keeps an eye on what WhatsApp restricts for this account: asks when the protocol's own client
/// would (each such question is visible to the server), passes on what is pushed.
/// Source: protocol chapters 04 section 10.3 and 12 section 6.3.
class AccountWatch {
 public:
  static constexpr hours kReachoutEvery{6};
  static constexpr hours kCappingEvery{1};  ///< only while capping is on
  static constexpr minutes kAtMostEvery{1};
  static constexpr milliseconds kTimeout{32'000};

  /// emit: gets Restriction events.
  AccountWatch(Scheduler& scheduler, const Clock& clock, Questions& questions,
               Function<void(Restriction)> emit);

  /// Logged in and drained: asks both, after which the schedule runs until stop().
  void start();
  void stop();
  /// <notification type="mex">
  void on_push(const wire::Node& notification);
  /// A message was refused with 463 / 475.
  void on_reachout_ack();
  void on_capping_ack();

 private:
  struct Query {
    explicit Query(Scheduler& scheduler) : timer(scheduler) {}
    Timer timer;
    std::optional<Mono> asked;
    bool under_way = false;
  };

  void ask_reachout_soon();
  void ask_capping_soon();
  void ask_reachout();
  void ask_capping(std::string_view query_id);
  void on_reachout(Result<wire::Node> answer);
  void on_capping(Result<wire::Node> answer, std::string_view query_id);
  void take(Restriction news);
  [[nodiscard]] Mono earliest(const Query& query) const;

  Scheduler& scheduler_;
  const Clock& clock_;
  Questions& questions_;
  Function<void(Restriction)> emit_;
  bool running_ = false;
  bool capping_on_ = false;
  Query reachout_;
  Query capping_;
};

}  // namespace posthorn::session
