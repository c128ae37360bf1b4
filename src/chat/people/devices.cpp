#include "chat/people/devices.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "chat/people/devices_adv.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

constexpr hours kFresh{24};
constexpr milliseconds kUsyncTimeout{30'000};
constexpr std::size_t kMaxDevices = 100;

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<DeviceEntry> decode_device(std::string_view text) {
  DeviceEntry entry;
  if (text.ends_with('h')) {
    entry.hosted = true;
    text.remove_suffix(1);
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    entry.key_index = parse_number(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  const auto id = parse_number(text);
  if (!id || *id > kMaxDevices) return std::nullopt;
  entry.id = static_cast<std::uint16_t>(*id);
  return entry;
}

Jid device_jid(const Jid& user, const DeviceEntry& entry) {
  Jid device = user.with_device(entry.id);
  if (entry.hosted) {
    device.server = std::string(user.is_lid() ? wire::kServerHostedLid : wire::kServerHosted);
  }
  return device;
}

UserDevices to_user_devices(const Jid& user, const std::vector<DeviceEntry>& entries) {
  UserDevices result{user, true, {}};
  for (const DeviceEntry& entry : entries) result.devices.push_back(device_jid(user, entry));
  return result;
}

const UsyncUser* find_user(const std::vector<UsyncUser>& answer, const Jid& asked) {
  const auto names = [&](const UsyncUser& user) {
    return user.jid == asked || user.lid == asked || user.pn_jid == asked;
  };
  const auto at = std::find_if(answer.begin(), answer.end(), names);
  return at == answer.end() ? nullptr : &*at;
}

/// Of an account that WhatsApp has moved, only the LID has a device list: who was asked for by
/// number and came without one, though with a LID.
std::vector<std::pair<Jid, Jid>> moved(const std::vector<Jid>& users,
                                       const std::vector<UsyncUser>& answer) {
  std::vector<std::pair<Jid, Jid>> names;
  for (const Jid& asked : users) {
    const UsyncUser* user = asked.is_pn() ? find_user(answer, asked) : nullptr;
    if (user != nullptr && user->lid && user->devices.empty())
      names.emplace_back(asked, *user->lid);
  }
  return names;
}

}  // namespace

std::string encode_devices(const std::vector<DeviceEntry>& devices) {
  std::string text;
  for (const DeviceEntry& device : devices) {
    if (!text.empty()) text += ';';
    text += std::to_string(device.id);
    if (device.key_index) text += ':' + std::to_string(*device.key_index);
    if (device.hosted) text += 'h';
  }
  return text;
}

std::vector<DeviceEntry> decode_devices(std::string_view text) {
  std::vector<DeviceEntry> devices;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    if (const auto device = decode_device(text.substr(0, end))) devices.push_back(*device);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return devices;
}

void Devices::get(std::vector<Jid> users, Once<void(Result<std::vector<UserDevices>>)> done,
                  Freshness freshness) {
  std::vector<Jid> missing;
  std::vector<UserDevices> known;
  for (const Jid& user : users) {
    const auto entries = cached(user);
    if (!entries) return done(fail(entries.error(), "device lists"));
    const auto named = context_.names.preferred(user);
    if (!named) return done(fail(named.error(), "device lists"));
    if (*entries && freshness == Freshness::remembered)
      known.push_back(to_user_devices(*named, **entries));
    else
      missing.push_back(*named);
  }
  if (missing.empty()) return done(std::move(known));
  if (pause_.holds(context_.scheduler.now())) {
    return done(fail(Errc::busy, "the server wants fewer device queries"));
  }
  // All of them are asked for, so that one answer holds one consistent state.
  ask(std::move(users), Round::first, std::move(done));
}

void Devices::ask(std::vector<Jid> users, Round round,
                  Once<void(Result<std::vector<UserDevices>>)> done) {
  auto sid = hex_encode(context_.random.bytes(8));
  context_.line.ask(build_device_query(users, std::move(sid)), kUsyncTimeout,
                    [this, alive = context_.alive, users, round,
                     done = std::move(done)](Result<wire::Node> reply) mutable {
                      if (!*alive) return done(fail(Errc::cancelled, "asking for devices"));
                      on_reply(std::move(users), round, reply, std::move(done));
                    });
}

void Devices::on_reply(std::vector<Jid> users, Round round, const Result<wire::Node>& reply,
                       Once<void(Result<std::vector<UserDevices>>)> done) {
  auto answer = read_answer(reply);
  if (!answer) return done(fail(answer.error(), "asking for devices"));
  if (const auto names = moved(users, *answer); !names.empty() && round == Round::first)
    return ask_under_lids(std::move(users), names, std::move(done));
  // Rows and sessions change between two batches of the lane. Shared: one call fills what the other
  // reads.
  auto result = std::make_shared<std::vector<UserDevices>>();
  lane_.exclusive(
      [this, users = std::move(users), answer = std::move(*answer), result]() -> Result<void> {
        TRY(*result, take_answer(users, answer));
        return {};
      },
      [result, done = std::move(done)](Result<void> written) mutable {
        if (!written) return done(fail(written.error(), "device lists"));
        done(std::move(*result));
      });
}

void Devices::ask_under_lids(std::vector<Jid> users, const std::vector<std::pair<Jid, Jid>>& names,
                             Once<void(Result<std::vector<UserDevices>>)> done) {
  for (Jid& user : users) {
    for (const auto& [pn, lid] : names) {
      if (user == pn) user = lid;
    }
  }
  lane_.exclusive(
      [this, names]() -> Result<void> {
        for (const auto& [pn, lid] : names) TRY(context_.names.learn(pn, lid));
        return {};
      },
      [this, users = std::move(users), done = std::move(done)](Result<void> learned) mutable {
        if (!learned) return done(fail(learned.error(), "device lists"));
        ask(std::move(users), Round::under_lids, std::move(done));
      });
}

Result<std::vector<UsyncUser>> Devices::read_answer(const Result<wire::Node>& reply) {
  auto answer =
      reply ? parse_usync(*reply) : Result<std::vector<UsyncUser>>(tl::unexpected(reply.error()));
  if (answer) {
    pause_.on_success();
  } else if (pause_.on_error(answer.error(), context_.scheduler.now()) && reply) {
    tell_rate_limit(context_.line);
  }
  return answer;
}

Result<std::optional<std::vector<DeviceEntry>>> Devices::cached(const Jid& user) {
  TRY(const Jid named, context_.names.preferred(user.bare()));
  TRY(const auto row, context_.messages.device_list(to_string(named)));
  if (!row) return std::optional<std::vector<DeviceEntry>>();
  const auto age = context_.clock.now() - row->fetched_at;
  if (age > kFresh || age < -kFresh) return std::optional<std::vector<DeviceEntry>>();
  return std::optional(decode_devices(row->devices));
}

Result<std::vector<UserDevices>> Devices::take_answer(const std::vector<Jid>& users,
                                                      const std::vector<UsyncUser>& answer) {
  std::vector<UserDevices> result;
  for (const Jid& asked : users) {
    const UsyncUser* user = find_user(answer, asked);
    if (user == nullptr || !user->has_devices) {
      TRY(const Jid named, context_.names.preferred(asked));
      result.push_back({named, false, {}});
      continue;
    }
    TRY(auto devices, take_user(asked, *user));
    result.push_back(std::move(devices));
  }
  return result;
}

Result<UserDevices> Devices::take_user(const Jid& asked, const UsyncUser& answer) {
  if (answer.lid) {
    TRY(context_.names.learn(asked.is_pn() ? asked : answer.pn_jid.value_or(answer.jid),
                             *answer.lid));
  }
  TRY(const Jid named, context_.names.preferred(asked.bare()));
  const std::string key = to_string(named);
  TRY(const auto old, context_.messages.device_list(key));
  store::MessageStore::DeviceList row;
  TRY(auto entries, checked(named, answer, row));
  if (old && old->raw_id != 0 && row.raw_id != 0 && old->raw_id != row.raw_id) {
    TRY(forget_companions(named, old->devices));
  } else if (old && old->timestamp > row.timestamp && row.timestamp != 0) {
    // A list that was signed earlier than ours is a stale copy.
    row = *old;
    entries = decode_devices(old->devices);
  }
  row.devices = encode_devices(entries);
  row.fetched_at = context_.clock.now();
  TRY(context_.messages.save_device_list(key, row));
  return to_user_devices(named, entries);
}

Result<std::vector<DeviceEntry>> Devices::checked(const Jid& user, const UsyncUser& answer,
                                                  store::MessageStore::DeviceList& row) {
  std::vector<DeviceEntry> entries = answer.devices;
  const auto is_phone = [](const DeviceEntry& entry) { return entry.id == 0; };
  if (std::none_of(entries.begin(), entries.end(), is_phone)) {
    entries.insert(entries.begin(), DeviceEntry{});
  }
  if (entries.size() > kMaxDevices) entries.resize(kMaxDevices);
  if (answer.key_index_list.empty()) return entries;
  TRY(const auto key, account_key(user));
  const auto list = parse_key_index_list(answer.key_index_list, key);
  if (!list) {
    log::warn("messages", "a signed device list is wrong: only the phone is used",
              {{"why", list.error()}});
    return std::vector<DeviceEntry>{DeviceEntry{}};
  }
  std::erase_if(entries, [&](const DeviceEntry& entry) { return !list->allows(entry); });
  row.timestamp = answer.key_index_ts != 0 ? answer.key_index_ts : list->timestamp;
  row.raw_id = list->raw_id;
  return entries;
}

Result<std::optional<signal::PublicKey>> Devices::account_key(const Jid& user) {
  const session::Identity& self = context_.line.identity();
  if (is_own_user(self, user)) {
    const auto own = signal::parse_public_key(self.account_key);
    if (own) return std::optional(*own);
  }
  return protocol_.peer_identity(address_of(user.bare()));
}

Result<void> Devices::forget_companions(const Jid& user, const std::string& devices) {
  log::info("messages", "a phone was registered anew: its companions' sessions are dropped");
  for (const DeviceEntry& entry : decode_devices(devices)) {
    if (entry.id == 0) continue;
    TRY(protocol_.delete_session(address_of(user.with_device(entry.id))));
  }
  return {};
}

Result<void> Devices::drop(const Jid& user) {
  TRY(context_.messages.drop_device_list(to_string(user.bare())));
  TRY(const auto other, context_.names.other(user.bare()));
  if (other) {
    TRY(context_.messages.drop_device_list(to_string(*other)));
  }
  return {};
}

}  // namespace posthorn::chat
