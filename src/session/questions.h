#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/wire/node.h"

namespace posthorn::session {

/// What we asked and what has not been answered yet: <iq> questions and sent messages that wait for
/// their <ack>. Every question ends exactly once: answer, refusal, timeout or disconnect.
/// Source: protocol chapter 04 sections 6 and 7.8.
class Questions {
 public:
  /// At most this many <iq> are on the wire; more wait here, up to kMostWaiting.
  static constexpr std::size_t kMostOutstanding = 8;
  static constexpr std::size_t kMostWaiting = 256;
  static constexpr std::size_t kMostAcks = 256;

  /// What a person who watches the connection wants to know.
  struct Watcher {
    virtual ~Watcher() = default;
    virtual void on_question_answered() = 0;
    virtual void on_question_timed_out() = 0;
    virtual void on_ack_arrived() = 0;
    virtual void on_ack_timed_out() = 0;
  };
  /// May an unanswered question count against the connection? Some servers stay silent on purpose.
  enum class Silence : std::uint8_t { suspicious, expected };

  using Done = Once<void(Result<wire::Node>)>;
  using Write = Function<void(wire::Node)>;

  /// prefix: unique per process, goes in front of every id. write: puts a stanza on the wire.
  Questions(Scheduler& scheduler, std::string prefix, Watcher& watcher, Write write);
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;
  ~Questions();

  /// Fills in the id. done: the result; refused ("429 rate-overlimit", see refusal_code), timeout,
  /// disconnected, busy (too many wait). The timeout counts from now.
  void ask(wire::Node iq, milliseconds timeout, Done done, Silence silence = Silence::suspicious);
  /// Gives the <ack> with that id, whatever its class.
  void await_ack(const std::string& id, milliseconds timeout, Done done);

  /// An <iq> of type result or error; false when nobody waits for it (late, or never asked).
  bool on_answer(const wire::Node& iq);
  bool on_ack(const wire::Node& ack);

  /// Ends all of them; what they ask meanwhile is refused with the same error.
  void fail_all(const Error& why);
  /// A connection is there again: questions are taken.
  void open() { open_ = true; }

  [[nodiscard]] std::size_t outstanding() const { return asked_.size(); }
  [[nodiscard]] std::string next_id();

 private:
  struct Pending {
    Pending(Scheduler& scheduler, Done d) : done(std::move(d)), timer(scheduler) {}
    Done done;
    Timer timer;
    Silence silence = Silence::suspicious;
    wire::Node waiting;  ///< not yet written when it has a tag
  };
  using Map = std::map<std::string, std::unique_ptr<Pending>, std::less<>>;

  void write_waiting();
  void finish(Map& from, Map::iterator at, Result<wire::Node> answer);

  Scheduler& scheduler_;
  std::string prefix_;
  Watcher& watcher_;
  Write write_;
  std::uint64_t counter_ = 0;
  bool open_ = false;
  Map asked_;
  Map waiting_;
  std::deque<std::string> order_;
  Map acks_;
};

/// The code of a refused question ("429 rate-overlimit" -> 429); 0 when the error is another one.
[[nodiscard]] int refusal_code(const Error& error);

}  // namespace posthorn::session
