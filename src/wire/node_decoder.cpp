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

/// Reads forward through one node. The first thing wrong is kept, and reading goes to the end of
/// the input: so a caller may take several values and look at ok() once. (With a Result for every
/// value the same decoder took a quarter more time and half more code.)
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t left() const { return bytes_.size() - position_; }
  [[nodiscard]] bool ok() const { return wrong_.empty(); }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

  void node(Node& out, std::size_t depth) {
    if (depth > kMaxNodeDepth) return fail("nested too deep");
    const std::size_t size = list_size();
    if (size == 0) return fail("empty list instead of a node");
    out.tag = string();
    if (out.tag.empty()) return fail("empty tag");
    attributes(out, (size - 1) / 2);
    if (size % 2 == 0 && ok()) content(out, depth);
  }

 private:
  /// Keeps the first cause; what follows from it is noise.
  void fail(std::string_view what) {
    if (ok()) wrong_ = what;
    position_ = bytes_.size();
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }

  /// Big-endian number of `width` bytes.
  std::uint32_t number(std::size_t width) {
    std::uint32_t value = 0;
    for (const std::byte b : take(width)) value = value << 8 | std::to_integer<std::uint32_t>(b);
    return value;
  }

  /// Empty when that many are not left.
  ByteView take(std::size_t count) {
    if (left() < count) {
      fail("truncated");
      return {};
    }
    const ByteView out = bytes_.subspan(position_, count);
    position_ += count;
    return out;
  }

  void count_element() {
    if (++elements_ > kMaxElements) fail("too many elements");
  }

  std::size_t list_size() {
    const std::uint8_t tag = u8();
    if (tag == kList8) return number(1);
    if (tag == kList16) return number(2);
    if (tag != kListEmpty) fail("no list where one must be");
    return 0;
  }

  void attributes(Node& out, std::size_t count) {
    if (count > kMaxAttrs) return fail("too many attributes");
    if (count > left() / 2) return fail("truncated");
    out.attrs.reserve(count);
    for (std::size_t i = 0; i < count && ok(); ++i) {
      count_element();
      std::string key = string();
      if (key.empty()) return fail("empty attribute key");
      attribute_value(out, std::move(key));
    }
  }

  void attribute_value(Node& out, std::string key) {
    const std::uint8_t tag = u8();
    if (tag == kListEmpty) return;  // nil: as if absent
    auto& value = slot(out, std::move(key));
    if (is_jid(tag)) {
      value = jid(tag);
    } else {
      value = string(tag);
    }
  }

  /// Where the value for that key goes: the last of two equal keys wins.
  static std::variant<std::string, Jid>& slot(Node& out, std::string key) {
    for (Attr& attr : out.attrs) {
      if (attr.key == key) return attr.value;
    }
    return out.attrs.emplace_back(std::move(key), std::string()).value;
  }

  void content(Node& out, std::size_t depth) {
    const std::uint8_t tag = u8();
    if (is_list(tag) && ok()) {
      --position_;
      children(out, depth);
    } else if (is_jid(tag)) {
      out.content = to_bytes(to_string(jid(tag)));
    } else if (tag == kBinary8 || tag == kBinary20 || tag == kBinary32) {
      out.content = to_bytes(binary(tag));
    } else {
      out.content = to_bytes(string(tag));
    }
  }

  void children(Node& out, std::size_t depth) {
    const std::size_t count = list_size();
    if (count == 0) return;
    if (count > left() / kSmallestNode) return fail("truncated");
    auto& list = out.content.emplace<std::vector<Node>>();
    list.reserve(count);
    for (std::size_t i = 0; i < count && ok(); ++i) {
      count_element();
      node(list.emplace_back(), depth + 1);
    }
  }

  std::string string() { return string(u8()); }

  /// Empty for nil, which is no string, and after a failure.
  std::string string(std::uint8_t tag) {
    if (tag > kListEmpty && tag < kDictionary0) return std::string(kSingleTokens[tag]);
    if (tag >= kDictionary0 && tag <= kDictionary3) {
      return std::string(kDoubleTokens[tag - kDictionary0][u8()]);
    }
    switch (tag) {
      case kNibble8:
        return packed(kNibbleSymbols);
      case kHex8:
        return packed(kHexSymbols);
      case kBinary8:
      case kBinary20:
      case kBinary32:
        return posthorn::to_string(binary(tag));
      default:
        fail("unknown tag byte " + std::to_string(tag) + " for a string");
        return {};
    }
  }

  ByteView binary(std::uint8_t tag) {
    std::uint32_t size = number(tag == kBinary8 ? 1 : tag == kBinary20 ? 3 : 4);
    if (tag == kBinary20) size &= 0xFFFFFU;
    return take(size);
  }

  std::string packed(std::string_view symbols) {
    const std::uint8_t header = u8();
    const std::size_t size = header & 0x7FU;
    const bool odd = (header & 0x80U) != 0;
    if (odd && size == 0) fail("packed string without its last symbol");
    const ByteView raw = take(size);
    if (!ok()) return {};
    std::string out(size * 2 - (odd ? 1 : 0), '\0');
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto pair = std::to_integer<std::uint8_t>(raw[i / 2]);
      const std::size_t symbol = i % 2 == 0 ? pair >> 4 : pair & 0x0FU;
      if (symbol >= symbols.size()) {
        fail("no such packed symbol");
        return {};
      }
      out[i] = symbols[symbol];
    }
    return out;
  }

  Jid jid(std::uint8_t tag) {
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

  Jid jid_pair() {
    Jid out;
    out.user = user_or_nothing();
    out.server = string();
    if (out.server.empty()) fail("JID without server");
    return out;
  }

  Jid ad_jid() {
    const std::uint8_t domain = u8();
    const std::uint8_t device = u8();
    Jid out{string(), std::string(ad_server(domain)), device};
    if (out.user.empty()) fail("device without user");
    return out;
  }

  Jid fb_jid() {
    Jid out;
    out.user = user_or_nothing();
    out.device = static_cast<std::uint16_t>(number(2));
    out.server = string();
    if (out.server != kServerMessenger) fail("JID with a wrong server");
    return out;
  }

  Jid interop_jid() {
    const std::string user = string();
    const auto device = static_cast<std::uint16_t>(number(2));
    const std::uint32_t integrator = number(2);
    Jid out{std::to_string(integrator) + "-" + user, string(), device};
    if (out.server != kServerInterop || user.empty()) fail("JID with a wrong server");
    return out;
  }

  std::string user_or_nothing() {
    const std::uint8_t tag = u8();
    return tag == kListEmpty ? std::string() : string(tag);
  }

  ByteView bytes_;
  std::size_t position_ = 0;
  std::size_t elements_ = 0;
  std::string wrong_;
};

}  // namespace

Result<Node> decode_node(ByteView encoded, std::size_t* left_over) {
  Reader reader(encoded);
  Node root;
  reader.node(root, 1);
  if (!reader.ok()) return bad_node(reader.wrong());
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
