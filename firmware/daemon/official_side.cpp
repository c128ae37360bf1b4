#include "daemon/official_side.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "daemon/route.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/base/user_id.h"

namespace posthorn::daemon {
namespace {

using throttle::Hold;
using throttle::Refusal;

constexpr const char* kRelayBlob = "cloud/relay";
constexpr std::size_t kHeardPerBucket = 128;
constexpr std::size_t kFetchingAtMost = 8;
constexpr std::size_t kSecretMax = 4096;
constexpr std::size_t kRelayAnswer = std::size_t{5} << 20;
constexpr seconds kRelayWait{55};
constexpr seconds kRelayPause{15};
constexpr seconds kLookAgain{10};
constexpr std::size_t kLookedAt = 512;

/// The first line of a file, without blanks at its end.
Result<std::string> read_secret(const std::string& path, const char* key) {
  if (path.empty()) return std::string();
  std::ifstream file(path);
  std::string line(kSecretMax + 1, '\0');
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(file.gcount()));
  line.resize(std::min(line.find('\n'), line.size()));
  if (line.empty() || line.size() > kSecretMax) {
    return fail(Errc::io, std::string("cloud.") + key + ": " + path +
                              " cannot be read, is empty or has a line of more than 4096 bytes");
  }
  while (!line.empty() && line.back() <= ' ') line.pop_back();
  return line;
}

/// What WhatsApp has done to the linked account, or that there is none.
bool is_restricted(const Status& status) {
  using Level = Status::Throttle;
  const bool held = status.throttle == Level::yellow || status.throttle == Level::red ||
                    status.throttle == Level::black;
  return held || status.link == Status::Link::blocked || status.link == Status::Link::not_linked;
}

const char* mode_name(CloudConfig::Mode mode) {
  switch (mode) {
    case CloudConfig::Mode::send_only:
      return "send-only";
    case CloudConfig::Mode::relay:
      return "relay";
    case CloudConfig::Mode::direct:
      return "direct";
  }
  return "send-only";
}

const char* transport_name(Transport transport) {
  switch (transport) {
    case Transport::own:
      return "own";
    case Transport::official:
      return "official";
    case Transport::automatic:
      return "auto";
  }
  return "own";
}

}  // namespace

Result<cloud::Secrets> read_secrets(const CloudConfig& config) {
  cloud::Secrets out;
  TRY(out.token, read_secret(config.token_file, "token_file"));
  TRY(out.app_secret, read_secret(config.app_secret_file, "app_secret_file"));
  TRY(out.relay_token, read_secret(config.relay_token_file, "relay_token_file"));
  return out;
}

struct OfficialSide::Gather {
  explicit Gather(Once<void(int status)> d) : done(std::move(d)) {}
  Once<void(int status)> done;
  std::size_t open = 1;
  bool failed = false;

  void finish(const Result<void>& stored) {
    failed = failed || !stored;
    if (--open == 0) done(failed ? 500 : 200);
  }
};

OfficialSide::OfficialSide(const CloudConfig& config, cloud::Secrets secrets, Outside outside)
    : config_(config),
      secrets_(secrets),
      out_(std::move(outside)),
      user_ids_(out_.blobs, [this](const std::string& from,
                                   const std::string& into) { on_joined(from, into); }),
      account_(config, secrets.token, {out_.scheduler, out_.clock, out_.http, out_.proxy}),
      reads_(config, secrets.token, {out_.blobs, out_.http, out_.proxy}),
      transport_(config, std::move(secrets), transport_outside()),
      heard_(out_.blobs, "cloud/heard", kHeardPerBucket),
      relay_timer_(out_.scheduler),
      look_timer_(out_.scheduler) {
  if (out_.files != nullptr) {
    // A stand-in on this machine lies in no public network.
    const bool stand_in = config_.url.starts_with("http://");
    fetcher_ = std::make_unique<FileFetcher>(out_.http, *out_.files, stand_in);
  }
  const auto blob = out_.blobs.load(kRelayBlob);
  if (!blob || !*blob) return;
  const auto kept = json::parse(as_text(**blob));
  const auto after = kept ? json::int_at(*kept, "after").value_or(0) : 0;
  relay_after_ = static_cast<std::uint64_t>(std::max<std::int64_t>(after, 0));
}

OfficialSide::~OfficialSide() = default;

cloud::Transport::Outside OfficialSide::transport_outside() {
  cloud::Transport::Outside out{out_.scheduler, out_.clock, out_.blobs, out_.http,
                                [this](const cloud::Transport::Fate& fate) { on_fate(fate); }};
  out.hold = [this](const Job& job) { return hold(job); };
  out.opted_out = [this](const std::string& chat) { return out_.valve.opted_out(chat); };
  out.on_opt_out = [this](const std::string& chat) {
    (void)out_.valve.add_opt_out(chat, "official API", "told to Meta");
  };
  out.files = out_.files;
  out.proxy = out_.proxy;
  out.newest_name = [this](const std::string& chat) { return user_ids_.newest(chat); };
  out.kept_as = [this](const std::string& chat) { return user_ids_.kept_as(chat); };
  out.trouble_with_template = [this](const std::string& name, const std::string& language) {
    return account_.trouble_with(name, language);
  };
  return out;
}

void OfficialSide::start() {
  transport_.start();
  if (!transport_.is_set_up()) return;
  account_.start();
  look_again();
  if (config_.mode == CloudConfig::Mode::relay) ask_relay();
}

void OfficialSide::stop() {
  relay_timer_.stop();
  look_timer_.stop();
  account_.stop();
  reads_.stop();
  transport_.stop();
  alive_.end();
}

/// view: of a job that waits in the valve; null: it has just come.
cloud::RouteFacts OfficialSide::facts_of(const Job& job, const throttle::JobView* view) const {
  cloud::RouteFacts facts;
  facts.wish = wish_of(job);
  facts.official_works = transport_.works();
  facts.person = job.chat.ends_with("@c.us");
  if (!facts.person || facts.wish == Transport::own) return facts;
  facts.official_can = transport_.can_send(job);
  facts.opted_out = out_.valve.opted_out(user_ids_.kept_as(job.chat));
  facts.own_restricted = is_restricted(out_.status());
  facts.limit = minutes(config_.auto_minutes);
  if (facts.wish != Transport::automatic) return facts;
  // A poll is a list there, with other bounds.
  facts.answers_official = transport_.way_of(job) == cloud::Way::free_form &&
                           !std::holds_alternative<content::Poll>(job.content.what) &&
                           (wrote_last(job.chat) || quotes_official(job));
  std::optional<Wall> earliest;
  Hold why = Hold::none;
  if (view != nullptr) {
    facts.opening = view->lane == throttle::Lane::first;
    earliest = view->not_before;
    why = view->hold;
  } else {
    const milliseconds life = job.expires_at - out_.clock.now();
    const throttle::Outlook look =
        out_.valve.can_send(job.chat, !job.consent.empty(), job.urgent, life);
    facts.opening = look.lane == throttle::Lane::first;
    facts.no_capacity = look.refusal == Refusal::no_capacity;
    earliest = look.earliest;
    why = look.why;
  }
  // The night and what is owed to this person hold there as here.
  const bool everywhere = why == Hold::quiet_hours || why == Hold::unanswered ||
                          why == Hold::same_text || why == Hold::double_post;
  if (!everywhere && why != Hold::none && earliest) facts.wait = *earliest - out_.clock.now();
  return facts;
}

/// Nobody else may send it: the till says so, or nobody else knows whom it is to.
bool OfficialSide::only_official(const Job& job) const {
  if (!user_id_in(job.chat).empty()) return true;
  if (!job.chat.ends_with("@c.us")) return false;
  if (job.transport == "official") return true;
  // Only the number that has the message can react to it.
  return job.transport != "own" && std::holds_alternative<content::Reaction>(job.content.what) &&
         quotes_official(job);
}

OfficialOutlook OfficialSide::outlook(const Job& job) const {
  OfficialOutlook out;
  out.set_up = transport_.is_set_up();
  out.takes_it =
      only_official(job) || cloud::route(facts_of(job, nullptr)) == cloud::Route::official;
  if (!out.takes_it) return out;
  out.opted_out = out_.valve.opted_out(user_ids_.kept_as(job.chat));
  out.refusal = transport_.why_not(job);
  out.earliest = hold(job);
  out.stopped = !transport_.works();
  return out;
}

bool OfficialSide::on_job(std::uint64_t sequence, const Job& job) {
  const bool only = only_official(job);
  if (!only && cloud::route(facts_of(job, nullptr)) == cloud::Route::own) return false;
  if (transport_.assign(sequence, job)) return true;
  if (only) overflow_.insert(sequence);
  return only;
}

bool OfficialSide::take_up(std::uint64_t sequence, const Job& job) {
  const bool only = only_official(job);
  if (transport_.take_up(sequence, job, only)) return true;
  return only && on_job(sequence, job);  // the power went before it was assigned
}

bool OfficialSide::cancel(std::uint64_t sequence) {
  return overflow_.erase(sequence) > 0 || transport_.cancel(sequence);
}

std::optional<std::string> OfficialSide::waits_for(std::uint64_t sequence) const {
  if (overflow_.contains(sequence)) return "official";
  return transport_.waits_for(sequence);
}

/// Those for which there is room now.
void OfficialSide::take_overflow() {
  std::size_t taken = 0;
  for (auto next = overflow_.begin(); next != overflow_.end() && taken < kLookedAt; ++taken) {
    const std::uint64_t sequence = *next++;
    out_.outbox.read(sequence, alive_.bind([this, sequence](const Result<Job>& job) {
      if (!overflow_.contains(sequence)) return;
      if (!job && job.error().code == Errc::io) return;  // the disk may have it later
      if (!job || transport_.assign(sequence, *job)) overflow_.erase(sequence);
    }));
  }
}

/// Jobs that began to wait in the valve may wait longer than was thought, or the account may have
/// been restricted meanwhile.
void OfficialSide::look_again() {
  look_timer_.start(kLookAgain, [this] { look_again(); });
  if (transport_.has_room()) take_overflow();
  if (config_.transport == Transport::own && !is_restricted(out_.status())) return;
  std::size_t looked = 0;
  for (auto entry = out_.outbox_ring.first(); entry && looked < kLookedAt;
       entry = out_.outbox_ring.next(entry->sequence), ++looked) {
    const auto view = out_.valve.view(entry->sequence);
    // What has been handed to the linked account before may have been sent by it.
    if (!view || view->handed_over) continue;
    out_.outbox.read(entry->sequence, alive_.bind([this, sequence = entry->sequence,
                                                   view = *view](const Result<Job>& job) {
      if (!job || wish_of(*job) == Transport::own) return;
      if (cloud::route(facts_of(*job, &view)) == cloud::Route::own) return;
      if (out_.valve.cancel(sequence) && !transport_.assign(sequence, *job)) {
        out_.valve.on_job(sequence, *job);
      }
    }));
  }
}

std::optional<Wall> OfficialSide::hold(const Job& job) const {
  const throttle::Settings& settings = out_.valve.settings();
  if (job.urgent || settings.unpaced_for_benchmarks) return std::nullopt;
  if (settings.quiet_from_min == settings.quiet_to_min) return std::nullopt;
  if (transport_.way_of(job) == cloud::Way::free_form) return std::nullopt;  // an answer
  constexpr std::int64_t kDay = 24 * 60;
  const Wall now = out_.clock.now();
  const std::int64_t local = now.unix_seconds() + out_.utc_offset(now).count();
  const std::int64_t minute = local / 60 % kDay;
  const std::int64_t since = (minute - settings.quiet_from_min + kDay) % kDay;
  const std::int64_t length = (settings.quiet_to_min - settings.quiet_from_min + kDay) % kDay;
  if (since >= length) return std::nullopt;
  return now + minutes(length - since);
}

void OfficialSide::on_fate(const cloud::Transport::Fate& fate) {
  api::MessageStatus status = api::MessageStatus::failed;
  if (fate.end == cloud::Transport::End::sent) {
    status = api::MessageStatus::sent;
    mark_on_reply(fate.job.chat);
  }
  if (fate.end == cloud::Transport::End::no_account) status = api::MessageStatus::no_account;
  out_.notifier.on_job(fate.job, status, fate.description, fate.time,
                       [self = alive_.weak(), sequence = fate.sequence](Result<void> stored) {
                         // Cancelled: the program ends, and the next start tells it.
                         if (!stored && stored.error().code == Errc::cancelled) return;
                         if (!stored) {
                           log::error("inbox", "status lost", {{"error", stored.error()}});
                         }
                         if (OfficialSide* me = self.get()) (void)me->out_.outbox.ack(sequence);
                       });
}

void OfficialSide::hear(const std::string& body, const std::string& signature,
                        Once<void(int status)> done) {
  constexpr int kForbidden = 403;
  if (!cloud::signature_fits(body, signature, secrets_.app_secret)) {
    ++refused_;
    return done(kForbidden);
  }
  ++webhooks_;
  const auto heard = cloud::parse_webhook(body, config_.phone_number_id);
  // It is Meta's, whatever it says: refusing would only bring it again.
  if (!heard) return done(200);
  for (const auto& change : heard->changes) user_ids_.replaced(change.old_id, change.new_id);
  auto gather = std::make_shared<Gather>(std::move(done));
  for (const auto& status : heard->statuses) {
    ++gather->open;
    on_status(status, [gather](const Result<void>& stored) { gather->finish(stored); });
  }
  for (const auto& message : heard->messages) {
    ++gather->open;
    on_message(message, [gather](const Result<void>& stored) { gather->finish(stored); });
  }
  for (const std::string& what : heard->account) {
    log::warn("cloud", "Meta says about the official account", {{"what", what}});
    if (what.starts_with("message_template")) account_.read_templates();
  }
  // Windows, names, what goes once more: Meta says each only once.
  out_.blobs.durable([gather](const Result<void>& kept) { gather->finish(kept); });
}

void OfficialSide::on_status(const cloud::HeardStatus& heard, Once<void(Result<void>)> stored) {
  if (!heard.pricing.isNull()) transport_.prices().add(heard.wamid, heard.pricing, heard.at);
  transport_.on_known_sent(heard.job_id, heard.wamid);
  // It goes once more under another wamid; Meta repeats what it has said of this one.
  if (heard_.find(heard.wamid)) return stored({});
  auto known = transport_.known(heard.wamid);
  const std::string chat = user_ids_.learn(heard.user_id, heard.chat);
  if (!known && !chat.empty() && transport_.is_ours(heard.job_id)) {
    known = cloud::Transport::Known{heard.job_id, chat};
  }
  if (!known) return stored({});
  if (heard.status == "failed") {
    constexpr int kUndeliverable = 131026;
    if (transport_.on_failed(known->id, known->chat, heard.code, heard.details)) {
      (void)heard_.put(heard.wamid, "1");
      return stored({});
    }
    const auto status =
        heard.code == kUndeliverable ? api::MessageStatus::no_account : api::MessageStatus::failed;
    return out_.notifier.on_late_failure(
        {known->id, known->chat, status,
         "official API: " + std::to_string(heard.code) + ": " + heard.details,
         Wall::from_unix(heard.at)},
        std::move(stored));
  }
  chat::Receipt receipt;
  receipt.message_id = known->id;
  receipt.chat = known->chat;
  receipt.by_api = true;
  receipt.before_ack = true;  // our own "sent" waits for the disk
  receipt.timestamp = Wall::from_unix(heard.at);
  if (heard.status == "read" || heard.status == "played") {
    receipt.kind = chat::Receipt::Kind::read;
  } else if (heard.status != "delivered") {
    return stored({});
  }
  out_.notifier.on_event(chat::Event(receipt), std::move(stored));
}

void OfficialSide::on_joined(const std::string& from, const std::string& into) {
  transport_.on_joined(from, into);
  reads_.on_joined(from, into);
  if (!out_.valve.opted_out(from)) return;
  if (const auto kept =
          out_.valve.add_opt_out(into, "customer", "said so before their number was known");
      !kept) {
    return log::error("cloud", "a stop could not be kept", {{"error", kept.error()}});
  }
  (void)out_.valve.remove_opt_out(from, "customer", "is kept under their number");
}

void OfficialSide::on_message(cloud::HeardMessage heard, Once<void(Result<void>)> stored) {
  chat::Message& message = heard.message;
  message.chat = user_ids_.learn(heard.user_id, message.chat);
  if (!message.from_me) {
    message.sender = message.chat;
    transport_.on_inbound(message.chat, message.timestamp.unix_seconds());
  }
  if (heard_.find(message.id)) return stored({});  // Meta repeats
  name_targets(message.content, message.chat);
  if (!message.from_me) {
    reads_.on_inbound(message.chat, message.id, message.timestamp.unix_seconds());
    out_.valve.heard_elsewhere(message.chat, readable_text(message.content));
  }
  const bool has_file = std::holds_alternative<content::File>(heard.message.content.what);
  if (!has_file) return tell(heard.message, std::move(stored));
  if (fetching_.contains(heard.message.id) || fetching_.size() >= kFetchingAtMost) {
    return stored(fail(Errc::busy, "its file is on its way"));  // and it comes again
  }
  fetch_file(heard, std::move(stored));
}

/// First where it lies, then its bytes; the address is good for some minutes.
void OfficialSide::fetch_file(const cloud::HeardMessage& heard, Once<void(Result<void>)> stored) {
  fetching_.insert(heard.message.id);
  auto ended = [self = alive_.weak(), message = heard.message,
                stored = std::move(stored)](Result<api::FetchedFile> fetched) mutable {
    OfficialSide* me = self.get();
    if (me == nullptr) return stored(fail(Errc::cancelled, "the box is restarting"));
    me->fetching_.erase(message.id);
    auto& file = std::get<content::File>(message.content.what);
    if (fetched) {
      file.ref = fetched->file.ref;
      file.size = fetched->file.size;
    } else {
      log::warn("cloud", "a file to the official number cannot be had",
                {{"error", fetched.error()}});
      const std::string caption = file.caption;
      message.content.what = content::Text{
          "[File that could not be fetched from the official API] " + caption, true, std::nullopt};
    }
    me->tell(std::move(message), std::move(stored));
  };
  if (!fetcher_) return ended(fail(Errc::unsupported, "this box carries no files"));
  net::HttpRequest request;
  request.url = config_.url + "/" + config_.version + "/" + heard.media_id +
                "?phone_number_id=" + config_.phone_number_id;
  request.headers.emplace_back("Authorization", "Bearer " + secrets_.token);
  request.proxy = out_.proxy;
  out_.http.send(std::move(request), [self = alive_.weak(), ended = std::move(ended)](
                                         const Result<net::HttpResponse>& answer) mutable {
    OfficialSide* me = self.get();
    if (!answer) return ended(tl::unexpected(answer.error()));
    const auto body = json::parse(answer->body);
    const std::string url = body ? json::string_at(*body, "url").value_or("") : "";
    if (answer->status != 200 || url.empty() || me == nullptr) {
      return ended(fail(Errc::refused, "the look-up answers " + std::to_string(answer->status)));
    }
    me->fetcher_->fetch(url, std::move(ended), "Bearer " + me->secrets_.token);
  });
}

void OfficialSide::tell(chat::Message message, Once<void(Result<void>)> stored) {
  if (out_.fill_in) out_.fill_in(message.content);
  mark_on_arrival(message);
  const std::string id = message.id;
  const std::string whose = message.chat + (message.from_me ? kTypedThere : "");
  out_.notifier.on_event(
      chat::Event(std::move(message)),
      [self = alive_.weak(), id, whose, stored = std::move(stored)](Result<void> result) mutable {
        OfficialSide* me = self.get();
        if (result && me != nullptr) (void)me->heard_.put(id, whose);
        stored(std::move(result));
      });
}

void OfficialSide::ask_relay() {
  net::HttpRequest request;
  request.url = config_.relay_url + (config_.relay_url.find('?') == std::string::npos ? "?" : "&") +
                "after=" + std::to_string(relay_after_) +
                "&wait=" + std::to_string(kRelayWait.count());
  request.headers.emplace_back("Authorization", "Bearer " + secrets_.relay_token);
  request.timeout = kRelayWait + seconds(20);
  request.response_limit = kRelayAnswer;
  request.proxy = out_.proxy;
  out_.http.send(std::move(request), alive_.bind([this](const Result<net::HttpResponse>& answer) {
    if (answer && answer->status == 200) return on_relay(*answer);
    relay_said_ = answer ? "answers " + std::to_string(answer->status) : to_string(answer.error());
    relay_timer_.start(kRelayPause, [this] { ask_relay(); });
  }));
}

void OfficialSide::on_relay(const net::HttpResponse& answer) {
  const auto body = json::parse(answer.body);
  const json::Value& items = body ? json::at(*body, "items") : json::Value::nullSingleton();
  if (!items.isArray()) {
    relay_said_ = "answers what is no list of items";
    return relay_timer_.start(kRelayPause, [this] { ask_relay(); });
  }
  relay_said_ = "answers";
  take_items(std::make_shared<json::Value>(items), 0, relay_after_);
}

/// One after the other; the relay forgets what stands before `after`.
void OfficialSide::take_items(std::shared_ptr<json::Value> items, unsigned index,
                              std::uint64_t before) {
  if (index >= items->size()) {
    // A relay that gives the same again and again is not asked at once.
    const bool goes_on = relay_after_ > before;
    const seconds pause = goes_on ? seconds(0) : items->empty() ? seconds(1) : kRelayPause;
    return relay_timer_.start(pause, [this] { ask_relay(); });
  }
  const json::Value& item = (*items)[index];
  const auto number = json::int_at(item, "n").value_or(0);
  const auto body = base64_decode(json::string_at(item, "body_base64").value_or(""));
  auto next = alive_.bind([this, items, index, number, before](int status) {
    constexpr int kNotStored = 500;
    if (status == kNotStored) return relay_timer_.start(kRelayPause, [this] { ask_relay(); });
    relay_after_ =
        std::max(relay_after_, static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0)));
    json::Value kept;
    kept["after"] = static_cast<::Json::UInt64>(relay_after_);
    (void)out_.blobs.save(kRelayBlob, as_bytes(json::write(kept)));
    out_.blobs.durable(alive_.bind([this, items, index, before](const Result<void>&) {
      take_items(items, index + 1, before);
    }));
  });
  hear(body ? to_string(*body) : "", json::string_at(item, "signature").value_or(""),
       std::move(next));
}

void OfficialSide::test(api::Call call) {
  account_.ask([call = std::move(call)](const Result<json::Value>& answer) mutable {
    if (!answer) return call.refuse(400, answer.error().detail);
    json::Value out;
    out["result"] = true;
    for (const char* name : {"display_phone_number", "verified_name", "quality_rating", "status"}) {
      out[name] = json::string_at(*answer, name).value_or("");
    }
    call.send(out);
  });
}

/// shown: Transport::status_json().
std::string OfficialSide::sentence(const json::Value& shown) const {
  if (!transport_.is_set_up()) return "No official number is set up.";
  if (!transport_.works()) {
    return "Nothing is sent by the official number until somebody has seen to it: " +
           json::string_at(shown, "stoppedBy").value_or("") + ".";
  }
  if (const auto until = json::string_at(shown, "pausedUntil")) {
    return "Meta holds the official number back; it sends again at " + *until + ".";
  }
  return "The official number sends.";
}

json::Value OfficialSide::status_json() const {
  json::Value shown(::Json::objectValue);
  if (transport_.is_set_up()) shown = transport_.status_json();
  shown["on"] = transport_.is_set_up();
  shown["sentence"] = sentence(shown);
  if (!transport_.is_set_up()) return shown;
  shown["mode"] = mode_name(config_.mode);
  shown["transport"] = transport_name(config_.transport);
  shown["autoMinutes"] = config_.auto_minutes;
  shown["phoneNumberId"] = config_.phone_number_id;
  shown["number"] = account_.number_json();
  shown["templates"] = account_.templates_json();
  shown["heard"] = static_cast<::Json::UInt64>(webhooks_);
  shown["refusedSignatures"] = static_cast<::Json::UInt64>(refused_);
  if (config_.mode == CloudConfig::Mode::relay) shown["relay"] = relay_said_;
  return shown;
}

std::vector<api::Route> OfficialSide::routes() {
  std::vector<api::Route> out;
  out.push_back(get("getOfficialStatus", [this](api::Call call) { call.send(status_json()); }));
  out.push_back(care(post("resumeOfficial", [this](api::Call call) {
    transport_.resume();
    call.send_text("{\"result\":true}");
  })));
  out.push_back(post("testOfficial", [this](api::Call call) { test(std::move(call)); }));
  return out;
}

}  // namespace posthorn::daemon
