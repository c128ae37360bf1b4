#include "ctl/talk.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "ctl/commands.h"

namespace posthorn::ctl {

namespace {

/// What people wrote must not command the terminal.
std::string plain(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    // U+0080 .. U+009F, of which some terminals take orders, too.
    const bool upper = at(i) == 0xC2 && i + 1 < text.size() && at(i + 1) < 0xA0;
    const bool control = upper || at(i) < 0x20 || at(i) == 0x7F;
    out += control ? ' ' : text[i];
    if (upper) ++i;
  }
  return out;
}

std::string text_at(const json::Value& value, const char* key) {
  return plain(json::text_of(json::at(value, key)).value_or(""));
}

std::string time_at(const json::Value& value, const char* key) {
  const auto seconds = static_cast<std::time_t>(json::int_at(value, key).value_or(0));
  std::tm local{};
  std::array<char, 32> out{};
  if (localtime_r(&seconds, &local) == nullptr) return "";
  std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M", &local);
  return out.data();
}

/// The words of an item, or what kind of thing it is.
std::string what_of(const json::Value& item) {
  std::string out = text_at(item, "textMessage");
  const std::string caption = text_at(item, "caption");
  const std::string type = text_at(item, "typeMessage");
  if (out.empty()) out = "[" + type + "]" + (caption.empty() ? "" : " " + caption);
  const std::string file = text_at(item, "fileName");
  if (!file.empty()) out += " " + file;
  if (json::bool_at(item, "isEdited").value_or(false)) out += " (edited)";
  if (json::bool_at(item, "isDeleted").value_or(false)) out += " (deleted)";
  return out;
}

void print_item(const json::Value& item) {
  const bool incoming = text_at(item, "type") == "incoming";
  const std::string name = text_at(item, "senderName");
  const std::string who = incoming ? (name.empty() ? text_at(item, "senderId") : name) : "shop";
  std::string state = text_at(item, "statusMessage");
  const std::string external = text_at(item, "externalId");
  if (!external.empty()) state += (state.empty() ? "" : ", ") + external;
  std::printf("%s  %s: %s%s\n", time_at(item, "timestamp").c_str(), who.c_str(),
              what_of(item).c_str(), state.empty() ? "" : ("  [" + state + "]").c_str());
}

int print_items(const Result<json::Value>& items, const char* none) {
  if (!items) return complain(items.error());
  if (!items->isArray() || items->empty()) {
    std::printf("%s\n", none);
    return 0;
  }
  // As one reads: the newest last.
  for (::Json::ArrayIndex i = items->size(); i-- > 0;) print_item((*items)[i]);
  return 0;
}

/// What the phone has of before the journal: it has a minute to answer, and another for its file.
int show_older(const Client& client, const std::string& chat, int count) {
  constexpr std::chrono::seconds kPatience{130};
  json::Value body(::Json::objectValue);
  body["chatId"] = chat;
  body["count"] = count;
  return print_items(client.patient(kPatience).post("requestChatHistory", body),
                     "the phone has no older messages");
}

int show_history(const Client& client, const std::string& chat, const std::string& external,
                 int count) {
  json::Value body(::Json::objectValue);
  if (!chat.empty()) body["chatId"] = chat;
  if (!external.empty()) body["externalId"] = external;
  body["count"] = count;
  return print_items(client.post("getChatHistory", body), "nothing in the journal");
}

int show_chats(const Client& client, int count) {
  const auto chats = client.get("getChats", "count=" + std::to_string(count));
  if (!chats) return complain(chats.error());
  for (const json::Value& chat : *chats) {
    std::printf("%-34s %s%s\n", text_at(chat, "id").c_str(), text_at(chat, "name").c_str(),
                json::bool_at(chat, "archive").value_or(false) ? "  (archived)" : "");
  }
  return 0;
}

int list_groups(const Client& client) {
  const auto groups = client.get("getContacts", "group=true");
  if (!groups) return complain(groups.error());
  for (const json::Value& group : *groups) {
    std::printf("%-34s %s\n", text_at(group, "id").c_str(), text_at(group, "name").c_str());
  }
  return 0;
}

int show_group(const Client& client, const std::string& id) {
  json::Value body(::Json::objectValue);
  body["groupId"] = id;
  const auto group = client.post("getGroupData", body);
  if (!group) return complain(group.error());
  std::printf("%s\n", text_at(*group, "subject").c_str());
  for (const json::Value& member : json::at(*group, "participants")) {
    const bool owner = json::bool_at(member, "isSuperAdmin").value_or(false);
    const bool admin = json::bool_at(member, "isAdmin").value_or(false);
    std::printf("  %s%s\n", text_at(member, "id").c_str(),
                owner ? "  (owner)" : (admin ? "  (admin)" : ""));
  }
  return 0;
}

}  // namespace

TalkCommands::TalkCommands(CLI::App& options)
    : history_(options.add_subcommand("history", "what was said with somebody")),
      chats_(options.add_subcommand("chats", "with whom was talked, the newest first")),
      groups_(options.add_subcommand("groups", "the groups; with an id the members of one")) {
  history_->add_option("chat", chat_, "number with country, in quotes if with blanks, or chatId");
  history_->add_option("--external", external_, "only the messages with that externalId");
  history_->add_option("--count", count_, "at most so many")->capture_default_str();
  history_->add_flag("--phone", phone_,
                     "older messages than the box has, asked of the phone (50 at most)");
  chats_->add_option("--count", chats_count_, "at most so many")->capture_default_str();
  groups_->add_option("group", group_, "…@g.us");
}

std::optional<int> TalkCommands::run(const Client& client) const {
  if (history_->parsed()) {
    if (chat_.empty() && external_.empty()) {
      return complain({Errc::malformed, "whose history? A number, a chatId or --external"});
    }
    if (phone_ && chat_.empty()) {
      return complain({Errc::malformed, "--phone asks about one chat: a number or a chatId"});
    }
    return phone_ ? show_older(client, chat_, count_)
                  : show_history(client, chat_, external_, count_);
  }
  if (chats_->parsed()) return show_chats(client, chats_count_);
  if (groups_->parsed()) {
    return group_.empty() ? list_groups(client) : show_group(client, group_);
  }
  return std::nullopt;
}

}  // namespace posthorn::ctl
