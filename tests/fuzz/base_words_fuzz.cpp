// Small texts of strangers: JSON, phone numbers, names of files, what a proxy answers, a card's
// values; and the configuration, which may be half a file.
//
// Input: the text.

#include "fuzz/fuzz_support.h"
#include "posthorn/base/base64url.h"
#include "posthorn/base/config.h"
#include "posthorn/base/json.h"
#include "posthorn/base/json_ascii.h"
#include "posthorn/base/links.h"
#include "posthorn/base/media_type.h"
#include "posthorn/base/percent_encode.h"
#include "posthorn/base/phone_number.h"
#include "posthorn/base/proxy.h"
#include "posthorn/base/utf8.h"
#include "posthorn/base/vcard.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = fuzz::Input(data, size).rest();
  const std::string_view text = as_text(bytes);
  if (const auto value = json::parse(text, 10'000)) {
    const auto again = json::parse(json::write(*value));
    fuzz::require(again && json::write(*again) == json::write(*value), "JSON reads back the same");
    for (const char c : json::write_ascii(*value)) {
      fuzz::require(static_cast<unsigned char>(c) < 0x80, "ASCII is ASCII");
    }
  }
  if (const auto number = parse_phone_number(text)) {
    fuzz::require(number->size() >= 7 && number->size() <= 15, "7 .. 15");
    fuzz::require(number->find_first_not_of("0123456789") == std::string::npos, "digits");
    fuzz::require(parse_phone_number(*number) == *number, "which read back the same");
  }
  const std::string name = file_name_in(text);
  fuzz::require(name.size() <= 255 && name.find_first_of("/\\") == std::string::npos, "a name");
  fuzz::require(name != "." && name != "..", "is no path");
  for (const char c : name) fuzz::require(static_cast<unsigned char>(c) >= 0x20, "nor a command");
  const std::string value = vcard_value(text);
  fuzz::require(value.find_first_of("\r\n") == std::string::npos, "a card's value is one line");
  for (const char c : percent_encode(text)) fuzz::require(c > ' ' && c < 0x7F, "part of a URL");
  fuzz::require(base64_decode(base64url_encode(bytes)) == to_bytes(bytes), "base64 reads back");
  fuzz::require(cut_utf8(std::string(text), 10).size() <= 10, "what is cut is short");
  (void)parse_connect_answer(text);
  if (const auto proxy = parse_proxy(text)) {
    const std::string asked = build_connect(*proxy, "web.whatsapp.com", 443);
    fuzz::require(asked.find("\r\n\r\n") == asked.size() - 4, "one request, and its end");
  }
  (void)parse_config(fuzz::only_ascii(text), "posthorn.toml");
  return 0;
}
