#include "scenario/shop.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "posthorn/base/log.h"

namespace posthorn::scenario {
namespace {

constexpr std::uint64_t kInstance = 7'100'000'001;
constexpr const char* kToken = "0123456789abcdef0123456789abcdef0123456789abcdef01";
constexpr const char* kCareToken = "fedcba9876543210fedcba9876543210fedcba987654321023";
constexpr std::int64_t kMidnight = 1'790'000'000 / 86'400 * 86'400;

Config configured(Config config, const simulator::Simulator& world) {
  config.whatsapp.url = "ws://127.0.0.1:1/ws/chat";
  config.whatsapp.noise_root_key = hex_encode(world.root_key());
  config.queue.outbox_bytes = 4U << 20;
  config.queue.inbox_bytes = 4U << 20;
  return config;
}

api::Request request_of(api::Verb verb, const std::string& method, const std::string& behind,
                        const std::string& body) {
  api::Request request;
  request.verb = verb;
  request.path = "/waInstance" + std::to_string(kInstance) + "/" + method + "/" + behind;
  request.body = body;
  request.content_type = "application/json";
  request.peer = "127.0.0.1";
  if (method == "receiveNotification") request.query.emplace_back("receiveTimeout", "5");
  return request;
}

}  // namespace

Config established() {
  Config config;
  config.throttle.number_in_use_months = 6;
  return config;
}

bool Story::has(const std::string& status) const {
  return std::ranges::find(statuses, status) != statuses.end();
}

std::string Story::end() const {
  for (const char* last : {"sent", "failed", "noAccount"}) {
    if (has(last)) return last;
  }
  return {};
}

Shop::Shop(Config c) {
  log::set_sink([](log::Level, std::string_view) {});
  scheduler.wall_at_start = Wall::from_unix(kMidnight, false);
  config = configured(std::move(c), world);
  std::string name = testing::TempDir() + "posthorn-scenario-XXXXXX";
  folder = mkdtemp(name.data());
  dialer.accept = [this](std::unique_ptr<Stream> stream) { world.accept(std::move(stream)); };
  boot();
}

Shop::~Shop() {
  shut_down();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  log::set_sink(nullptr);
}

void Shop::boot() {
  auto opened = store::Store::open(folder + "/posthorn.db", worker);
  if (!opened) throw std::runtime_error(to_string(opened.error()));
  store = std::move(opened->store);
  clock = std::make_unique<Clock>(
      scheduler, clock_at_boot.value_or(Wall::from_unix(kMidnight - 86'400, false)));
  const auto open_ring = [this](const char* path, std::uint64_t bytes, queue::WhenFull when_full) {
    queue::RingFile::Options options;
    options.path = path;
    options.bytes = bytes;
    options.when_full = when_full;
    auto ring = queue::RingFile::open(disk, scheduler, worker, random, options);
    if (!ring) throw std::runtime_error(to_string(ring.error()));
    return std::move(*ring);
  };
  outbox_ring = open_ring("outbox.ring", config.queue.outbox_bytes, queue::WhenFull::refuse);
  inbox_ring = open_ring("inbox.ring", config.queue.inbox_bytes, queue::WhenFull::drop_oldest);
  auto kept = files::Store::open(std::move(*files::posix_folder(folder + "/files")), worker,
                                 files::StoreOptions{config.files.quota_bytes, 0, 32});
  if (!kept) throw std::runtime_error(to_string(kept.error()));
  files = std::move(*kept);
  box = std::make_unique<daemon::App>(config, daemon::Access{kInstance, kToken, kCareToken, false},
                                      daemon::App::Outside{scheduler,
                                                           *clock,
                                                           random,
                                                           worker,
                                                           dialer,
                                                           http,
                                                           *store,
                                                           *outbox_ring,
                                                           *inbox_ring,
                                                           [](Wall) { return seconds(0); },
                                                           {},
                                                           [this] { ++led_changes; },
                                                           files.get()});
  const auto built = box->build();
  if (!built) throw std::runtime_error(to_string(built.error()));
  box->connect();
}

void Shop::shut_down() {
  if (!box) return;
  box->stop();
  scheduler.run_posted();
  outbox_ring.reset();
  inbox_ring.reset();
  box.reset();
  scheduler.run_posted();
  files.reset();
  store.reset();
  scheduler.run_posted();
}

void Shop::end_at_once() {
  box->api().stop();
  box->stop();
  outbox_ring.reset();
  inbox_ring.reset();
  box.reset();
  files.reset();
  store.reset();
  scheduler.run_posted();
}

std::string Shop::link_with_customer() {
  const std::string customer = world.add_account({"4915550002222", "Ida"}).pn.user;
  link();
  simulator::PeerText hello;
  hello.to = phone;
  hello.text = "Hello";
  EXPECT_TRUE(world.peer_send(customer, hello));
  pass(seconds(5));
  take_notifications();
  return customer;
}

void Shop::link() {
  std::optional<std::string> qr;
  for (int i = 0; i < 200 && !qr; ++i) {
    pass(milliseconds(100));
    qr = box->session().qr();
  }
  ASSERT_TRUE(qr.has_value());
  world.scan(*qr, phone, [this](Result<wire::Jid> device) {
    ASSERT_TRUE(device.has_value()) << to_string(device.error());
    phone = device->user;
  });
  for (int i = 0; i < 300 && level().empty(); ++i) pass(milliseconds(100));
  for (int i = 0; i < 300 && box->status().link != Status::Link::online; ++i) {
    pass(milliseconds(100));
  }
  ASSERT_EQ(box->status().link, Status::Link::online);
}

Shop::Answer Shop::call(const std::string& method, const std::string& body,
                        const std::string& behind, api::Verb verb) {
  return ask(request_of(verb, method, kToken + behind, body));
}

Shop::Answer Shop::care(const std::string& method, const std::string& body) {
  return ask(with_care(api::Verb::post, method, body));
}

api::Request Shop::with_care(api::Verb verb, const std::string& method, const std::string& body) {
  return request_of(verb, method, kCareToken, body);
}

Shop::Answer Shop::ask(api::Request request) {
  const auto got = std::make_shared<std::optional<api::Response>>();
  box->api().handle(std::move(request),
                    api::Reply([got](api::Response r) { *got = std::move(r); }));
  scheduler.run_posted();
  for (int i = 0; i < 1000 && !*got; ++i) pass(milliseconds(10));
  if (!*got) return {};
  take_stream(**got);
  Answer answer{(*got)->status, json::Value()};
  if (auto parsed = json::parse((*got)->body)) answer.body = std::move(*parsed);
  return answer;
}

void Shop::take_stream(api::Response& response) {
  std::array<char, 1000> piece{};
  for (bool more = response.stream != nullptr; more;) {
    const api::BodySource::Piece got = response.stream->read(piece);
    response.body.append(piece.data(), got.size);
    if (got.more == api::BodySource::More::later) pass(milliseconds(1));
    more = got.more == api::BodySource::More::bytes || got.more == api::BodySource::More::later;
  }
}

Shop::Answer Shop::upload(const std::string& method, const std::string& content_type,
                          const std::string& body, const std::string& file_name) {
  api::Request head = request_of(api::Verb::post, method, kToken, "");
  head.host = "10.0.0.5:8080";
  head.content_type = content_type;
  head.content_length = body.size();
  head.file_name = file_name;
  api::Terms terms = box->api().terms(head);
  const auto got = std::make_shared<std::optional<api::Response>>();
  api::Reply reply([got](api::Response r) { *got = std::move(r); });
  if (!terms.sink) {
    box->api().handle(std::move(head), std::move(reply));
  } else {
    for (std::size_t at = 0; at < body.size(); at += 16'384) {
      if (!terms.sink->write(std::string_view(body).substr(at, 16'384))) pass(milliseconds(1));
    }
    terms.sink->finish(std::move(reply));
  }
  scheduler.run_posted();
  for (int i = 0; i < 1000 && !*got; ++i) pass(milliseconds(10));
  if (!*got) return {};
  Answer answer{(*got)->status, json::Value()};
  if (auto parsed = json::parse((*got)->body)) answer.body = std::move(*parsed);
  return answer;
}

api::Response Shop::follow(const std::string& link, const std::string& range) {
  api::Request request;
  const std::size_t host = link.find("://") + 3;
  const std::size_t path = link.find('/', host);
  request.host = link.substr(host, path - host);
  request.path = link.substr(path);
  request.range = range;
  const auto got = std::make_shared<std::optional<api::Response>>();
  box->api().handle(std::move(request),
                    api::Reply([got](api::Response r) { *got = std::move(r); }));
  for (int i = 0; i < 20'000 && !*got; ++i) pass(milliseconds(10));
  if (!*got) return {.status = 0, .body = "no answer", .headers = {}};
  take_stream(**got);
  return std::move(**got);
}

std::string Shop::metrics() {
  api::Request request;
  request.path = "/metrics";
  request.authorization = std::string("Bearer ") + kToken;
  std::string text;
  box->api().handle(std::move(request),
                    api::Reply([&text](const api::Response& r) { text = r.body; }));
  return text;
}

std::string Shop::send(const std::string& chat, const std::string& text) {
  json::Value body;
  body["chatId"] = chat;
  body["message"] = text;
  body["consent"] = "order";
  const Answer answer = post("sendMessage", json::write(body));
  EXPECT_EQ(answer.status, 200);
  const std::string id = json::string_at(answer.body, "idMessage").value_or("");
  accepted.insert(id);
  return id;
}

void Shop::take_notifications() {
  while (inbox_ring->status().pending > 0) {
    const Answer got = call("receiveNotification");
    const auto receipt = json::int_at(got.body, "receiptId");
    if (!receipt) return;
    const json::Value& body = got.body["body"];
    const std::string type = json::string_at(body, "typeWebhook").value_or("");
    if (type == "outgoingMessageStatus") {
      Story& story = stories[json::string_at(body, "idMessage").value_or("")];
      story.statuses.push_back(json::string_at(body, "status").value_or(""));
      if (story.statuses.back() == "failed") {
        story.description = json::string_at(body, "description").value_or("");
      }
    } else if (type == "stateInstanceChanged") {
      states.push_back({json::string_at(body, "stateInstance").value_or(""), scheduler.now()});
    } else if (type == "incomingMessageReceived") {
      texts.push_back(json::write(body["messageData"]));
      if (body["messageData"].isMember("fileMessageData")) {
        files_told.push_back(body["messageData"]);
      }
    }
    call("deleteNotification", "", "/" + std::to_string(*receipt), api::Verb::del);
  }
}

std::string Shop::state() {
  return json::string_at(call("getStateInstance").body, "stateInstance").value_or("");
}

std::map<std::string, std::string> Shop::queue() {
  std::map<std::string, std::string> out;
  for (const json::Value& item : call("showMessagesQueue").body) {
    out[json::string_at(item, "messageID").value_or("")] =
        json::string_at(item, "holdReason").value_or("");
  }
  return out;
}

std::string Shop::level() { return std::string(throttle::to_string(box->valve().level())); }

}  // namespace posthorn::scenario
