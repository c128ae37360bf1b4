#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

using content::Buttons;
using Button = Buttons::Button;
using Form = Buttons::Form;

Buttons question(Form form) {
  Buttons out;
  out.form = form;
  out.title = "Head";
  out.body = "Come today?";
  out.footer = "Bakery";
  out.buttons = {{Button::Kind::reply, "y", "Yes", ""},
                 {Button::Kind::url, "m", "Map", "https://shop.example/map"},
                 {Button::Kind::call, "c", "Call", "4915550009999"},
                 {Button::Kind::copy, "k", "Copy", "118"}};
  return out;
}

TEST(Notification, ShowsButtons) {
  Buttons buttons = question(Form::buttons);
  buttons.buttons.resize(1);
  expect_data(
      incoming(buttons),
      R"({"typeMessage":"buttonsMessage","buttonsMessage":{"contentText":"Come today?","footer":"Bakery","buttons":[{"buttonId":"y","buttonText":"Yes"}],"forwardingScore":0,"isForwarded":false}})");
}

TEST(Notification, ShowsAList) {
  Buttons list = question(Form::list);
  list.list_button = "Choose";
  list.sections = {{"Cakes", {{"r1", "Cherry", "with cream"}}}};
  expect_data(
      incoming(list),
      R"({"typeMessage":"listMessage","listMessage":{"contentText":"Come today?","title":"Head","footer":"Bakery","buttonText":"Choose","sections":[{"title":"Cakes","rows":[{"title":"Cherry","rowId":"r1","description":"with cream"}]}],"forwardingScore":0,"isForwarded":false}})");
}

TEST(Notification, ShowsATemplate) {
  Buttons form = question(Form::template_);
  form.buttons.resize(3);
  expect_data(
      incoming(form),
      R"({"typeMessage":"templateMessage","templateMessage":{"namespace":"","elementName":"","contentText":"Come today?","footer":"Bakery","buttons":[{"index":0,"quickReplyButton":{"displayText":"Yes","id":"y"}},{"index":1,"urlButton":{"displayText":"Map","url":"https://shop.example/map"}},{"index":2,"callButton":{"displayText":"Call","phoneNumber":"4915550009999"}}],"forwardingScore":0,"isForwarded":false}})");
}

TEST(Notification, ShowsInteractiveButtonsOfBothKinds) {
  Buttons form = question(Form::interactive);
  expect_data(
      incoming(form),
      R"({"typeMessage":"interactiveButtons","interactiveButtons":{"titleText":"Head","contentText":"Come today?","footerText":"Bakery","buttons":[{"type":"reply","buttonId":"y","buttonText":"Yes"},{"type":"url","buttonId":"m","buttonText":"Map","url":"https://shop.example/map"},{"type":"call","buttonId":"c","buttonText":"Call","phoneNumber":"4915550009999"},{"type":"copy","buttonId":"k","buttonText":"Copy","copyCode":"118"}]}})");
  form.buttons.resize(1);
  expect_data(
      incoming(form),
      R"({"typeMessage":"interactiveButtonsReply","interactiveButtonsReply":{"titleText":"Head","contentText":"Come today?","footerText":"Bakery","buttons":[{"type":"reply","buttonId":"y","buttonText":"Yes"}]}})");
}

Message pressed(Form form) {
  Message message = incoming(content::Choice{form, "y", "Yes", 0});
  message.content.quote =
      Quote{"3EB0C0FFEE0123456796", "4915550001234@c.us", "Come today?", "textMessage", {}, {}};
  return message;
}

const std::string kQuoted =
    R"("quotedMessage":{"stanzaId":"3EB0C0FFEE0123456796","participant":"4915550001234@c.us","typeMessage":"textMessage","textMessage":"Come today?"}})";

TEST(Notification, ShowsWhatWasPressed) {
  expect_data(
      pressed(Form::buttons),
      R"({"typeMessage":"buttonsResponseMessage","buttonsResponseMessage":{"stanzaId":"3EB0C0FFEE0123456796","selectedButtonId":"y","selectedButtonText":"Yes"},)" +
          kQuoted);
  expect_data(
      pressed(Form::list),
      R"({"typeMessage":"listResponseMessage","listResponseMessage":{"stanzaId":"3EB0C0FFEE0123456796","title":"Yes","listType":1,"singleSelectReply":"y"},)" +
          kQuoted);
  for (const Form form : {Form::template_, Form::interactive}) {
    expect_data(
        pressed(form),
        R"({"typeMessage":"templateButtonsReplyMessage","templateButtonReplyMessage":{"stanzaId":"3EB0C0FFEE0123456796","selectedIndex":0,"selectedId":"y","selectedDisplayText":"Yes"},)" +
            kQuoted);
  }
}

}  // namespace
}  // namespace posthorn::api::test
