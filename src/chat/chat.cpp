#include "posthorn/chat/chat.h"

#include <utility>

#include "chat/engine.h"
#include "posthorn/base/log.h"
#include "posthorn/store/store.h"

namespace posthorn::chat {

/// Holds what needs the database, which is opened at first use: a constructor cannot report that.
class Chat::Impl {
 public:
  Impl(session::Line& line, Outside outside, EventSink sink)
      : line_(line), outside_(outside), sink_(std::move(sink)) {}

  /// nullptr: the database cannot be used; the connection has been dropped then.
  MessageEngine* engine() {
    if (engine_) return engine_.get();
    auto opened = store::MessageStore::open(outside_.store.database(), outside_.clock.now());
    if (!opened) {
      log::error("messages", "the message tables cannot be opened", {{"why", opened.error()}});
      line_.drop(opened.error());
      return nullptr;
    }
    engine_ = std::make_unique<MessageEngine>(line_, sink_, outside_.scheduler, outside_.clock,
                                              outside_.random, outside_.store, std::move(*opened));
    return engine_.get();
  }
  [[nodiscard]] MessageEngine* engine_if_open() { return engine_.get(); }

 private:
  session::Line& line_;
  Outside outside_;
  EventSink sink_;
  std::unique_ptr<MessageEngine> engine_;
};

namespace {

Error unusable() { return {Errc::io, "the message tables cannot be opened"}; }

}  // namespace

Chat::Chat(session::Line& line, Outside outside, EventSink sink)
    : impl_(std::make_unique<Impl>(line, outside, std::move(sink))) {}

Chat::~Chat() = default;

void Chat::on_message(wire::Node stanza) {
  if (MessageEngine* engine = impl_->engine()) engine->on_message(std::move(stanza));
}

void Chat::on_receipt(wire::Node stanza) {
  if (MessageEngine* engine = impl_->engine()) engine->on_receipt(std::move(stanza));
}

std::size_t Chat::unfinished() const {
  const MessageEngine* engine = impl_->engine_if_open();
  return engine == nullptr ? 0 : engine->unfinished();
}

void Chat::on_notification(wire::Node stanza, Once<void()> handled) {
  MessageEngine* engine = impl_->engine();
  if (engine == nullptr) return handled();
  engine->on_notification(std::move(stanza), std::move(handled));
}

void Chat::on_online() {
  if (MessageEngine* engine = impl_->engine()) engine->on_online();
}

void Chat::on_offline(const Error&) {
  if (MessageEngine* engine = impl_->engine_if_open()) engine->on_offline();
}

void Chat::on_logged_out() {
  if (MessageEngine* engine = impl_->engine()) engine->on_logged_out();
}

void Chat::known_recent(std::span<const std::string> ids) {
  if (MessageEngine* engine = impl_->engine()) engine->known_recent(ids);
}

void Chat::send(const Job& job, Once<void(throttle::SendOutcome)> done) {
  if (MessageEngine* engine = impl_->engine()) return engine->send(job, std::move(done));
  throttle::SendOutcome outcome;
  outcome.kind = throttle::SendOutcome::Kind::not_sent;
  outcome.detail = to_string(unusable());
  done(std::move(outcome));
}

void Chat::show_typing(const std::string& chat, bool on) {
  if (MessageEngine* engine = impl_->engine_if_open()) engine->show_typing(chat, on);
}

void Chat::check_numbers(std::vector<std::string> phones,
                         Once<void(Result<std::vector<NumberStatus>>)> done) {
  MessageEngine* engine = impl_->engine();
  if (engine == nullptr) return done(tl::unexpected(unusable()));
  engine->check_numbers(std::move(phones), std::move(done));
}

void Chat::mark_read(const std::string& chat, const std::string& message_id,
                     Once<void(Result<std::size_t>)> done) {
  MessageEngine* engine = impl_->engine();
  if (engine == nullptr) return done(tl::unexpected(unusable()));
  engine->mark_read(chat, message_id, std::move(done));
}

}  // namespace posthorn::chat
