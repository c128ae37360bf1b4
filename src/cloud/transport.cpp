#include "posthorn/cloud/transport.h"

#include <algorithm>

#include "cloud/content/build.h"
#include "cloud/fields.h"
#include "cloud/multipart_source.h"
#include "cloud/transport_parts.h"
#include "posthorn/base/log.h"
#include "posthorn/cloud/user_ids.h"
#include "posthorn/cloud/wamid.h"

namespace posthorn::cloud {
namespace {

constexpr const char* kFlight = "flight";
constexpr std::string_view kEnded = "ended ";
constexpr std::size_t kWordsKept = 200;
constexpr std::size_t kKeptPerBucket = 8;
constexpr std::size_t kKeptMax = 4096;  // bytes of a job
constexpr std::size_t kPerBucket = 128;
constexpr seconds kPostWait{60};
constexpr seconds kUploadWait{600};
constexpr hours kWindow{24};
constexpr hours kUploadGood{24 * 29};
constexpr std::size_t kDirectSendMax = 1024;
constexpr seconds kPair{6};  ///< one message to the same person, on average
constexpr int kPairBurst = 45;
constexpr const char* kNotSetUp =
    "no official number is set up: see [cloud] in posthorn.toml; it was not sent";

}  // namespace

Transport::Transport(const CloudConfig& config, Secrets secrets, Outside outside)
    : config_(config),
      secrets_(std::move(secrets)),
      out_(std::move(outside)),
      states_(out_.blobs, "cloud/job", kPerBucket),
      wamids_(out_.blobs, "cloud/wamid", kPerBucket),
      windows_(out_.blobs, "cloud/window", kPerBucket),
      uploads_(out_.blobs, "cloud/upload", kPerBucket),
      kept_(out_.blobs, "cloud/free-form", kKeptPerBucket),
      again_(out_.blobs, "cloud/again", kPerBucket),
      prices_(out_.blobs, config),
      standing_(out_.blobs, out_.clock),
      timer_(out_.scheduler) {
  for (Ledger::Fact& fact : states_.all()) found_.emplace(std::move(fact.key), fact.value);
  if (is_set_up() && secrets_.token.empty()) {
    standing_.stop("no access token: see cloud.token_file");
  }
}

Transport::~Transport() { stop(); }

void Transport::stop() {
  running_ = false;
  timer_.stop();
  lost_timers_.clear();
  alive_.end();
}

void Transport::resume() {
  if (!secrets_.token.empty()) standing_.resume();
  for (Waiting& one : waiting_) one.not_before = {};
  chat_not_before_.clear();
  wake();
}

bool Transport::is_open(const std::string& since) const {
  const auto at = whole_number(json::Value(since));
  return at && out_.clock.now() - Wall::from_unix(*at) < kWindow;
}

bool Transport::window_open(const std::string& chat) const {
  if (!hears()) return false;
  const auto since = windows_.find(window_of(chat));
  return since && is_open(*since);
}

bool Transport::direct_send_works() const { return config_.direct_send && standing_.direct_send(); }

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

bool Transport::can_send(const Job& job) const {
  const Way way = way_of(job);
  return way == Way::free_form || (way != Way::none && !standing_.held_until(kept_as(job.chat)));
}

bool Transport::assign(std::uint64_t sequence, const Job& job) {
  if (!has_room()) return false;
  // Of two with one id the first may have been sent.
  if (!states_.find(job.id)) keep_state(job.id, kAssigned);
  Waiting one;
  one.sequence = sequence;
  one.job = job;
  line_up(std::move(one));
  return true;
}

bool Transport::take_up(std::uint64_t sequence, const Job& job, bool only_here) {
  const auto found = found_.find(job.id);
  if (found == found_.end()) return false;
  if (found->second == kAssigned && !is_set_up() && !only_here) {
    // Nothing of it has left. Forgotten before anybody else can send it, so that it does not come
    // back here with the number.
    if (!states_.erase(job.id)) return true;
    found_.erase(found);
    return false;
  }
  Waiting one;
  one.sequence = sequence;
  one.job = job;
  // What was on its way when the power was cut may be there or not.
  one.answer_lost = found->second == kFlight;
  if (!one.answer_lost && found->second != kAssigned) one.was = found->second;
  line_up(std::move(one));
  return true;
}

bool Transport::cancel(std::uint64_t sequence) {
  if (flying_ == sequence) return false;
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [sequence](const Waiting& one) {
    return one.sequence == sequence;
  });
  if (found == waiting_.end() || found->answer_lost || !found->was.empty()) return false;
  (void)states_.erase(found->job.id);
  (void)again_.erase(found->job.id);
  waiting_.erase(found);
  return true;
}

std::optional<std::string> Transport::waits_for(std::uint64_t sequence) const {
  if (lost_.contains(sequence)) return "official: was it sent?";
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [sequence](const Waiting& one) {
    return one.sequence == sequence;
  });
  if (found == waiting_.end() && flying_ != sequence) return std::nullopt;
  if (!standing_.stopped_by().empty()) return "official: " + standing_.stopped_by();
  if (standing_.paused_until()) return "official: paused";
  return "official";
}

void Transport::start() {
  for (const Ledger::Fact& fact : again_.all()) {
    // Its end was told, but the outbox had not let it go: it is here already.
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&fact](const Waiting& one) { return one.job.id == fact.key; });
    if (found != waiting_.end()) {
      found->again = true;
      continue;
    }
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
  std::erase_if(lost_timers_, [this](const auto& one) { return !lost_.contains(one.first); });
  const bool must_wait = !standing_.stopped_by().empty() || standing_.paused_until();
  Mono soonest = now + minutes(1);
  for (auto one = waiting_.begin(); one != waiting_.end(); ++one) {
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
  // A job whose text was changed while it waited may lie in the outbox twice under one id.
  if (const auto state = states_.find(one.job.id);
      state && (state->starts_with(kSent) || state->starts_with(kEnded))) {
    one.was = *state;
  }
  if (one.was.starts_with(kSent)) {
    const std::string wamid = one.was.substr(kSent.size());
    return on_accepted(std::move(one), wamid);
  }
  if (one.was.starts_with(kEnded)) {
    const std::string why = one.was.substr(kEnded.size());
    return end(std::move(one), End::failed, why);
  }
  if (one.answer_lost) return on_lost(std::move(one), "the power was cut while it was sent");
  if (!is_set_up()) return end(std::move(one), End::failed, kNotSetUp);
  if (one.job.expires_at <= out_.clock.now()) return end(std::move(one), End::failed, "expired");
  if (out_.opted_out && out_.opted_out(kept_as(one.job.chat))) {
    return end(std::move(one), End::failed, "opted_out");
  }
  if (const auto not_before = out_.hold ? out_.hold(one.job) : std::nullopt) {
    const milliseconds wait = *not_before - out_.clock.now();
    one.not_before = out_.scheduler.now() + std::clamp<milliseconds>(wait, seconds(1), hours(1));
    return line_up(std::move(one));
  }
  if (const std::string why = why_not(one.job); !why.empty()) {
    return end(std::move(one), End::failed, why);
  }
  if (const auto wait = pair_pace(kept_as(one.job.chat))) return put_back(std::move(one), *wait);
  if (const auto* file = std::get_if<content::File>(&one.job.content.what)) {
    const content::File copy = *file;  // the job moves on
    return upload_file(std::move(one), copy);
  }
  post(std::move(one), "");
}

/// "": it can be sent.
std::string Transport::why_not(const Job& job) const {
  const Way way = way_of(job);
  if (way == Way::none) {
    return std::string(kNeedsTemplate) +
           ": they have not written within 24 hours; name one in "
           "cloud.receipt_template";
  }
  if (way == Way::free_form) return "";
  if (const auto until = standing_.held_until(kept_as(job.chat))) {
    return std::string(kHeldBack) + " until " + to_iso8601(*until) + "; they can write first";
  }
  const bool ours = way == Way::template_ && !names_template(job) && out_.trouble_with_template;
  return ours ? out_.trouble_with_template(config_.receipt_template, config_.template_language)
              : std::string();
}

/// One message in six seconds to the same person, 45 at once; absent: it may go now, and counts.
std::optional<milliseconds> Transport::pair_pace(const std::string& chat) {
  const Mono now = out_.scheduler.now();
  std::erase_if(pair_due_, [now](const auto& one) { return one.second <= now; });
  Mono& due = pair_due_[chat];
  due = std::max(due, now);
  const milliseconds ahead = due - now;
  if (ahead > (kPairBurst - 1) * milliseconds(kPair)) {
    return ahead - (kPairBurst - 1) * milliseconds(kPair);
  }
  due = due + kPair;
  return std::nullopt;
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
  if (const auto fact = uploads_.find(of_number(file.ref))) {
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
    (void)uploads_.put(of_number(ref), *id + " " + std::to_string(out_.clock.now().unix_seconds()));
    post(std::move(one), *id);
  }));
}

Result<json::Value> Transport::body_of(const Job& job, const std::string& media_id, Way way) {
  BuildFacts facts;
  facts.way = way;
  facts.media_id = media_id;
  facts.template_name = config_.receipt_template;
  facts.template_language = config_.template_language;
  facts.to = out_.newest_name ? out_.newest_name(job.chat) : job.chat;
  if (job.content.quote) facts.quoted = wamid_of(job.content.quote->id);
  return build_message(job, facts);
}

void Transport::post(Waiting one, const std::string& media_id) {
  auto body = body_of(one.job, media_id, way_of(one.job));
  if (!body) return end(std::move(one), End::failed, body.error().detail);
  flying_ = one.sequence;
  // Only webhooks tell of a failure that comes after the answer; one repeat is enough.
  if (hears() && !one.again) {
    const Bytes record = encode_job(one.job);
    if (record.size() <= kKeptMax) (void)kept_.put(one.job.id, as_text(record));
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
    const int tries = one.tries;
    return retry(std::move(one), backoff(tries));
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

void Transport::end(Waiting one, End how, std::string description) {
  if (how != End::sent) {
    ++failed_;
    keep_state(one.job.id, std::string(kEnded) + description.substr(0, kWordsKept));
  }
  // The record is the repeat's, which Meta may have caused before the first end could be told.
  if (one.again) (void)again_.erase(one.job.id);
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
  const auto fact = windows_.find(of_number(chat));
  const auto before = fact ? whole_number(json::Value(*fact)) : std::nullopt;
  if (before && *before >= unix_seconds) return;
  (void)windows_.put(of_number(chat), std::to_string(unix_seconds));
  // What is held for the morning may be an answer now.
  for (Waiting& one : waiting_) {
    if (one.not_before > out_.scheduler.now() && kept_as(one.job.chat) == chat) one.not_before = {};
  }
  wake();
}

void Transport::on_joined(const std::string& from, const std::string& into) {
  const auto fact = windows_.find(of_number(from));
  if (const auto at = fact ? whole_number(json::Value(*fact)) : std::nullopt) on_inbound(into, *at);
  (void)windows_.erase(of_number(from));
  standing_.on_joined(from, into);
}

std::optional<Transport::Known> Transport::known(const std::string& wamid) const {
  const auto fact = wamids_.find(wamid);
  const std::size_t blank = fact ? fact->find(' ') : std::string::npos;
  if (blank == std::string::npos) return std::nullopt;
  return Known{fact->substr(0, blank), fact->substr(blank + 1)};
}

std::string Transport::wamid_of(const std::string& message_id) const {
  if (is_wamid(message_id)) return message_id;
  const auto state = states_.find(message_id);
  return state && state->starts_with(kSent) ? state->substr(kSent.size()) : std::string();
}

std::size_t Transport::open_windows() const {
  std::size_t open = 0;
  const std::string ours = of_number("");
  for (const Ledger::Fact& fact : windows_.all()) {
    if (fact.key.starts_with(ours) && is_open(fact.value)) ++open;
  }
  return open;
}

json::Value Transport::status_json() const {
  json::Value out;
  const auto count = [](std::uint64_t value) { return static_cast<::Json::UInt64>(value); };
  out["works"] = works();
  out["stoppedBy"] = standing_.stopped_by();
  const auto paused = standing_.paused_until();
  out["pausedUntil"] = paused ? json::Value(to_iso8601(*paused)) : json::Value();
  out["directSend"] = direct_send_works();
  out["waiting"] = count(waiting_.size());
  out["asking"] = count(lost_.size());
  out["sent"] = count(sent_);
  out["failed"] = count(failed_);
  out["unknown"] = count(unknown_);
  out["heldToday"] = count(standing_.held_people());
  out["windows"]["known"] = is_set_up() && hears();
  out["windows"]["open"] = count(hears() ? open_windows() : 0);
  out["month"] = prices_.month_json(out_.clock.now().unix_seconds(), hears());
  return out;
}

}  // namespace posthorn::cloud
