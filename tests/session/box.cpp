#include "box.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "posthorn/base/log.h"

namespace posthorn::session::core_test {
namespace {

std::string fresh_directory() {
  static std::atomic<int> count = 0;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name =
      std::string(test->test_suite_name()) + "." + test->name() + "." + std::to_string(count++);
  std::ranges::replace(name, '/', '_');
  const auto path = std::filesystem::path(testing::TempDir()) / ("posthorn-session-" + name);
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path.string();
}

}  // namespace

Box::Box() : path(fresh_directory()) {
  log::set_sink([](log::Level, std::string_view) {});
  config.url = "ws://127.0.0.1:5222/ws/chat";
  config.noise_root_key = server.root_key_hex();
}

Box::~Box() {
  pull_the_plug();
  std::filesystem::remove_all(path);
}

void Box::boot() {
  pull_the_plug();
  auto opened = store::Store::open(path + "/posthorn.db", worker);
  if (!opened) throw std::runtime_error(to_string(opened.error()));
  store = std::move(opened->store);
  clock = std::make_unique<Clock>(scheduler, Wall::from_unix(1'780'000'000, false));
  session =
      Session::make(config, Session::Outside{scheduler, *clock, random, worker, dialer, *store},
                    [this](Event event, Once<void(Result<void>)> stored) {
                      events.push_back(std::move(event));
                      stored({});
                    });
  listener = std::make_unique<FakeListener>(scheduler, *session);
  session->join(*listener);
  session->start();
}

void Box::pull_the_plug() {
  session.reset();
  listener.reset();
  scheduler.run_posted();
  store.reset();
  scheduler.run_posted();
}

void Box::link() {
  boot();
  run();
  const auto qr = session->qr();
  ASSERT_TRUE(qr.has_value());
  server.scan(*qr);
  run();
  server.send(FakeServer::stream_error("515"));
  run(seconds(4));
  ASSERT_EQ(state(), State::online);
  events.clear();
}

void Box::server_says(const wire::Node& stanza) {
  server.send(stanza);
  run();
}

void Box::ask(Once<void(Result<wire::Node>)> done) {
  wire::Node iq("iq", {{"type", "get"}, {"xmlns", "usync"}}, std::vector{wire::Node("usync")});
  session->ask(std::move(iq), seconds(60), std::move(done));
}

std::vector<StateChanged> Box::states() const {
  std::vector<StateChanged> out;
  for (const Event& event : events)
    if (const auto* state = std::get_if<StateChanged>(&event)) out.push_back(*state);
  return out;
}

std::vector<State> Box::state_names() const {
  std::vector<State> out;
  for (const StateChanged& change : states()) out.push_back(change.state);
  return out;
}

std::vector<Restriction> Box::restrictions() const {
  std::vector<Restriction> out;
  for (const Event& event : events)
    if (const auto* restriction = std::get_if<Restriction>(&event)) out.push_back(*restriction);
  return out;
}

std::vector<Restriction> Box::restrictions(Restriction::Kind kind) const {
  std::vector<Restriction> out = restrictions();
  std::erase_if(out, [&](const Restriction& r) { return r.kind != kind; });
  return out;
}

}  // namespace posthorn::session::core_test
