#pragma once

#include <deque>
#include <list>
#include <optional>
#include <set>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/time.h"
#include "posthorn/simulator/cloud.h"

namespace posthorn::simulator {

/// A member as text, "" when there is none.
[[nodiscard]] std::string text_at(const json::Value& object, const char* name);

/// One refusal of the API, at once or by a status.
struct CloudError {
  int code = 0;
  std::string details;
  int status = 0;  ///< 0: what the table says
  int subcode = 0;
};

/// Of a code: the HTTP status, its title, and whether Meta tells it by a status webhook only.
struct CloudCode {
  int code;
  int status;
  bool later;
  const char* title;
};
/// Null: no code of the table.
[[nodiscard]] const CloudCode* find_code(int code);
[[nodiscard]] json::Value all_codes();

/// A customer; named by a number, a user id or both.
struct Customer {
  std::string phone, user_id, name = "Ida";
  bool on_whatsapp = true;
  bool opted_out = false;
  std::int64_t wrote = 0;  ///< unix seconds of their newest word; 0: never
  milliseconds pair_due{0};
};

struct CloudTemplate {
  std::string id, name, language, status, category, format;
  json::Value components;
};

struct CloudMedia {
  std::string bytes, mime, name;
  std::int64_t made = 0, looked_up = 0;
};

/// What goes wrong next.
struct CloudFault {
  std::string where = "messages";  ///< "messages", "media", "number", "templates"
  std::string to;                  ///< of messages: only to them; "": to anybody
  CloudError error;
  bool later = false;  ///< by a status webhook
  bool drop = false, hang = false;
  int times = 1;
};

struct Cloud::Impl {
  Impl(Options o, Outside out) : options(std::move(o)), outside(std::move(out)) {}

  // cloud.cpp
  CloudAnswer graph(const CloudRequest& request);
  [[nodiscard]] CloudAnswer refuse(const CloudError& error);
  [[nodiscard]] std::int64_t now() const;
  [[nodiscard]] std::optional<CloudFault> fault(const std::string& where, const std::string& to);
  [[nodiscard]] std::string next_id() { return std::to_string(9000 + ++made); }
  CloudAnswer on_number(const CloudRequest& request, const std::string& what);
  CloudAnswer on_business(const CloudRequest& request, const std::string& what);
  CloudAnswer list_templates(const CloudRequest& request) const;
  CloudAnswer make_template(const json::Value& body, const std::string& status);
  CloudAnswer delete_template(const CloudRequest& request);

  // messages.cpp
  CloudAnswer messages(const std::string& body);
  [[nodiscard]] std::optional<CloudError> check(const json::Value& message,
                                                const std::string& type);
  [[nodiscard]] std::optional<CloudError> charge(Customer& person);
  [[nodiscard]] std::optional<CloudError> later_error(const Customer& person,
                                                      const json::Value& message) const;
  [[nodiscard]] std::string category_of(const json::Value& message) const;
  void keep_post(json::Value post);
  [[nodiscard]] CloudAnswer accepted(const json::Value& message, const std::string& wamid) const;
  [[nodiscard]] Customer* find(const std::string& name);
  Customer& customer(const std::string& name);

  // media.cpp
  CloudAnswer upload(const CloudRequest& request);
  void add_media(const std::string& id, CloudMedia one) { media[id] = std::move(one); }
  CloudAnswer media_object(const CloudRequest& request, const std::string& id);
  CloudAnswer media_bytes(const std::string& id);

  // webhooks.cpp
  void tell(json::Value value, const std::string& field, const std::string& secret,
            Once<void(int status)> done);
  void tell_statuses(const Customer& to, const std::string& wamid, const json::Value& message,
                     std::optional<CloudError> failed);
  void pump();
  void say(const json::Value& what, Once<void(int status)> done);

  // control.cpp
  void control(const std::string& method, const std::string& path, const json::Value& body,
               Once<void(Response)> done);
  [[nodiscard]] std::string set(const json::Value& body);
  [[nodiscard]] std::string add_fault(const json::Value& body);
  [[nodiscard]] json::Value shown() const;

  struct Webhook {
    std::string body, signature;
    int tries = 0;
    Once<void(int status)> done = {};
  };

  Options options;
  Outside outside;
  std::string webhook;
  std::int64_t forward = 0;  ///< seconds that the calendar is ahead
  bool direct_send = false;
  bool payment = true;      ///< past the free thousand there is a way to pay
  bool duplicates = false;  ///< a message's first status comes twice
  bool reorder = false;     ///< statuses come last to first
  std::int64_t free_service = 1000;
  std::int64_t service = 0;  ///< messages of that category taken in `month`
  std::string month;
  std::vector<std::string> ladder = {"sent", "delivered", "read"};
  std::set<std::string> test_numbers;  ///< not empty: nobody else
  std::list<Customer> customers;
  std::list<CloudTemplate> templates;
  std::map<std::string, CloudMedia> media;
  std::list<CloudFault> faults;
  json::Value posts = json::Value(::Json::arrayValue);
  json::Value reads = json::Value(::Json::arrayValue);
  json::Value uploads = json::Value(::Json::arrayValue);
  json::Value pricing = json::Value(::Json::arrayValue);
  std::uint64_t made = 0;
  std::int64_t this_second = 0;
  int in_second = 0;
  std::deque<Webhook> webhooks;
  bool telling = false;
  Timer again{outside.scheduler};
  Alive<Impl> alive{this};
};

}  // namespace posthorn::simulator
