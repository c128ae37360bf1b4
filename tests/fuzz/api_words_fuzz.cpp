// Words of the API beside its JSON bodies: forms of the page, chats, pictures, rows of the journal.
//
// Input: the text.

#include "api/journal_form.h"
#include "api/page/escape_html.h"
#include "api/utf8.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/api/form.h"
#include "posthorn/api/settings.h"
#include "posthorn/base/json.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = to_string(fuzz::Input(data, size).rest());
  for (const auto& [name, value] : api::parse_form(text)) {
    fuzz::require(name.size() + value.size() <= text.size(), "a form does not grow");
  }
  const std::string safe = api::escape_html(text);
  fuzz::require(safe.find_first_of("<>\"'") == std::string::npos, "no tag comes out of a text");
  fuzz::require(!api::find_bad_utf8(api::clean_utf8(text)), "what is cleaned is UTF-8");
  fuzz::require(!api::find_bad_utf8(api::shown(text)), "so is what is shown");
  if (const auto chat = api::parse_chat_id(text)) {
    fuzz::require(api::parse_chat_id(*chat) == *chat, "a chat reads back the same");
    fuzz::require(chat->find_first_of("/ \r\n") == std::string::npos, "and is one word");
  }
  if (const auto phone = api::parse_phone(text)) {
    fuzz::require(phone->find_first_not_of("0123456789") == std::string::npos, "a phone is digits");
  }
  if (const auto body = json::parse(text, 10'000)) {
    if (const auto change = api::apply_settings({}, *body)) {
      const auto shown = api::settings_to_json(change->settings, "");
      const auto again = api::apply_settings({}, shown);
      fuzz::require(again && again->settings == change->settings, "settings read back the same");
    }
    (void)api::edited_text(*body);
  }
  (void)api::kept_sender(text);
  fuzz::require(json::parse(api::deleted_form(text)).has_value(), "what is left is JSON");
  journal::Entry entry;
  entry.body = text;
  const auto item = api::journal_item(entry, "4915550007777@c.us", nullptr, "box");
  fuzz::require(json::parse(json::write(item)).has_value(), "a row of the journal can be shown");
  (void)api::call_item(entry, "4915550007777@c.us");
  return 0;
}
