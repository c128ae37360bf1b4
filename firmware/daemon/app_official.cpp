// The official API: as words at the box's door, and as a second way out.
#include "daemon/app.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

/// A second number beside the linked account, or what is left of one.
Result<void> App::build_official() {
  auto secrets = read_secrets(config_.cloud);
  if (!secrets) log::error("cloud", "the official number is off", {{"error", secrets.error()}});
  official_ = std::make_unique<OfficialSide>(
      config_.cloud, secrets ? std::move(*secrets) : cloud::Secrets{},
      OfficialSide::Outside{out_.scheduler, out_.clock, out_.store, out_.http, out_.outbox_ring,
                            *outbox_, *valve_, *notifier_, [this] { return status(); },
                            out_.utc_offset, out_.files, config_.network.proxy,
                            [this](Content& content) {
                              if (links_) links_->fill_in(content);
                            },
                            &settings_});
  outbox_->divert(official_.get());
  both_->join(official_.get());
  for (api::Route& route : official_->routes()) api_->add(std::move(route));
  return {};
}

/// The API once more, in the words of the official one.
Result<void> App::build_cloud() {
  const double rate_scale = config_.throttle.unpaced_for_benchmarks ? 0 : 1;
  std::function<void(const std::string&, const std::string&, Once<void(int)>)> hear;
  if (!config_.cloud.phone_number_id.empty() && config_.cloud.mode == CloudConfig::Mode::direct) {
    hear = [this](const std::string& body, const std::string& signature, Once<void(int)> done) {
      official_->hear(body, signature, std::move(done));
    };
  }
  // clang-format off
  TRY(cloud_, CloudSide::make({out_.scheduler, out_.clock, out_.random, out_.store, out_.http,
      out_.inbox_ring, refused_, *outbox_, *notifier_, settings_, *both_, *both_, *both_,
      [this] {
        const session::Account account = session_->account();
        return cloud::Endpoint::Account{account.phone, account.push_name};
      },
      [this] { return status(); }, file_methods(), std::move(hear),
      config_.cloud.verify_token, config_.queue.keep, rate_scale,
      [this](const std::string& user_id) { return official_->chat_of_user_id(user_id); },
      [this](const std::string& chat, const std::string& wamid, cloud::Typing typing,
             Once<void(Result<std::size_t>)> done) {
        official_->mark_read(chat, wamid, typing, std::move(done));
      },
      config_.webhook.wait, !config_.cloud.phone_number_id.empty()}));
  // clang-format on
  api_->speak(cloud_->dialect());
  for (api::Route& route : cloud_->routes()) api_->add(std::move(route));
  return {};
}

}  // namespace posthorn::daemon
