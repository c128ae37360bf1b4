#include <algorithm>

#include "api/notification/kinds.h"

// pollMessage, pollUpdateMessage. A vote lists all options and puts the voter under what they
// chose.
namespace posthorn::api {

std::optional<json::Value> show_message(const content::Poll& kind, const Content&) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "pollMessage";
  json::Value& data = out["pollMessageData"];
  data["name"] = shown_text(kind.name);
  data["options"] = json::Value(::Json::arrayValue);
  for (const std::string& option : kind.options) {
    json::Value one;
    one["optionName"] = shown_text(option);
    data["options"].append(std::move(one));
  }
  data["multipleAnswers"] = kind.multiple;
  return out;
}

std::optional<json::Value> show_message(const content::PollVote& kind, const Content&) {
  json::Value out(::Json::objectValue);
  out["typeMessage"] = "pollUpdateMessage";
  json::Value& data = out["pollMessageData"];
  data["stanzaId"] = shown_text(kind.poll_id);
  data["name"] = shown_text(kind.poll.name);
  data["votes"] = json::Value(::Json::arrayValue);
  for (const std::string& option : kind.poll.options) {
    json::Value one;
    one["optionName"] = shown_text(option);
    one["optionVoters"] = json::Value(::Json::arrayValue);
    const auto& chosen = kind.chosen;
    if (std::find(chosen.begin(), chosen.end(), option) != chosen.end()) {
      one["optionVoters"].append(shown_text(kind.voter));
    }
    data["votes"].append(std::move(one));
  }
  data["multipleAnswers"] = kind.poll.multiple;
  return out;
}

}  // namespace posthorn::api
