#pragma once

#include "api/box.h"
#include "posthorn/cloud/endpoint.h"

namespace posthorn::cloud::test {

inline const std::string kCustomer = "4915550007777";

/// The API with the official one's words.
class Shop : public api::test::Box {
 public:
  explicit Shop(std::optional<api::FileOutside> files = {})
      : endpoint(identity, templates, media, outside(std::move(files))) {
    api->speak(endpoint);
  }

  Endpoint::Outside outside(std::optional<api::FileOutside> files) {
    return {
        scheduler,
        clock,
        random,
        blobs,
        outbox,
        link,
        link,
        link,
        [this] {
          return Endpoint::Account{link.who.phone, link.who.push_name};
        },
        [this] { return status; },
        [this](const Job& job, const std::string& why) { failed.push_back(job.id + " " + why); },
        [this](const std::string& url, const std::string& token, Once<void(Result<void>)> done) {
          callbacks.push_back(url + " " + token);
          done(callback_result);
        },
        {},
        "",
        hours(24),
        1.0,
        std::move(files)};
  }

  std::shared_ptr<api::test::Answer> ask(api::Verb verb, const std::string& path_behind,
                                         const std::string& body = "") {
    api::Request request = Box::request(verb, "/v26.0/" + path_behind, body);
    if (const std::size_t query = request.path.find('?'); query != std::string::npos) {
      std::string rest = request.path.substr(query + 1);
      request.path.resize(query);
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::size_t is = rest.find('=');
        request.query.emplace_back(rest.substr(0, is), rest.substr(is + 1, end - is - 1));
        rest.erase(0, std::min(end + 1, rest.size()));
      }
    }
    request.authorization = "Bearer " + api::test::kToken;
    request.host = "127.0.0.1:8080";
    return send(std::move(request));
  }
  std::shared_ptr<api::test::Answer> post_message(const std::string& body) {
    return ask(api::Verb::post, identity.phone_number_id + "/messages", body);
  }
  /// A message of that type: its own part, as JSON behind "type".
  std::shared_ptr<api::test::Answer> say(const std::string& type, const std::string& part) {
    return post_message(R"({"to":")" + kCustomer + R"(","type":")" + type + R"(",")" + type +
                        R"(":)" + part + R"(,"messaging_product":"whatsapp"})");
  }
  [[nodiscard]] static int code_of(const api::test::Answer& answer) {
    return static_cast<int>(json::int_at(json::at(answer.json(), "error"), "code").value_or(0));
  }
  [[nodiscard]] const Content& said() const { return outbox.views.back().job.content; }
  [[nodiscard]] std::string text() const { return readable_text(said()); }

  BoxIdentity identity = load_identity(blobs, random).value_or(BoxIdentity{});
  Templates templates{blobs, random};
  MediaIds media{blobs};
  Endpoint endpoint;
  std::vector<std::string> failed;
  std::vector<std::string> callbacks;
  Result<void> callback_result;
};

}  // namespace posthorn::cloud::test
