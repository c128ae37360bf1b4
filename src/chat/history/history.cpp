#include "chat/history/history.h"

#include <algorithm>
#include <utility>

#include "chat/people/addressing.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

/// First texts go before it.
constexpr milliseconds kAfterLogin{5'000};
constexpr milliseconds kRetryFirst{60'000};
constexpr int kMostFailures = 5;
/// A compressed file may have so many bytes.
constexpr std::uint64_t kMostFile = std::uint64_t{512} << 20;
/// Rows of one transaction.
constexpr std::size_t kSlice = 100;
/// Of what comes by itself, and is more than who saw which status.
bool holds_something(const HistoryNotification& news) {
  return has_payload(news) && !is_type(news, HistoryType::initial_status) &&
         !is_type(news, HistoryType::no_history) && !is_type(news, HistoryType::access_status);
}

std::optional<Jid> jid_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto jid = wire::parse_jid(text);
  if (!jid || jid->user.empty()) return std::nullopt;
  return from_hosted(jid->bare());
}

std::optional<Wall> wall(std::int64_t seconds) {
  return seconds == 0 ? std::nullopt : std::optional(Wall::from_unix(seconds));
}

}  // namespace

History::History(const MessageContext& context, ReceiveLane& lane, Tokens& tokens,
                 store::HistoryStore& store, store::PeopleStore& people, BlobSource& blobs)
    : context_(context),
      lane_(lane),
      tokens_(tokens),
      store_(store),
      people_(people),
      blobs_(blobs),
      timer_(context.scheduler),
      progress_(context.scheduler, !context.line.identity().pn.empty()) {
  if (waits()) progress_.on_found();
}

Result<void> History::announce(const std::string& message_id, const HistoryNotification& news) {
  return store_.add({message_id, to_bytes(as_bytes(news.SerializeAsString()))});
}

void History::wake(milliseconds after) {
  if (!work_ && !timer_.active()) timer_.start(after, [this] { start(); });
}

void History::on_online() {
  progress_.on_online();
  wake(kAfterLogin);
}

bool History::waits() {
  const auto first = store_.first();
  return first && *first;
}

void History::on_offline() {
  timer_.stop();
  work_.reset();
}

void History::start() {
  if (work_ || !context_.line.online()) return;
  auto first = store_.first();
  if (!first) return log::warn("history", "announced files", {{"why", first.error()}});
  if (!*first) return;
  auto work = std::make_shared<Work>();
  work->message_id = (*first)->message_id;
  const Bytes& bytes = (*first)->notification;
  const bool parsed = work->news.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  work_ = work;
  if (!parsed || !holds_something(work->news)) return finish(work, true);
  read_payload(
      context_, blobs_, std::shared_ptr<const HistoryNotification>(work, &work->news), kMostFile,
      [this, alive = context_.alive, work](ByteView piece) -> Result<void> {
        if (!*alive || work_ != work) return fail(Errc::cancelled, "history");
        return work->reader.add(piece);
      },
      [this, alive = context_.alive, work](Result<void> result) {
        if (*alive && work_ == work) on_read(work, std::move(result));
      });
}

void History::on_read(std::shared_ptr<Work> work, Result<void> result) {
  Result<HistoryDigest> digest =
      result ? work->reader.finish() : Result<HistoryDigest>(tl::unexpected(result.error()));
  if (!digest) {
    const Errc code = digest.error().code;
    log::warn("history", "a file of the phone's history cannot be read",
              {{"type", work->news.synctype()}, {"why", digest.error()}});
    // One that the hosts have no longer, or that is none, will not get better.
    return finish(work, code == Errc::malformed || code == Errc::not_found ||
                            code == Errc::crypto || code == Errc::full);
  }
  work->digest = std::move(*digest);
  if (work->digest.lid_migrated) context_.addressing.on_moved();
  store_slice(std::move(work));
}

// Storing
// ----------------------------------------------------------------------------------------------

void History::store_slice(std::shared_ptr<Work> work) {
  lane_.exclusive([this, work] { return write_slice(*work); },
                  [this, alive = context_.alive, work](Result<void> written) {
                    if (!*alive || work_ != work) return;
                    if (!written) {
                      log::warn("history", "not stored", {{"why", written.error()}});
                      return finish(work, false);
                    }
                    tell(work);
                  });
}

/// Names first: everything else is kept under the LID that they lead to.
Result<void> History::write_slice(Work& work) {
  HistoryDigest& digest = work.digest;
  std::size_t left = kSlice;
  if (!digest.salt.empty()) {
    TRY(tokens_.set_salt(digest.salt));
    digest.salt.clear();
  }
  for (; left > 0 && work.same < digest.same.size(); --left, ++work.same) {
    const auto one = jid_of(digest.same[work.same].first);
    const auto other = jid_of(digest.same[work.same].second);
    if (one && other) {
      TRY(context_.names.learn(*one, *other));
    }
  }
  for (; left > 0 && work.names < digest.names.size(); --left, ++work.names) {
    TRY(write_name(digest.names[work.names]));
  }
  for (; left > 0 && work.conversations < digest.conversations.size();
       --left, ++work.conversations) {
    TRY(write_conversation(work, digest.conversations[work.conversations]));
  }
  return {};
}

Result<void> History::write_name(const HistoryDigest::Name& name) {
  const auto jid = jid_of(name.user);
  if (!jid || !jid->is_person() || name.name.empty()) return {};
  TRY(const Jid named, context_.names.preferred(*jid));
  const std::string user = to_string(named);
  if (name.from_address_book) {
    // What app state says is newer.
    TRY(const auto known, people_.contact(user));
    return known ? Result<void>() : people_.save_contact(user, {name.name, name.first_name});
  }
  TRY(const auto known, context_.messages.push_name(user));
  return known ? Result<void>() : context_.messages.save_push_name(user, name.name);
}

Result<void> History::write_conversation(Work& work, HistoryDigest::Conversation& conversation) {
  const auto jid = jid_of(conversation.id);
  if (!jid || !(jid->is_person() || jid->is_group())) return {};
  const auto pn = jid_of(conversation.pn);
  const auto lid = jid_of(conversation.lid);
  if (jid->is_person() && (pn || lid)) {
    TRY(context_.names.learn(pn.value_or(*jid), lid.value_or(*jid)));
  }
  TRY(const Jid named, context_.names.preferred(*jid));
  const std::string user = to_string(named);
  if (!conversation.token.empty() && jid->is_person()) {
    TRY(context_.messages.save_token(user, conversation.token, conversation.token_at));
  }
  if (conversation.token_issued_at != 0 && jid->is_person()) {
    TRY(context_.messages.save_token_issued(user, conversation.token_issued_at));
  }
  if (conversation.timer > 0) {
    TRY(context_.messages.timers().save(
        user, {static_cast<std::uint32_t>(conversation.timer), conversation.timer_set_at}));
  }
  TRY(const auto known, people_.chat(user));
  auto settings = known.value_or(conversation.settings);
  if (settings.name.empty()) settings.name = conversation.settings.name;
  settings.last_at = std::max(settings.last_at, conversation.settings.last_at);
  TRY(people_.save_chat(user, settings));
  PastChat told;
  TRY(told.chat, context_.names.chat_id(named));
  told.wrote = wall(conversation.heard_at);
  told.written = wall(conversation.written_at);
  told.unanswered = conversation.unanswered;
  if (jid->is_group()) told.member_since = wall(conversation.since);
  work.told.push_back(std::move(told));
  return {};
}

/// What was stored is told; when that is on disk as well, the next slice follows.
void History::tell(std::shared_ptr<Work> work) {
  const auto go_on = [this, alive = context_.alive, work](Result<void> kept) {
    if (!*alive || work_ != work) return;
    if (!kept) return finish(work, false);
    const HistoryDigest& digest = work->digest;
    const bool all = work->same >= digest.same.size() && work->names >= digest.names.size() &&
                     work->conversations >= digest.conversations.size();
    if (all) return finish(work, true);
    context_.scheduler.post([this, alive, work] {
      if (*alive && work_ == work) store_slice(work);
    });
  };
  auto told = std::exchange(work->told, {});
  if (told.empty()) return go_on({});
  context_.sink(PastChats{std::move(told)}, go_on);
}

/// taken: the phone need not offer it again.
void History::finish(std::shared_ptr<Work> work, bool taken) {
  const bool given_up = !taken && ++failures_ >= kMostFailures;
  if (!taken && !given_up) {
    work_.reset();
    return timer_.start(kRetryFirst * failures_, [this] { start(); });
  }
  failures_ = 0;
  lane_.exclusive(
      [this, work] { return store_.drop(work->message_id); },
      [this, alive = context_.alive, work](Result<void> dropped) {
        if (!*alive || work_ != work) return;
        work_.reset();
        if (!dropped) return timer_.start(kRetryFirst, [this] { start(); });
        log::info("history", "a file of the phone's history is taken",
                  {{"type", work->news.synctype()},
                   {"chats", work->digest.conversations.size()},
                   {"messages", work->digest.messages},
                   {"cut", work->digest.cut}});
        context_.line.write(build_history_receipt(work->message_id, context_.line.identity()));
        progress_.on_taken(work->news, !waits());
        wake(milliseconds(0));
      });
}

}  // namespace posthorn::chat
