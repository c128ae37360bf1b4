#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/scheduler.h"
#include "posthorn/simulator/simulator.h"
#include "posthorn/wire/node.h"

namespace posthorn::simulator {

class World;

/// A query string without its '?'.
[[nodiscard]] std::map<std::string, std::string> split_query(std::string_view query);

/// The control interface's verbs; CONTROL.md describes each.
class Control {
 public:
  using Response = Simulator::Response;
  using Done = Once<void(Response)>;

  Control(Simulator& simulator, World& world);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control();

  void handle(std::string_view method, std::string_view path, std::string_view body, Done done);

 private:
  struct Request {
    std::string_view method;
    std::vector<std::string> parts;  ///< of the path, without "v1"
    std::map<std::string, std::string> query;
    json::Value body;
    std::string raw_body;
  };
  /// What to look for in the journal.
  struct Match {
    std::string direction, device, tag, xmlns, type, child, id, cls, from, to;
    std::uint64_t after = 0;
  };
  using Check = std::function<std::optional<Response>()>;
  struct Waiter {
    Check check;
    Function<Response()> give_up;
    Done done;
    std::unique_ptr<Timer> deadline;
  };
  using Verb = void (Control::*)(const Request&, Done);
  struct Route {
    const char* method;
    const char* path;  ///< "*" stands for one part
    Verb verb;
  };
  static const std::vector<Route>& routes();

  void info(const Request& request, Done done);
  void add_account(const Request& request, Done done);
  void show_account(const Request& request, Done done);
  void show_state(const Request& request, Done done);
  void change_state(const Request& request, Done done);
  void tell_history(const Request& request, Done done);
  void change_account(const Request& request, Done done);
  void scan(const Request& request, Done done);
  void scan_raw(const Request& request, Done done);
  void link_code(const Request& request, Done done);
  void answer_passkey(const Request& request, Done done);
  void log_out_device(const Request& request, Done done);
  void drop_device(const Request& request, Done done);
  void send(const Request& request, Done done);
  void send_file(const Request& request, Done done);
  void act(const Request& request, Done done);
  void show_media(const Request& request, Done done);
  void change_media(const Request& request, Done done);
  void add_group(const Request& request, Done done);
  void show_group(const Request& request, Done done);
  void act_on_group(const Request& request, Done done);
  void show_inbox(const Request& request, Done done);
  void push(const Request& request, Done done);
  void add_fault(const Request& request, Done done);
  void list_faults(const Request& request, Done done);
  void remove_fault(const Request& request, Done done);
  void clear_faults(const Request& request, Done done);
  void set_clock(const Request& request, Done done);
  void show_journal(const Request& request, Done done);
  void expect(const Request& request, Done done);
  void show_violations(const Request& request, Done done);

  [[nodiscard]] static Match read_match(const json::Value& value);
  [[nodiscard]] bool matches(const Match& match, const JournalEntry& entry) const;
  void wait(milliseconds at_most, Check check, Function<Response()> give_up, Done done);
  void look_again();

  Simulator& simulator_;
  World& world_;
  std::list<Waiter> waiters_;
  bool look_posted_ = false;
};

}  // namespace posthorn::simulator
