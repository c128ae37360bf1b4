#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// What became of a change: WhatsApp's no is an answer, with a sentence for people.
struct GroupChange {
  bool done = false;
  std::string reason;  ///< why not; empty when it is done
};

struct CreatedGroup {
  bool created = false;
  std::string reason;       ///< why not; or who could not be added, and why
  std::string chat;         ///< "…@g.us"
  std::string invite_link;  ///< "https://chat.whatsapp.com/…"
};

/// A group as the API shows it; people are chatIds, times unix seconds.
struct GroupData {
  struct Participant {
    std::string chat;
    std::string lid;  ///< "…@lid"; empty: not known
    bool is_admin = false;
    bool is_owner = false;
  };
  std::string chat;
  std::string owner;
  std::string subject;
  std::string description;
  std::string subject_owner;
  std::int64_t creation = 0;
  std::int64_t subject_time = 0;
  std::vector<Participant> participants;
  std::string invite_link;  ///< empty: we are no admin
  std::size_t size = 0;
  std::uint32_t ephemeral_seconds = 0;
  bool members_edit = true;  ///< name, picture and so on
  bool members_send = true;
  bool members_add = true;
  bool is_community = false;
  bool is_community_announce = false;
};

/// Groups: made, shown, changed. chat: the group's chatId ("…@g.us"); people are chatIds.
/// Errors of all: malformed (a chatId), disconnected, timeout, io.
class Groups {
 public:
  virtual ~Groups() = default;

  enum class MemberChange : std::uint8_t { add, remove, promote, demote };

  /// name: 1 .. 100 characters. members: may be empty; those who cannot be added are left out.
  virtual void create(const std::string& name, std::vector<std::string> members,
                      Once<void(Result<CreatedGroup>)> done) = 0;
  /// Errors beside those: not_found (no such group), refused (we are no member).
  virtual void show(const std::string& chat, Once<void(Result<GroupData>)> done) = 0;
  virtual void rename(const std::string& chat, const std::string& name,
                      Once<void(Result<GroupChange>)> done) = 0;
  virtual void change_member(const std::string& chat, MemberChange change,
                             const std::string& member, Once<void(Result<GroupChange>)> done) = 0;
  /// nullopt: stays as it is.
  struct Settings {
    std::optional<bool> members_edit = {}, members_send = {};
    std::optional<std::uint32_t> timer = {};  ///< seconds until messages disappear; 0: never
  };
  virtual void change_settings(const std::string& chat, Settings settings,
                               Once<void(Result<GroupChange>)> done) = 0;
  virtual void set_picture(const std::string& chat, Bytes jpeg,
                           Once<void(Result<GroupChange>)> done) = 0;
  virtual void leave(const std::string& chat, Once<void(Result<GroupChange>)> done) = 0;
};

}  // namespace posthorn::chat
