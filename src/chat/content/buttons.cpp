#include <algorithm>

#include "chat/content/kinds.h"
#include "posthorn/base/json.h"

// Texts with something to press (buttonsMessage, listMessage, templateMessage, interactiveMessage)
// and what was pressed (chapter 07 sections 5.7, 7).
namespace posthorn::chat {
namespace {

using content::Buttons;
using Button = Buttons::Button;
using Form = Buttons::Form;

constexpr std::size_t kMostButtons = 100;

void read_buttons(const wa::Message::ButtonsMessage& from, Buttons& to) {
  to.form = Form::buttons;
  to.title = from.text();
  to.body = from.contenttext();
  to.footer = from.footertext();
  for (const auto& button : from.buttons()) {
    if (to.buttons.size() == kMostButtons) break;
    to.buttons.push_back(
        {Button::Kind::reply, button.buttonid(), button.buttontext().displaytext(), ""});
  }
}

void read_list(const wa::Message::ListMessage& from, Buttons& to) {
  to.form = Form::list;
  to.title = from.title();
  to.body = from.description();
  to.footer = from.footertext();
  to.list_button = from.buttontext();
  std::size_t rows = 0;
  for (const auto& section : from.sections()) {
    if (to.sections.size() == kMostButtons) break;
    auto& one = to.sections.emplace_back();
    one.title = section.title();
    for (const auto& row : section.rows()) {
      if (rows++ == kMostButtons) return;
      one.rows.push_back({row.rowid(), row.title(), row.description()});
    }
  }
}

Button button_of(const wa::Message::TemplateMessage::HydratedTemplateButton& from) {
  if (from.has_urlbutton()) {
    return {Button::Kind::url, "", from.urlbutton().displaytext(), from.urlbutton().url()};
  }
  if (from.has_callbutton()) {
    return {Button::Kind::call, "", from.callbutton().displaytext(),
            from.callbutton().phonenumber()};
  }
  return {Button::Kind::reply, from.quickreplybutton().id(), from.quickreplybutton().displaytext(),
          ""};
}

/// buttonParamsJson and paramsJson come from people's phones: anything may stand in them.
std::string param(const json::Value& params, const char* name) {
  return json::text_of(json::at(params, name)).value_or("");
}

Button button_of(const wa::Message::InteractiveMessage::NativeFlowMessage::NativeFlowButton& from) {
  const auto parsed = json::parse(from.buttonparamsjson(), kMostButtons);
  const json::Value params = parsed ? *parsed : json::Value();
  Button button{Button::Kind::reply, param(params, "id"), param(params, "display_text"), ""};
  if (from.name() == "cta_url") {
    button.kind = Button::Kind::url;
    button.value = param(params, "url");
  } else if (from.name() == "cta_call") {
    button.kind = Button::Kind::call;
    button.value = param(params, "phone_number");
  } else if (from.name() == "cta_copy") {
    button.kind = Button::Kind::copy;
    button.value = param(params, "copy_code");
  }
  return button;
}

void read_interactive(const wa::Message::InteractiveMessage& from, Buttons& to) {
  to.form = Form::interactive;
  to.title = from.header().title();
  to.body = from.body().text();
  to.footer = from.footer().text();
  for (const auto& button : from.nativeflowmessage().buttons()) {
    if (to.buttons.size() == kMostButtons) break;
    to.buttons.push_back(button_of(button));
  }
}

void read_template(const wa::Message::TemplateMessage& from, Buttons& to) {
  if (from.has_interactivemessagetemplate()) {
    return read_interactive(from.interactivemessagetemplate(), to);
  }
  const auto& rows =
      from.has_hydratedtemplate() ? from.hydratedtemplate() : from.hydratedfourrowtemplate();
  to.form = Form::template_;
  to.title = rows.hydratedtitletext();
  to.body = rows.hydratedcontenttext();
  to.footer = rows.hydratedfootertext();
  for (const auto& button : rows.hydratedbuttons()) {
    if (to.buttons.size() == kMostButtons) break;
    to.buttons.push_back(button_of(button));
  }
}

}  // namespace

bool read(const wa::Message& message, content::Buttons& kind, Beside&) {
  if (message.has_buttonsmessage()) {
    read_buttons(message.buttonsmessage(), kind);
  } else if (message.has_listmessage()) {
    read_list(message.listmessage(), kind);
  } else if (message.has_templatemessage()) {
    read_template(message.templatemessage(), kind);
  } else if (message.has_interactivemessage()) {
    read_interactive(message.interactivemessage(), kind);
  } else {
    return false;
  }
  return true;
}

/// WhatsApp refuses the old ones with 405 and shows the new ones on some phones only.
Result<wa::Message> write(const content::Buttons&, const Outgoing&) {
  return fail(Errc::unsupported, "linked devices cannot send buttons and lists");
}

bool read(const wa::Message& message, content::Choice& kind, Beside&) {
  if (message.has_buttonsresponsemessage()) {
    const auto& reply = message.buttonsresponsemessage();
    kind = {Form::buttons, reply.selectedbuttonid(), reply.selecteddisplaytext(), 0};
  } else if (message.has_listresponsemessage()) {
    const auto& reply = message.listresponsemessage();
    kind = {Form::list, reply.singleselectreply().selectedrowid(), reply.title(), 0};
  } else if (message.has_templatebuttonreplymessage()) {
    const auto& reply = message.templatebuttonreplymessage();
    const auto index = std::min(reply.selectedindex(), 1'000U);
    kind = {Form::template_, reply.selectedid(), reply.selecteddisplaytext(),
            static_cast<int>(index)};
  } else if (message.has_interactiveresponsemessage()) {
    const auto& reply = message.interactiveresponsemessage();
    const auto params = json::parse(reply.nativeflowresponsemessage().paramsjson(), kMostButtons);
    kind = {Form::interactive, params ? param(*params, "id") : "", reply.body().text(), 0};
  } else {
    return false;
  }
  return true;
}

Result<wa::Message> write(const content::Choice&, const Outgoing&) {
  return fail(Errc::unsupported, "pressed buttons are not sent by this release");
}

}  // namespace posthorn::chat
