#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::slots {

/// Tries left of a confirmed slot: never counted down, so pulled plugs cannot use it up.
constexpr std::uint32_t kConfirmed = 7;
/// Tries of a slot that an update has just written.
constexpr std::uint32_t kFresh = 3;

/// Which slot the boot script (image/boot/boot.cmd) starts, and how often it may still try.
struct SlotState {
  std::string order = "AB";  ///< preferred first; a slot that is not named is not started
  std::uint32_t left_a = kConfirmed;
  std::uint32_t left_b = 0;

  bool operator==(const SlotState&) const = default;
};

/// The size of the file: one sector of the card, which is written whole or not at all.
constexpr std::size_t kFileBytes = 512;
using FileBytes = std::array<std::uint8_t, kFileBytes>;

/// U-Boot's environment form: CRC-32 (little-endian) of the rest, then "NAME=value\0"..., zeros.
/// Numbers are hexadecimal, as U-Boot's setexpr counts.
/// Source: U-Boot 2023.01, env_t in include/env_internal.h and cmd/nvedit.c, read Nov 2026.
[[nodiscard]] FileBytes encode(const SlotState& state);

/// Errors: malformed (size, CRC, a variable missing or not to be understood).
[[nodiscard]] Result<SlotState> decode(std::span<const std::uint8_t> bytes);

/// "A" or "B" as RAUC names the slots (bootname). Errors: malformed.
[[nodiscard]] Result<char> parse_slot(std::string_view name);

/// The slot that the next start tries first. Errors: not_found, no slot has tries left.
[[nodiscard]] Result<char> primary(const SlotState& state);

/// True while the slot may be started at all.
[[nodiscard]] bool is_good(const SlotState& state, char slot);

/// good: confirmed. bad: never started; an update does this before it writes into the slot.
[[nodiscard]] SlotState with_state(SlotState state, char slot, bool good);

/// The slot goes first. One that is not confirmed gets fresh tries.
[[nodiscard]] SlotState with_primary(SlotState state, char slot);

}  // namespace posthorn::slots
