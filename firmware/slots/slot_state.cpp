#include "slots/slot_state.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace posthorn::slots {
namespace {

constexpr std::size_t kCrcBytes = 4;

std::uint32_t crc_of(std::span<const std::uint8_t> bytes) {
  const auto data = bytes.subspan(kCrcBytes);
  return static_cast<std::uint32_t>(crc32(0, data.data(), static_cast<uInt>(data.size())));
}

std::uint32_t stored_crc(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < kCrcBytes; i++) crc |= std::uint32_t{bytes[i]} << (8 * i);
  return crc;
}

std::optional<std::string_view> variable(std::string_view environment, std::string_view name) {
  while (!environment.empty() && environment.front() != '\0') {
    const auto line = environment.substr(0, environment.find('\0'));
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == '=') {
      return line.substr(name.size() + 1);
    }
    environment.remove_prefix(std::min(line.size() + 1, environment.size()));
  }
  return std::nullopt;
}

Result<std::uint32_t> parse_left(std::optional<std::string_view> text) {
  std::uint32_t value = 0;
  if (!text || text->empty()) return fail(Errc::malformed, "a counter is missing");
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value, 16);
  if (error != std::errc() || end != text->data() + text->size()) {
    return fail(Errc::malformed, "a counter is no number");
  }
  return value;
}

/// "A B" to "AB".
Result<std::string> parse_order(std::optional<std::string_view> text) {
  if (!text) return fail(Errc::malformed, "the order is missing");
  std::string order;
  for (const char c : *text) {
    if (c == ' ') continue;
    if ((c != 'A' && c != 'B') || order.find(c) != std::string::npos) {
      return fail(Errc::malformed, "the order is not made of A and B");
    }
    order += c;
  }
  return order;
}

std::uint32_t& left_of(SlotState& state, char slot) {
  return slot == 'A' ? state.left_a : state.left_b;
}

bool in_order(const SlotState& state, char slot) {
  return state.order.find(slot) != std::string::npos;
}

}  // namespace

FileBytes encode(const SlotState& state) {
  std::string order;
  for (const char slot : state.order) order += (order.empty() ? "" : " ") + std::string(1, slot);
  std::array<char, 128> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "BOOT_A_LEFT=%x%cBOOT_B_LEFT=%x%cBOOT_ORDER=%s",
                    state.left_a, 0, state.left_b, 0, order.c_str());
  FileBytes bytes{};
  std::copy_n(text.begin(), length, bytes.begin() + kCrcBytes);
  const std::uint32_t crc = crc_of(bytes);
  for (std::size_t i = 0; i < kCrcBytes; i++) bytes[i] = static_cast<std::uint8_t>(crc >> (8 * i));
  return bytes;
}

Result<SlotState> decode(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != kFileBytes) return fail(Errc::malformed, "not 512 bytes");
  if (stored_crc(bytes) != crc_of(bytes)) return fail(Errc::malformed, "the checksum is wrong");
  const auto data = bytes.subspan(kCrcBytes);
  const std::string_view environment(reinterpret_cast<const char*>(data.data()), data.size());
  SlotState state;
  TRY(state.order, parse_order(variable(environment, "BOOT_ORDER")));
  TRY(state.left_a, parse_left(variable(environment, "BOOT_A_LEFT")));
  TRY(state.left_b, parse_left(variable(environment, "BOOT_B_LEFT")));
  return state;
}

Result<char> parse_slot(std::string_view name) {
  if (name == "A" || name == "B") return name.front();
  return fail(Errc::malformed, "no such slot: " + std::string(name) + " (A or B)");
}

Result<char> primary(const SlotState& state) {
  for (const char slot : state.order) {
    if (is_good(state, slot)) return slot;
  }
  return fail(Errc::not_found, "no slot has tries left");
}

bool is_good(const SlotState& state, char slot) {
  return in_order(state, slot) && (slot == 'A' ? state.left_a : state.left_b) > 0;
}

SlotState with_state(SlotState state, char slot, bool good) {
  left_of(state, slot) = good ? kConfirmed : 0;
  if (!good) std::erase(state.order, slot);
  if (good && !in_order(state, slot)) state.order += slot;
  return state;
}

SlotState with_primary(SlotState state, char slot) {
  std::erase(state.order, slot);
  state.order.insert(state.order.begin(), slot);
  if (left_of(state, slot) <= kFresh) left_of(state, slot) = kFresh;
  return state;
}

}  // namespace posthorn::slots
