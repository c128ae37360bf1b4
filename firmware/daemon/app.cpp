#include "daemon/app.h"

#include <utility>
#include <vector>

#include "daemon/advice.h"
#include "daemon/route.h"
#include "daemon/signals.h"
#include "daemon/throttle_api.h"
#include "daemon/webhook_api.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

/// WhatsApp refuses the messages of those who are in no group of that name.
bool is_no_member(const throttle::Fate& fate) {
  if (fate.refusal == throttle::Refusal::not_in_group) return true;
  return fate.job.chat.ends_with("@g.us") && (fate.code == 403 || fate.code == 404);
}

}  // namespace

App::App(const Config& config, const Access& access, Outside outside)
    : config_(config),
      access_(access),
      out_(std::move(outside)),
      settings_(out_.store),
      setting_changes_(out_.store),
      refused_(out_.store, out_.clock),
      hours_(out_.scheduler, out_.store, out_.clock),
      pause_(out_.scheduler, out_.clock),
      fleet_(out_.scheduler),
      tail_(out_.scheduler, out_.inbox_ring) {}

App::~App() { stop(); }

Result<void> App::build() {
  if (out_.files != nullptr) {
    api::FileLinks::Options options;
    options.public_url = config_.api.public_url;
    options.scheme = config_.api.plain_http ? "http" : "https";
    TRY(links_, api::FileLinks::load(out_.store, out_.random, std::move(options)));
    file_fetcher_ =
        std::make_unique<FileFetcher>(out_.http, *out_.files, config_.files.private_urls);
  }
  TRY(open_journal());
  hours_.load();
  build_notify();
  TRY(const std::vector<std::string> told, told_messages());
  TRY(build_send(told));
  build_journal();
  build_ask();
  TRY(build_official());
  TRY(build_cloud());
  TRY(build_print());

  TRY(const auto configured, throttle_settings(config_.throttle));
  TRY(const auto settings, setting_changes_.load(configured));
  TRY(valve_->start(settings));
  if (official_) official_->start();
  if (config_.throttle.number_in_use_months > 0) {
    // Declared before: that is the ordinary case on every later start.
    (void)valve_->declare_in_use(config_.throttle.number_in_use_months, "posthorn.toml");
  }
  if (recorder_) {
    recorder_->settle(
        [this](const std::string& chat, const std::string& id) { return was_sent(chat, id); });
  }
  // The level that a restart finds is no news, but getStateInstance must tell it.
  notifier_->on_throttle(valve_->level());
  cloud_->look_at_quality();
  settings_.on_change([this](const api::Settings& changed) { on_settings(changed); });
  on_settings(settings_.current());
  return {};
}

Result<void> App::open_journal() {
  if (config_.journal.days == 0) return {};
  journal::Journal::Options options;
  options.keep = hours(24) * config_.journal.days;
  options.limit_bytes = config_.journal.limit_bytes;
  TRY(journal_, journal::Journal::open(out_.store.database(), out_.scheduler, out_.clock, options));
  return {};
}

/// send: api -> outbox -> throttle -> chat -> session -> wire -> net
Result<void> App::build_send(std::span<const std::string> told) {
  session::Session::Outside outside{out_.scheduler, out_.clock,  out_.random,
                                    out_.worker,    out_.dialer, out_.store};
  outside.not_before = [this] { return valve_->reconnect_not_before(); };
  session_ = session::Session::make(config_.whatsapp, std::move(outside),
                                    [this](session::Event event, Once<void(Result<void>)> stored) {
                                      on_event(event, std::move(stored));
                                    });
  TRY(const std::vector<Job> unsure, unsure_jobs());
  chat::Chat::Outside beside{out_.scheduler, out_.clock, out_.random,    out_.store,
                             told,           unsure,     files_outside()};
  TRY(chat_, chat::Chat::open(*session_, beside,
                              [this](chat::Event event, Once<void(Result<void>)> stored) {
                                on_event(event, std::move(stored));
                              }));
  session_->join(chat_->listener());
  checker_ = std::make_unique<FirstContactCheck>(*chat_);
  outbox_ = std::make_unique<Outbox>(out_.outbox_ring, out_.files);
  valve_ = std::make_unique<throttle::Valve>(throttle::Valve::Outside{
      out_.scheduler, out_.clock, out_.random, out_.store, *outbox_, chat_->sender(), *checker_,
      *this, out_.utc_offset, &chat_->identities(),
      [this](std::uint64_t sequence, const Job& job) { return prepare(sequence, job); }});
  chat_->identities().on_joined([this](const std::string& from, const std::string& into) {
    valve_->on_joined(from, into);
    if (journal_) journal_->join(from, into);
  });
  chat_->on_group([this](const std::string& chat, Wall since) { valve_->on_group(chat, since); });
  outbox_->join(*valve_);
  return {};
}

std::optional<chat::FilesOutside> App::files_outside() const {
  if (out_.files == nullptr) return std::nullopt;
  chat::FilesOutside outside{out_.worker, out_.http, *out_.files};
  outside.ca_file = config_.whatsapp.media_ca_file;
  outside.insecure_hosts = config_.whatsapp.media_insecure_hosts;
  outside.proxy = config_.network.proxy;
  outside.resume_check = config_.files.resume_uploads;
  outside.private_links = config_.files.private_urls;
  return outside;
}

std::optional<api::FileOutside> App::file_methods() {
  if (out_.files == nullptr) return std::nullopt;
  return api::FileOutside{
      *out_.files, *chat_->files(), *links_,
      [this](const std::string& url, Once<void(Result<api::FetchedFile>)> done) {
        file_fetcher_->fetch(url, std::move(done));
      }};
}

bool App::prepare(std::uint64_t sequence, const Job& job) {
  if (out_.files == nullptr) return true;
  const auto* file = std::get_if<content::File>(&job.content.what);
  if (file == nullptr) return prepare_preview(sequence, job);
  if (chat_->files()->is_uploaded(*file)) return true;
  // A little before the job's own end, so that it ends with the reason and not as merely expired.
  constexpr seconds kBefore{5};
  chat_->files()->upload(
      *file, job.expires_at - kBefore, alive_.bind([this, sequence](Result<void> uploaded) {
        // The box ends: the next start takes it up again.
        if (!uploaded && uploaded.error().code == Errc::cancelled) return;
        out_.scheduler.post(alive_.bind([this, sequence, uploaded = std::move(uploaded)]() mutable {
          if (valve_) valve_->on_prepared(sequence, std::move(uploaded));
        }));
      }));
  return false;
}

/// Slow pages hold up their own texts only.
bool App::prepare_preview(std::uint64_t sequence, const Job& job) {
  const auto* text = std::get_if<content::Text>(&job.content.what);
  if (text == nullptr || chat_->files()->has_preview(*text)) return true;
  chat_->files()->find_preview(*text, [self = alive_.weak(), sequence] {
    App* me = self.get();
    if (me == nullptr) return;
    me->out_.scheduler.post(me->alive_.bind([me, sequence] {
      if (me->valve_) me->valve_->on_prepared(sequence, {});
    }));
  });
  return false;
}

api::Instance App::instance() const {
  const session::Account account = session_->account();
  return {access_.id_instance, account.phone.empty() ? "" : account.phone + "@c.us",
          account.push_name};
}

/// What it answers, as far as that is remembered.
std::optional<Quote> App::quote_of(const Job& job) {
  if (!chat_) return std::nullopt;  // the box is stopping
  auto quote = chat_->quotes().find(job.chat, job.content.quote->id);
  if (!quote) return std::nullopt;
  if (links_ && quote->file) quote->file->link = links_->link_to(*quote->file);
  return std::move(*quote);
}

/// notify: session -> chat -> notifier -> inbox -> long poll | webhook
void App::build_notify() {
  inbox_ = std::make_unique<Inbox>(out_.inbox_ring, out_.scheduler, out_.clock, config_.queue.keep);
  notifier_ = std::make_unique<api::Notifier>(api::Notifier::Outside{
      out_.scheduler, out_.clock, out_.store, settings_, [this] { return instance(); },
      [this](api::InboxItem item, Once<void(Result<void>)> stored) {
        inbox_->append(std::move(item), std::move(stored));
      },
      out_.inbox_ring.max_payload(), [this](const Job& job) { return quote_of(job); },
      [this](const std::string& chat, const std::string& id) {
        return recorder_ && chat_ ? recorder_->external_id_of(chat, id) : std::string();
      },
      [this](api::MessageStatus status) { hours_.on_status(status); },
      [this](const std::string& chat) {
        return chat_ ? chat_->contacts().contact_name(chat) : std::string();
      },
      [this](const std::string& chat) {
        return chat_ ? chat_->contacts().chat_name(chat) : std::string();
      }});
  mailbox_ = std::make_unique<InboxMailbox>(*inbox_, refused_);
  courier_ = std::make_unique<webhooks::Courier>(
      webhooks::CourierOptions{.wait = config_.webhook.wait},
      webhooks::Courier::Outside{out_.scheduler, out_.clock, out_.http, *mailbox_});
}

Result<std::function<void()>> App::charge_status() {
  TRY(valve_->take(throttle::Action::post_status));
  return std::function<void()>(alive_.bind([this] {  // the ring may answer when the box is stopping
    if (valve_) valve_->give_back(throttle::Action::post_status);
  }));
}

/// Whom the API's methods ask, and where what they accept goes.
api::Api::Outside App::api_outside() {
  // clang-format off
  return {out_.scheduler, out_.clock, out_.random, out_.store, settings_, notifier_->state(),
          *outbox_, *inbox_, *session_, *people_, *both_, *both_,
          chat_->contacts(), chat_->chat_state(), *both_, *groups_,
          [this] { return status(); }, &notifier_->history(), file_methods(),
          [this] { return charge_status(); }, &chat_->status_views(),
          journal_.get(),
          [this](const std::string& chat) { return chat_->identities().account_of(chat); },
          [this](const std::function<void(const Job&)>& visit) {
            return out_.outbox_ring.for_each_pending([&](const queue::Entry&, ByteView record) {
              if (const auto job = decode_job(record)) visit(*job);
            });
          },
          &chat_->phone_history(),
          [this](const json::Value& notification) { notifier_->tell(notification); },
          !config_.cloud.phone_number_id.empty()};
  // clang-format on
}

/// ask: api -> session and chat, and every method and page of the API.
void App::build_ask() {
  people_ = std::make_unique<ChargedPeople>(chat_->people(), *valve_);
  groups_ = std::make_unique<ChargedGroups>(chat_->groups(), *valve_);
  both_ = std::make_unique<BothNumbers>(chat_->read_marks(), chat_->presence(), chat_->earlier());
  api::ApiOptions options;
  options.id_instance = access_.id_instance;
  options.token = access_.token;
  options.care_token = access_.care_token;
  options.page_password = config_.api.page_password;
  options.names = out_.host_names;
  options.job_life = config_.queue.keep;
  options.version = POSTHORN_VERSION;
  // Else Green-API's 50 requests a second would be all that a benchmark measures.
  if (config_.throttle.unpaced_for_benchmarks) options.rate_scale = 0;
  api_ = std::make_unique<api::Api>(options, api_outside());
  api_->serve_page({out_.worker, out_.page_files});
  for (api::Route& route : tail_.routes()) api_->add(std::move(route));
  for (api::Route& route : fleet_.routes()) api_->add(std::move(route));
  for (api::Route& route :
       throttle_routes(*valve_, setting_changes_, pause_, config_.queue.keep,
                       [this](const Job& job) { return official_->outlook(job); })) {
    api_->add(std::move(route));
  }
  api_->add(get("getActivity", [this](api::Call call) { call.send(activity()); }));
  for (api::Route& route :
       webhook_routes(*courier_, *inbox_, refused_, [this] { return present_state(); })) {
    api_->add(std::move(route));
  }
  api_->add_page("/metrics", api::Right::send, [this](const api::Request&, api::Reply reply) {
    reply.send({.body = metrics(), .content_type = "text/plain; version=0.0.4", .headers = {}});
  });
  inbox_->on_stored([this] {
    tail_.on_stored();
    if (cloud_) cloud_->on_stored();
  });
  inbox_->on_head([this] {
    api_->on_notification();
    courier_->on_notification();
  });
}

/// print: net -> receipts -> outbox
Result<void> App::build_print() {
  if (config_.printers.empty() || out_.printers == nullptr || out_.files == nullptr) {
    // Whoever asks whether there is a printer is told, and not refused.
    api_->add(get("getReceiptPrinters", [](api::Call call) { call.send_text("[]"); }));
    return {};
  }
  TRY(receipts_, ReceiptDesk::open(
                     config_, {out_.scheduler, out_.clock, out_.random, out_.worker, *out_.printers,
                               out_.receipts, out_.store, *out_.files, *outbox_, *inbox_,
                               [this] { return instance(); }, out_.utc_offset, config_.queue.keep,
                               [this](const std::string& chat) {
                                 return chat_->identities().account_of(chat);
                               }}));
  receipts_->add_to(*api_);
  return {};
}

void App::stop() {
  // The loop runs once more for the last sync: what it still finds in the inbox has no reader.
  if (inbox_) {
    inbox_->on_head({});
    inbox_->on_stored({});
  }
  tail_.stop();
  pause_.forget();
  if (receipts_) receipts_->stop();
  if (api_) api_->stop();
  if (courier_) courier_->stop();
  if (cloud_) cloud_->stop();
  if (official_) official_->stop();
  if (valve_) valve_->stop();
  if (session_) session_->stop();
  courier_.reset();
  mailbox_.reset();
  api_.reset();
  cloud_.reset();
  if (outbox_) outbox_->divert(nullptr);
  if (both_) both_->join(nullptr);
  official_.reset();
  receipts_.reset();
  people_.reset();
  groups_.reset();
  both_.reset();
  chat_.reset();
  session_.reset();
  valve_.reset();
  outbox_.reset();
  checker_.reset();
  if (recorder_) recorder_->flush();
  hours_.save();
}

void App::on_event(const session::Event& event, Once<void(Result<void>)> stored) {
  counters_.on_event(event);
  if (const auto* restriction = std::get_if<session::Restriction>(&event)) {
    valve_->on_signal(to_signal(*restriction));
  } else if (const auto* link = std::get_if<session::Connectivity>(&event)) {
    tell_of_link(link->online);
  }
  notifier_->on_event(event, std::move(stored));
}

/// Fetches the message's file once the message itself is safe.
Once<void(Result<void>)> App::fetch_after(const chat::Message& message,
                                          Once<void(Result<void>)> stored) {
  const auto* file = std::get_if<content::File>(&message.content.what);
  if (file == nullptr || !file->place || out_.files == nullptr) return stored;
  return [self = alive_.weak(), ref = file->ref,
          stored = std::move(stored)](Result<void> result) mutable {
    const bool kept = result.has_value();
    stored(std::move(result));
    App* me = self.get();
    if (me == nullptr || !kept) return;
    // Where it lies is noted with the batch, so ask in a later turn.
    me->out_.scheduler.post(me->alive_.bind([me, ref] {
      if (me->chat_) me->chat_->files()->fetch(ref, [](const Result<files::File>&) {});
    }));
  };
}

void App::on_event(const chat::Event& event, Once<void(Result<void>)> stored) {
  if (const auto* past = std::get_if<chat::PastChats>(&event)) {
    std::vector<throttle::PastChat> chats;
    for (const chat::PastChat& one : past->chats) {
      chats.push_back({one.chat, one.wrote, one.written, one.unanswered, one.member_since, false});
    }
    return valve_->on_history(chats, std::move(stored));
  }
  counters_.on_event(event);
  const auto* message = std::get_if<chat::Message>(&event);
  // Stories of others are for the journal and touch nothing else.
  if (message != nullptr && message->chat != kStoryChat) {
    tell_of_message(*message);
    if (receipts_) receipts_->on_message(*message);
    if (config_.files.fetch_on_arrival) stored = fetch_after(*message, std::move(stored));
    const api::Settings& settings = settings_.current();
    const bool at_once =
        settings.mark_incoming_messages_readed && !settings.mark_incoming_messages_readed_on_reply;
    if (!message->from_me && at_once) {
      chat_->read_marks().mark(message->chat, message->id, [](Result<std::size_t>) {});
    }
  } else if (const auto* receipt = std::get_if<chat::Receipt>(&event)) {
    valve_->on_delivered(receipt->message_id);
    if (receipt->kind != chat::Receipt::Kind::delivered) valve_->on_read(receipt->chat);
  }
  if (links_ == nullptr) return notify(event, std::move(stored));
  chat::Event linked = event;
  if (auto* shown = std::get_if<chat::Message>(&linked)) links_->fill_in(shown->content);
  notify(linked, std::move(stored));
}

/// The journal's entry is written when the notification is stored, before the commit that follows:
/// so one sync is for both.
void App::notify(const chat::Event& event, Once<void(Result<void>)> stored) {
  if (!recorder_) return notifier_->on_event(event, std::move(stored));
  recorder_->on_event(event);
  // What became of a message can wait for what comes with it; the rings have it.
  if (std::holds_alternative<chat::Receipt>(event)) {
    return notifier_->on_event(event, std::move(stored));
  }
  notifier_->on_event(event, [this, alive = alive_.weak(),
                              stored = std::move(stored)](Result<void> result) mutable {
    if (alive.get() != nullptr && recorder_) recorder_->flush();
    stored(std::move(result));
  });
}

void App::tell_of_message(const chat::Message& message) {
  // Whoever gets a group's messages is in it, at least since then.
  if (message.chat.ends_with("@g.us")) valve_->on_group(message.chat, message.timestamp);
  if (message.from_me) {
    valve_->on_own_send(message.chat, message.timestamp);
  } else {
    valve_->on_inbound(message.chat, readable_text(message.content), message.timestamp);
    if (cloud_) cloud_->on_inbound(message.chat, message.timestamp);
    if (official_) {
      official_->on_inbound_elsewhere(chat_->identities().account_of(message.chat),
                                      message.timestamp);
    }
  }
}

void App::tell_of_link(bool online) {
  last_contact_ = out_.clock.now();
  if (!online) return valve_->on_disconnected();
  advice_.clear();
  // An unlinked box has no keys to log in with, so it was linked again. Whoever scans the code
  // holds the shop's phone: that is the operator's word for an unlink, though not for a ban.
  const throttle::ThrottleStatus held = valve_->status();
  if (held.signal == "unlinked" && held.needs_acknowledgement) {
    throttle::Signal relinked;
    relinked.kind = throttle::Signal::Kind::relinked;
    valve_->on_signal(relinked);
    (void)valve_->acknowledge("phone", "the phone was linked again");
  }
  if (journal_) journal_->belong_to(session_->account().phone);
  if (const auto made = session_->account().made) valve_->on_account_made(*made);
  valve_->on_connected();
  courier_->retry_now();
  if (cloud_) cloud_->retry_now();
}

void App::on_settings(const api::Settings& settings) {
  courier_->set_target({settings.webhook_url, settings.webhook_url_token,
                        settings.webhook_url_pinned_key, settings.webhook_url_ca});
  chat_->presence().keep_online(settings.keep_online_status);
  chat_->calls().reject_incoming(settings.reject_calls);
  if (const auto set = valve_->set_delay(settings.delay_send_messages); !set) {
    log::warn("throttle", "delaySendMessagesMilliseconds was not taken", {{"error", set.error()}});
  }
}

void App::on_fate(const throttle::Fate& fate, Once<void()> settled) {
  using Kind = throttle::Fate::Kind;
  counters_.on_fate(fate);
  api::MessageStatus status = api::MessageStatus::failed;
  switch (fate.kind) {
    case Kind::sent:
      status = api::MessageStatus::sent;
      break;
    case Kind::failed:
      status = is_no_member(fate) ? api::MessageStatus::not_in_group : api::MessageStatus::failed;
      break;
    case Kind::no_account:
      status = api::MessageStatus::no_account;
      break;
    case Kind::held:
      status = api::MessageStatus::yellow_card;
      break;
  }
  if (fate.kind == Kind::sent && settings_.current().mark_incoming_messages_readed_on_reply) {
    chat_->read_marks().mark(fate.job.chat, "", [](Result<std::size_t>) {});
  }
  // Nobody is to see it, or its file is gone: nothing of it reached WhatsApp. Of one that has
  // expired nobody knows, and the charge of an older one has left the window.
  const bool story = fate.job.chat == kStoryChat &&
                     !std::holds_alternative<content::Deletion>(fate.job.content.what);
  const bool counted = out_.clock.now() - fate.job.accepted_at < hours(24);
  if (story && counted && fate.kind == Kind::failed && fate.code == 0 &&
      fate.refusal != throttle::Refusal::expired) {
    valve_->give_back(throttle::Action::post_status);
  }
  if (recorder_) recorder_->on_fate(fate.job, status, fate.time);
  notifier_->on_job(fate.job, status, fate.description, fate.time,
                    [settled = std::move(settled)](Result<void> stored) mutable {
                      // A status that the disk refused must not keep the job from ending.
                      // Cancelled: the program ends, and the next start tells it.
                      if (!stored && stored.error().code != Errc::cancelled) {
                        log::error("inbox", "status lost", {{"error", stored.error()}});
                      }
                      settled();
                    });
}

void App::on_level(const throttle::LevelChange& change) {
  log::warn("throttle", "level changed",
            {{"from", throttle::to_string(change.from)},
             {"to", throttle::to_string(change.to)},
             {"signal", change.signal}});
  notifier_->on_throttle(change.to);
  if (cloud_) cloud_->look_at_quality();
  if (out_.on_change) out_.on_change();
}

void App::ask_restriction() {
  // The session asks the account by itself after every 463, at login and on its schedule
  // (chapter 04 section 10.3); the answer arrives as a Restriction event.
}

void App::confirm_opt_out(const std::string& chat, const std::string& text) {
  Job job;
  job.chat = chat;
  job.content.what = content::Text{text, true, std::nullopt};
  job.accepted_at = out_.clock.now();
  job.expires_at = job.accepted_at + config_.queue.keep;
  job.id = make_message_id(out_.random, job.accepted_at, session_->account().phone);
  outbox_->accept(std::move(job), [](Result<std::string> accepted) {
    if (!accepted) {
      log::warn("throttle", "opt-out confirmation not queued", {{"error", accepted.error()}});
    }
  });
}

void App::tell_operator(const std::string& sentence) { log::warn("throttle", sentence); }

}  // namespace posthorn::daemon
