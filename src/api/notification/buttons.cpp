#include "api/notification/kinds.h"

// buttonsMessage, listMessage, templateMessage, interactiveButtons, interactiveButtonsReply, and
// the answers to them.
namespace posthorn::api {
namespace {

using content::Buttons;
using Button = Buttons::Button;

json::Value plain_button(const Button& button) {
  json::Value out(::Json::objectValue);
  out["buttonId"] = shown_text(button.id);
  out["buttonText"] = shown_text(button.text);
  return out;
}

json::Value template_button(const Button& button, int index) {
  json::Value out(::Json::objectValue);
  out["index"] = index;
  switch (button.kind) {
    case Button::Kind::url:
      out["urlButton"]["displayText"] = shown_text(button.text);
      out["urlButton"]["url"] = shown_text(button.value);
      break;
    case Button::Kind::call:
      out["callButton"]["displayText"] = shown_text(button.text);
      out["callButton"]["phoneNumber"] = shown_text(button.value);
      break;
    case Button::Kind::reply:
    case Button::Kind::copy:
      out["quickReplyButton"]["displayText"] = shown_text(button.text);
      out["quickReplyButton"]["id"] = shown_text(button.id);
      break;
  }
  return out;
}

json::Value interactive_button(const Button& button) {
  json::Value out = plain_button(button);
  switch (button.kind) {
    case Button::Kind::reply:
      out["type"] = "reply";
      break;
    case Button::Kind::url:
      out["type"] = "url";
      out["url"] = shown_text(button.value);
      break;
    case Button::Kind::call:
      out["type"] = "call";
      out["phoneNumber"] = shown_text(button.value);
      break;
    case Button::Kind::copy:
      out["type"] = "copy";
      out["copyCode"] = shown_text(button.value);
      break;
  }
  return out;
}

json::Value section_of(const Buttons::Section& section) {
  json::Value out(::Json::objectValue);
  out["title"] = shown_text(section.title);
  out["rows"] = json::Value(::Json::arrayValue);
  for (const Buttons::Row& row : section.rows) {
    json::Value one(::Json::objectValue);
    one["title"] = shown_text(row.title);
    one["rowId"] = shown_text(row.id);
    one["description"] = shown_text(row.description);
    out["rows"].append(std::move(one));
  }
  return out;
}

/// contentText, footer and forwarding, which the three older forms share.
json::Value& begin(const char* type, const Buttons& kind, const Content& content,
                   json::Value& out) {
  out["typeMessage"] = type;
  json::Value& data = out[type];
  data["contentText"] = shown_text(kind.body);
  data["footer"] = shown_text(kind.footer);
  show_forwarding(content, data);
  return data;
}

void show_list(const Buttons& kind, const Content& content, json::Value& out) {
  json::Value& data = begin("listMessage", kind, content, out);
  data["title"] = shown_text(kind.title);
  data["buttonText"] = shown_text(kind.list_button);
  data["sections"] = json::Value(::Json::arrayValue);
  for (const auto& section : kind.sections) data["sections"].append(section_of(section));
}

void show_template(const Buttons& kind, const Content& content, json::Value& out) {
  json::Value& data = begin("templateMessage", kind, content, out);
  data["namespace"] = "";
  data["elementName"] = "";
  data["buttons"] = json::Value(::Json::arrayValue);
  int index = 0;
  for (const Button& button : kind.buttons)
    data["buttons"].append(template_button(button, index++));
}

void show_interactive(const Buttons& kind, json::Value& out) {
  bool replies = true;
  for (const Button& button : kind.buttons) replies = replies && button.kind == Button::Kind::reply;
  const char* type = replies ? "interactiveButtonsReply" : "interactiveButtons";
  out["typeMessage"] = type;
  json::Value& data = out[type];
  data["titleText"] = shown_text(kind.title);
  data["contentText"] = shown_text(kind.body);
  data["footerText"] = shown_text(kind.footer);
  data["buttons"] = json::Value(::Json::arrayValue);
  for (const Button& button : kind.buttons) data["buttons"].append(interactive_button(button));
}

}  // namespace

std::optional<json::Value> show_message(const content::Buttons& kind, const Content& content) {
  json::Value out(::Json::objectValue);
  switch (kind.form) {
    case Buttons::Form::buttons: {
      json::Value& data = begin("buttonsMessage", kind, content, out);
      data["buttons"] = json::Value(::Json::arrayValue);
      for (const Button& button : kind.buttons) data["buttons"].append(plain_button(button));
      break;
    }
    case Buttons::Form::list:
      show_list(kind, content, out);
      break;
    case Buttons::Form::template_:
      show_template(kind, content, out);
      break;
    case Buttons::Form::interactive:
      show_interactive(kind, out);
      break;
  }
  return out;
}

/// A tap on an interactive button has the form of a template's, as in the cloud.
std::optional<json::Value> show_message(const content::Choice& kind, const Content& content) {
  const std::string target = content.quote ? content.quote->id : "";
  json::Value out(::Json::objectValue);
  switch (kind.form) {
    case Buttons::Form::buttons: {
      out["typeMessage"] = "buttonsResponseMessage";
      json::Value& data = out["buttonsResponseMessage"];
      data["stanzaId"] = shown_text(target);
      data["selectedButtonId"] = shown_text(kind.id);
      data["selectedButtonText"] = shown_text(kind.text);
      break;
    }
    case Buttons::Form::list: {
      out["typeMessage"] = "listResponseMessage";
      json::Value& data = out["listResponseMessage"];
      data["stanzaId"] = shown_text(target);
      data["title"] = shown_text(kind.text);
      data["listType"] = 1;
      data["singleSelectReply"] = shown_text(kind.id);
      break;
    }
    case Buttons::Form::template_:
    case Buttons::Form::interactive: {
      out["typeMessage"] = "templateButtonsReplyMessage";
      json::Value& data = out["templateButtonReplyMessage"];
      data["stanzaId"] = shown_text(target);
      data["selectedIndex"] = kind.index;
      data["selectedId"] = shown_text(kind.id);
      data["selectedDisplayText"] = shown_text(kind.text);
      break;
    }
  }
  return out;
}

}  // namespace posthorn::api
