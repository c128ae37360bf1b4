#include "chat/people/bundles_fetch.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "chat/people/devices_adv.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

constexpr milliseconds kFetchTimeout{30'000};
constexpr std::size_t kMaxPerQuery = 100;
constexpr std::size_t kAtOnce = 8;

bool is_gone(const Error& error) {
  return error.code == Errc::refused && error.detail.starts_with("406");
}

/// The server's own trouble, or too many questions: says nothing about the devices.
bool is_passing(const Error& error) {
  return error.detail.starts_with("5") || error.detail.starts_with("429");
}

}  // namespace

/// Queries still to be made.
struct SessionBuilder::Work {
  std::deque<std::vector<Jid>> queries;
  FetchReason reason = FetchReason::ordinary;
  Once<void(Result<Lists>)> done;
  Lists lists = Lists::current;
};

void SessionBuilder::ensure(std::vector<Jid> devices, FetchReason reason,
                            Once<void(Result<Lists>)> done) {
  Work work{{}, reason, std::move(done)};
  std::vector<Jid> missing;
  for (const Jid& device : devices) {
    const auto named = context_.names.preferred(from_hosted(device));
    if (!named) return work.done(fail(named.error(), "sessions"));
    const auto has = protocol_.has_session(address_of(*named));
    if (!has) return work.done(fail(has.error(), "sessions"));
    if (*has && reason == FetchReason::ordinary) continue;
    missing.push_back(*named);
  }
  while (!missing.empty()) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(missing.size(), kMaxPerQuery));
    work.queries.emplace_back(missing.begin(), missing.begin() + count);
    missing.erase(missing.begin(), missing.begin() + count);
  }
  fetch_next(std::move(work));
}

void SessionBuilder::fetch_next(Work work) {
  if (work.queries.empty()) return work.done(work.lists);
  std::vector<Jid> devices = std::move(work.queries.front());
  work.queries.pop_front();
  wire::Node query = build_bundle_query(devices, work.reason);
  context_.line.ask(std::move(query), kFetchTimeout,
                    [this, alive = context_.alive, work = std::move(work),
                     devices](Result<wire::Node> reply) mutable {
                      if (!*alive) return work.done(fail(Errc::cancelled, "asking for keys"));
                      on_reply(std::move(work), std::move(devices), std::move(reply));
                    });
}

void SessionBuilder::on_reply(Work work, std::vector<Jid> asked, Result<wire::Node> reply) {
  if (!reply && reply.error().code == Errc::refused)
    return on_refused(std::move(work), std::move(asked), reply.error());
  if (!reply) return work.done(fail(reply.error(), "asking for keys"));
  auto fetched = parse_bundles(*reply);
  if (!fetched) return work.done(fail(fetched.error(), "asking for keys"));
  take(std::move(work), std::move(*fetched));
}

/// One device that is gone spoils the query for all: the users are asked for one by one, then the
/// devices of the user it is one of.
void SessionBuilder::on_refused(Work work, std::vector<Jid> asked, const Error& error) {
  if (is_passing(error)) return work.done(fail(error, "asking for keys"));
  if (!is_gone(error)) return fetch_next(std::move(work));
  if (asked.size() == 1) {
    std::vector<FetchedBundle> gone;
    gone.push_back({asked.front(), tl::unexpected(error)});
    return take(std::move(work), std::move(gone));
  }
  std::map<std::string, std::vector<Jid>> by_user;
  for (Jid& device : asked) by_user[to_string(device.bare())].push_back(std::move(device));
  for (auto& [user, devices] : by_user) {
    if (by_user.size() > 1) {
      work.queries.push_back(std::move(devices));
    } else {
      for (Jid& device : devices) work.queries.push_back({std::move(device)});
    }
  }
  fetch_next(std::move(work));
}

void SessionBuilder::take(Work work, std::vector<FetchedBundle> fetched) {
  const auto gone = [](const FetchedBundle& entry) {
    return !entry.bundle && is_gone(entry.bundle.error());
  };
  if (std::any_of(fetched.begin(), fetched.end(), gone)) work.lists = Lists::stale;
  // Phones first: their identity key is what companions are checked against.
  std::stable_sort(fetched.begin(), fetched.end(),
                   [](const auto& a, const auto& b) { return a.device.device < b.device.device; });
  process_next(std::move(work), std::move(fetched));
}

/// A few in each turn of the loop: a session costs a slow board's core several milliseconds.
void SessionBuilder::process_next(Work work, std::vector<FetchedBundle> fetched) {
  if (fetched.empty()) return fetch_next(std::move(work));
  const auto count = static_cast<std::ptrdiff_t>(std::min(fetched.size(), kAtOnce));
  std::vector<FetchedBundle> now(std::make_move_iterator(fetched.begin()),
                                 std::make_move_iterator(fetched.begin() + count));
  fetched.erase(fetched.begin(), fetched.begin() + count);
  lane_.exclusive(
      [this, now = std::move(now)] { return process_all(now); },
      [this, work = std::move(work), fetched = std::move(fetched)](Result<void> result) mutable {
        if (!result) return work.done(fail(result.error(), "asking for keys"));
        if (fetched.empty()) return fetch_next(std::move(work));
        context_.scheduler.post([this, alive = context_.alive, work = std::move(work),
                                 fetched = std::move(fetched)]() mutable {
          if (!*alive) return work.done(fail(Errc::cancelled, "building sessions"));
          process_next(std::move(work), std::move(fetched));
        });
      });
}

Result<void> SessionBuilder::process_all(std::span<const FetchedBundle> fetched) {
  for (const FetchedBundle& entry : fetched) {
    const auto& bundle = entry.bundle;
    if (bundle) {
      const auto result = process(entry.device, *bundle);
      if (result) continue;
      if (result.error().code == Errc::io || result.error().code == Errc::full) {
        return fail(result.error(), "storing a session");
      }
      log::warn("messages", "a device's keys are refused", {{"why", result.error()}});
      continue;
    }
    log::debug("messages", "a device has no keys", {{"why", bundle.error()}});
    if (is_gone(bundle.error())) {
      TRY(devices_.drop(from_hosted(entry.device)));
    }
  }
  return {};
}

/// Without the account's word anybody who can answer for the server could read along.
Result<void> SessionBuilder::check_proof(const Jid& companion, const KeyBundle& bundle) {
  if (bundle.device_identity.empty()) {
    // Some clients leave the proof out of a retry receipt: the key it was given for stays proven.
    TRY(const auto known, protocol_.peer_identity(address_of(companion)));
    if (known && *known == bundle.keys.identity) return {};
    return fail(Errc::crypto, "a companion without the account's word for its key");
  }
  TRY(const auto account, devices_.account_key(companion));
  if (!account) return fail(Errc::crypto, "a companion whose phone's key is not known");
  return check_companion(bundle.device_identity, bundle.keys.identity, *account);
}

Result<void> SessionBuilder::process(const Jid& device, const KeyBundle& bundle) {
  TRY(const Jid named, context_.names.preferred(from_hosted(device)));
  if (named.device != 0) {
    TRY(check_proof(named, bundle));
  }
  const auto processed = protocol_.process_bundle(address_of(named), bundle.keys);
  if (!processed) return fail(processed.error(), "session");
  if (!*processed) return {};
  log::info("messages", "a device has a new identity key");
  return context_.groups.drop_user(to_string(named.bare()));
}

}  // namespace posthorn::chat
