#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/content.h"
#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

/// The official API's message objects to Content, a file per kind or family. Each takes the object
/// of its type ({"body": …} of a text). Errors: as cloud/fields.h, and unsupported (131051).
/// Source: Meta's reference of the messages endpoint, v23.0 to v26.0.
namespace posthorn::cloud {

[[nodiscard]] Result<Content::What> parse_text(const json::Value& object);
[[nodiscard]] Result<Content::What> parse_location(const json::Value& object);
/// cards: the array of a contacts message.
[[nodiscard]] Result<Content::What> parse_contacts(const json::Value& message);
struct ReactionAsked {
  content::Reaction reaction;
  std::string target;  ///< wamid
};
[[nodiscard]] Result<ReactionAsked> parse_reaction(const json::Value& object);

/// A file as a message names it, before it is looked at.
struct MediaAsked {
  content::File::Kind kind = content::File::Kind::document;
  bool voice = false;
  std::string id;    ///< of an upload; empty: `link`
  std::string link;  ///< http or https
  std::string caption, file_name;
};
/// type: image, audio, video, document, sticker.
[[nodiscard]] Result<MediaAsked> parse_media(const json::Value& object, std::string_view type);
/// Is that type of media a file kind at all?
[[nodiscard]] bool is_media_type(std::string_view type);

/// Buttons and lists as every phone can show and answer them: a text with numbered lines, and the
/// file of a header in front of it, whose caption it is.
struct InteractiveAsked {
  std::string text;
  std::optional<MediaAsked> header;
};
[[nodiscard]] Result<InteractiveAsked> parse_interactive(const json::Value& object);

/// "*header*", body, lines, "_footer_": parts that are empty are left out. lines: one for each
/// choice, numbered here.
[[nodiscard]] std::string text_with_choices(const std::string& header, const std::string& body,
                                            const std::vector<std::string>& lines,
                                            const std::string& footer);

/// vCard 3.0 of one entry of a contacts message. where: for messages.
[[nodiscard]] Result<content::Contacts::Card> parse_card(const json::Value& contact,
                                                         const std::string& where);
/// The entry of a webhook that such a card is shown as.
[[nodiscard]] json::Value contact_of_vcard(const std::string& name, const std::string& vcard);

}  // namespace posthorn::cloud
