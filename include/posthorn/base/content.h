#pragma once

#include <optional>
#include <string>
#include <variant>

/// What a message says, whoever said it and whichever transport carries it. Each kind is a small
/// value; whatever turns a message into another language does so by kind, in a file per kind or
/// family: Green-API's JSON to Content and back into the request (src/api/sending), Content to
/// notifications (src/api/notification), Content from and to WhatsApp's protobuf
/// (src/chat/content). A new kind: ARCHITECTURE.md, "A new kind of message".
namespace posthorn {

namespace content {

/// A link, as its sender showed it.
struct Preview {
  std::string title, description, url;
  bool operator==(const Preview&) const = default;
};

struct Text {
  std::string body;                ///< UTF-8
  bool link_preview = true;        ///< of ours: a link in it may be shown with a preview
  std::optional<Preview> preview;  ///< it came with a preview or formatting data, maybe empty
  bool operator==(const Text&) const = default;
};

/// An earlier message says something else now.
struct Edit {
  std::string target_id;
  std::string text;  ///< text or caption
  bool operator==(const Edit&) const = default;
};

/// An earlier message was deleted for everyone.
struct Deletion {
  std::string target_id;
  bool operator==(const Deletion&) const = default;
};

/// An answer of one emoji to the message in Content::quote.
struct Reaction {
  std::string emoji;  ///< empty: taken back
  bool operator==(const Reaction&) const = default;
};

/// Given up after the last retry.
struct Undecryptable {
  bool operator==(const Undecryptable&) const = default;
};

/// A kind that we do not know yet: told as such, never dropped in silence.
struct Other {
  std::string type_name;  ///< the protobuf field, e.g. "imageMessage"
  std::string text;       ///< caption; may be empty
  bool operator==(const Other&) const = default;
};

}  // namespace content

/// Every kind, in the order in which a received message is asked whether it is one; Other takes
/// what is left. Each translator declares a function per kind from this list, so that a new kind
/// does not link until each has said what it makes of it.
#define POSTHORN_CONTENT_KINDS(X) X(Text) X(Edit) X(Deletion) X(Reaction) X(Undecryptable) X(Other)

/// The message that another one answers.
struct Quote {
  std::string id;
  std::string participant;  ///< chatId of its author; empty: not known
  std::string text;
  std::string type_message = "textMessage";  ///< Green-API's word for its kind
  bool operator==(const Quote&) const = default;
};

/// What a message says, and what every kind can have beside it.
struct Content {
  using What = std::variant<content::Text, content::Edit, content::Deletion, content::Reaction,
                            content::Undecryptable, content::Other>;
  What what;
  std::optional<Quote> quote;
  bool forwarded = false;
  int forwarding_score = 0;

  bool operator==(const Content&) const = default;
};

#define POSTHORN_COUNT_(Kind) +1
static_assert(std::variant_size_v<Content::What> == POSTHORN_CONTENT_KINDS(POSTHORN_COUNT_),
              "the list and the variant name the same kinds");
#undef POSTHORN_COUNT_

/// The text that a person reads: body, caption or the new text of an edit; else empty.
[[nodiscard]] std::string readable_text(const Content& content);

}  // namespace posthorn
