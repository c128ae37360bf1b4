#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>

#include "fleet/box_view.h"
#include "fleet/command_journal.h"
#include "fleet/outlet.h"
#include "fleet/topics.h"
#include "posthorn/base/alive.h"
#include "posthorn/fleet/settings.h"

namespace posthorn::fleet {

/// {"do":"send","key":"uuid","args":{...},"exp":unix,"by":"who"}
struct Command {
  std::string what;
  std::string key;
  json::Value args{::Json::objectValue};
  std::optional<std::int64_t> exp;
  std::string by;
};
/// Errors: malformed, in words for whoever wrote it.
[[nodiscard]] Result<Command> parse_command(std::string_view payload);

/// How a command ended.
struct Outcome {
  enum class Status : std::uint8_t {
    done,
    refused,  ///< understood, and not done
    expired,
    failed,  ///< the daemon could not be asked: nothing is remembered, repeat with the same key
  };
  Status status = Status::done;
  int code = 200;
  json::Value body{};
};
[[nodiscard]] std::string_view to_string(Outcome::Status status);
[[nodiscard]] Outcome refused(int code, const std::string& why);

/// Commands from the broker, one after the other: each key has one effect.
class Commands {
 public:
  static constexpr std::size_t kWaitingAtMost = 20;
  static constexpr std::size_t kPayloadAtMost = std::size_t{64} << 10;

  using Done = Function<void(Outcome)>;
  /// What a command does that is not a call of the box's API.
  struct Here {
    std::function<void(const Command&, Done)> handler;
    bool care = false;
  };

  struct Outside {
    Scheduler& scheduler;
    BoxApi& box;
    BoxView& view;
    Outlet& outlet;
    CommandJournal& journal;
    Topics topics;
    const Settings& settings;
    std::map<std::string, Here, std::less<>> here;
  };

  explicit Commands(Outside outside) : outside_(std::move(outside)), retry_(outside_.scheduler) {}
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  /// What a power cut interrupted goes on.
  void start();
  /// A message to cmd/ID.
  void on_message(const Incoming& message);
  /// Replies that nobody has had go out again.
  void on_connected();
  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }
  /// The one that ended last, in this life.
  struct Last {
    std::string what;
    std::string status;
    std::int64_t at = 0;  ///< unix; 0: the box did not know the time
  };
  [[nodiscard]] const Last& last() const { return last_; }

 private:
  struct Work {
    Command command;
    std::string payload;
    std::string reply_to;
    std::string correlation;
    bool resumed = false;
  };
  void refuse_now(const Work& work, const Outcome& outcome);
  void next();
  void begin(Work work);
  [[nodiscard]] std::optional<Outcome> objection(const Work& work) const;
  void execute();
  void ask_box(const BoxRequest& request, int tries);
  void on_box(const BoxRequest& request, int tries, Result<BoxAnswer> answer);
  void finish(Outcome outcome);
  void publish_reply(const std::string& key, const std::string& topic,
                     const std::string& correlation, const std::string& reply, bool kept);

  Outside outside_;
  std::deque<Work> waiting_;
  std::optional<Work> current_;
  Timer retry_;
  Last last_;
  std::uint64_t done_ = 0;
  std::uint64_t ignored_ = 0;
  Alive<Commands> alive_{this};
};

}  // namespace posthorn::fleet
