#pragma once

#include <string>
#include <vector>

#include "posthorn/api/session_link.h"
#include "posthorn/chat/chat.h"
#include "posthorn/session/session.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Whether a number is on WhatsApp, asked by the throttle before a first contact. The throttle
/// charges these questions itself.
class FirstContactCheck final : public throttle::NumberChecker {
 public:
  explicit FirstContactCheck(chat::Chat& chat) : chat_(chat) {}

  void on_whatsapp(const std::string& chat, Once<void(Result<bool>)> done) override;

 private:
  chat::Chat& chat_;
};

/// The session as the API asks it, with the questions about numbers charged to the throttle's
/// budget for look-ups (policy section 9): batches of them got accounts banned.
class ChargedLink final : public api::Link {
 public:
  ChargedLink(session::Session& session, chat::Chat& chat, throttle::Valve& valve)
      : link_(session, chat), valve_(valve) {}

  [[nodiscard]] session::State state() const override { return link_.state(); }
  [[nodiscard]] session::Account account() const override { return link_.account(); }
  [[nodiscard]] std::optional<std::string> qr() override { return link_.qr(); }
  void request_link_code(const std::string& phone, Once<void(Result<std::string>)> done) override {
    link_.request_link_code(phone, std::move(done));
  }
  void log_out(Once<void(Result<void>)> done) override { link_.log_out(std::move(done)); }
  void reconnect() override { link_.reconnect(); }
  /// Errors beside the session's: busy, when the hour's look-ups are used up.
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<chat::NumberStatus>>)> done) override;
  void mark_read(const std::string& chat, const std::string& message_id,
                 Once<void(Result<std::size_t>)> done) override {
    link_.mark_read(chat, message_id, std::move(done));
  }

 private:
  api::SessionLink link_;
  throttle::Valve& valve_;
};

}  // namespace posthorn::daemon
