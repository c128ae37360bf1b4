#include <algorithm>
#include <iterator>
#include <utility>

#include "posthorn/base/bytes.h"
#include "simulator/cloud/impl.h"

// POST messages: what is refused at once, and what is only told later.
namespace posthorn::simulator {
namespace {

using Wrong = std::optional<CloudError>;

constexpr std::size_t kCallbackMost = 512;
constexpr int kPerSecond = 80;
constexpr milliseconds kPair{6000};
constexpr int kPairBurst = 45;
constexpr std::int64_t kWindow = 24 * 3600;
constexpr std::size_t kPostsKept = 20'000;
constexpr std::size_t kValuesMost = 10'000;

std::size_t length_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string digits_of(const std::string& text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return c >= '0' && c <= '9'; });
  return out;
}

Wrong text_of(const json::Value& object, const char* name, std::size_t most, bool needed = true) {
  const json::Value& value = json::at(object, name);
  if (value.isNull() && needed) return CloudError{131008, std::string(name) + " is missing"};
  if (value.isNull()) return std::nullopt;
  if (!value.isString()) return CloudError{100, std::string(name) + " must be a string"};
  const std::size_t length = length_of(value.asString());
  if (length == 0 && needed) return CloudError{131009, std::string(name) + " is empty"};
  if (length <= most) return std::nullopt;
  return CloudError{131009, std::string(name) + " is longer than " + std::to_string(most)};
}

Wrong check_buttons(const json::Value& action, std::size_t most) {
  const json::Value& buttons = json::at(action, "buttons");
  if (!buttons.isArray() || buttons.empty() || buttons.size() > most) {
    return CloudError{131009, "action.buttons"};
  }
  std::set<std::string> titles;
  for (const json::Value& one : buttons) {
    const json::Value& reply = json::at(one, "reply");
    if (auto wrong = text_of(reply, "id", 256)) return wrong;
    if (auto wrong = text_of(reply, "title", 20)) return wrong;
    if (!titles.insert(text_at(reply, "title")).second) {
      return CloudError{131009, "two buttons have one title"};
    }
  }
  return std::nullopt;
}

Wrong check_list(const json::Value& action) {
  if (auto wrong = text_of(action, "button", 20)) return wrong;
  const json::Value& sections = json::at(action, "sections");
  if (!sections.isArray() || sections.empty() || sections.size() > 10) {
    return CloudError{131009, "action.sections"};
  }
  std::size_t rows = 0;
  for (const json::Value& section : sections) {
    const json::Value& list = json::at(section, "rows");
    if (!list.isArray() || list.empty()) return CloudError{131009, "rows"};
    for (const json::Value& row : list) {
      if (auto wrong = text_of(row, "id", 200)) return wrong;
      if (auto wrong = text_of(row, "title", 24)) return wrong;
      if (auto wrong = text_of(row, "description", 72, false)) return wrong;
    }
    rows += list.size();
  }
  return rows > 10 ? Wrong(CloudError{131009, "more than ten rows"}) : std::nullopt;
}

Wrong check_interactive(const json::Value& one) {
  const std::string type = text_at(one, "type");
  const std::size_t most = type == "list" ? 4096 : 1024;
  if (auto wrong = text_of(json::at(one, "body"), "text", most)) return wrong;
  if (auto wrong = text_of(json::at(one, "footer"), "text", 60, false)) return wrong;
  const json::Value& action = json::at(one, "action");
  if (type == "button") return check_buttons(action, 3);
  if (type == "list") return check_list(action);
  if (type == "cta_url" || type == "location_request_message") return std::nullopt;
  return CloudError{131009, "interactive.type " + type};
}

struct Check {
  const Cloud::Impl& cloud;
  const json::Value& message;
  std::string type;

  [[nodiscard]] Wrong content() const {
    const json::Value& part = json::at(message, type.c_str());
    const bool media = type == "image" || type == "audio" || type == "video" ||
                       type == "document" || type == "sticker";
    const bool known = media || type == "text" || type == "location" || type == "contacts" ||
                       type == "reaction" || type == "interactive" || type == "template";
    if (!known) return CloudError{131051, "type " + type};
    if (part.isNull()) return CloudError{131008, type + " is missing"};
    if (type == "text") return text_of(part, "body", 4096);
    if (type == "interactive") return check_interactive(part);
    if (type == "template") return template_part(part);
    if (media) return media_part(part);
    if (type == "reaction") return text_of(part, "message_id", 128);
    if (type == "location") {
      const bool there =
          !json::at(part, "latitude").isNull() && !json::at(part, "longitude").isNull();
      return there ? std::nullopt : Wrong(CloudError{131008, "latitude and longitude"});
    }
    const bool cards = part.isArray() && !part.empty();
    return cards ? std::nullopt : Wrong(CloudError{131009, "contacts"});
  }

  [[nodiscard]] Wrong media_part(const json::Value& part) const {
    const std::string id = text_at(part, "id");
    if (id.empty() == text_at(part, "link").empty()) return CloudError{131008, "id or link"};
    if (auto wrong = text_of(part, "caption", 1024, false)) return wrong;
    if (!id.empty() && !cloud.media.contains(id)) {
      return CloudError{131009, "no media with the id " + id};
    }
    return std::nullopt;
  }

  [[nodiscard]] Wrong template_part(const json::Value& part) const {
    const std::string name = text_at(part, "name");
    const std::string language = text_at(json::at(part, "language"), "code");
    const auto& all = cloud.templates;
    const auto found = std::find_if(all.begin(), all.end(), [&](const CloudTemplate& one) {
      return one.name == name && one.language == language;
    });
    if (found == all.end()) return CloudError{132001, name + " in " + language};
    if (found->status == "PAUSED") return CloudError{132015, name};
    if (found->status == "DISABLED") return CloudError{132016, name};
    if (found->status != "APPROVED") return CloudError{132001, name + " is " + found->status};
    return parameters(*found, part);
  }

  /// As many as its body has places, and none with what the format forbids.
  [[nodiscard]] static Wrong parameters(const CloudTemplate& one, const json::Value& part) {
    std::size_t places = 0;
    for (const json::Value& component : one.components) {
      if (text_at(component, "type") != "BODY") continue;
      const std::string text = text_at(component, "text");
      for (std::size_t at = text.find("{{"); at != std::string::npos;
           at = text.find("{{", at + 2)) {
        ++places;
      }
    }
    std::size_t given = 0;
    for (const json::Value& component : json::at(part, "components")) {
      if (text_at(component, "type") != "body") continue;
      given += json::at(component, "parameters").size();
      for (const json::Value& parameter : json::at(component, "parameters")) {
        const std::string text = text_at(parameter, "text");
        const bool forbidden = text.find_first_of("\n\t") != std::string::npos ||
                               text.find("     ") != std::string::npos;
        if (forbidden) return CloudError{132007, "new lines, tabs or more than four blanks"};
        if (length_of(text) > 1024) return CloudError{132005, "a parameter"};
      }
    }
    if (given == places) return std::nullopt;
    return CloudError{132000, "number of localizable_params (" + std::to_string(given) +
                                  ") does not match the expected number of params (" +
                                  std::to_string(places) + ")"};
  }

  [[nodiscard]] Wrong direct_send() const {
    const json::Value& ttl = json::at(message, "message_send_ttl_seconds");
    const std::string category = text_at(message, "category");
    if (category.empty()) {
      return ttl.isNull() ? Wrong() : Wrong(CloudError{100, "a TTL needs a category"});
    }
    if (type == "template") return std::nullopt;
    if (!cloud.direct_send) return CloudError{100, "Direct Send isn't enabled for this account"};
    if (category != "utility" && category != "authentication") return CloudError{100, "category"};
    const bool fits = type == "text" || (type == "interactive" && category == "utility");
    if (!fits) return CloudError{100, "Direct Send takes texts and, of utility, buttons"};
    const auto seconds = json::int_at(message, "message_send_ttl_seconds");
    if (!ttl.isNull() && (!seconds || *seconds < 30 || *seconds > 43'200)) {
      return CloudError{100, "the TTL must lie between 30 and 43200 seconds"};
    }
    const json::Value& text = json::at(message, "text");
    if (!json::at(text, "preview_url").isNull()) return CloudError{100, "no preview_url here"};
    return type == "text" ? text_of(text, "body", 1024) : Wrong();
  }
};

}  // namespace

Customer* Cloud::Impl::find(const std::string& name) {
  const auto found = std::find_if(customers.begin(), customers.end(), [&name](const Customer& one) {
    return !name.empty() && (one.phone == name || one.user_id == name);
  });
  return found == customers.end() ? nullptr : &*found;
}

/// By number or user id; who is new is on WhatsApp and has not written.
Customer& Cloud::Impl::customer(const std::string& name) {
  if (Customer* known = find(name)) return *known;
  Customer one;
  const bool number = name.find('.') == std::string::npos;
  (number ? one.phone : one.user_id) = name;
  customers.push_back(std::move(one));
  return customers.back();
}

/// What is wrong with it before anybody looks at whom it is to.
std::optional<CloudError> Cloud::Impl::check(const json::Value& message, const std::string& type) {
  const std::string to = digits_of(text_at(message, "to"));
  if (to.empty() && text_at(message, "recipient").empty()) return CloudError{131008, "to"};
  if (!text_at(message, "to").empty() && (to.size() < 5 || to.size() > 15)) {
    return CloudError{131009, "to"};
  }
  if (to == options.phone) return CloudError{131021, "to"};
  if (!test_numbers.empty() && !test_numbers.contains(to)) return CloudError{131030, "to"};
  if (to.empty() && text_at(message, "category") == "authentication") {
    return CloudError{131062, "codes go to numbers"};
  }
  if (text_at(message, "biz_opaque_callback_data").size() > kCallbackMost) {
    return CloudError{131009, "biz_opaque_callback_data is longer than 512"};
  }
  const Check one{*this, message, type};
  if (auto wrong = one.direct_send()) return wrong;
  return one.content();
}

/// 80 in a second, and to one person one in six seconds with 45 at once.
std::optional<CloudError> Cloud::Impl::charge(Customer& person) {
  if (std::exchange(this_second, now()) != now()) in_second = 0;
  if (++in_second > kPerSecond) return CloudError{130429, "more than 80 a second"};
  const milliseconds time(now() * 1000);
  const milliseconds due = std::max(person.pair_due, time) + kPair;
  if (due - time > kPairBurst * kPair) {
    return CloudError{131056, "more than one message in six seconds"};
  }
  person.pair_due = due;
  return std::nullopt;
}

/// What becomes of a message that was taken.
std::optional<CloudError> Cloud::Impl::later_error(const Customer& person,
                                                   const json::Value& message) const {
  if (!person.on_whatsapp) return CloudError{131026, "not on WhatsApp"};
  const bool business =
      text_at(message, "type") == "template" || !text_at(message, "category").empty();
  if (!business && now() - person.wrote >= kWindow) {
    return CloudError{131047, "more than 24 hours have passed since they last replied"};
  }
  if (person.opted_out && category_of(message) == "marketing") {
    return CloudError{131050, "they have stopped it"};
  }
  return std::nullopt;
}

std::string Cloud::Impl::category_of(const json::Value& message) const {
  const std::string named = text_at(message, "category");
  if (!named.empty()) return named;
  if (text_at(message, "type") != "template") return "service";
  const json::Value& part = json::at(message, "template");
  const std::string name = text_at(part, "name");
  for (const CloudTemplate& one : templates) {
    if (one.name != name) continue;
    return one.category == "MARKETING"        ? "marketing"
           : one.category == "AUTHENTICATION" ? "authentication"
                                              : "utility";
  }
  return "utility";
}

CloudAnswer Cloud::Impl::messages(const std::string& body) {
  const auto parsed = json::parse(body, kValuesMost);
  if (!parsed || !parsed->isObject()) return refuse({100, "the body is no JSON object"});
  const json::Value& message = *parsed;
  if (text_at(message, "messaging_product") != "whatsapp") {
    return refuse({131008, "messaging_product"});
  }
  if (text_at(message, "status") == "read") {
    if (reads.size() < kPostsKept) reads.append(message);
    return {.body = R"({"success":true})"};
  }
  const std::string to = digits_of(text_at(message, "to"));
  const std::string name = to.empty() ? text_at(message, "recipient") : to;
  const std::string type = text_at(message, "type").empty() ? "text" : text_at(message, "type");
  json::Value post;
  post["body"] = message;
  post["at"] = static_cast<::Json::Int64>(now());
  const auto wrong = fault("messages", name);
  if (wrong && wrong->hang) {
    keep_post(std::move(post));
    return {.how = CloudAnswer::How::hang};
  }
  std::optional<CloudError> error;
  if (wrong && !wrong->later && !wrong->drop) error = wrong->error;
  if (!error) error = check(message, type);
  // A number that nobody has heard of is somebody; a user id comes from a webhook.
  const bool is_known = !to.empty() || find(name) != nullptr;
  if (!error) error = charge(customer(name));
  if (error) {
    post["refused"] = error->code;
    keep_post(std::move(post));
    return refuse(*error);
  }
  Customer& person = customer(name);
  person.on_whatsapp = person.on_whatsapp && is_known;
  const std::string wamid =
      "wamid." + base64_encode(as_bytes("stand-in " + name + " " + std::to_string(++made)));
  post["wamid"] = wamid;
  keep_post(std::move(post));
  std::optional<CloudError> later = later_error(person, message);
  if (wrong && wrong->later) later = wrong->error;
  tell_statuses(person, wamid, message, std::move(later));
  if (wrong && wrong->drop) return {.how = CloudAnswer::How::drop};
  return accepted(message, wamid);
}

void Cloud::Impl::keep_post(json::Value post) {
  if (posts.size() < kPostsKept) posts.append(std::move(post));
}

CloudAnswer Cloud::Impl::accepted(const json::Value& message, const std::string& wamid) const {
  json::Value out;
  out["messaging_product"] = "whatsapp";
  json::Value contact;
  const std::string to = text_at(message, "to");
  contact["input"] = to.empty() ? text_at(message, "recipient") : to;
  if (to.empty()) {
    contact["user_id"] = text_at(message, "recipient");
  } else {
    contact["wa_id"] = digits_of(to);
  }
  out["contacts"].append(std::move(contact));
  json::Value told;
  told["id"] = wamid;
  const bool business =
      text_at(message, "type") == "template" || !text_at(message, "category").empty();
  if (business) told["message_status"] = "accepted";
  out["messages"].append(std::move(told));
  return {.body = json::write(out)};
}

}  // namespace posthorn::simulator
