#include "chat/state/app_state.h"

#include <algorithm>
#include <utility>

#include "chat/state/round.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using End = Collections::Outcome::End;
using wire::Node;

constexpr milliseconds kTimeout{30'000};
/// Nothing of this may stand before the first message of a connection.
constexpr milliseconds kAfterLogin{3'000};
constexpr milliseconds kRetryFirst{30'000};
constexpr int kMostDoublings = 7;
/// A file that is held in memory while it is read: 40,000 contacts.
constexpr std::uint64_t kMostFile = 8U << 20;
/// Entries of a snapshot in one turn of the loop.
constexpr std::size_t kSlice = 50;
constexpr int kMostConflicts = 5;

constexpr char kUnreadable[] = "WhatsApp's copy of this setting cannot be read";

bool is_final(int error) { return error == 400 || error == 404 || error == 405 || error == 406; }

}  // namespace

AppState::AppState(const MessageContext& context, ReceiveLane& lane, Collections& collections,
                   store::SyncStore& store, Keyring& keys, BlobSource& blobs)
    : context_(context),
      lane_(lane),
      collections_(collections),
      store_(store),
      keys_(keys),
      blobs_(blobs),
      timer_(context.scheduler) {}

AppState::~AppState() {
  for (const char* name : kCollections) fail_pending(name, {Errc::cancelled, "chat state"});
}

// When to ask
// ----------------------------------------------------------------------------------------------

void AppState::want(const std::string& name) {
  line(name).wanted = true;
  if (!round_) run_at(std::max(context_.scheduler.now(), quiet_until_));
}

void AppState::want_all() {
  for (const char* name : kCollections) want(name);
}

void AppState::on_keys() {
  for (const char* name : kCollections) {
    Line& one = line(name);
    one.left_alone = false;
    one.failures = 0;
    one.not_before = {};
  }
  quiet_until_ = {};
  want_all();
}

void AppState::on_notification(const Node& stanza) {
  if (stanza.tag == "ib") return want_all();
  for (const Node& collection : stanza.children()) {
    const std::string name = collection.text_attr("name");
    const auto known = std::find(kCollections.begin(), kCollections.end(), name);
    if (known == kCollections.end()) continue;
    const auto state = store_.collection(name);
    const auto version = collection.int_attr("version");
    if (version && state && static_cast<std::int64_t>(state->version) >= *version) continue;
    want(name);
  }
}

void AppState::on_online() {
  for (const char* name : kCollections) {
    Line& one = line(name);
    const auto state = store_.collection(name);
    if (state && state->version == 0 && !one.complete) one.wanted = true;
    one.not_before = {};  // most failures end with a connection
  }
  quiet_until_ = context_.scheduler.now() + kAfterLogin;
  run_at(quiet_until_);
}

void AppState::on_offline() {
  timer_.stop();
  if (round_) line(round_->name).wanted = true;
  round_.reset();
  for (const char* name : kCollections) fail_pending(name, {Errc::disconnected, "not connected"});
}

void AppState::on_logged_out() {
  on_offline();
  lines_.clear();
  keys_.forget();
}

// One question
// ----------------------------------------------------------------------------------------------

void AppState::run_at(Mono when) {
  timer_.start_at(when, [this] { run(); });
}

void AppState::run_soon() {
  quiet_until_ = {};
  run_at(context_.scheduler.now());
}

/// The first one that is due; when there is none, again at the time of the next.
void AppState::run() {
  if (round_ || !context_.line.online()) return;
  std::optional<Mono> next;
  for (const char* name : kCollections) {
    const Line& one = line(name);
    if (one.left_alone || !(one.wanted || !one.pending.empty())) continue;
    if (one.not_before <= context_.scheduler.now()) return begin(name);
    next = next ? std::min(*next, one.not_before) : one.not_before;
  }
  if (next) run_at(*next);
}

void AppState::begin(const std::string& name) {
  auto round = std::make_shared<Round>();
  round->name = name;
  round_ = round;
  lane_.exclusive([this, round] { return prepare(*round); },
                  [this, alive = context_.alive, round](Result<void> ready) {
                    if (!*alive || round_ != round) return;
                    if (!ready) return try_later(round, ready.error());
                    ask(round);
                  });
}

/// What to ask for: the whole when there is nothing yet, else what is missing, and with it our own
/// change when nothing is known to be missing.
Result<void> AppState::prepare(Round& round) {
  Line& one = line(round.name);
  TRY(const auto state, store_.collection(round.name));
  TRY(const auto key, keys_.active());
  // Before the phone has handed out keys nothing could be read.
  if (!key) return fail(Errc::not_found, "the phone has not handed out the keys yet");
  const bool drifted = state.drifted && !one.pending.empty() && !one.refreshed;
  if (drifted) one.refreshed = true;
  round.snapshot = (state.version == 0 && !one.complete) || drifted;
  round.version = round.snapshot ? 0 : state.version;
  if (round.snapshot || one.wanted || one.pending.empty()) return {};
  TRY(auto built, collections_.build(round.name, one.pending.front().changes));
  if (built) round.ours = std::move(*built);
  return {};
}

void AppState::ask(std::shared_ptr<Round> round) {
  if (round->ours.to_send.empty()) line(round->name).wanted = false;
  Node query =
      build_collection_query(round->name, round->version, round->snapshot, round->ours.to_send);
  context_.line.ask(std::move(query), kTimeout,
                    [this, alive = context_.alive, round](Result<Node> reply) {
                      if (*alive && round_ == round) on_answer(round, std::move(reply));
                    });
}

void AppState::on_answer(std::shared_ptr<Round> round, Result<Node> reply) {
  if (!reply) return try_later(round, reply.error());
  auto answer = parse_collection_answer(*reply, round->name);
  if (!answer) return try_later(round, {Errc::malformed, "no such collection in the answer"});
  round->answer = std::move(*answer);
  if (is_final(round->answer.error)) {
    return heal(round, "WhatsApp says " + std::to_string(round->answer.error));
  }
  constexpr int kConflict = 409;
  if (round->answer.error != 0 && round->answer.error != kConflict) {
    return try_later(round,
                     {Errc::disconnected, "WhatsApp says " + std::to_string(round->answer.error)});
  }
  if (!round->answer.snapshot.empty()) return take_snapshot(round, round->answer.snapshot);
  // Taken as it was made: what comes back would be the same.
  const bool adopted =
      !round->ours.to_send.empty() && round->answer.error == 0 && round->answer.patches.empty();
  if (adopted) round->answer.patches.push_back(round->ours.as_received);
  take_patches(std::move(round));
}

void AppState::take_snapshot(std::shared_ptr<Round> round, ByteView reference) {
  const auto blob = wire::parse_external_blob(reference);
  if (!blob) return heal(round, "its snapshot cannot be found");
  BlobRef ref{BlobRef::Kind::app_state, blob->direct_path, blob->media_key, blob->sha256,
              blob->enc_sha256,         blob->size};
  blobs_.fetch(
      std::move(ref), kMostFile,
      [round](ByteView piece) -> Result<void> {
        append(round->file, piece);
        return {};
      },
      [this, alive = context_.alive, round](Result<void> fetched) {
        if (!*alive || round_ != round) return;
        if (!fetched) return on_no_file(round, fetched.error());
        auto snapshot = parse_sync_snapshot(round->file);
        if (!snapshot) return heal(round, snapshot.error().detail);
        round->content = std::move(*snapshot);
        lane_.exclusive(
            [this, round]() -> Result<void> {
              TRY(round->outcome, collections_.begin(round->name, round->content));
              return {};
            },
            [this, alive, round](Result<void> begun) {
              if (!*alive || round_ != round) return;
              if (!begun) return try_later(round, begun.error());
              if (round->outcome.end != End::applied) return on_outcome(round, {});
              add_snapshot(round);
            });
      });
}

/// Slice by slice, with turns for others in between: a phone's 5,000 contacts are a second's work.
void AppState::add_snapshot(std::shared_ptr<Round> round) {
  lane_.exclusive(
      [this, round]() -> Result<void> {
        TRY(collections_.add(round->name, round->content, kSlice));
        if (round->content.next < round->content.records.size()) return {};
        return collections_.finish(round->name, round->content);
      },
      [this, alive = context_.alive, round](Result<void> added) {
        if (!*alive || round_ != round) return;
        if (!added) return try_later(round, added.error());
        if (round->content.next < round->content.records.size()) {
          context_.scheduler.post([this, alive, round] {
            if (*alive && round_ == round) add_snapshot(round);
          });
          return;
        }
        round->file.clear();
        round->content = {};
        take_patches(round);
      });
}

// Patches
// ----------------------------------------------------------------------------------------------

void AppState::take_patches(std::shared_ptr<Round> round) {
  if (round->next >= round->answer.patches.size()) return on_patches_done(round);
  const auto patch = wire::parse_sync_patch(round->answer.patches[round->next]);
  if (!patch) return heal(round, patch.error().detail);
  if (patch->external) return take_external(round, *patch->external);
  apply(std::move(round));
}

void AppState::take_external(std::shared_ptr<Round> round, const wire::ExternalBlob& blob) {
  round->file.clear();
  BlobRef ref{BlobRef::Kind::app_state, blob.direct_path, blob.media_key, blob.sha256,
              blob.enc_sha256,          blob.size};
  blobs_.fetch(
      std::move(ref), kMostFile,
      [round](ByteView piece) -> Result<void> {
        append(round->file, piece);
        return {};
      },
      [this, alive = context_.alive, round](Result<void> fetched) {
        if (!*alive || round_ != round) return;
        if (!fetched) return on_no_file(round, fetched.error());
        auto records = wire::parse_sync_mutations(round->file);
        if (!records) return heal(round, records.error().detail);
        round->external = std::move(*records);
        apply(round);
      });
}

/// What is too large, or not what was announced, would be so at each further download.
void AppState::on_no_file(std::shared_ptr<Round> round, const Error& why) {
  const bool lasting =
      why.code == Errc::full || why.code == Errc::crypto || why.code == Errc::malformed;
  return lasting ? heal(std::move(round), why.detail) : try_later(round, why);
}

void AppState::apply(std::shared_ptr<Round> round) {
  lane_.exclusive(
      [this, round]() -> Result<void> {
        TRY(const auto patch, wire::parse_sync_patch(round->answer.patches[round->next]));
        TRY(round->outcome, collections_.apply_patch(
                                round->name, patch, round->external ? &*round->external : nullptr));
        return {};
      },
      [this, alive = context_.alive, round](Result<void> result) {
        if (!*alive || round_ != round) return;
        round->external.reset();
        on_outcome(round, std::move(result));
      });
}

void AppState::on_outcome(std::shared_ptr<Round> round, Result<void> result) {
  if (!result) return try_later(round, result.error());
  switch (round->outcome.end) {
    case End::applied:
    case End::old:
      ++round->next;
      return take_patches(std::move(round));
    case End::gap:
      return try_later(round, {Errc::malformed, "patches are missing in between"});
    case End::missing_key: {
      log::info("state", "a key is missing", {{"collection", round->name}});
      lane_.exclusive([this, key = round->outcome.key] { return keys_.ask(key); },
                      [](Result<void>) {});
      fail_pending(round->name, {Errc::not_found, "the phone has not handed out the key yet"});
      return finish(round);
    }
    case End::broken:
      return heal(round, round->outcome.why);
  }
}

void AppState::on_patches_done(const std::shared_ptr<Round>& round) {
  Line& one = line(round->name);
  one.complete = true;
  one.failures = 0;
  if (round->answer.more) one.wanted = true;
  if (!round->ours.to_send.empty() && !one.pending.empty()) {
    Pending& ours = one.pending.front();
    const bool conflict = round->answer.error != 0;
    if (!conflict) {
      Done done = std::move(ours.done);
      one.pending.pop_front();
      done({});
    } else if (++ours.rounds >= kMostConflicts) {
      Done done = std::move(ours.done);
      one.pending.pop_front();
      done(fail(Errc::busy, "other devices change the same settings at this moment"));
    }
  }
  finish(round);
}

// When it goes wrong
// ----------------------------------------------------------------------------------------------

void AppState::heal(std::shared_ptr<Round> round, const std::string& why) {
  log::warn("state", "a collection is asked for anew", {{"collection", round->name}, {"why", why}});
  lane_.exclusive(
      [this, round]() -> Result<void> {
        TRY(const bool first, collections_.discard(round->name));
        if (!first) line(round->name).left_alone = true;
        return {};
      },
      [this, alive = context_.alive, round, why](Result<void> discarded) {
        if (!*alive || round_ != round) return;
        if (!discarded) return try_later(round, discarded.error());
        Line& one = line(round->name);
        one.complete = false;
        one.wanted = !one.left_alone;
        if (one.left_alone) {
          log::warn("state", "a collection is left alone until the next start",
                    {{"collection", round->name}, {"why", why}});
          fail_pending(round->name, {Errc::refused, kUnreadable});
        }
        finish(round);
      });
}

void AppState::try_later(const std::shared_ptr<Round>& round, const Error& why) {
  Line& one = line(round->name);
  // A key or a file that is not there: keys bring it back by themselves, a file the next question.
  one.wanted = why.code != Errc::not_found;
  if (one.wanted) {
    log::info("state", "a collection is asked for later",
              {{"collection", round->name}, {"why", why}});
    one.hindered = why.detail;
    one.not_before =
        context_.scheduler.now() + kRetryFirst * (1 << std::min(one.failures++, kMostDoublings));
  }
  fail_pending(round->name, why);
  finish(round);
}

void AppState::finish(const std::shared_ptr<Round>& round) {
  if (round_ == round) round_.reset();
  run_soon();
}

/// Whether a change would be sent now. Errors: refused (left alone), disconnected (not due).
Result<void> AppState::ready(const Line& one) const {
  if (one.left_alone) return fail(Errc::refused, kUnreadable);
  const milliseconds wait = one.not_before - context_.scheduler.now();
  if (wait <= milliseconds(0)) return {};
  const auto left = std::to_string(std::chrono::ceil<seconds>(wait).count());
  return fail(Errc::disconnected, "settings of this kind cannot be fetched at the moment (" +
                                      one.hindered + "); the box tries again in " + left + " s");
}

void AppState::fail_pending(const std::string& name, const Error& why) {
  auto pending = std::exchange(line(name).pending, {});
  for (Pending& one : pending) one.done(tl::unexpected(why));
}

}  // namespace posthorn::chat
