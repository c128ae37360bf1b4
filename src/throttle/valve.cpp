#include "posthorn/throttle/valve.h"

#include <array>
#include <ctime>

#include "posthorn/base/log.h"
#include "throttle/opt_out_words.h"
#include "throttle/valve_impl.h"

namespace posthorn::throttle {

Valve::Valve(Outside outside) : impl_(std::make_unique<Impl>(std::move(outside))) {}
void Valve::on_joined(const std::string& from, const std::string& into) {
  impl_->on_joined(from, into);
}
Valve::~Valve() { stop(); }

Result<void> Valve::start(const Settings& settings) { return impl_->start(settings); }
void Valve::stop() { impl_->stop(); }

std::optional<std::string> Valve::on_accept(const Job& job) { return impl_->on_accept(job); }
void Valve::on_accept_failed(const Job& job) { impl_->on_accept_failed(job); }
void Valve::on_job(std::uint64_t sequence, const Job& job) { impl_->on_job(sequence, job); }
void Valve::on_diverted(std::uint64_t sequence, const Job& job) {
  impl_->on_diverted(sequence, job);
}
void Valve::on_diverted_cancelled(std::uint64_t sequence) {
  impl_->on_diverted_cancelled(sequence);
}
void Valve::on_prepared(std::uint64_t sequence, Result<void> result) {
  impl_->on_prepared(sequence, std::move(result));
}
bool Valve::cancel(std::uint64_t sequence) { return impl_->cancel(sequence); }
std::optional<JobView> Valve::view(std::uint64_t sequence) const { return impl_->view(sequence); }
std::size_t Valve::waiting() const { return impl_->engine_.waiting.size(); }

void Valve::on_inbound(const std::string& chat, std::string_view text, Wall at) {
  impl_->on_inbound(chat, text, at);
}
void Valve::on_own_send(const std::string& chat, Wall at) { impl_->on_own_send(chat, at); }
void Valve::on_group(const std::string& chat, Wall since) { impl_->on_group(chat, since); }
void Valve::on_delivered(const std::string&) { impl_->on_delivered(); }
void Valve::on_history(std::span<const PastChat> chats, Once<void(Result<void>)> kept) {
  impl_->on_history(chats, std::move(kept));
}
void Valve::on_account_made(Wall made) { impl_->on_account_made(made); }
Result<ImportReport> Valve::import_regulars(std::string_view csv, const std::string& who) {
  return impl_->import_regulars(csv, who);
}
Outlook Valve::can_send(const std::string& chat, bool consent, bool urgent, milliseconds life) {
  return impl_->can_send(chat, consent, urgent, life);
}
void Valve::on_read(const std::string& chat) { impl_->on_read(chat); }
void Valve::on_signal(const Signal& signal) { impl_->on_signal(signal); }
void Valve::on_connected() { impl_->set_connected(true); }
void Valve::on_disconnected() { impl_->set_connected(false); }

void Valve::pause() { impl_->set_paused(true); }
void Valve::resume() { impl_->set_paused(false); }
Result<void> Valve::set_delay(milliseconds delay) {
  Settings settings = impl_->engine_.state.settings;
  TRY(change_setting(settings, "delay_ms", delay.count()));
  return impl_->set_settings(settings, "setSettings");
}
Result<void> Valve::set_settings(const Settings& settings, const std::string& who) {
  return impl_->set_settings(settings, who);
}
const Settings& Valve::settings() const { return impl_->engine_.state.settings; }
Result<void> Valve::declare_in_use(std::uint32_t months, const std::string& who) {
  return impl_->declare_in_use(months, who);
}
Result<void> Valve::acknowledge(const std::string& who, const std::string& reason) {
  return impl_->acknowledge(who, reason);
}
Result<void> Valve::add_override(const Override& exception) {
  return impl_->add_override(exception);
}
Result<void> Valve::end_override(const std::string& limit, const std::string& who) {
  return impl_->end_override(limit, who);
}
Result<void> Valve::take(Action action, const std::string& member_chat) {
  return impl_->take(std::array{Cost{action, member_chat}});
}
Result<void> Valve::take(std::span<const Cost> costs) { return impl_->take(costs); }
void Valve::give_back(Action action, std::uint32_t count) { impl_->give_back(action, count); }

std::vector<OptOut> Valve::opt_outs() const { return impl_->opt_outs(); }
bool Valve::opted_out(const std::string& chat) const {
  const ChatRecord* record = impl_->engine_.state.chats.find(impl_->key_of(chat));
  return record != nullptr && record->is(ChatRecord::opted_out);
}
Result<void> Valve::add_opt_out(const std::string& chat, const std::string& who,
                                const std::string& reason) {
  return impl_->set_opt_out(chat, true, who, reason);
}
void Valve::heard_elsewhere(const std::string& chat, std::string_view text) {
  const Wish wish = parse_request(text).wish;
  constexpr const char* kWhy = "written to the shop's other number";
  if (wish == Wish::stop && !opted_out(chat)) {
    if (auto added = add_opt_out(chat, "customer", kWhy); !added) {
      log::error("throttle", "a stop could not be kept", {{"error", added.error()}});
    }
  }
  if (wish == Wish::start) (void)remove_opt_out(chat, "customer", kWhy);  // may not be there
}
Result<void> Valve::remove_opt_out(const std::string& chat, const std::string& who,
                                   const std::string& reason) {
  return impl_->set_opt_out(chat, false, who, reason);
}
void Valve::factory_defaults(const std::string& who) { impl_->factory_defaults(who); }

Level Valve::level() const { return impl_->engine_.state.standing.told; }
ThrottleStatus Valve::status() const { return impl_->status(); }
std::string Valve::sentence() const { return describe(impl_->status(), impl_->offset()); }
std::vector<Metric> Valve::metrics() const { return impl_->metrics(); }
Result<std::vector<AuditRecord>> Valve::audit(std::size_t limit) const {
  return impl_->audit_log().newest(limit);
}
std::optional<Wall> Valve::reconnect_not_before() const { return impl_->reconnect_not_before(); }

seconds local_offset(Wall at) {
  const auto time = static_cast<std::time_t>(at.unix_seconds());
  std::tm local{};
  return localtime_r(&time, &local) == nullptr ? seconds(0) : seconds(local.tm_gmtoff);
}

std::string write_first_link(std::string_view own_phone, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string link = "https://wa.me/" + std::string(own_phone);
  if (text.empty()) return link;
  link += "?text=";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' || byte == '.' ||
                       byte == '~';
    if (plain) {
      link += c;
    } else {
      link += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return link;
}

}  // namespace posthorn::throttle
