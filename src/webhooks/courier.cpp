#include "posthorn/webhooks/courier.h"

#include <algorithm>
#include <array>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::webhooks {

namespace {

constexpr int kDelivered = 200;  // documented: 200 and nothing else
constexpr int kRefusalsBeforeDrop = 3;

/// Kinds that receivers with a closed schema are known to refuse for ever; without a way past them
/// one such notification would hold back all others for a day.
constexpr std::array<std::string_view, 5> kOftenRefused{
    "editedMessage", "deletedMessage", "contactsArrayMessage", "interactiveButtons",
    "interactiveButtonsReply"};

bool often_refused(const std::string& body) {
  const auto parsed = json::parse(body);
  if (!parsed) return false;
  const auto type = json::string_at(json::at(*parsed, "messageData"), "typeMessage");
  return type &&
         std::find(kOftenRefused.begin(), kOftenRefused.end(), *type) != kOftenRefused.end();
}

/// The receiver understood us and does not want this content; 401, 403 and 429 are about who and
/// when.
bool refuses_content(int status) {
  return status >= 400 && status < 500 && status != 401 && status != 403 && status != 429;
}

}  // namespace

std::string authorization_of(const std::string& token) {
  if (token.empty()) return "";
  if (token.starts_with("Bearer ") || token.starts_with("Basic ")) return token;
  return "Bearer " + token;
}

Courier::Courier(CourierOptions options, Outside outside)
    : options_(options),
      outside_(outside),
      timer_(outside.scheduler),
      alive_(std::make_shared<bool>(true)) {}

Courier::~Courier() { *alive_ = false; }

void Courier::stop() {
  state_ = State::stopped;
  timer_.stop();
  *alive_ = false;
}

void Courier::set_target(Target target) {
  if (target == target_ || state_ == State::stopped) return;
  target_ = std::move(target);
  retry_now();
}

void Courier::on_notification() {
  if (state_ == State::idle) next();
}

void Courier::retry_now() {
  if (state_ == State::pausing) state_ = State::idle;
  if (state_ == State::idle) next();
}

void Courier::next() {
  timer_.stop();
  if (target_.url.empty()) return;
  if (const auto head = outside_.mailbox.head()) post(*head);
}

void Courier::post(const Mailbox::Head& head) {
  state_ = State::posting;
  net::HttpRequest request;
  request.method = "POST";
  request.url = target_.url;
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  if (const std::string value = authorization_of(target_.token); !value.empty()) {
    request.headers.emplace_back("Authorization", value);
  }
  request.body = head.body;
  request.timeout = options_.wait;
  outside_.client.send(std::move(request), [this, alive = alive_, head,
                                            target = target_](Result<net::HttpResponse> answer) {
    if (*alive) on_answer(head, target, std::move(answer));
  });
}

void Courier::on_answer(const Mailbox::Head& head, const Target& target,
                        Result<net::HttpResponse> answer) {
  if (answer && answer->status == kDelivered) {
    ++counters_.delivered;
    counters_.last_error.clear();
    return remove(head.receipt_id);
  }
  ++counters_.failures;
  counters_.last_error =
      answer ? "status " + std::to_string(answer->status) : to_string(answer.error());
  log::debug("webhooks", "not delivered", {{"error", counters_.last_error}});
  state_ = State::idle;
  if (target != target_) return next();  // changed meanwhile: the new one has not failed yet
  if (answer && refuses_content(answer->status) && gives_up_on(head)) {
    log::warn("webhooks", "notification dropped: the receiver refuses its kind",
              {{"status", answer->status}});
    ++counters_.dropped;
    return remove(head.receipt_id);
  }
  pause(options_.retry_gap);
}

bool Courier::gives_up_on(const Mailbox::Head& head) {
  if (head.receipt_id != refused_id_) {
    refused_id_ = head.receipt_id;
    refusals_ = 0;
  }
  return ++refusals_ >= kRefusalsBeforeDrop && often_refused(head.body);
}

void Courier::remove(std::uint32_t receipt_id) {
  state_ = State::removing;
  outside_.mailbox.remove(receipt_id, [this, alive = alive_](Result<bool> removed) {
    if (!*alive) return;
    state_ = State::idle;
    // Delivered but still there: going on at once would deliver it again and again.
    if (!removed) {
      log::error("webhooks", "delivered notification not removed", {{"error", removed.error()}});
      return pause(options_.retry_gap);
    }
    pause(options_.spacing);
  });
}

void Courier::pause(milliseconds gap) {
  state_ = State::pausing;
  timer_.start(gap, [this] { retry_now(); });
}

}  // namespace posthorn::webhooks
