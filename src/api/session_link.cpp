#include "posthorn/api/session_link.h"

namespace posthorn::api {

session::State SessionLink::state() const { return session_.state(); }

session::Account SessionLink::account() const { return session_.account(); }

std::optional<std::string> SessionLink::qr() { return session_.qr(); }

void SessionLink::request_link_code(const std::string& phone,
                                    Once<void(Result<std::string>)> done) {
  session_.request_link_code(phone, std::move(done));
}

void SessionLink::log_out(Once<void(Result<void>)> done) { session_.log_out(std::move(done)); }

void SessionLink::reconnect() { session_.reconnect(); }

void SessionLink::check_numbers(std::vector<std::string> phones,
                                Once<void(Result<std::vector<chat::NumberStatus>>)> done) {
  chat_.check_numbers(std::move(phones), std::move(done));
}

void SessionLink::mark_read(const std::string& chat, const std::string& message_id,
                            Once<void(Result<std::size_t>)> done) {
  chat_.mark_read(chat, message_id, std::move(done));
}

}  // namespace posthorn::api
