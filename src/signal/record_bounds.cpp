#include "signal/record_bounds.h"

#include <algorithm>
#include <vector>

#include "signal/record_fields.h"

namespace posthorn::signal {

namespace {

// Numbers of the fields that matter here, as the library's LocalStorageProtocol.proto has them.
constexpr std::uint32_t kRecordCurrent = 1;     // RecordStructure
constexpr std::uint32_t kRecordPrevious = 2;    // newest first
constexpr std::uint32_t kStateReceiving = 7;    // SessionStructure, oldest first
constexpr std::uint32_t kChainRatchetKey = 1;   // Chain
constexpr std::uint32_t kChainKey = 3;          //
constexpr std::uint32_t kChainSkipped = 4;      // oldest first
constexpr std::uint32_t kChainKeyIndex = 1;     // ChainKey
constexpr std::uint32_t kSenderKeyState = 1;    // SenderKeyRecordStructure
constexpr std::uint32_t kSenderKeySkipped = 4;  // SenderKeyStateStructure, oldest first

/// A message whose repeated field `number` loses its first entries, so that at most `room` stay;
/// `room` shrinks by those.
std::optional<Bytes> without_oldest(ByteView message, std::uint32_t number, std::size_t& room) {
  const auto fields = fields_of(message);
  if (!fields) return std::nullopt;
  const auto is_one = [number](const Field& field) { return field.number == number; };
  const auto count =
      static_cast<std::size_t>(std::count_if(fields->begin(), fields->end(), is_one));
  const std::size_t kept = std::min(count, room);
  room -= kept;
  std::size_t to_drop = count - kept;
  Bytes out;
  for (const Field& field : *fields) {
    if (is_one(field) && to_drop > 0) {
      --to_drop;
      continue;
    }
    append(out, field.whole);
  }
  return out;
}

/// A session state whose chains, the newest first, keep as many keys as there is room for.
std::optional<Bytes> bounded_state(ByteView state, std::size_t& room) {
  const auto fields = fields_of(state);
  if (!fields) return std::nullopt;
  std::vector<Bytes> chains;  // the newest first
  for (auto field = fields->rbegin(); field != fields->rend(); ++field) {
    if (field->number != kStateReceiving) continue;
    auto chain = without_oldest(field->value, kChainSkipped, room);
    if (!chain) return std::nullopt;
    chains.push_back(std::move(*chain));
  }
  Bytes out;
  for (const Field& field : *fields) {
    if (field.number != kStateReceiving) {
      append(out, field.whole);
      continue;
    }
    append_message(out, kStateReceiving, chains.back());
    chains.pop_back();
  }
  return out;
}

}  // namespace

std::optional<Bytes> bounded_session(ByteView record) {
  const auto states = fields_of(record);
  if (!states) return std::nullopt;
  if (record.size() <= kRecordBytes && states->size() <= kArchivedStates + 1) return std::nullopt;
  std::size_t room = kSkippedKeys;
  std::size_t archived = 0;
  Bytes out;
  for (const Field& state : *states) {
    if (state.number == kRecordPrevious && ++archived > kArchivedStates) continue;
    if (state.number != kRecordPrevious && state.number != kRecordCurrent) {
      append(out, state.whole);
      continue;
    }
    const auto bounded = bounded_state(state.value, room);
    if (!bounded) return std::nullopt;
    append_message(out, state.number, *bounded);
  }
  return out;
}

std::optional<Bytes> bounded_sender_key(ByteView record) {
  if (record.size() <= kRecordBytes) return std::nullopt;
  const auto states = fields_of(record);
  if (!states) return std::nullopt;
  std::size_t room = kSkippedKeys;
  Bytes out;
  // The newest state stands first.
  for (const Field& state : *states) {
    if (state.number != kSenderKeyState) {
      append(out, state.whole);
      continue;
    }
    const auto bounded = without_oldest(state.value, kSenderKeySkipped, room);
    if (!bounded) return std::nullopt;
    append_message(out, kSenderKeyState, *bounded);
  }
  return out;
}

std::uint32_t next_of_chain(ByteView session_record, ByteView ratchet_key) {
  while (const auto state = take_field(session_record)) {
    ByteView state_rest = state->value;
    while (const auto chain = take_field(state_rest)) {
      if (chain->number != kStateReceiving) continue;
      bool is_it = false;
      std::uint32_t index = 0;
      ByteView chain_rest = chain->value;
      while (const auto part = take_field(chain_rest)) {
        if (part->number == kChainRatchetKey) is_it = std::ranges::equal(part->value, ratchet_key);
        if (part->number != kChainKey) continue;
        ByteView key_rest = part->value;
        while (const auto key = take_field(key_rest)) {
          if (key->number == kChainKeyIndex) index = static_cast<std::uint32_t>(key->integer);
        }
      }
      if (is_it) return index;
    }
  }
  return 0;
}

}  // namespace posthorn::signal
