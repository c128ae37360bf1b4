#include "throttle/texts.h"

#include <algorithm>

#include "posthorn/base/crypto.h"

namespace posthorn::throttle {
namespace {

/// One code point, or the single byte when the bytes are no UTF-8.
struct Decoded {
  std::uint32_t point = 0;
  std::size_t length = 1;
};

Decoded decode_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80    ? 1
                             : lead >= 0xf0 ? 4
                             : lead >= 0xe0 ? 3
                             : lead >= 0xc0 ? 2
                                            : 0;
  if (length <= 1 || text.size() < length) return {lead, 1};
  std::uint32_t point = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {lead, 1};
    point = (point << 6) | (byte(i) & 0x3fU);
  }
  return {point, length};
}

void append_point(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (point >> 6)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xe0 | (point >> 12)));
    out.push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3f)));
  }
}

/// Lower case for the alphabets of the shops we know; others have no case or stay as they are.
std::uint32_t fold(std::uint32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 32;
  if (c == 0x130) return 'i';
  if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177)) return c | 1;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c % 2 == 1 ? c + 1 : c;
  if (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) return c + 32;
  if (c >= 0x410 && c <= 0x42f) return c + 32;
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  return c;
}

bool is_space(std::uint32_t c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200b) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000 || c == 0xfeff;
}

}  // namespace

std::string normalize_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  while (!text.empty()) {
    const Decoded next = decode_point(text);
    const std::string_view raw = text.substr(0, next.length);
    text.remove_prefix(next.length);
    const bool raw_byte = next.length == 1 && next.point >= 0x80;
    if (!raw_byte && is_space(next.point)) {
      space = !out.empty();
      continue;
    }
    if (space) out.push_back(' ');
    space = false;
    if (raw_byte || next.length == 4) {
      out.append(raw);
    } else {
      append_point(out, fold(next.point));
    }
  }
  return out;
}

std::uint64_t text_hash(std::string_view text) {
  const crypto::Sha256 digest = crypto::sha256(as_bytes(normalize_text(text)));
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < 8; ++i) hash = (hash << 8) | static_cast<std::uint64_t>(digest[i]);
  return hash == 0 ? 1 : hash;
}

std::uint32_t TextUse::in_last_hour(Tick now) const {
  std::uint32_t count = 0;
  for (const std::uint32_t stamp : recent) {
    if (stamp != 0 && from_stamp(stamp) + kHour + kSecond > now) ++count;
  }
  return count;
}

const TextUse* Texts::find(std::uint64_t hash, Tick now) const {
  const std::size_t set = (hash % kSets) * kWays;
  for (std::size_t way = 0; way < kWays; ++way) {
    const TextUse& use = uses_[set + way];
    if (use.hash == hash) return is_live(use, now) ? &use : nullptr;
  }
  return nullptr;
}

TextUse& Texts::touch(std::uint64_t hash, Tick now) {
  const std::size_t set = (hash % kSets) * kWays;
  TextUse* victim = nullptr;
  const auto rank = [now](const TextUse& use) {
    if (!is_live(use, now)) return std::pair<std::uint32_t, Tick>{0, use.last};
    return std::pair<std::uint32_t, Tick>{1 + use.in_last_hour(now) + use.first_chats.used(now),
                                          use.last};
  };
  for (std::size_t way = 0; way < kWays; ++way) {
    TextUse& use = uses_[set + way];
    if (use.hash == hash && is_live(use, now)) return use;
    if (use.hash == hash || victim == nullptr || rank(use) < rank(*victim)) victim = &use;
    if (use.hash == hash) break;
  }
  *victim = TextUse{};
  victim->hash = hash;
  victim->last = now;
  return *victim;
}

void Texts::restore(std::uint64_t hash, const std::optional<TextUse>& use) {
  const std::size_t set = (hash % kSets) * kWays;
  for (std::size_t way = 0; way < kWays; ++way) {
    if (uses_[set + way].hash == hash) uses_[set + way] = use.value_or(TextUse{});
  }
}

std::vector<TextUse> Texts::live(Tick now) const {
  std::vector<TextUse> out;
  std::copy_if(uses_.begin(), uses_.end(), std::back_inserter(out),
               [now](const TextUse& use) { return is_live(use, now); });
  return out;
}

void Texts::load(const TextUse& use, Tick now) {
  if (is_live(use, now)) touch(use.hash, now) = use;
}

}  // namespace posthorn::throttle
