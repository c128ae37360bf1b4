#include "posthorn/cloud/transport.h"

#include <algorithm>

#include "cloud/content/build.h"
#include "cloud/fields.h"
#include "cloud/multipart_source.h"
#include "posthorn/base/log.h"
#include "posthorn/cloud/wamid.h"

namespace posthorn::cloud {
namespace {

constexpr const char* kAssigned = "assigned";
constexpr const char* kFlight = "flight";
constexpr std::string_view kEnded = "ended ";
constexpr std::size_t kWordsKept = 200;
constexpr std::size_t kFreeFormPerBucket = 8;
constexpr std::size_t kFreeFormMax = 4096;  // bytes of a job
constexpr std::string_view kSent = "sent ";
constexpr std::size_t kPerBucket = 128;
constexpr seconds kPostWait{60};
constexpr seconds kUploadWait{600};
constexpr seconds kAskFor{60};  ///< a status webhook may still say that it was sent
constexpr hours kWindow{24};
constexpr hours kUploadGood{24 * 29};
constexpr milliseconds kLongestRetry{900'000};
constexpr std::size_t kDirectSendMax = 1024;

}  // namespace

Transport::Transport(const CloudConfig& config, Secrets secrets, Outside outside)
    : config_(config),
      secrets_(std::move(secrets)),
      out_(std::move(outside)),
      states_(out_.blobs, "cloud/job", kPerBucket),
      wamids_(out_.blobs, "cloud/wamid", kPerBucket),
      windows_(out_.blobs, "cloud/window", kPerBucket),
      uploads_(out_.blobs, "cloud/upload", kPerBucket),
      free_form_(out_.blobs, "cloud/free-form", kFreeFormPerBucket),
      again_(out_.blobs, "cloud/again", kPerBucket),
      prices_(out_.blobs, config),
      timer_(out_.scheduler) {
  for (Ledger::Fact& fact : states_.all()) found_.emplace(std::move(fact.key), fact.value);
  if (secrets_.token.empty()) stopped_ = "no access token: see cloud.token_file";
}

Transport::~Transport() { stop(); }

void Transport::stop() {
  running_ = false;
  timer_.stop();
  lost_timers_.clear();
  alive_.end();
}

void Transport::resume() {
  if (!secrets_.token.empty()) stopped_.clear();
  paused_until_.reset();
  for (Waiting& one : waiting_) one.not_before = {};
  chat_not_before_.clear();
  wake();
}

bool Transport::window_open(const std::string& chat) const {
  if (!hears()) return false;
  const auto fact = windows_.find(chat);
  const auto at = fact ? whole_number(json::Value(*fact)) : std::nullopt;
  return at && out_.clock.now() - Wall::from_unix(*at) < kWindow;
}

bool Transport::direct_send_works() const {
  return config_.direct_send &&
         (!direct_send_not_before_ || *direct_send_not_before_ <= out_.clock.now());
}

Way Transport::way_of(const Job& job) const {
  WayFacts facts;
  facts.window_open = window_open(job.chat);
  facts.direct_send = direct_send_works();
  const auto* text = std::get_if<content::Text>(&job.content.what);
  facts.plain_text = text != nullptr && length_of(text->body) <= kDirectSendMax;
  facts.is_file = std::holds_alternative<content::File>(job.content.what);
  facts.has_template = !config_.receipt_template.empty();
  facts.own_template = names_template(job);
  return choose_way(facts);
}

bool Transport::assign(std::uint64_t sequence, const Job& job) {
  if (waiting_.size() + lost_.size() >= kWaiting) return false;
  keep_state(job.id, kAssigned);
  Waiting one;
  one.sequence = sequence;
  one.job = job;
  waiting_.push_back(std::move(one));
  wake();
  return true;
}

bool Transport::take_up(std::uint64_t sequence, const Job& job) {
  const auto found = found_.find(job.id);
  if (found == found_.end()) return false;
  Waiting one;
  one.sequence = sequence;
  one.job = job;
  // What was on its way when the power was cut may be there or not.
  one.answer_lost = found->second == kFlight;
  if (!one.answer_lost && found->second != kAssigned) one.was = found->second;
  waiting_.push_back(std::move(one));
  return true;
}

bool Transport::cancel(std::uint64_t sequence) {
  if (flying_ == sequence) return false;
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [sequence](const Waiting& one) {
    return one.sequence == sequence;
  });
  if (found == waiting_.end() || found->answer_lost) return false;
  keep_state(found->job.id, std::string(kEnded) + "cancelled");
  waiting_.erase(found);
  return true;
}

std::optional<std::string> Transport::waits_for(std::uint64_t sequence) const {
  if (lost_.contains(sequence)) return "official: was it sent?";
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [sequence](const Waiting& one) {
    return one.sequence == sequence;
  });
  if (found == waiting_.end() && flying_ != sequence) return std::nullopt;
  if (!stopped_.empty()) return "official: " + stopped_;
  if (paused_until_) return "official: paused";
  return "official";
}

void Transport::start() {
  for (const Ledger::Fact& fact : again_.all()) {
    const auto state = found_.find(fact.key);
    send_again(fact.value, state != found_.end() && state->second == kFlight);
  }
  found_.clear();
  running_ = true;
  wake();
}

void Transport::keep_state(const std::string& id, const std::string& state) {
  if (const auto kept = states_.put(id, state); !kept) {
    log::error("cloud", "a message's state is not kept", {{"error", kept.error()}});
  }
}

void Transport::wake() {
  if (!running_) return;
  timer_.start(milliseconds(0), [this] { next(); });
}

void Transport::next() {
  if (!running_ || flying_ || waiting_.empty()) return;
  const Mono now = out_.scheduler.now();
  if (paused_until_ && *paused_until_ <= out_.clock.now()) paused_until_.reset();
  Mono soonest = now + minutes(1);
  for (auto one = waiting_.begin(); one != waiting_.end(); ++one) {
    const bool must_wait = !stopped_.empty() || paused_until_;
    Mono due = one->not_before;
    if (const auto chat = chat_not_before_.find(one->job.chat); chat != chat_not_before_.end()) {
      due = std::max(due, chat->second);
    }
    // What has ended before, or is only asked about, costs nothing.
    if (one->was.empty() && !one->answer_lost) {
      if (one->job.expires_at <= out_.clock.now()) due = now;
      if (must_wait && one->job.expires_at > out_.clock.now()) continue;
      if (due > now) {
        soonest = std::min(soonest, due);
        continue;
      }
    }
    Waiting taken = std::move(*one);
    waiting_.erase(one);
    return work_on(std::move(taken));
  }
  // Reasons to wait end with time: looked at again once a minute at least.
  timer_.start_at(soonest, [this] { next(); });
}

void Transport::work_on(Waiting one) {
  if (one.was.starts_with(kSent)) {
    const std::string wamid = one.was.substr(kSent.size());
    return on_accepted(std::move(one), wamid);
  }
  if (one.was.starts_with(kEnded)) {
    const std::string why = one.was.substr(kEnded.size());
    return end(std::move(one), End::failed, why);
  }
  if (one.answer_lost) return on_lost(std::move(one), "the power was cut while it was sent");
  if (one.job.expires_at <= out_.clock.now()) return end(std::move(one), End::failed, "expired");
  if (out_.opted_out && out_.opted_out(one.job.chat)) {
    return end(std::move(one), End::failed, "opted_out");
  }
  if (const auto not_before = out_.hold ? out_.hold(one.job) : std::nullopt) {
    const milliseconds wait = *not_before - out_.clock.now();
    return put_back(std::move(one), std::clamp<milliseconds>(wait, seconds(1), hours(1)));
  }
  if (way_of(one.job) == Way::none) {
    return end(std::move(one), End::failed,
               "needs a template: they have not written within 24 hours; name one in "
               "cloud.receipt_template");
  }
  if (const auto* file = std::get_if<content::File>(&one.job.content.what)) {
    const content::File copy = *file;  // the job moves on
    return upload_file(std::move(one), copy);
  }
  post(std::move(one), "");
}

net::HttpRequest Transport::request(const char* method, const std::string& path) const {
  net::HttpRequest out;
  out.method = method;
  out.url = config_.url + "/" + config_.version + "/" + path;
  out.headers.emplace_back("Authorization", "Bearer " + secrets_.token);
  out.headers.emplace_back("User-Agent", "posthorn");
  out.timeout = kPostWait;
  out.proxy = out_.proxy;
  return out;
}

void Transport::upload_file(Waiting one, const content::File& file) {
  if (const auto fact = uploads_.find(file.ref)) {
    const std::size_t blank = fact->find(' ');
    const auto at = whole_number(
        json::Value(blank == std::string::npos ? std::string() : fact->substr(blank + 1)));
    if (at && out_.clock.now() - Wall::from_unix(*at) < kUploadGood) {
      return post(std::move(one), fact->substr(0, blank));
    }
  }
  auto reader = out_.files == nullptr ? Result<std::unique_ptr<files::Reader>>(
                                            fail(Errc::not_found, "this box carries no files"))
                                      : out_.files->read(file.ref);
  if (!reader) return end(std::move(one), End::failed, "its file: " + reader.error().detail);
  net::HttpRequest upload = request("POST", config_.phone_number_id + "/media");
  const std::string mime = file.mime.substr(0, file.mime.find(';'));
  upload.headers.emplace_back(
      "Content-Type", std::string("multipart/form-data; boundary=") + MultipartSource::kBoundary);
  upload.source = std::make_shared<MultipartSource>(std::move(*reader), mime, file.name);
  upload.timeout = kUploadWait;
  flying_ = one.sequence;
  out_.http.send(std::move(upload), alive_.bind([this, one = std::move(one), ref = file.ref](
                                                    Result<net::HttpResponse> answer) mutable {
    flying_.reset();
    // An upload that comes twice is no message that comes twice.
    if (!answer) return retry(std::move(one), seconds(16));
    const auto body = json::parse(answer->body);
    const auto id = body ? json::text_of(json::at(*body, "id")) : std::nullopt;
    if (answer->status != 200 || !id) return on_refused(std::move(one), *answer);
    (void)uploads_.put(ref, *id + " " + std::to_string(out_.clock.now().unix_seconds()));
    post(std::move(one), *id);
  }));
}

void Transport::post(Waiting one, const std::string& media_id) {
  BuildFacts facts;
  facts.way = way_of(one.job);
  facts.media_id = media_id;
  facts.template_name = config_.receipt_template;
  facts.template_language = config_.template_language;
  auto body = build_message(one.job, facts);
  if (!body) return end(std::move(one), End::failed, body.error().detail);
  flying_ = one.sequence;
  if (facts.way == Way::free_form) {
    const Bytes record = encode_job(one.job);
    if (record.size() <= kFreeFormMax) (void)free_form_.put(one.job.id, as_text(record));
  }
  keep_state(one.job.id, kFlight);
  out_.blobs.durable(alive_.bind(
      [this, one = std::move(one), body = std::move(*body)](const Result<void>& kept) mutable {
        if (!kept) {
          flying_.reset();
          log::error("cloud", "nothing is sent while the disk does not take it",
                     {{"error", kept.error()}});
          return retry(std::move(one), minutes(1));
        }
        transmit(std::move(one), std::move(body));
      }));
}

void Transport::transmit(Waiting one, json::Value body) {
  net::HttpRequest message = request("POST", config_.phone_number_id + "/messages");
  message.headers.emplace_back("Content-Type", "application/json");
  message.body = json::write(body);
  message.never_twice = true;
  out_.http.send(
      std::move(message),
      alive_.bind([this, one = std::move(one)](Result<net::HttpResponse> answer) mutable {
        flying_.reset();
        on_answer(std::move(one), std::move(answer));
      }));
}

void Transport::on_answer(Waiting one, Result<net::HttpResponse> answer) {
  if (!answer) {
    const Errc code = answer.error().code;
    // Nobody was reached: nothing of it left.
    const bool never_left = code == Errc::not_found || code == Errc::refused ||
                            code == Errc::crypto || code == Errc::unsupported ||
                            code == Errc::malformed;
    if (!never_left) return on_lost(std::move(one), to_string(answer.error()));
    keep_state(one.job.id, kAssigned);
    const int tries = std::min(one.tries, 5);
    return retry(std::move(one),
                 std::min<milliseconds>(seconds(1LL << (2 * tries)), kLongestRetry));
  }
  const auto body = json::parse(answer->body);
  const json::Value& messages = body ? json::at(*body, "messages") : json::Value::nullSingleton();
  if (answer->status == 200 && messages.isArray() && !messages.empty()) {
    return on_accepted(std::move(one), json::string_at(messages[0], "id").value_or(""));
  }
  // Answered, but not by the official API: a gateway may have passed it on.
  if (answer->status >= 200 && answer->status < 300) {
    return on_lost(std::move(one),
                   "it answered " + std::to_string(answer->status) + " without a message id");
  }
  keep_state(one.job.id, kAssigned);
  on_refused(std::move(one), *answer);
}

void Transport::on_accepted(Waiting one, const std::string& wamid) {
  keep_state(one.job.id, std::string(kSent) + wamid);
  if (!wamid.empty()) (void)wamids_.put(wamid, one.job.id + " " + one.job.chat);
  ++sent_;
  out_.blobs.durable(alive_.bind([this, one = std::move(one)](const Result<void>&) mutable {
    end(std::move(one), End::sent, "");
  }));
}

void Transport::on_refused(Waiting one, const net::HttpResponse& answer) {
  const auto parsed = json::parse(answer.body);
  const json::Value error = parsed ? json::at(*parsed, "error") : json::Value();
  const auto code = static_cast<int>(json::int_at(error, "code").value_or(0));
  const std::string details = json::string_at(json::at(error, "error_data"), "details")
                                  .value_or(json::string_at(error, "message").value_or("no words"));
  const std::string said = "official API: " + std::to_string(code) + ": " + details.substr(0, 300);
  const int tries = one.tries;
  switch (reaction_to(answer.status, code, details)) {
    case Reaction::retry_twice:
      if (tries >= 2) return end(std::move(one), End::failed, said);
      [[fallthrough]];
    case Reaction::retry:
      return retry(std::move(one),
                   std::min<milliseconds>(seconds(1LL << (2 * std::min(tries, 5))), kLongestRetry));
    case Reaction::pair_wait:
      chat_not_before_[one.job.chat] =
          out_.scheduler.now() + seconds(1LL << (2 * std::min(tries, 5)));
      return retry(std::move(one), milliseconds(0));
    case Reaction::drop:
    case Reaction::not_today:
      return end(std::move(one), End::failed, said);
    case Reaction::no_account:
      return end(std::move(one), End::no_account, said);
    case Reaction::opt_out:
      if (out_.on_opt_out) out_.on_opt_out(one.job.chat);
      return end(std::move(one), End::failed, "opted_out: " + said);
    case Reaction::no_direct_send:
      direct_send_not_before_ = out_.clock.now() + hours(24);
      return retry(std::move(one), milliseconds(0));
    case Reaction::pause_day:
      paused_until_ = out_.clock.now() + hours(24);
      log::warn("cloud", "the official API holds this account back for a day", {{"said", said}});
      return put_back(std::move(one), milliseconds(0));
    case Reaction::stop:
      stopped_ = said;
      log::error("cloud", "nothing is sent by the official API until somebody has seen to it",
                 {{"said", said}});
      return put_back(std::move(one), milliseconds(0));
  }
}

/// Nobody knows whether it was sent. A status webhook would tell, within a minute.
void Transport::on_lost(Waiting one, const std::string& why) {
  const std::uint64_t sequence = one.sequence;
  one.answer_lost = true;
  const auto give_up = [this, sequence, why] {
    const auto found = lost_.find(sequence);
    if (found == lost_.end()) return;
    Waiting lost = std::move(found->second);
    lost_.erase(found);
    if (config_.repeat_unknown) {
      lost.answer_lost = false;
      keep_state(lost.job.id, kAssigned);
      return retry(std::move(lost), milliseconds(0));
    }
    ++unknown_;
    end(std::move(lost), End::failed,
        "unknown: it may have been sent by the official API, whose answer was lost (" + why +
            "); look at the chat before sending it again");
  };
  lost_.emplace(sequence, std::move(one));
  wake();
  if (!hears()) return out_.scheduler.post(alive_.bind(give_up));
  auto& timer = lost_timers_[sequence];
  timer = std::make_unique<Timer>(out_.scheduler);
  timer->start(kAskFor, give_up);
}

void Transport::on_known_sent(const std::string& job_id, const std::string& wamid) {
  const auto found = std::find_if(lost_.begin(), lost_.end(), [&job_id](const auto& one) {
    return one.second.job.id == job_id;
  });
  if (found == lost_.end()) return;
  Waiting one = std::move(found->second);
  lost_timers_.erase(found->first);
  lost_.erase(found);
  on_accepted(std::move(one), wamid);
}

void Transport::retry(Waiting one, milliseconds after) {
  ++one.tries;
  put_back(std::move(one), after);
}

/// Later messages of the chat wait behind it.
void Transport::put_back(Waiting one, milliseconds after) {
  const Mono now = out_.scheduler.now();
  std::erase_if(chat_not_before_, [now](const auto& chat) { return chat.second <= now; });
  one.not_before = now + after;
  auto& chat = chat_not_before_[one.job.chat];
  chat = std::max(chat, one.not_before);
  waiting_.push_front(std::move(one));
  wake();
}

void Transport::end(Waiting one, End how, std::string description) {
  if (how != End::sent) {
    ++failed_;
    keep_state(one.job.id, std::string(kEnded) + description.substr(0, kWordsKept));
  }
  (void)again_.erase(one.job.id);
  Fate fate;
  fate.sequence = one.sequence;
  fate.job = std::move(one.job);
  fate.end = how;
  fate.description = std::move(description);
  fate.time = out_.clock.now();
  wake();
  out_.on_fate(fate);
}

void Transport::on_inbound(const std::string& chat, std::int64_t unix_seconds) {
  const auto fact = windows_.find(chat);
  const auto before = fact ? whole_number(json::Value(*fact)) : std::nullopt;
  if (before && *before >= unix_seconds) return;
  (void)windows_.put(chat, std::to_string(unix_seconds));
}

bool Transport::on_window_closed(const std::string& job_id, const std::string& chat) {
  (void)windows_.erase(chat);
  const auto record = free_form_.find(job_id);
  if (!record) return false;
  (void)free_form_.erase(job_id);
  (void)again_.put(job_id, *record);
  keep_state(job_id, kAssigned);
  send_again(*record, false);
  return true;
}

void Transport::send_again(const std::string& record, bool answer_lost) {
  auto job = decode_job(as_bytes(record));
  if (!job) return;
  Waiting one;
  one.sequence = next_again_++;
  one.job = std::move(*job);
  one.answer_lost = answer_lost;
  waiting_.push_back(std::move(one));
  wake();
}

std::optional<Transport::Known> Transport::known(const std::string& wamid) const {
  const auto fact = wamids_.find(wamid);
  const std::size_t blank = fact ? fact->find(' ') : std::string::npos;
  if (blank == std::string::npos) return std::nullopt;
  return Known{fact->substr(0, blank), fact->substr(blank + 1)};
}

json::Value Transport::status_json() const {
  json::Value out;
  const auto count = [](std::uint64_t value) { return static_cast<::Json::UInt64>(value); };
  out["works"] = works();
  out["stoppedBy"] = stopped_;
  out["pausedUntil"] = paused_until_ && *paused_until_ > out_.clock.now()
                           ? json::Value(to_iso8601(*paused_until_))
                           : json::Value();
  out["directSend"] = direct_send_works();
  out["waiting"] = count(waiting_.size());
  out["asking"] = count(lost_.size());
  out["sent"] = count(sent_);
  out["failed"] = count(failed_);
  out["unknown"] = count(unknown_);
  out["month"] = prices_.month_json(out_.clock.now().unix_seconds());
  return out;
}

}  // namespace posthorn::cloud
