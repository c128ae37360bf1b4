#include "simulator/control.h"

#include <algorithm>

#include "simulator/control_replies.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace {

constexpr milliseconds kMaxWait{60'000};

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte =
        text[i] == '%' && i + 2 < text.size() ? hex_decode(text.substr(i + 1, 2)) : std::nullopt;
    if (byte) {
      out.push_back(static_cast<char>(byte->front()));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (const auto part = path.substr(0, slash); !part.empty()) {
      parts.push_back(percent_decoded(part));
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

bool fits(const char* pattern, const std::vector<std::string>& parts) {
  const auto wanted = split_path(pattern);
  return std::ranges::equal(wanted, parts, [](const std::string& want, const std::string& have) {
    return want == "*" || want == have;
  });
}

}  // namespace

std::map<std::string, std::string> split_query(std::string_view query) {
  std::map<std::string, std::string> out;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const auto pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) {
      out[percent_decoded(pair.substr(0, equals))] = percent_decoded(pair.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return out;
}

Control::Control(Simulator& simulator, World& world) : simulator_(simulator), world_(world) {
  const auto later = [this] {
    if (waiters_.empty() || look_posted_) return;
    look_posted_ = true;
    world_.post([this] { look_again(); });
  };
  world_.journal.on_entry(later);
  world_.peers.on_received(later);
}

Control::~Control() {
  for (auto& waiter : waiters_) waiter.done(refusal(503, "the simulator ends"));
}

const std::vector<Control::Route>& Control::routes() {
  static const std::vector<Route> table{
      {"GET", "v1/info", &Control::info},
      {"POST", "v1/accounts", &Control::add_account},
      {"GET", "v1/accounts/*", &Control::show_account},
      {"PATCH", "v1/accounts/*", &Control::change_account},
      {"GET", "v1/accounts/*/state", &Control::show_state},
      {"POST", "v1/accounts/*/state", &Control::change_state},
      {"POST", "v1/accounts/*/history", &Control::tell_history},
      {"POST", "v1/scan", &Control::scan},
      {"POST", "admin/mock-phone/scan-qr", &Control::scan_raw},
      {"POST", "v1/link-code", &Control::link_code},
      {"POST", "v1/peers/*/passkey", &Control::answer_passkey},
      {"POST", "v1/devices/*/logout", &Control::log_out_device},
      {"POST", "v1/devices/*/drop", &Control::drop_device},
      {"POST", "v1/peers/*/send", &Control::send},
      {"POST", "v1/peers/*/send-file", &Control::send_file},
      {"POST", "v1/peers/*/do", &Control::act},
      {"POST", "v1/groups", &Control::add_group},
      {"GET", "v1/groups/*", &Control::show_group},
      {"POST", "v1/groups/*/do", &Control::act_on_group},
      {"GET", "v1/peers/*/inbox", &Control::show_inbox},
      {"POST", "v1/push", &Control::push},
      {"POST", "v1/faults", &Control::add_fault},
      {"GET", "v1/faults", &Control::list_faults},
      {"DELETE", "v1/faults", &Control::clear_faults},
      {"DELETE", "v1/faults/*", &Control::remove_fault},
      {"GET", "v1/media", &Control::show_media},
      {"POST", "v1/media", &Control::change_media},
      {"POST", "v1/clock", &Control::set_clock},
      {"GET", "v1/journal", &Control::show_journal},
      {"POST", "v1/expect", &Control::expect},
      {"GET", "v1/violations", &Control::show_violations},
  };
  return table;
}

void Control::handle(std::string_view method, std::string_view path, std::string_view body,
                     Done done) {
  Request request;
  request.method = method;
  const std::size_t mark = path.find('?');
  if (mark != std::string_view::npos) request.query = split_query(path.substr(mark + 1));
  request.parts = split_path(path.substr(0, mark));
  request.raw_body = std::string(body);
  const bool raw = !request.parts.empty() && request.parts[0] == "admin";
  if (!body.empty() && !raw) {
    auto parsed = json::parse(body);
    if (!parsed) return done(refusal(parsed.error()));
    request.body = std::move(*parsed);
  }
  bool path_known = false;
  for (const Route& route : routes()) {
    if (!fits(route.path, request.parts)) continue;
    path_known = true;
    if (method == route.method) return (this->*route.verb)(request, std::move(done));
  }
  done(path_known ? refusal(405, "this path has other methods") : refusal(404, "no such path"));
}

// Waiting
// -------------------------------------------------------------------------------------------

void Control::wait(milliseconds at_most, Check check, Function<Response()> give_up, Done done) {
  if (auto response = check()) return done(std::move(*response));
  if (at_most <= milliseconds(0)) return done(give_up());
  waiters_.push_back({std::move(check), std::move(give_up), std::move(done),
                      std::make_unique<Timer>(world_.scheduler)});
  const auto it = std::prev(waiters_.end());
  it->deadline->start(std::min(at_most, kMaxWait), [this, it] {
    Waiter waiter = std::move(*it);
    waiters_.erase(it);
    waiter.done(waiter.give_up());
  });
}

void Control::look_again() {
  look_posted_ = false;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    auto response = it->check();
    if (!response) {
      ++it;
      continue;
    }
    Waiter waiter = std::move(*it);
    it = waiters_.erase(it);
    waiter.done(std::move(*response));
  }
}

}  // namespace posthorn::simulator
