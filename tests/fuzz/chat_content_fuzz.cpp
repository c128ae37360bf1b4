#include "chat/content/attrs.h"
#include "chat/content/build.h"
#include "chat/content/parse.h"
#include "chat/people/devices_adv.h"
#include "fuzz/fuzz_support.h"

using namespace posthorn;

/// Input: a decrypted, unpadded message, as any customer may send it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = fuzz::Input(data, size).rest();
  (void)chat::parse_key_index_list(bytes, std::nullopt);
  (void)chat::check_companion(bytes, signal::PublicKey{}, signal::PublicKey{});
  wa::Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return 0;
  (void)chat::describe_content(message);
  const auto opened = chat::open_wrappers(message);
  if (!opened) {
    fuzz::require(opened.error().code == Errc::malformed, "wrapped too deeply");
    return 0;
  }
  const auto parsed = chat::parse_content(*opened->message);
  if (parsed.content) {
    const auto& what = parsed.content->what;
    const auto* edit = std::get_if<content::Edit>(&what);
    const auto* deletion = std::get_if<content::Deletion>(&what);
    const auto* other = std::get_if<content::Other>(&what);
    fuzz::require(edit == nullptr || !edit->target_id.empty(), "an edit names its target");
    fuzz::require(deletion == nullptr || !deletion->target_id.empty(), "a deletion too");
    fuzz::require(other == nullptr || !other->type_name.empty(), "other has a name");
    (void)readable_text(*parsed.content);
  }
  // Quoting it must give something that can be read again, without the quote it carries itself.
  const std::optional<chat::QuotedMessage> quoted =
      chat::QuotedMessage{"ID", "1@lid", message.SerializeAsString()};
  wa::Message again;
  const auto built = chat::build_message({content::Text{"x", true, {}}, {}}, {ByteView(), quoted});
  fuzz::require(built && again.ParseFromString(built->SerializeAsString()), "a quote can be read");
  return 0;
}
