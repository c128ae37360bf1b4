#include "base/content_kinds.h"

// Questions with something to choose, and what was chosen. Of these only polls are sent.
namespace posthorn::stored {

const std::string* readable(const content::Poll& kind) { return &kind.name; }

int store(const content::Poll& kind, json::Value& out) {
  json::Value& poll = out["poll"];
  poll["name"] = kind.name;
  for (const std::string& option : kind.options) poll["options"].append(option);
  if (kind.multiple) poll["multiple"] = true;
  return kPoll;
}

Content::What restore_poll(const json::Value& in) {
  const json::Value& poll = json::at(in, "poll");
  content::Poll kind;
  kind.name = text_at(poll, "name");
  for (const json::Value& option : json::at(poll, "options")) {
    kind.options.push_back(json::text_of(option).value_or(""));
  }
  kind.multiple = json::bool_at(poll, "multiple").value_or(false);
  return kind;
}

const std::string* readable(const content::PollVote&) { return nullptr; }
int store(const content::PollVote&, json::Value&) { return 0; }

const std::string* readable(const content::Buttons& kind) { return &kind.body; }
int store(const content::Buttons&, json::Value&) { return 0; }

/// What somebody presses is what they say.
const std::string* readable(const content::Choice& kind) { return &kind.text; }
int store(const content::Choice&, json::Value&) { return 0; }

}  // namespace posthorn::stored
