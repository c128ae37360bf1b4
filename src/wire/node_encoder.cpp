#include <zlib.h>

#include <algorithm>
#include <charconv>

#include "posthorn/wire/node_codec.h"
#include "posthorn/wire/token_tables.h"
#include "wire/node_tags.h"

namespace posthorn::wire {

namespace {

std::optional<std::uint8_t> nibble_symbol(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c == '-') return std::uint8_t{10};
  if (c == '.') return std::uint8_t{11};
  return std::nullopt;
}

std::optional<std::uint8_t> hex_symbol(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

template <class Symbol>
bool all_symbols(std::string_view text, Symbol symbol) {
  return std::all_of(text.begin(), text.end(), [symbol](char c) { return symbol(c).has_value(); });
}

std::optional<std::uint8_t> ad_domain(std::string_view server) {
  if (server == kServerUser) return kDomainUser;
  if (server == kServerLid) return kDomainLid;
  if (server == kServerHosted) return kDomainHosted;
  if (server == kServerHostedLid) return kDomainHostedLid;
  return std::nullopt;
}

tl::unexpected<Error> unencodable(std::string what) {
  return fail(Errc::malformed, "node cannot be encoded: " + std::move(what));
}

/// An attribute that is not written at all.
bool is_nothing(const Attr& attr) {
  if (const auto* text = std::get_if<std::string>(&attr.value)) return text->empty();
  return std::get<Jid>(attr.value).empty();
}

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}

  Result<void> node(const Node& node, std::size_t depth) {
    if (node.tag.empty()) return unencodable("empty tag");
    if (depth > kMaxNodeDepth) return unencodable("nested too deep at " + node.tag);
    const auto written = static_cast<std::size_t>(std::count_if(
        node.attrs.begin(), node.attrs.end(), [](const Attr& a) { return !is_nothing(a); }));
    if (written > kMaxAttrs) return unencodable("too many attributes on " + node.tag);
    const auto* bytes = std::get_if<Bytes>(&node.content);
    const std::vector<Node>& children = node.children();
    const bool has_content = bytes != nullptr || !children.empty();

    list_header(1 + 2 * written + (has_content ? 1 : 0));
    string(node.tag);
    for (const Attr& attr : node.attrs) {
      if (!is_nothing(attr)) TRY(attribute(attr));
    }
    if (bytes != nullptr) {
      binary(*bytes);
    } else if (!children.empty()) {
      if (children.size() > kMaxChildren) return unencodable("too many children in " + node.tag);
      list_header(children.size());
      for (const Node& child : children) TRY(this->node(child, depth + 1));
    }
    return {};
  }

 private:
  void u8(std::size_t value) { out_.push_back(static_cast<std::byte>(value)); }
  void u16(std::size_t value) {
    u8(value >> 8);
    u8(value);
  }

  void list_header(std::size_t size) {
    if (size < 256) {
      u8(kList8);
      u8(size);
    } else {
      u8(kList16);
      u16(size);
    }
  }

  Result<void> attribute(const Attr& attr) {
    if (attr.key.empty()) return unencodable("empty attribute key");
    string(attr.key);
    if (const auto* text = std::get_if<std::string>(&attr.value)) {
      string(*text);
      return {};
    }
    return jid(std::get<Jid>(attr.value));
  }

  void string(std::string_view text) {
    if (const auto token = find_token(text)) {
      if (token->dictionary >= 0) u8(kDictionary0 + static_cast<std::size_t>(token->dictionary));
      u8(token->index);
    } else if (!text.empty() && text.size() <= kMaxPackedSymbols &&
               all_symbols(text, nibble_symbol)) {
      packed(kNibble8, text, nibble_symbol);
    } else if (!text.empty() && text.size() <= kMaxPackedSymbols && all_symbols(text, hex_symbol)) {
      packed(kHex8, text, hex_symbol);
    } else {
      binary(as_bytes(text));
    }
  }

  template <class Symbol>
  void packed(std::uint8_t tag, std::string_view text, Symbol symbol) {
    constexpr std::size_t kPadding = 15;
    const bool odd = text.size() % 2 != 0;
    u8(tag);
    u8((text.size() + 1) / 2 | (odd ? 0x80U : 0U));
    for (std::size_t i = 0; i < text.size(); i += 2) {
      const std::size_t low = i + 1 < text.size() ? *symbol(text[i + 1]) : kPadding;
      u8(static_cast<std::size_t>(*symbol(text[i])) << 4 | low);
    }
  }

  void binary(ByteView bytes) {
    const std::size_t size = bytes.size();
    if (size < 256) {
      u8(kBinary8);
    } else if (size < (std::size_t{1} << 20)) {
      u8(kBinary20);
      u8(size >> 16);
      u8(size >> 8);
    } else {
      u8(kBinary32);
      u16(size >> 16);
      u8(size >> 8);
    }
    u8(size);
    append(out_, bytes);
  }

  Result<void> jid(const Jid& jid) {
    if (jid.device != 0) {
      if (const auto domain = ad_domain(jid.server)) return ad_jid(jid, *domain);
      if (jid.server == kServerMessenger) return fb_jid(jid);
    }
    if (jid.server == kServerInterop) return interop_jid(jid);
    if (jid.device != 0) return unencodable("a device on server " + jid.server);
    if (jid.server.empty()) return unencodable("JID without server");
    u8(kJidPair);
    user_or_nothing(jid.user);
    string(jid.server);
    return {};
  }

  Result<void> ad_jid(const Jid& jid, std::uint8_t domain) {
    if (jid.device > 255) return unencodable("device over 255");
    if (jid.user.empty()) return unencodable("device without user");
    u8(kAdJid);
    u8(domain);
    u8(jid.device);
    string(jid.user);
    return {};
  }

  Result<void> fb_jid(const Jid& jid) {
    u8(kFbJid);
    user_or_nothing(jid.user);
    u16(jid.device);
    string(jid.server);
    return {};
  }

  /// The user is "integrator-user", as the decoder leaves it.
  Result<void> interop_jid(const Jid& jid) {
    std::uint16_t integrator = 0;
    const char* const last = jid.user.data() + jid.user.size();
    const auto [end, error] = std::from_chars(jid.user.data(), last, integrator);
    if (error != std::errc() || end == last || *end != '-' || end + 1 == last) {
      return unencodable("interop JID without integrator");
    }
    u8(kInteropJid);
    string(std::string_view(end + 1, static_cast<std::size_t>(last - end - 1)));
    u16(jid.device);
    u16(integrator);
    string(jid.server);
    return {};
  }

  void user_or_nothing(std::string_view user) {
    if (user.empty()) {
      u8(kListEmpty);
    } else {
      string(user);
    }
  }

  Bytes& out_;
};

/// flag byte and node -> flag byte and zlib stream.
Bytes compressed(const Bytes& plain) {
  uLongf size = compressBound(static_cast<uLong>(plain.size() - 1));
  Bytes out(1 + size);
  out[0] = std::byte{kFlagCompressed};
  // compress2 fails only when the room is less than compressBound, or memory is gone.
  if (compress2(reinterpret_cast<Bytef*>(out.data() + 1), &size,
                reinterpret_cast<const Bytef*>(plain.data() + 1),
                static_cast<uLong>(plain.size() - 1), Z_DEFAULT_COMPRESSION) != Z_OK) {
    return plain;
  }
  out.resize(1 + size);
  return out;
}

}  // namespace

Result<void> encode_node(const Node& node, Bytes& out) {
  const std::size_t before = out.size();
  Result<void> written = Writer(out).node(node, 1);
  if (!written) out.resize(before);
  return written;
}

Result<Bytes> encode_frame(const Node& node, Compression compression) {
  Bytes out;
  out.reserve(256);
  out.push_back(std::byte{0});
  TRY(encode_node(node, out));
  return compression == Compression::zlib ? compressed(out) : out;
}

}  // namespace posthorn::wire
