#include <algorithm>
#include <array>

#include "posthorn/wire/node_codec.h"
#include "posthorn/wire/token_tables.h"
#include "wire/inflate.h"
#include "wire/node_tags.h"

namespace posthorn::wire {

namespace {

constexpr std::string_view kNibbleSymbols = "0123456789-.";  // 12 .. 14 are not symbols
constexpr std::string_view kHexSymbols = "0123456789ABCDEF";
/// A child takes a list header of two bytes and a tag of one.
constexpr std::size_t kSmallestNode = 3;

tl::unexpected<Error> bad_node(std::string_view what) {
  return fail(Errc::malformed, "node: " + std::string(what));
}

bool is_list(std::uint8_t tag) { return tag == kListEmpty || tag == kList8 || tag == kList16; }
bool is_jid(std::uint8_t tag) {
  return tag == kJidPair || tag == kAdJid || tag == kFbJid || tag == kInteropJid;
}

std::string_view ad_server(std::uint8_t domain) {
  switch (domain) {
    case kDomainLid:
      return kServerLid;
    case kDomainHosted:
      return kServerHosted;
    case kDomainHostedLid:
      return kServerHostedLid;
    default:
      return kServerUser;  // other values are old agents: ignored, chapter 02 section 6.2
  }
}

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t left() const { return bytes_.size() - position_; }

  Result<void> node(Node& out, std::size_t depth) {
    if (depth > kMaxNodeDepth) return bad_node("nested too deep");
    TRY(const std::size_t size, list_size());
    if (size == 0) return bad_node("empty list instead of a node");
    TRY(out.tag, string());
    if (out.tag.empty()) return bad_node("empty tag");
    TRY(attributes(out, (size - 1) / 2));
    if (size % 2 == 0) TRY(content(out, depth));
    return {};
  }

 private:
  Result<std::uint8_t> u8() {
    if (left() == 0) return bad_node("truncated");
    return std::to_integer<std::uint8_t>(bytes_[position_++]);
  }

  /// Big-endian number of `width` bytes.
  Result<std::uint32_t> number(std::size_t width) {
    if (left() < width) return bad_node("truncated");
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8 | std::to_integer<std::uint32_t>(bytes_[position_ + i]);
    }
    position_ += width;
    return value;
  }

  Result<ByteView> take(std::size_t count) {
    if (left() < count) return bad_node("truncated");
    const ByteView out = bytes_.subspan(position_, count);
    position_ += count;
    return out;
  }

  Result<void> count_element() {
    if (++elements_ > kMaxElements) return bad_node("too many elements");
    return {};
  }

  Result<std::size_t> list_size() {
    TRY(const std::uint8_t tag, u8());
    if (tag == kListEmpty) return std::size_t{0};
    if (tag == kList8) return number(1);
    if (tag == kList16) return number(2);
    return bad_node("no list where one must be");
  }

  Result<void> attributes(Node& out, std::size_t count) {
    if (count > kMaxAttrs) return bad_node("too many attributes");
    if (count > left() / 2) return bad_node("truncated");
    out.attrs.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      TRY(count_element());
      TRY(std::string key, string());
      if (key.empty()) return bad_node("empty attribute key");
      TRY(attribute_value(out, std::move(key)));
    }
    return {};
  }

  Result<void> attribute_value(Node& out, std::string key) {
    TRY(const std::uint8_t tag, u8());
    if (tag == kListEmpty) return {};  // nil: as if absent
    Attr* const attr = slot(out, std::move(key));
    if (is_jid(tag)) {
      TRY(attr->value, jid(tag));
    } else {
      TRY(std::get<std::string>(attr->value), string(tag));
    }
    return {};
  }

  /// The attribute with that key, emptied: the last of two wins.
  static Attr* slot(Node& out, std::string key) {
    for (Attr& attr : out.attrs) {
      if (attr.key != key) continue;
      attr.value = std::string();
      return &attr;
    }
    return &out.attrs.emplace_back(std::move(key), std::string());
  }

  Result<void> content(Node& out, std::size_t depth) {
    TRY(const std::uint8_t tag, u8());
    if (is_list(tag)) {
      --position_;
      return children(out, depth);
    }
    if (is_jid(tag)) {
      TRY(const Jid value, jid(tag));
      out.content = to_bytes(to_string(value));
      return {};
    }
    if (tag == kBinary8 || tag == kBinary20 || tag == kBinary32) {
      TRY(const ByteView raw, binary(tag));
      out.content = to_bytes(raw);
      return {};
    }
    TRY(const std::string text, string(tag));
    out.content = to_bytes(text);
    return {};
  }

  Result<void> children(Node& out, std::size_t depth) {
    TRY(const std::size_t count, list_size());
    if (count == 0) return {};
    if (count > left() / kSmallestNode) return bad_node("truncated");
    auto& list = out.content.emplace<std::vector<Node>>();
    list.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      TRY(count_element());
      TRY(node(list.emplace_back(), depth + 1));
    }
    return {};
  }

  Result<std::string> string() {
    TRY(const std::uint8_t tag, u8());
    return string(tag);
  }

  Result<std::string> string(std::uint8_t tag) {
    if (tag > kListEmpty && tag < kDictionary0) return std::string(kSingleTokens[tag]);
    switch (tag) {
      case kDictionary0:
      case kDictionary0 + 1:
      case kDictionary0 + 2:
      case kDictionary3: {
        TRY(const std::uint8_t index, u8());
        return std::string(kDoubleTokens[tag - kDictionary0][index]);
      }
      case kNibble8:
        return packed(kNibbleSymbols);
      case kHex8:
        return packed(kHexSymbols);
      case kBinary8:
      case kBinary20:
      case kBinary32: {
        TRY(const ByteView raw, binary(tag));
        return posthorn::to_string(raw);
      }
      default:
        return bad_node("unknown tag byte " + std::to_string(tag) + " for a string");
    }
  }

  Result<ByteView> binary(std::uint8_t tag) {
    TRY(std::uint32_t size, number(tag == kBinary8 ? 1 : tag == kBinary20 ? 3 : 4));
    if (tag == kBinary20) size &= 0xFFFFFU;
    return take(size);
  }

  Result<std::string> packed(std::string_view symbols) {
    TRY(const std::uint8_t header, u8());
    const std::size_t size = header & 0x7FU;
    const bool odd = (header & 0x80U) != 0;
    if (odd && size == 0) return bad_node("packed string without its last symbol");
    TRY(const ByteView raw, take(size));
    std::string out(size * 2 - (odd ? 1 : 0), '\0');
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto pair = std::to_integer<std::uint8_t>(raw[i / 2]);
      const std::size_t symbol = i % 2 == 0 ? pair >> 4 : pair & 0x0FU;
      if (symbol >= symbols.size()) return bad_node("no such packed symbol");
      out[i] = symbols[symbol];
    }
    return out;
  }

  Result<Jid> jid(std::uint8_t tag) {
    switch (tag) {
      case kJidPair:
        return jid_pair();
      case kAdJid:
        return ad_jid();
      case kFbJid:
        return fb_jid();
      default:
        return interop_jid();
    }
  }

  Result<Jid> jid_pair() {
    Jid out;
    TRY(out.user, user_or_nothing());
    TRY(out.server, string());
    if (out.server.empty()) return bad_node("JID without server");
    return out;
  }

  Result<Jid> ad_jid() {
    TRY(const std::uint8_t domain, u8());
    TRY(const std::uint8_t device, u8());
    Jid out{{}, std::string(ad_server(domain)), device};
    TRY(out.user, string());
    if (out.user.empty()) return bad_node("device without user");
    return out;
  }

  Result<Jid> fb_jid() {
    Jid out;
    TRY(out.user, user_or_nothing());
    TRY(const std::uint32_t device, number(2));
    out.device = static_cast<std::uint16_t>(device);
    TRY(out.server, string());
    if (out.server != kServerMessenger) return bad_node("JID with a wrong server");
    return out;
  }

  Result<Jid> interop_jid() {
    TRY(const std::string user, string());
    TRY(const std::uint32_t device, number(2));
    TRY(const std::uint32_t integrator, number(2));
    TRY(std::string server, string());
    if (server != kServerInterop || user.empty()) return bad_node("JID with a wrong server");
    return Jid{std::to_string(integrator) + "-" + user, std::move(server),
               static_cast<std::uint16_t>(device)};
  }

  Result<std::string> user_or_nothing() {
    TRY(const std::uint8_t tag, u8());
    if (tag == kListEmpty) return std::string();
    return string(tag);
  }

  ByteView bytes_;
  std::size_t position_ = 0;
  std::size_t elements_ = 0;
};

}  // namespace

Result<Node> decode_node(ByteView encoded, std::size_t* left_over) {
  Reader reader(encoded);
  Node root;
  TRY(reader.node(root, 1));
  if (left_over != nullptr) *left_over = reader.left();
  return root;
}

Result<Node> decode_frame(ByteView plaintext, std::size_t* left_over) {
  if (plaintext.empty()) return bad_node("empty frame");
  const auto flags = std::to_integer<std::uint8_t>(plaintext[0]);
  const ByteView body = plaintext.subspan(1);
  if ((flags & kFlagCompressed) == 0) return decode_node(body, left_over);
  TRY(const Bytes inflated, inflate_zlib(body, kMaxInflatedBytes));
  return decode_node(inflated, left_over);
}

}  // namespace posthorn::wire
