#include "posthorn/session/session.h"

#include "session/core.h"

namespace posthorn::session {

Session::Session(const WhatsAppConfig& config, Outside outside, EventSink sink)
    : impl_(std::make_unique<Impl>(config, outside, std::move(sink))) {}

Session::~Session() = default;

void Session::known_recent(std::span<const std::string> ids) {
  impl_->messages().known_recent(ids);
}

void Session::start() { impl_->start(); }

void Session::stop() { impl_->stop(); }

State Session::state() const { return impl_->state().state; }

const StateChanged& Session::state_detail() const { return impl_->state(); }

Account Session::account() const { return impl_->account(); }

std::optional<std::string> Session::qr() { return impl_->qr(); }

void Session::request_link_code(const std::string& phone, Once<void(Result<std::string>)> done) {
  impl_->request_link_code(phone, std::move(done));
}

void Session::log_out(Once<void(Result<void>)> done) { impl_->log_out(std::move(done)); }

void Session::reconnect() { impl_->reconnect(); }

void Session::check_numbers(std::vector<std::string> phones,
                            Once<void(Result<std::vector<NumberStatus>>)> done) {
  impl_->messages().check_numbers(std::move(phones), std::move(done));
}

void Session::mark_read(const std::string& chat, const std::string& message_id,
                        Once<void(Result<std::size_t>)> done) {
  impl_->messages().mark_read(chat, message_id, std::move(done));
}

void Session::send(const Job& job, Once<void(throttle::SendOutcome)> done) {
  impl_->messages().send(job, std::move(done));
}

void Session::show_typing(const std::string& chat, bool on) {
  impl_->messages().show_typing(chat, on);
}

}  // namespace posthorn::session
