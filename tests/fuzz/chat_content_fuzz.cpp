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
  const auto content = chat::parse_content(*opened->message);
  using Kind = chat::Content::Kind;
  const bool changes = content.kind == Kind::edit || content.kind == Kind::revoke;
  fuzz::require(!changes || !content.target_id.empty(), "an edit or deletion names its target");
  fuzz::require(content.kind != Kind::other || !content.type_name.empty(), "other has a name");
  fuzz::require((content.kind == Kind::quoted) == content.quote.has_value(), "quoted has a quote");
  // Quoting it must give something that can be read again, without the quote it carries itself.
  const chat::QuotedMessage quoted{"ID", "1@lid", message.SerializeAsString()};
  wa::Message again;
  const wa::Message built = chat::build_text("x", ByteView(), quoted);
  fuzz::require(again.ParseFromString(built.SerializeAsString()), "a quote can be read");
  return 0;
}
