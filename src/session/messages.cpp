#include "session/messages.h"

#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/store/store.h"
#include "session/messages_engine.h"

namespace posthorn::session {

/// Holds what needs the database, which is opened at first use: a constructor cannot report that.
class Messages::Impl {
 public:
  Impl(Link& link, Outside outside) : link_(link), outside_(outside) {}

  /// nullptr: the database cannot be used; the connection has been dropped then.
  MessageEngine* engine() {
    if (engine_) return engine_.get();
    auto opened = store::MessageStore::open(outside_.store.database(), outside_.clock.now());
    if (!opened) {
      log::error("messages", "the message tables cannot be opened", {{"why", opened.error()}});
      link_.drop(opened.error());
      return nullptr;
    }
    engine_ = std::make_unique<MessageEngine>(link_, outside_.scheduler, outside_.clock,
                                              outside_.random, outside_.store, std::move(*opened));
    return engine_.get();
  }
  [[nodiscard]] MessageEngine* engine_if_open() { return engine_.get(); }

 private:
  Link& link_;
  Outside outside_;
  std::unique_ptr<MessageEngine> engine_;
};

namespace {

Error unusable() { return {Errc::io, "the message tables cannot be opened"}; }

}  // namespace

Messages::Messages(Link& link, Outside outside) : impl_(std::make_unique<Impl>(link, outside)) {}

Messages::~Messages() = default;

void Messages::on_message(wire::Node stanza) {
  if (MessageEngine* engine = impl_->engine()) engine->on_message(std::move(stanza));
}

void Messages::on_receipt(wire::Node stanza) {
  if (MessageEngine* engine = impl_->engine()) engine->on_receipt(std::move(stanza));
}

std::size_t Messages::unfinished() const {
  const MessageEngine* engine = impl_->engine_if_open();
  return engine == nullptr ? 0 : engine->unfinished();
}

void Messages::on_notification(wire::Node stanza, Once<void()> handled) {
  MessageEngine* engine = impl_->engine();
  if (engine == nullptr) return handled();
  engine->on_notification(std::move(stanza), std::move(handled));
}

void Messages::on_online() {
  if (MessageEngine* engine = impl_->engine()) engine->on_online();
}

void Messages::on_offline(Error) {
  if (MessageEngine* engine = impl_->engine_if_open()) engine->on_offline();
}

void Messages::on_logged_out() {
  if (MessageEngine* engine = impl_->engine()) engine->on_logged_out();
}

void Messages::known_recent(std::span<const std::string> ids) {
  if (MessageEngine* engine = impl_->engine()) engine->known_recent(ids);
}

void Messages::send(const Job& job, Once<void(throttle::SendOutcome)> done) {
  if (MessageEngine* engine = impl_->engine()) return engine->send(job, std::move(done));
  throttle::SendOutcome outcome;
  outcome.kind = throttle::SendOutcome::Kind::not_sent;
  outcome.detail = to_string(unusable());
  done(std::move(outcome));
}

void Messages::show_typing(const std::string& chat, bool on) {
  if (MessageEngine* engine = impl_->engine_if_open()) engine->show_typing(chat, on);
}

void Messages::check_numbers(std::vector<std::string> phones,
                             Once<void(Result<std::vector<NumberStatus>>)> done) {
  MessageEngine* engine = impl_->engine();
  if (engine == nullptr) return done(tl::unexpected(unusable()));
  engine->check_numbers(std::move(phones), std::move(done));
}

void Messages::mark_read(const std::string& chat, const std::string& message_id,
                         Once<void(Result<std::size_t>)> done) {
  MessageEngine* engine = impl_->engine();
  if (engine == nullptr) return done(tl::unexpected(unusable()));
  engine->mark_read(chat, message_id, std::move(done));
}

}  // namespace posthorn::session
