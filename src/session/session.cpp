#include "posthorn/session/session.h"

#include "session/core.h"

namespace posthorn::session {

Session::Session(const WhatsAppConfig& config, Outside outside, EventSink sink)
    : impl_(std::make_unique<Impl>(config, outside, std::move(sink))) {}

Session::~Session() = default;

void Session::join(Listener& listener) { impl_->join(listener); }

Line& Session::line() { return *impl_; }

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

}  // namespace posthorn::session
