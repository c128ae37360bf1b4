#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "posthorn/base/clock.h"
#include "posthorn/base/identities.h"
#include "posthorn/base/job.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/chat/calls.h"
#include "posthorn/chat/chat_state.h"
#include "posthorn/chat/contacts.h"
#include "posthorn/chat/earlier.h"
#include "posthorn/chat/events.h"
#include "posthorn/chat/files.h"
#include "posthorn/chat/groups.h"
#include "posthorn/chat/people.h"
#include "posthorn/chat/phone_history.h"
#include "posthorn/chat/presence.h"
#include "posthorn/chat/quotes.h"
#include "posthorn/chat/read_marks.h"
#include "posthorn/chat/status_views.h"
#include "posthorn/session/line.h"
#include "posthorn/session/listener.h"
#include "posthorn/throttle/sender.h"

namespace posthorn::store {
class Store;
}

namespace posthorn::chat {

/// Everything that is said over the line. Builds the parts and hands out their faces, one for each
/// topic; whoever uses a topic holds its face and calls it.
///
/// Stanzas are worked off strictly in the order they are handed in (the inbound lane); calls return
/// quickly and the work goes on in later turns of the loop. Sources: protocol chapters 05 - 07, 09.
class Chat final {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    store::Store& store;
    /// Ids of messages that are already in the inbox ring, newest last: a crash between the
    /// notification's append and our commit does not notify twice. Read by open() only.
    std::span<const std::string> told = {};
    /// Jobs that may have been sent shortly before an end without warning, whose rows it may have
    /// taken: a device that cannot read one may still ask for it. Read by open() only.
    std::span<const Job> unsure = {};
    /// What files need. nullopt: messages with files are told, and none is carried.
    std::optional<FilesOutside> files = {};
  };

  /// Everything given outlives the chat. Errors: io (the message tables).
  [[nodiscard]] static Result<std::unique_ptr<Chat>> open(session::Line& line, Outside outside,
                                                          EventSink sink);
  Chat(const Chat&) = delete;
  Chat& operator=(const Chat&) = delete;
  /// Answers every open question with cancelled, a send under way with `uncertain`.
  ~Chat();

  /// For Session::join. When the connection ends, a send that waits for its ack ends as
  /// `uncertain`, any other as `not_sent`.
  [[nodiscard]] session::Listener& listener();
  /// One message at a time; a second one is `not_sent` ("busy").
  [[nodiscard]] throttle::Sender& sender();
  [[nodiscard]] People& people();
  /// Who is who: fed by number checks and by what WhatsApp tells about LIDs.
  [[nodiscard]] Identities& identities();
  [[nodiscard]] ReadMarks& read_marks();
  [[nodiscard]] ChatState& chat_state();
  [[nodiscard]] Contacts& contacts();
  [[nodiscard]] Presence& presence();
  [[nodiscard]] Quotes& quotes();
  /// nullptr: opened without what files need.
  [[nodiscard]] Files* files();
  [[nodiscard]] Groups& groups();
  /// heard: for each group that we are in, at the latest since then (chatId, when).
  void on_group(std::function<void(const std::string& chat, Wall since)> heard);
  /// Since when the account is in that group, at the latest; nullopt: it is not, or there is none.
  /// Errors: malformed, disconnected, timeout, busy, refused, io, cancelled.
  void member_since(const std::string& group, Once<void(Result<std::optional<Wall>>)> done);
  /// Is there somebody under this LID ("…@lid")? Errors: as those.
  void is_there(const std::string& lid, Once<void(Result<bool>)> done);
  [[nodiscard]] Earlier& earlier();
  [[nodiscard]] Calls& calls();
  [[nodiscard]] StatusViews& status_views();
  [[nodiscard]] PhoneHistory& phone_history();

 private:
  class Parts;
  struct Stores;
  explicit Chat(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace posthorn::chat
