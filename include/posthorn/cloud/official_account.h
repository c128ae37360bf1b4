#pragma once

#include <functional>
#include <string>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/config.h"
#include "posthorn/base/json.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/net/http_client.h"

namespace posthorn::cloud {

/// What Meta says of the official number, read at the start and once a day, and of its templates,
/// read every hour. Kept in memory: after a restart it is read again.
class OfficialAccount {
 public:
  static constexpr std::size_t kTemplates = 500;  ///< more are not kept

  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    net::HttpClient& http;
    std::string proxy = {};
  };

  OfficialAccount(const CloudConfig& config, std::string token, Outside outside);
  OfficialAccount(const OfficialAccount&) = delete;
  OfficialAccount& operator=(const OfficialAccount&) = delete;

  void start();
  void stop();
  /// Something about the templates has changed.
  void read_templates();

  /// Asks about the number now: what test_json and number_json show. Errors: as HttpClient::send(),
  /// refused (Meta's own words).
  void ask(Once<void(Result<json::Value>)> done);
  /// Why this template cannot be used; "": as far as is known it can.
  [[nodiscard]] std::string trouble_with(const std::string& name,
                                         const std::string& language) const;
  /// {"displayPhoneNumber", "verifiedName", "qualityRating", "messagingLimit", "throughput",
  /// "status", "readAt"}; null before it was read.
  [[nodiscard]] const json::Value& number_json() const { return number_; }
  /// {"readAt", "error", "known", "list": [{"name", "language", "status", "category",
  /// "parameterFormat"}, … 100 at most]}
  [[nodiscard]] json::Value templates_json() const;

 private:
  struct Template {
    std::string name, language, status, category, parameter_format;
  };
  void read_number();
  void read_page(std::string after);
  void on_page(const Result<net::HttpResponse>& answer);
  void take_page(const json::Value& page);
  [[nodiscard]] net::HttpRequest get(const std::string& path) const;

  CloudConfig config_;
  std::string token_;
  Outside out_;
  json::Value number_;
  std::vector<Template> templates_, reading_;
  std::string templates_error_, templates_at_;
  bool is_reading_ = false;
  Timer day_, hour_;
  Alive<OfficialAccount> alive_{this};
};

/// What an answer of the official API refuses, in one sentence without secrets.
[[nodiscard]] std::string refusal_in_words(const net::HttpResponse& answer);

}  // namespace posthorn::cloud
