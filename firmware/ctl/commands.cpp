#include "ctl/commands.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string_view>
#include <thread>
#include <vector>

#include "ctl/passkey.h"
#include "ctl/terminal_qr.h"
#include "posthorn/base/phone_number.h"

namespace posthorn::ctl {

namespace {

std::string text_at(const json::Value& value, const char* key) {
  return json::text_of(json::at(value, key)).value_or("");
}

void line(const char* name, const std::string& value) {
  if (!value.empty()) std::printf("%-14s %s\n", name, value.c_str());
}

std::string local_time(std::int64_t unix_seconds) {
  const auto when = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  localtime_r(&when, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

/// A number as people write it, or a chatId, which the box itself looks at.
Result<std::string> chat_id(const std::string& chat) {
  if (chat.find('@') != std::string::npos) return without_invisible(chat);
  TRY(const std::string phone, parse_phone_number(chat));
  return phone + "@c.us";
}

Result<std::string> state_of(const Client& client) {
  TRY(const json::Value answer, client.get("getStateInstance"));
  return text_at(answer, "stateInstance");
}

/// Yes and no for a flag, a date for "until".
std::string shown(const json::Value& object, const char* name) {
  if (const auto flag = json::bool_at(object, name)) return *flag ? "yes" : "no";
  const auto until = json::int_at(object, name);
  if (until && std::string_view(name) == "until") return local_time(*until);
  return text_at(object, name);
}

/// What the box itself says about why it is not linked, and what to do; with what else is true.
Error not_linked(const Client& client, Errc code, const std::string& what) {
  const auto health = client.page("/healthz");
  if (!health) return health.error();
  const std::string advice = text_at(*health, "whatToDo");
  const std::string cause = text_at(*health, "linkCause");
  return {code,
          what + (cause.empty() ? "" : " (" + cause + ")") + (advice.empty() ? "" : ". " + advice)};
}

/// "ABCD1234" or "ABCD-1234" -> "ABCD-1234", as the phone shows it; empty: no code.
std::string grouped(std::string code) {
  std::erase(code, '-');
  return code.size() == 8 ? code.insert(4, "-") : "";
}

}  // namespace

int complain(const Error& error) {
  std::fprintf(stderr, "posthornctl: %s\n", error.detail.c_str());
  return 1;
}

int show_status(const Client& client, bool as_json) {
  const auto health = client.page("/healthz");
  if (!health) return complain(health.error());
  if (as_json) {
    std::printf("%s\n", json::write(*health).c_str());
    return 0;
  }
  line("box", client.access().url);
  line("idInstance", std::to_string(client.access().id_instance));
  const auto state = state_of(client);
  if (!state) return complain(state.error());
  line("account", *state);
  // What matters first; then whatever else the box tells.
  std::vector<std::string> names{"link", "linkCause", "whatToDo", "until", "throttle"};
  for (const std::string& name : health->getMemberNames()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  for (const std::string& name : names) line(name.c_str(), shown(*health, name.c_str()));
  if (const auto webhook = client.get("getWebhookStatus")) {
    line("webhook", text_at(*webhook, "sentence"));
    const auto refused = json::int_at(*webhook, "refused").value_or(0);
    if (refused > 0) {
      line("refused",
           std::to_string(refused) + " notifications since the start: posthornctl refused");
    }
  }
  return 0;
}

int pair(const Client& client, PairBy by, int seconds_at_most) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds_at_most);
  std::string shown;
  while (std::chrono::steady_clock::now() < end) {
    const auto answer = client.get("qr");
    // "Too many requests" and "starting" pass by themselves; a box that is not there does not.
    if (!answer && answer.error().code == Errc::disconnected) return complain(answer.error());
    if (answer) {
      const std::string type = text_at(*answer, "type");
      const std::string text = text_at(*answer, "qrText");
      if (type == "alreadyLogged") {
        std::printf("The box is linked.\n");
        return 0;
      }
      if (type == "passkeyRequired") {
        if (by == PairBy::text) return complain({Errc::refused, text_at(*answer, "message")});
        if (const auto walked = walk_through_passkey(client); !walked)
          return complain(walked.error());
        continue;
      }
      if (type == "qrCode" && text != shown) {
        shown = text;
        if (by == PairBy::text) {
          std::printf("%s\n", text.c_str());
          return 0;
        }
        const auto picture = terminal_qr(text);
        if (!picture) return complain(picture.error());
        std::printf("\n%sOn the phone: Settings, Linked devices, Link a device.\n",
                    picture->c_str());
        std::fflush(stdout);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
  }
  return complain(not_linked(
      client, Errc::timeout,
      shown.empty() ? "the box has no QR code to show" : "no phone scanned the code in time"));
}

int pair_by_code(const Client& client, const std::string& phone) {
  const auto digits = parse_phone_number(phone);
  if (!digits) return complain(digits.error());
  json::Value body;
  body["phoneNumber"] = *digits;
  const auto answer = client.post("getAuthorizationCode", body);
  if (!answer) return complain(answer.error());
  const std::string code = grouped(text_at(*answer, "code"));
  if (code.empty()) {
    const std::string why = text_at(*answer, "message");
    return complain(why.empty() ? not_linked(client, Errc::refused, "WhatsApp gave no code")
                                : Error{Errc::refused, "no code: " + why});
  }
  std::printf(
      "%s\nOn the phone: Settings, Linked devices, Link a device, Link with phone number.\n"
      "If WhatsApp then asks for a passkey, run \"posthornctl pair\".\n",
      code.c_str());
  return 0;
}

int reconnect(const Client& client) {
  const auto answer = client.get("reboot");
  if (!answer) return complain(answer.error());
  if (!json::bool_at(*answer, "isReboot").value_or(false)) {
    return complain(
        not_linked(client, Errc::refused, "the box is connecting already or not linked"));
  }
  std::printf("The box connects anew; \"posthornctl status\" shows how it goes.\n");
  return 0;
}

int send_text(const Client& client, const std::string& chat, const std::string& text) {
  const auto to = chat_id(chat);
  if (!to)
    return complain(
        {to.error().code, to.error().detail + ". A text of several words goes in quotes"});
  json::Value body;
  body["chatId"] = *to;
  body["message"] = text;
  const auto answer = client.post("sendMessage", body);
  if (!answer) return complain(answer.error());
  std::printf("%s\n", text_at(*answer, "idMessage").c_str());
  return 0;
}

int send_file(const Client& client, const std::string& chat, const std::string& path,
              const std::string& caption) {
  const auto to = chat_id(chat);
  if (!to) return complain(to.error());
  const auto link = client.upload(path);
  if (!link) return complain(link.error());
  json::Value body;
  body["chatId"] = *to;
  body["urlFile"] = *link;
  body["fileName"] = path.substr(path.find_last_of('/') + 1);
  if (!caption.empty()) body["caption"] = caption;
  const auto answer = client.post("sendFileByUrl", body);
  if (!answer) return complain(answer.error());
  std::printf("%s\n", text_at(*answer, "idMessage").c_str());
  return 0;
}

int show_queue(const Client& client) {
  const auto answer = client.get("showMessagesQueue");
  if (!answer) return complain(answer.error());
  if (!answer->isArray() || answer->empty()) {
    std::printf("Nothing waits.\n");
    return 0;
  }
  for (const json::Value& job : *answer) {
    const json::Value& body = json::at(job, "body");
    std::string why = text_at(job, "holdReason");
    if (const auto when = json::int_at(job, "notBefore")) why += " until " + local_time(*when);
    std::printf("%-24s %-28s %-6s %s\n", text_at(job, "messageID").c_str(),
                text_at(body, "chatId").c_str(), text_at(job, "lane").c_str(), why.c_str());
  }
  return 0;
}

int follow(const Client& client, int events_at_most) {
  int printed = 0;
  std::int64_t last = 0;
  while (events_at_most == 0 || printed < events_at_most) {
    const auto answer = client.get("watchEvents", "after=" + std::to_string(last) + "&wait=20");
    if (!answer) return complain(answer.error());
    for (const json::Value& entry : json::at(*answer, "events")) {
      const json::Value& event = json::at(entry, "event");
      const auto when = json::int_at(event, "timestamp").value_or(0);
      std::printf("%s %s %s\n", local_time(when).c_str(), text_at(event, "typeWebhook").c_str(),
                  json::write(event).c_str());
      if (++printed == events_at_most) break;
    }
    std::fflush(stdout);
    last = json::int_at(*answer, "last").value_or(last);
  }
  return 0;
}

int show_throttle(const Client& client) {
  const auto status = client.get("getThrottleStatus");
  if (!status) return complain(status.error());
  std::printf("%s\n\n", text_at(*status, "sentence").c_str());
  line("level", text_at(*status, "level"));
  line("signal", text_at(*status, "signal"));
  if (const auto until = json::int_at(*status, "until")) line("until", local_time(*until));
  line("trust days", text_at(*status, "trustDays"));
  if (json::bool_at(*status, "needsAcknowledgement").value_or(false)) {
    std::printf("A person must agree: posthornctl throttle acknowledge WHO REASON\n");
  }
  const json::Value& windows = json::at(*status, "windows");
  for (const std::string& name : windows.getMemberNames()) {
    const json::Value& window = json::at(windows, name.c_str());
    line(name.c_str(), text_at(window, "used") + " of " + text_at(window, "allowed"));
  }
  return 0;
}

int acknowledge_throttle(const Client& client, const std::string& who, const std::string& reason) {
  json::Value body;
  body["who"] = who;
  body["reason"] = reason;
  const auto answer = client.post("acknowledgeThrottle", body);
  return answer ? 0 : complain(answer.error());
}

int declare_in_use(const Client& client, int months, const std::string& who) {
  json::Value body;
  body["months"] = months;
  body["who"] = who;
  const auto answer = client.post("declareNumberInUse", body);
  return answer ? show_throttle(client) : complain(answer.error());
}

int show_outlook(const Client& client, const std::string& chat, const std::string& consent) {
  const auto whose = chat_id(chat);
  if (!whose) return complain(whose.error());
  json::Value body;
  body["chatId"] = *whose;
  if (!consent.empty()) body["consent"] = consent;
  const auto answer = client.post("canSend", body);
  if (!answer) return complain(answer.error());
  std::printf("%s\n", text_at(*answer, "sentence").c_str());
  return 0;
}

int import_regulars(const Client& client, const std::string& file, const std::string& who) {
  constexpr std::size_t kPiece = 200'000;  // the box takes 512 kB, and JSON may double a character
  std::ifstream in(file, std::ios::binary);
  if (!in) return complain({Errc::io, file + ": cannot be read"});
  std::int64_t added = 0;
  std::int64_t known = 0;
  std::int64_t refused = 0;
  std::size_t lines = 0;
  std::string line;
  bool more = true;
  while (more) {
    const std::size_t first = lines;
    std::string piece;
    while (piece.size() < kPiece && (more = static_cast<bool>(std::getline(in, line)))) {
      piece += line + "\n";
      ++lines;
    }
    if (piece.empty()) break;
    json::Value body;
    body["who"] = who;
    body["csv"] = piece;
    const auto answer = client.post("importRegulars", body);
    if (!answer) return complain(answer.error());
    added += json::int_at(*answer, "added").value_or(0);
    known += json::int_at(*answer, "known").value_or(0);
    refused += json::int_at(*answer, "refused").value_or(0);
    for (const json::Value& example : json::at(*answer, "examples")) {
      const auto at = first + static_cast<std::size_t>(json::int_at(example, "line").value_or(0));
      std::fprintf(stderr, "%s:%zu: %s\n", file.c_str(), at, text_at(example, "why").c_str());
    }
  }
  std::printf("%lld added, %lld known before, %lld lines not taken\n",
              static_cast<long long>(added), static_cast<long long>(known),
              static_cast<long long>(refused));
  return refused == 0 ? 0 : 1;
}

int list_opt_outs(const Client& client) {
  const auto answer = client.get("getOptOuts");
  if (!answer) return complain(answer.error());
  if (answer->empty()) std::printf("Nobody has asked for no more messages.\n");
  for (const json::Value& entry : *answer) {
    const bool by_operator = json::bool_at(entry, "byOperator").value_or(false);
    std::printf("%-28s %s %s\n", text_at(entry, "chatId").c_str(),
                local_time(json::int_at(entry, "since").value_or(0)).c_str(),
                by_operator ? "operator" : "customer");
  }
  return 0;
}

int change_opt_out(const Client& client, bool add, const std::string& chat, const std::string& who,
                   const std::string& reason) {
  const auto whose = chat_id(chat);
  if (!whose) return complain(whose.error());
  json::Value body;
  body["chatId"] = *whose;
  body["who"] = who;
  body["reason"] = reason;
  const auto answer = client.post(add ? "addOptOut" : "removeOptOut", body);
  return answer ? 0 : complain(answer.error());
}

}  // namespace posthorn::ctl
