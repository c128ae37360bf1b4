#pragma once

#include "posthorn/api/ports.h"

namespace posthorn::api {

/// The real session behind the API's Link.
class SessionLink final : public Link {
 public:
  explicit SessionLink(session::Session& session) : session_(session) {}

  [[nodiscard]] session::State state() const override;
  [[nodiscard]] session::Account account() const override;
  [[nodiscard]] std::optional<std::string> qr() override;
  void request_link_code(const std::string& phone, Once<void(Result<std::string>)> done) override;
  void log_out(Once<void(Result<void>)> done) override;
  void reconnect() override;
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<session::NumberStatus>>)> done) override;
  void mark_read(const std::string& chat, const std::string& message_id,
                 Once<void(Result<std::size_t>)> done) override;

 private:
  session::Session& session_;
};

}  // namespace posthorn::api
