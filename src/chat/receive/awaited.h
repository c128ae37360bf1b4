#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "posthorn/base/function.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/store/awaited_store.h"
#include "posthorn/wire/node.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// Messages that could not be read and may still come: from their sender, who was asked again, or
/// from the shop's phone, which is asked for those that the server does not have for this device,
/// and after ten seconds for the others too. What has not come after ten minutes is given up: a
/// shop should hear that there is a message which only the phone can show. Kept on disk, since
/// nobody sends it by himself. Source: chapter 06 sections 6.5, 8.1.
class Awaited {
 public:
  /// Who can give it. Stored: do not renumber.
  enum class From : std::uint8_t { sender = 0, phone = 1 };
  /// A question to the phone. done: it has left. Errors: disconnected, timeout, not_found, io.
  using AskPhone = Function<void(wa::Message question, Once<void(Result<void>)> done)>;
  /// The message did not come; it may still come later. stanza: without its content.
  using GivenUp = Function<void(std::uint64_t key, const wire::Node& stanza)>;

  /// Both outlive this. Goes on with what was awaited before the program ended.
  Awaited(const MessageContext& context, store::AwaitedStore& store, AskPhone ask_phone,
          GivenUp given_up);

  /// No room for one more.
  [[nodiscard]] bool full(std::uint64_t key) const;
  /// Found from now on; the time begins with start(). key: the first of seen_keys_of.
  void add(std::uint64_t key, const wire::Node& stanza, From from);
  /// Its row, inside the transaction of whoever add()ed it.
  Result<void> write(std::uint64_t key);
  void start(std::uint64_t key);
  /// It was not asked for after all: the server delivers it again.
  void pause(std::uint64_t key);
  /// It is here, or told as unreadable. true: drop() its row with the commit.
  bool take(std::uint64_t key) { return entries_.erase(key) > 0; }
  Result<void> drop(std::uint64_t key) { return store_.drop(key); }
  /// The stanza of the message that the phone names so; null: none is awaited. Errors: io.
  [[nodiscard]] Result<const wire::Node*> find(const wa::MessageKey& named) const;

  void on_online();
  Result<void> forget_all();

 private:
  struct Entry {
    wire::Node stanza;  ///< without its content
    From from = From::sender;
    std::optional<Mono> until;   ///< nullopt: not asked for
    std::optional<Mono> ask_at;  ///< the phone
    std::optional<Mono> asked_at;
  };

  void load();
  void look();
  void give_up(Mono now);
  void ask_phone(Mono now);
  void on_asked(const std::vector<std::uint64_t>& keys, const Result<void>& asked);
  void wake();

  const MessageContext& context_;
  store::AwaitedStore& store_;
  AskPhone ask_phone_;
  GivenUp given_up_;
  std::map<std::uint64_t, Entry> entries_;
  Timer timer_;
};

}  // namespace posthorn::chat
