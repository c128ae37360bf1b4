#pragma once

#include "posthorn/api/ports.h"
#include "posthorn/chat/chat.h"

namespace posthorn::api {

/// The real session and chat behind the API's Link.
class SessionLink final : public Link {
 public:
  SessionLink(session::Session& session, chat::Chat& chat) : session_(session), chat_(chat) {}

  [[nodiscard]] session::State state() const override;
  [[nodiscard]] session::Account account() const override;
  [[nodiscard]] std::optional<std::string> qr() override;
  void request_link_code(const std::string& phone, Once<void(Result<std::string>)> done) override;
  void log_out(Once<void(Result<void>)> done) override;
  void reconnect() override;
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<chat::NumberStatus>>)> done) override;
  void mark_read(const std::string& chat, const std::string& message_id,
                 Once<void(Result<std::size_t>)> done) override;

 private:
  session::Session& session_;
  chat::Chat& chat_;
};

}  // namespace posthorn::api
