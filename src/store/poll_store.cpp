#include "posthorn/store/poll_store.h"

#include <cstring>

#include "posthorn/base/crypto.h"

namespace posthorn::store {
namespace {

constexpr std::uint32_t kPruneEvery = 256;
constexpr std::int64_t kSeconds = std::int64_t{90} * 86'400;

/// A short name of (chat, poll, voter); SQLite integers are signed, and it is only compared.
std::int64_t key_of(const PollStore::Vote& vote) {
  std::string text = vote.chat;
  text.append(1, '\0').append(vote.poll_id).append(1, '\0').append(vote.voter);
  const auto digest = crypto::sha256(as_bytes(text));
  std::int64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

}  // namespace

Result<void> PollStore::save(const Poll& poll, Wall now) {
  TRY(save_.run(poll.id, poll.chat, poll.sender, poll.message, now.unix_seconds()));
  // A clock that only guesses must not make polls old.
  return prune_.run(kMost, (now.trusted ? now.unix_seconds() : 0) - kSeconds);
}

Result<std::optional<PollStore::Poll>> PollStore::find(std::string_view chat, std::string_view id) {
  Query query = find_.query(chat, id);
  TRY(const bool found, query.next());
  if (!found) return std::optional<Poll>();
  return std::optional(Poll{std::string(id), std::string(chat), std::string(query.text(0)),
                            to_bytes(query.blob(1))});
}

Result<bool> PollStore::is_late(const Vote& vote) {
  Query query = last_vote_.query(key_of(vote));
  TRY(const bool found, query.next());
  return found && query.integer(0) > vote.at_ms;
}

Result<void> PollStore::note(const Vote& vote) {
  TRY(save_vote_.run(key_of(vote), vote.at_ms));
  if (++votes_ % kPruneEvery != 0) return {};
  return prune_votes_.run(kMostVotes);
}

Result<void> PollStore::move_user(std::string_view from, std::string_view to) {
  return move_.run(from, to);
}

}  // namespace posthorn::store
