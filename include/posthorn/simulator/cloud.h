#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "posthorn/base/json.h"
#include "posthorn/base/once.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::simulator {

/// One HTTP request to the official Cloud API, whole.
struct CloudRequest {
  std::string method, path;  ///< "/v26.0/106540352242922/messages", without the query
  std::map<std::string, std::string> query = {};
  std::string host = {}, authorization = {}, content_type = {};
  std::string body = {};
};

struct CloudAnswer {
  enum class How : std::uint8_t {
    answer,
    drop,  ///< the connection breaks instead
    hang,  ///< nothing comes
  };
  How how = How::answer;
  int status = 200;
  std::string content_type = "application/json; charset=UTF-8";
  std::string body = {};
};

/// A stand-in for Meta's Cloud API: one business number, its templates and customers, and signed
/// webhooks about them. It keeps a calendar of its own, which moves on as told. It refuses what the
/// contract says is refused, and fails as it is told to; see src/simulator/CONTROL.md, "The
/// official API". It shares nothing with the box's own side of this API, so a mistake made there is
/// not made here once more.
/// Source: Meta's references of messages, media, templates, webhooks and errors, November 2026.
class Cloud {
 public:
  struct Options {
    std::string number_id = "106540352242922";
    std::string waba_id = "102290129340398";
    std::string phone = "4915550009999";
    std::string token = "EAAG-stand-in";
    std::string app_secret = "app-secret-of-the-stand-in";
  };
  struct Outside {
    Scheduler& scheduler;
    /// Posts a webhook; done: the answer's status, 0: nobody answered.
    std::function<void(const std::string& url, const std::string& signature,
                       const std::string& body, Once<void(int status)> done)>
        post;
  };
  struct Response {
    int status = 200;
    json::Value body;
  };

  Cloud(Options options, Outside outside);
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;
  ~Cloud();

  /// What a client asks of the API.
  [[nodiscard]] CloudAnswer graph(const CloudRequest& request);
  /// What a test wants of it: method, path ("/cloud/say") and a JSON body. What makes a webhook
  /// answers when its receiver has answered.
  void control(const std::string& method, const std::string& path, const std::string& body,
               Once<void(Response)> done);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::simulator
