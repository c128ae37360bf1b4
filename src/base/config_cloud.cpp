#include <algorithm>

#include "base/config_take.h"

namespace posthorn {
namespace {

/// One of some words.
template <class T>
Take word(T& out, std::vector<std::pair<std::string_view, T>> words) {
  return [&out, words = std::move(words)](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    std::string known;
    for (const auto& [name, meaning] : words) {
      if (name == value) {
        out = meaning;
        return {};
      }
      known += (known.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    return fail(Errc::malformed, "must be one of " + known);
  };
}

}  // namespace

Take digits(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const bool all =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!all || value.size() > 20) return fail(Errc::malformed, "must be digits, or empty");
    out = value;
    return {};
  };
}

Take graph_version(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const bool fine = value.size() <= 8 && value.starts_with("v") && value.ends_with(".0") &&
                      value.find_first_not_of("0123456789", 1) == value.size() - 2;
    if (!fine) return fail(Errc::malformed, "must be a version like \"v26.0\"");
    out = value;
    return {};
  };
}

Take cloud_mode(CloudConfig::Mode& out) {
  using Mode = CloudConfig::Mode;
  return word<Mode>(
      out, {{"send-only", Mode::send_only}, {"relay", Mode::relay}, {"direct", Mode::direct}});
}

Take transport(Transport& out) {
  return word<Transport>(
      out,
      {{"own", Transport::own}, {"official", Transport::official}, {"auto", Transport::automatic}});
}

Result<void> check_cloud(const CloudConfig& c, std::string_view file) {
  using Mode = CloudConfig::Mode;
  const auto wrong = [file](const char* what) {
    return fail(Errc::malformed, std::string(file) + ": cloud." + what);
  };
  if (c.phone_number_id.empty()) return {};
  if (c.token_file.empty()) return wrong("token_file: must name the file with the access token");
  if (c.mode == Mode::send_only) return {};
  if (c.app_secret_file.empty()) {
    return wrong("app_secret_file: webhooks are believed only when their signature is checked");
  }
  if (c.mode == Mode::relay && (c.relay_url.empty() || c.relay_token_file.empty())) {
    return wrong("relay_url, cloud.relay_token_file: mode = \"relay\" needs both");
  }
  if (c.mode == Mode::direct && c.verify_token.empty()) {
    return wrong("verify_token: mode = \"direct\" needs it");
  }
  return {};
}

void find_cloud_trouble(Config& config, std::string_view file) {
  const CloudConfig& c = config.cloud;
  if (!c.phone_number_id.empty()) return;
  // Whoever wrote one of these wants an official number.
  const bool meant = !c.token_file.empty() || !c.app_secret_file.empty() || !c.relay_url.empty() ||
                     !c.relay_token_file.empty() || !c.verify_token.empty() || !c.waba_id.empty() ||
                     !c.receipt_template.empty() || c.mode != CloudConfig::Mode::send_only ||
                     c.transport != Transport::own || c.direct_send;
  if (!meant) return;
  config.troubles.push_back(std::string(file) +
                            ": cloud.phone_number_id: is missing, and without it there is no "
                            "official number; for none, leave the whole section out");
}

}  // namespace posthorn
