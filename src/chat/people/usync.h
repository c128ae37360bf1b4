#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/session/line.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// One device as a device list names it.
struct DeviceEntry {
  std::uint16_t id = 0;
  std::optional<std::uint32_t> key_index;
  bool hosted = false;
  bool operator==(const DeviceEntry&) const = default;
};

/// What usync says about one user. Absent cells stay empty; a failed cell is like an absent one.
struct UsyncUser {
  wire::Jid jid;  ///< bare, as the server names the user; empty: no such user
  std::optional<wire::Jid> pn_jid;
  std::optional<wire::Jid> lid;
  bool has_devices = false;
  std::vector<DeviceEntry> devices;
  Bytes key_index_list;  ///< ADVSignedKeyIndexList; empty: none came
  std::int64_t key_index_ts = 0;
  enum class Contact : std::uint8_t { not_asked, in, out, invalid };
  Contact contact = Contact::not_asked;
  std::string contact_echo;  ///< the number as it was sent, "+4915550001234"
  std::string about;         ///< empty: none, or not for us to see
};

/// Devices and LIDs of users, right before a send. sid: unique per query. Users are asked for bare.
/// Source: chapter 09 sections 2, 4, 5.
[[nodiscard]] wire::Node build_device_query(std::span<const wire::Jid> users, std::string sid);
/// Only the LID of phone numbers.
[[nodiscard]] wire::Node build_lid_query(std::span<const wire::Jid> users, std::string sid);
/// Which numbers (digits) are on WhatsApp, and their LIDs. Section 3.
[[nodiscard]] wire::Node build_contact_query(std::span<const std::string> phones, std::string sid);
/// What somebody says of themselves. token: trusted-contact token, empty for none. Section 6.
[[nodiscard]] wire::Node build_about_query(const wire::Jid& user, const Bytes& token,
                                           std::string sid);

/// Errors: malformed; refused (a protocol failed for the whole query; detail holds code and text).
[[nodiscard]] Result<std::vector<UsyncUser>> parse_usync(const wire::Node& iq);

/// Says that a usync answer held a 429 of its own: the connection only sees those of whole IQs.
void tell_rate_limit(session::Line& line);

/// The <device> children of a <device-list>, a <devices> notification or its operations.
[[nodiscard]] std::vector<DeviceEntry> parse_devices(const wire::Node& list);

/// Device hash, version 2, over device JIDs in any order: "2:tj2rcUxU". Section 5.4.
[[nodiscard]] std::string device_hash(std::span<const wire::Jid> devices);

}  // namespace posthorn::chat
