#include "signal/record_life.h"

#include <signal/ratchet.h>
#include <signal/sender_key.h>
#include <signal/sender_key_record.h>
#include <signal/sender_key_state.h>

#include "signal/record_fields.h"

namespace posthorn::signal {

namespace {

/// In both kinds of record; the library uses 1 and 2.
constexpr std::uint32_t kLifeField = 15;

bool skip(session_state* state) {
  if (session_state_has_sender_chain(state) == 0) return true;
  for (std::uint32_t i = 0; i < kRunAhead; ++i) {
    Ref<ratchet_chain_key> next;
    if (ratchet_chain_key_create_next(session_state_get_sender_chain_key(state), next.out()) != 0 ||
        session_state_set_sender_chain_key(state, next.get()) != 0) {
      return false;
    }
  }
  return true;
}

bool skip(sender_key_state* state) {
  if (sender_key_state_get_signing_key_private(state) == nullptr) return true;
  for (std::uint32_t i = 0; i < kRunAhead; ++i) {
    Ref<sender_chain_key> next;
    if (sender_chain_key_create_next(sender_key_state_get_chain_key(state), next.out()) != 0) {
      return false;
    }
    sender_key_state_set_chain_key(state, next.get());
  }
  return true;
}

}  // namespace

Bytes with_life(Bytes record, std::uint64_t life) {
  append_varint_field(record, kLifeField, life);
  return record;
}

std::uint64_t life_of(ByteView record) {
  std::uint64_t life = 0;
  while (const auto field = take_field(record)) {
    if (field->number == kLifeField) life = field->integer;
  }
  return life;
}

std::optional<Bytes> skip_ahead_session(ByteView record, signal_context* context) {
  Ref<session_record> parsed;
  if (session_record_deserialize(parsed.out(), raw(record), record.size(), context) < 0) {
    return std::nullopt;
  }
  session_state* current = session_record_get_state(parsed.get());
  if (current == nullptr || !skip(current)) return std::nullopt;
  auto* node = session_record_get_previous_states_head(parsed.get());
  for (; node != nullptr; node = session_record_get_previous_states_next(node)) {
    if (!skip(session_record_get_previous_states_element(node))) return std::nullopt;
  }
  signal_buffer* buffer = nullptr;
  if (session_record_serialize(&buffer, parsed.get()) < 0) return std::nullopt;
  const Buffer owner(buffer);
  return to_bytes(view(buffer));
}

std::optional<Bytes> skip_ahead_sender_key(ByteView record, signal_context* context) {
  Ref<sender_key_record> parsed;
  if (sender_key_record_deserialize(parsed.out(), raw(record), record.size(), context) < 0) {
    return std::nullopt;
  }
  sender_key_state* state = nullptr;
  if (sender_key_record_get_sender_key_state(parsed.get(), &state) != 0 || !skip(state)) {
    return std::nullopt;
  }
  signal_buffer* buffer = nullptr;
  if (sender_key_record_serialize(&buffer, parsed.get()) < 0) return std::nullopt;
  const Buffer owner(buffer);
  return to_bytes(view(buffer));
}

}  // namespace posthorn::signal
