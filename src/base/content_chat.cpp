#include <utility>

#include "base/content_kinds.h"

// Invitations, the catalogue, appointments, and what is said about the chat itself.
namespace posthorn::stored {

const std::string* readable(const content::GroupInvite& kind) { return &kind.caption; }

int store(const content::GroupInvite& kind, json::Value& out) {
  json::Value& invite = out["invite"];
  invite["group"] = kind.group;
  invite["code"] = kind.code;
  invite["name"] = kind.name;
  invite["caption"] = kind.caption;
  invite["expires"] = static_cast<::Json::Int64>(kind.expires);
  return kGroupInvite;
}

Content::What restore_group_invite(const json::Value& in) {
  const json::Value& invite = json::at(in, "invite");
  content::GroupInvite kind;
  kind.group = text_at(invite, "group");
  kind.code = text_at(invite, "code");
  kind.name = text_at(invite, "name");
  kind.caption = text_at(invite, "caption");
  kind.expires = json::int_at(invite, "expires").value_or(0);
  return kind;
}

const std::string* readable(const content::Order& kind) { return &kind.message; }
int store(const content::Order&, json::Value&) { return 0; }

const std::string* readable(const content::Product& kind) { return &kind.body; }
int store(const content::Product&, json::Value&) { return 0; }

const std::string* readable(const content::Event&) { return nullptr; }
int store(const content::Event&, json::Value&) { return 0; }

const std::string* readable(const content::Pin&) { return nullptr; }
int store(const content::Pin&, json::Value&) { return 0; }

const std::string* readable(const content::Timer&) { return nullptr; }

int store(const content::Timer& kind, json::Value& out) {
  out["timer"] = kind.seconds;
  return kTimer;
}

Content::What restore_timer(const json::Value& in) {
  content::Timer kind;
  const auto seconds = json::int_at(in, "timer").value_or(0);
  if (std::in_range<std::uint32_t>(seconds)) kind.seconds = static_cast<std::uint32_t>(seconds);
  return kind;
}

const std::string* readable(const content::Album&) { return nullptr; }
int store(const content::Album&, json::Value&) { return 0; }

}  // namespace posthorn::stored
