#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posthorn/base/bytes.h"

/// What a message says, whoever said it and whichever transport carries it. Each kind is a small
/// value; whatever turns a message into another language does so by kind, in a file per kind or
/// family: Green-API's JSON to Content and back into the request (src/api/sending), Content to
/// notifications (src/api/notification), Content from and to WhatsApp's protobuf
/// (src/chat/content). A new kind: ARCHITECTURE.md, "A new kind of message".
namespace posthorn {

namespace content {

/// Where WhatsApp's servers keep the encrypted bytes of a file, and how they are read.
struct MediaPlace {
  std::string direct_path;  ///< below whichever host serves media
  std::string url;          ///< the same with a host; empty: not said
  Bytes key;                ///< 32 bytes
  Bytes sha256;             ///< of the file
  Bytes enc_sha256;         ///< of what lies at the host
  std::int64_t key_at = 0;  ///< when the key was made, Unix seconds; 0: not said
  bool operator==(const MediaPlace&) const = default;
};

/// A link, as its sender showed it.
struct Preview {
  std::string title, description, url;
  Bytes thumbnail = {};      ///< JPEG; may be empty
  std::string picture = {};  ///< of ours: the address of its picture; empty: none
  std::uint32_t width = 0;   ///< of the large picture, pixels; 0: not said
  std::uint32_t height = 0;
  std::optional<MediaPlace> place = {};  ///< of the large picture; nullopt: there is none
  bool operator==(const Preview&) const = default;
};

/// How a text looks as a status.
struct TextStyle {
  std::uint32_t background = 0xFF22'8B22;  ///< ARGB
  std::int32_t font = 0;                   ///< WhatsApp's number
  bool operator==(const TextStyle&) const = default;
};

struct Text {
  std::string body;                     ///< UTF-8
  bool link_preview = true;             ///< of ours: a link in it may be shown with a preview
  std::optional<Preview> preview;       ///< it came with a preview or formatting data, maybe empty
  bool large_preview = false;           ///< of ours: with a picture as wide as the message
  std::optional<TextStyle> style = {};  ///< of a status
  bool operator==(const Text&) const = default;
};

/// A file, with what the message says about it. What it does not say is 0 or empty.
struct File {
  /// Stored: do not renumber.
  enum class Kind : std::uint8_t {
    image = 0,
    video = 1,
    gif = 2,  ///< a video without sound that plays in a loop
    video_note = 3,
    audio = 4,
    voice = 5,  ///< recorded in the chat; Ogg with Opus
    document = 6,
    sticker = 7,
  };
  Kind kind = Kind::document;
  std::string ref;   ///< SHA-256 of the file, 64 hex digits: its name in files::Store
  std::string mime;  ///< "image/jpeg"
  std::string name;  ///< of a document as its sender calls it
  std::string caption;
  std::uint64_t size = 0;
  std::uint32_t seconds = 0, width = 0, height = 0;
  bool animated = false;         ///< a sticker that moves
  bool view_once = false;        ///< to be seen once: never kept here
  Bytes waveform;                ///< of a voice note: 64 bytes 0 .. 100
  Bytes thumbnail;               ///< JPEG; of a sticker PNG
  std::string link;              ///< where the till gets it; empty: nowhere
  std::uint32_t background = 0;  ///< ARGB, of a voice note as a status; 0: none
  std::optional<MediaPlace> place;
  bool operator==(const File&) const = default;
};

/// An earlier message says something else now.
struct Edit {
  std::string target_id;
  std::string text;      ///< text or caption
  bool caption = false;  ///< of what came in: it is a file's
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

/// A place on the map.
struct Location {
  double latitude = 0, longitude = 0;  ///< degrees, WGS 84
  std::string name, address;           ///< of the place; may be empty
  Bytes thumbnail;                     ///< JPEG of the map; may be empty
  bool live = false;                   ///< of somebody who moves: more of them follow
  bool operator==(const Location&) const = default;
};

/// People's cards.
struct Contacts {
  struct Card {
    std::string name;   ///< as it is shown
    std::string vcard;  ///< vCard 3.0
    bool operator==(const Card&) const = default;
  };
  std::vector<Card> cards;
  bool list = false;  ///< sent as several at once, even when it is one
  bool operator==(const Contacts&) const = default;
};

/// A question with options to choose from.
struct Poll {
  std::string name;
  std::vector<std::string> options;
  bool multiple = false;  ///< more than one may be chosen
  bool operator==(const Poll&) const = default;
};

/// What somebody has chosen in a poll; it takes the place of what they chose before.
struct PollVote {
  std::string poll_id;
  Poll poll;
  std::vector<std::string> chosen;  ///< of poll.options; none: the vote is withdrawn
  std::string voter;                ///< chatId
  bool operator==(const PollVote&) const = default;
};

/// An invitation into a group.
struct GroupInvite {
  std::string group;  ///< "…@g.us"
  std::string code, name, caption;
  std::int64_t expires = 0;  ///< Unix seconds
  Bytes thumbnail;           ///< JPEG; may be empty
  bool operator==(const GroupInvite&) const = default;
};

/// A text with something to press, as businesses send it.
struct Buttons {
  enum class Form : std::uint8_t { buttons, list, template_, interactive };
  struct Button {
    enum class Kind : std::uint8_t { reply, url, call, copy };
    Kind kind = Kind::reply;
    std::string id, text;
    std::string value;  ///< the address, the number or the code
    bool operator==(const Button&) const = default;
  };
  struct Row {
    std::string id, title, description;
    bool operator==(const Row&) const = default;
  };
  struct Section {
    std::string title;
    std::vector<Row> rows;
    bool operator==(const Section&) const = default;
  };
  Form form = Form::buttons;
  std::string title, body, footer;
  std::vector<Button> buttons;
  std::string list_button;  ///< of a list: what opens it
  std::vector<Section> sections;
  bool operator==(const Buttons&) const = default;
};

/// What somebody has pressed; Content::quote is the message that offered it.
struct Choice {
  Buttons::Form form = Buttons::Form::buttons;
  std::string id, text;
  int index = 0;
  bool operator==(const Choice&) const = default;
};

/// A basket out of the shop's catalogue. Money is in thousandths.
struct Order {
  std::string id, title, message, currency;
  int items = 0;
  std::int64_t total_1000 = 0;
  bool operator==(const Order&) const = default;
};

/// A thing out of a catalogue. Money is in thousandths.
struct Product {
  std::string id, title, description, url, currency, body;
  std::int64_t price_1000 = 0;
  bool operator==(const Product&) const = default;
};

/// An appointment.
struct Event {
  std::string name, description, place, link;
  std::int64_t starts = 0, ends = 0;  ///< Unix seconds; 0: not said
  bool cancelled = false;
  bool operator==(const Event&) const = default;
};

/// The message in Content::quote is kept at the top of the chat, or no longer.
struct Pin {
  bool pinned = true;
  bool operator==(const Pin&) const = default;
};

/// From now on the chat's messages disappear after so long.
struct Timer {
  std::uint32_t seconds = 0;  ///< 0: they stay
  std::int64_t set_at = 0;    ///< Unix seconds; 0: not said
  bool operator==(const Timer&) const = default;
};

/// So many pictures and videos follow and belong together.
struct Album {
  std::uint32_t images = 0, videos = 0;
  bool operator==(const Album&) const = default;
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
#define POSTHORN_CONTENT_KINDS(X) \
  X(Text)                         \
  X(Edit)                         \
  X(Deletion)                     \
  X(Reaction)                     \
  X(File)                         \
  X(Location)                     \
  X(Contacts)                     \
  X(Poll)                         \
  X(PollVote)                     \
  X(GroupInvite)                  \
  X(Buttons)                      \
  X(Choice)                       \
  X(Order)                        \
  X(Product)                      \
  X(Event)                        \
  X(Pin)                          \
  X(Timer)                        \
  X(Album)                        \
  X(Undecryptable)                \
  X(Other)

struct Content;

/// The message that another one answers.
struct Quote {
  std::string id;
  std::string participant;  ///< chatId of its author; empty: not known
  std::string text;
  std::string type_message = "textMessage";  ///< Green-API's word for its kind
  std::optional<content::File> file = {};    ///< when it is one
  /// What it says, when that is neither a text nor a file; one, or none when it is not known.
  std::vector<Content> original;  // no initializer: Content is not known yet
  bool operator==(const Quote& other) const;
};

/// What a message says, and what every kind can have beside it.
struct Content {
  using What =
      std::variant<content::Text, content::Edit, content::Deletion, content::Reaction,
                   content::File, content::Location, content::Contacts, content::Poll,
                   content::PollVote, content::GroupInvite, content::Buttons, content::Choice,
                   content::Order, content::Product, content::Event, content::Pin, content::Timer,
                   content::Album, content::Undecryptable, content::Other>;
  What what;
  std::optional<Quote> quote;
  bool forwarded = false;
  int forwarding_score = 0;
  std::vector<std::string> mentions = {};  ///< chatIds of people whom the text names
  /// Of a message that is passed on: how its transport wrote it, with what `what` does not say.
  Bytes original = {};

  bool operator==(const Content&) const = default;
};

#define POSTHORN_COUNT_(Kind) +1
static_assert(std::variant_size_v<Content::What> == POSTHORN_CONTENT_KINDS(POSTHORN_COUNT_),
              "the list and the variant name the same kinds");
#undef POSTHORN_COUNT_

/// The text that a person reads: body, caption or the new text of an edit; else empty.
[[nodiscard]] std::string readable_text(const Content& content);

/// Whether a job with it can be stored: false for what only ever comes in.
[[nodiscard]] bool is_kept(const Content& content);

}  // namespace posthorn
