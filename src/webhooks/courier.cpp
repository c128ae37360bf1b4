#include "posthorn/webhooks/courier.h"

#include <algorithm>
#include <array>
#include <utility>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/base/utf8.h"
#include "webhooks/verdict.h"

namespace posthorn::webhooks {

namespace {

constexpr int kRefusals = 5;
constexpr int kRefusalsOfOftenRefused = 3;
constexpr std::size_t kProbesAhead = 8;
constexpr std::size_t kAnswerKept = 500;  // bytes

/// Kinds that receivers with a closed schema are known to refuse for ever.
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

/// "http://till.lan:8080": what may follow, and a password before the host, are nobody's business.
std::string origin_of(const std::string& url) {
  const std::size_t host = url.find("//") == std::string::npos ? 0 : url.find("//") + 2;
  const std::string authority = url.substr(host, url.find_first_of("/?#", host) - host);
  const std::size_t user = authority.rfind('@');
  return url.substr(0, host) + (user == std::string::npos ? authority : authority.substr(user + 1));
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
  report_ = {};
  report_.url = target_.url;
  refused_ = {};
  probe_ = 0;
  if (state_ == State::posting) {
    ++posts_;  // what the old one still answers does not count
    state_ = State::idle;
  }
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
  auto head = outside_.mailbox.head(0);
  if (!head) return;
  if (head->receipt_id != refused_.receipt_id) probe_ = 0;
  if (probe_ > 0) {
    if (auto later = outside_.mailbox.head(probe_)) return post(std::move(*later));
    probe_ = 0;
  }
  post(std::move(*head));
}

net::HttpRequest Courier::request_of(const std::string& body) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = target_.url;
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  if (const std::string value = authorization_of(target_.token); !value.empty()) {
    request.headers.emplace_back("Authorization", value);
  }
  if (!target_.signing_key.empty()) {
    const auto mac = crypto::hmac_sha256(as_bytes(target_.signing_key), as_bytes(body));
    request.headers.emplace_back("X-Hub-Signature-256", "sha256=" + hex_encode(mac));
  }
  request.body = body;
  request.timeout = options_.wait;
  request.pinned_public_key = target_.pinned_key;
  request.ca_pem = target_.ca;
  return request;
}

void Courier::keep(Answer answer) {
  report_.answers.push_back(std::move(answer));
  if (report_.answers.size() > kAnswersKept) report_.answers.pop_front();
}

void Courier::test(std::string body, Once<void(Result<void>)> done) {
  if (target_.url.empty()) return done(fail(Errc::refused, "no webhook is set"));
  if (std::exchange(testing_, true)) return done(fail(Errc::busy, "a test is under way"));
  const std::string url = target_.url;
  outside_.client.send(request_of(body), [this, alive = alive_, url, done = std::move(done)](
                                             const Result<net::HttpResponse>& answer) mutable {
    if (!*alive) return done(fail(Errc::cancelled, "the box is stopping"));
    testing_ = false;
    const Verdict verdict = judge(answer);
    const bool taken = verdict.about == Verdict::About::delivered;
    if (url == target_.url) keep({outside_.clock.now(), verdict.what, taken, true});
    if (taken) return done({});
    done(fail(Errc::refused, verdict.what + ". " + verdict.what_to_do));
  });
}

void Courier::post(Mailbox::Head head) {
  state_ = State::posting;
  // Before the head moves away: arguments have no order.
  net::HttpRequest request = request_of(head.body);
  outside_.client.send(std::move(request),
                       [this, alive = alive_, number = ++posts_,
                        head = std::move(head)](Result<net::HttpResponse> answer) {
                         if (*alive && number == posts_) on_answer(head, std::move(answer));
                       });
}

void Courier::on_answer(const Mailbox::Head& head, Result<net::HttpResponse> answer) {
  note(answer);
  state_ = State::idle;
  const Verdict verdict = judge(answer);
  if (verdict.about == Verdict::About::delivered) return remove(head.receipt_id);
  if (probe_ > 0) {
    // The later one is not taken either: it is the receiver.
    probe_ = 0;
    next_probe_ = next_probe_ % kProbesAhead + 1;
    return pause(options_.retry_gap);
  }
  if (verdict.about == Verdict::About::receiver) return pause(options_.retry_gap);
  on_refusal(head, *answer, verdict.about == Verdict::About::notification);
}

void Courier::on_refusal(const Mailbox::Head& head, const net::HttpResponse& answer, bool clearly) {
  if (head.receipt_id != refused_.receipt_id) {
    refused_ = head;
    refusal_ = {};
    next_probe_ = 1;
  }
  refusal_.status = answer.status;
  refusal_.answer = cut_utf8(answer.body, kAnswerKept);
  ++refusal_.times;
  const bool often = answer.status < 500 && often_refused(head.body);
  if (refusal_.times < (often ? kRefusalsOfOftenRefused : kRefusals)) {
    return pause(options_.retry_gap);
  }
  if (clearly || often) return set_aside();
  refusal_.times = 0;
  probe_ = next_probe_;
  pause(options_.spacing);
}

/// One line for each change, so that a receiver that is off for a night is told once.
void Courier::note(const Result<net::HttpResponse>& answer) {
  const Verdict verdict = judge(answer);
  const Wall now = outside_.clock.now();
  const bool changed = report_.last != verdict.what;
  report_.last = verdict.what;
  report_.last_attempt = now;
  keep({now, verdict.what, verdict.about == Verdict::About::delivered, false});
  report_.what_to_do = verdict.what_to_do;
  if (verdict.about == Verdict::About::delivered) {
    ++counters_.delivered;
    report_.last_delivery = now;
    report_.failures_in_a_row = 0;
    report_.failing_since.reset();
    if (std::exchange(report_.failing, false)) {
      log::info("webhooks", "the webhook takes notifications again",
                {{"receiver", origin_of(target_.url)}});
    }
    return;
  }
  ++counters_.failures;
  ++report_.failures_in_a_row;
  if (!std::exchange(report_.failing, true)) report_.failing_since = now;
  if (!changed) return;
  log::warn("webhooks", "a webhook does not take notifications",
            {{"receiver", origin_of(target_.url)},
             {"what", verdict.what},
             {"what_to_do", verdict.what_to_do}});
}

void Courier::remove(std::uint32_t receipt_id) {
  state_ = State::removing;
  outside_.mailbox.remove(receipt_id, [this, alive = alive_](Result<bool> removed) {
    if (*alive) on_removed(removed);
  });
}

void Courier::set_aside() {
  state_ = State::removing;
  ++counters_.refused;
  log::warn("webhooks", "a notification steps aside: the webhook refuses what is in it",
            {{"receiver", origin_of(target_.url)},
             {"receiptId", refused_.receipt_id},
             {"status", refusal_.status},
             {"what_to_do", "Look at getRefusedNotifications and at the receiver's log."}});
  probe_ = 0;
  outside_.mailbox.set_aside(std::exchange(refused_, {}), refusal_,
                             [this, alive = alive_](Result<bool> removed) {
                               if (*alive) on_removed(removed);
                             });
}

void Courier::on_removed(const Result<bool>& removed) {
  if (state_ == State::stopped) return;
  state_ = State::idle;
  // Delivered but still there: going on at once would deliver it again and again.
  if (!removed) {
    log::error("webhooks", "a notification that is done is not removed",
               {{"error", removed.error()}});
    return pause(options_.retry_gap);
  }
  // The later one was taken: it was what is in the head.
  if (probe_ > 0) return set_aside();
  pause(options_.spacing);
}

void Courier::pause(milliseconds gap) {
  state_ = State::pausing;
  timer_.start(gap, [this] { retry_now(); });
}

}  // namespace posthorn::webhooks
