#include <algorithm>
#include <array>
#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "session/core.h"
#include "session/stanzas.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

constexpr milliseconds kAckAtLatest{5'000};
constexpr std::size_t kManyUnfinished = 512;
constexpr std::size_t kFewUnfinished = 64;
constexpr milliseconds kLookAgain{20};
constexpr std::size_t kMostOwedAcks = 1024;
constexpr std::size_t kRawBytes = 4096;
constexpr std::size_t kMostRoutingBytes = 1024;
constexpr std::size_t kMostNameBytes = 256;
constexpr auto kAppdata = "appdata";

/// Stanzas that other people cause; they carry `offline` when they come from the backlog.
bool from_outside(const wire::Node& stanza) {
  constexpr std::array kTags{names::kMessage, names::kReceipt, names::kNotification,
                             names::kCall,    names::kStatus,  kAppdata};
  return std::ranges::find(kTags, stanza.tag) != kTags.end();
}

/// What the server says to who has introduced himself; all else may come before it.
bool is_greeting(const wire::Node& stanza, bool registering) {
  if (stanza.tag == names::kFailure || stanza.tag == names::kStreamError) return true;
  return registering ? stanza.child(names::kPairDevice) != nullptr : stanza.tag == names::kSuccess;
}

std::string raw(const wire::Node& stanza) { return wire::to_xml(stanza).substr(0, kRawBytes); }

}  // namespace

// Line
// -----------------------------------------------------------------------------------------------

void Core::write(wire::Node stanza) {
  const bool expects = stanza.tag == names::kIq || stanza.tag == names::kMessage;
  connection_.write(stanza);
  if (expects) keepalive_.on_expecting();
}

void Core::ask(wire::Node iq, milliseconds timeout, Once<void(Result<wire::Node>)> done) {
  if (!logged_in_) return done(fail(Errc::disconnected, "not logged in"));
  questions_.ask(std::move(iq), timeout, std::move(done));
}

void Core::await_ack(const std::string& id, milliseconds timeout,
                     Once<void(Result<wire::Node>)> done) {
  if (!logged_in_) return done(fail(Errc::disconnected, "not logged in"));
  questions_.await_ack(id, timeout, std::move(done));
}

void Core::restrict(Restriction restriction) {
  if (restriction.kind == Restriction::Kind::reachout_ack) account_watch_.on_reachout_ack();
  if (restriction.kind == Restriction::Kind::new_chat_cap_ack) account_watch_.on_capping_ack();
  sink_(std::move(restriction), [](Result<void> stored) {
    if (!stored) log::warn("session", "restriction not stored", {{"error", stored.error()}});
  });
}

// Where each stanza goes
// -------------------------------------------------------------------------------

void Core::on_stanza(wire::Node stanza) {
  keepalive_.on_received();
  if (is_greeting(stanza, registering_)) greeting_timer_.stop();
  if (from_outside(stanza)) {
    hearing_.on_outside_stanza(out_.scheduler.now());
    if (stanza.has_attr(names::kOffline)) drain_.on_backlog_stanza();
  }
  const std::string& tag = stanza.tag;
  if (tag == names::kIq) return on_iq(stanza);
  if (tag == names::kNotification) return on_notification(std::move(stanza));
  if (tag == names::kSuccess) return on_success(stanza);
  if (tag == names::kFailure || tag == names::kStreamError) return on_stop_stanza(stanza);
  if (tag == names::kXmlstreamend) {
    stream_ended_ = true;
    return drop({Errc::disconnected, "the server ends the stream"});
  }
  if (registering_) return log::debug("session", "ignored while not linked", {{"tag", tag}});
  if (tag == names::kMessage) {
    listener_->on_message(std::move(stanza));
    return hold_back();
  }
  if (tag == names::kReceipt) {
    listener_->on_receipt(std::move(stanza));
    return hold_back();
  }
  if (tag == names::kAck) return on_ack(stanza);
  if (tag == names::kIb) return on_ib(stanza);
  if (tag == names::kCall) return on_call(std::move(stanza));
  // Not read, but what is not acknowledged comes again at every login.
  if (tag == names::kStatus || tag == kAppdata) {
    if (stanza.has_attr(names::kId)) write(build_ack(stanza));
    return;
  }
  if (tag == names::kError) {
    return log::error("session", "the server refuses a stanza of ours",
                      {{"code", stanza.text_attr(names::kCode)}});
  }
  log::debug("session", "stanza ignored", {{"tag", tag}});
}

/// The disk is slower than the network: reads no further until most of it is stored. What is unread
/// waits in the server, not in this box's memory.
void Core::hold_back() {
  if (listener_->unfinished() < kManyUnfinished || pause_timer_.active()) return;
  connection_.pause_reading(true);
  keepalive_.stop();
  pause_timer_.start(kLookAgain, [this] { look_again(); });
}

void Core::look_again() {
  if (listener_->unfinished() > kFewUnfinished) {
    pause_timer_.start(kLookAgain, [this] { look_again(); });
    return;
  }
  connection_.pause_reading(false);
  if (logged_in_) keepalive_.start();
}

void Core::on_iq(const wire::Node& iq) {
  const std::string type = iq.text_attr(names::kType);
  if (type == names::kResult || type == names::kError) {
    if (on_ping_answer(iq)) return;
    note_rate_limit(iq);
    if (!questions_.on_answer(iq)) log::debug("session", "late answer ignored");
    return;
  }
  if (is_ping(iq)) return connection_.write(build_iq_result(iq));
  // From here on the server may be silent for as long as nobody scans.
  if (registering_ && iq.child(names::kPairDevice) != nullptr) keepalive_.start();
  if (registering_ && pairing_.on_iq(iq)) return;
  log::info("session", "question of the server not answered",
            {{"xmlns", iq.text_attr(names::kXmlns)}});
}

/// 429 on any question slows everything down a little.
void Core::note_rate_limit(const wire::Node& iq) {
  const wire::Node* error = iq.child(names::kError);
  if (error == nullptr || error->int_attr(names::kCode) != 429) return;
  Restriction restriction;
  restriction.kind = Restriction::Kind::rate_query;
  restriction.code = 429;
  if (const auto wait = error->int_attr(names::kBackoff); wait && *wait > 0 && *wait <= 86'400)
    restriction.until = out_.clock.now() + seconds(*wait);
  restriction.raw = raw(iq);
  restrict(std::move(restriction));
}

void Core::on_ack(const wire::Node& ack) {
  if (!questions_.on_ack(ack)) return log::debug("session", "ack for nobody");
  if (!ack.has_attr(names::kError)) hearing_.on_message_taken(out_.scheduler.now());
}

void Core::on_ib(const wire::Node& ib) {
  for (const wire::Node& child : ib.children()) {
    if (child.tag == names::kOfflinePreview) {
      drain_.on_preview(child);
    } else if (child.tag == names::kOffline) {
      drain_.on_end();
    } else if (child.tag == names::kDirty) {
      on_dirty(ib, child);
    } else if (child.tag == names::kEdgeRouting) {
      const wire::Node* info = child.child(names::kRoutingInfo);
      if (info == nullptr || info->bytes().size() > kMostRoutingBytes) continue;
      credentials_.current().routing_info = to_bytes(info->bytes());
      save_credentials();
    } else if (child.tag == "tos") {
      advise("terms_pending", "Open WhatsApp on the shop's phone and accept the new terms.");
    } else if (child.tag == "client_expiration") {
      on_expiration(child);
    } else if (child.tag == "downgrade_webclient") {
      advise("no_linked_devices",
             "Update WhatsApp on the shop's phone: this account cannot have linked devices.");
    } else {
      log::debug("session", "news ignored", {{"tag", child.tag}});
    }
  }
}

/// The day after which the server takes this version no more.
void Core::on_expiration(const wire::Node& expiration) {
  constexpr hours kWarnBefore{7 * 24};
  const auto t = expiration.int_attr(names::kT);
  if (!t || *t <= 0) return;
  const Wall end = Wall::from_unix(*t);
  log::warn("session", "this version of the web client will expire", {{"at", to_iso8601(end)}});
  if (end - out_.clock.now() <= kWarnBefore)
    advise("version_expires", "Update the firmware of the box before this day.", end);
}

void Core::advise(std::string cause, std::string what_to_do, std::optional<Wall> until) {
  advice_ = {State::online, 0, std::move(cause), std::move(what_to_do), until};
  if (online()) enter(advice_);
}

void Core::on_dirty(const wire::Node& ib, const wire::Node& dirty) {
  const std::string type = dirty.text_attr(names::kType);
  auto clean = [this, alive = alive_, iq = build_clean(type, dirty.text_attr("timestamp"))] {
    constexpr milliseconds kTimeout{30'000};
    if (!*alive) return;
    questions_.ask(iq, kTimeout, [](Result<wire::Node> answer) {
      if (!answer) log::debug("session", "dirty bit not cleaned", {{"error", answer.error()}});
    });
  };
  if (type != "account_sync" && type != "groups" && type != "syncd_app_state") return clean();
  wire::Node alone(ib.tag, ib.attrs, std::vector{dirty});
  listener_->on_notification(std::move(alone), std::move(clean));
}

// Notifications
// ----------------------------------------------------------------------------------------

void Core::on_notification(wire::Node notification) {
  const std::string type = notification.text_attr(names::kType);
  if (registering_) {
    if (!pairing_.on_notification(notification) && notification.has_attr(names::kId))
      connection_.write(build_ack(notification));
    return;
  }
  const wire::Node copy(notification.tag, notification.attrs);  // the ack needs no content
  if (type == names::kEncrypt && notification.child(names::kIdentity) == nullptr) {
    return ack_later(copy, [&](Once<void()> settled) {
      prekeys_.on_notification(notification);
      settled();
    });
  }
  if (type == "registration") {
    return ack_later(copy, [&](Once<void()> settled) {
      on_takeover_notice(notification);
      settled();
    });
  }
  if (type == "mex") {
    return ack_later(copy, [&](Once<void()> settled) {
      on_account_news(std::move(notification), std::move(settled));
    });
  }
  if (const auto name = notification.attr("pushname"); name && type == "account_sync")
    credentials_.current().identity.push_name = name->substr(0, kMostNameBytes);
  if (type == "server") log::info("session", "service message", {{"stanza", raw(copy)}});
  // The identity child decides how the ack looks, so it is built from the whole stanza.
  const wire::Node shape = type == names::kEncrypt ? notification : copy;
  ack_later(shape, [&](Once<void()> settled) {
    listener_->on_notification(std::move(notification), std::move(settled));
  });
}

/// The answer to a call waits until what it means is told: whoever rings rings on meanwhile.
void Core::on_call(wire::Node call) {
  if (!call.has_attr(names::kId)) return;
  listener_->on_call(call, [this, alive = alive_, answer = build_call_answer(call)]() mutable {
    if (*alive) write(std::move(answer));
  });
}

void Core::on_account_news(wire::Node notification, Once<void()> settled) {
  account_watch_.on_push(notification);
  // Some of it is about names of people (a new LID): that is chat's.
  listener_->on_notification(std::move(notification), std::move(settled));
}

/// Somebody registers this number on another phone, or has done so.
void Core::on_takeover_notice(const wire::Node& notification) {
  Restriction restriction;
  restriction.kind = Restriction::Kind::takeover_notice;
  if (!notification.children().empty()) restriction.status = notification.children().front().tag;
  // The code that the real owner got is in there: only names are kept.
  restriction.raw = restriction.status;
  log::error("session", "somebody registers this number on another phone");
  restrict(std::move(restriction));
}

void Core::ack_later(const wire::Node& stanza, Function<void(Once<void()> settled)> effect) {
  if (!stanza.has_attr(names::kId)) return effect([] {});
  const std::uint64_t owed = ++next_owed_;
  auto& entry = owed_acks_.try_emplace(owed, out_.scheduler, build_ack(stanza)).first->second;
  entry.timer.start(kAckAtLatest, [this, owed] { settle(owed); });
  effect([this, alive = alive_, owed] {
    if (*alive) settle(owed);
  });
  if (owed_acks_.size() > kMostOwedAcks) settle(owed_acks_.begin()->first);
}

void Core::settle(std::uint64_t owed) {
  const auto at = owed_acks_.find(owed);
  if (at == owed_acks_.end()) return;  // acked after 5 s, or the connection it came on is gone
  wire::Node ack = std::move(at->second.ack);
  owed_acks_.erase(at);
  write(std::move(ack));
}

}  // namespace posthorn::session
