#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "chat/lane/blob_source.h"
#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/state/collection.h"
#include "chat/state/keyring.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/chat/chat_state.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// Keeps the collections at the server's version and brings our own changes there: one question at
/// a time, in the order of the collections, each on its own. One that fails for a while is tried
/// again later and holds up no other, one that cannot be read is left alone: messages do not depend
/// on any of it. Source: chapter 11 sections 7 - 9.
class AppState final : public ChatState {
 public:
  /// All outlive this.
  AppState(const MessageContext& context, ReceiveLane& lane, Collections& collections,
           store::SyncStore& store, Keyring& keys, BlobSource& blobs);
  ~AppState() override;

  /// Keys came and are on disk: everything that waited for them goes on.
  void on_keys();
  /// <notification type="server_sync"> or <ib><dirty type="syncd_app_state">.
  void on_notification(const wire::Node& stanza);
  void on_online();
  void on_offline();
  void on_logged_out();

  void archive(const std::string& chat, bool on, Done done) override;
  void pin(const std::string& chat, bool on, Done done) override;
  void mute(const std::string& chat, std::optional<Wall> until, Done done) override;
  void mark_read(const std::string& chat, bool read, Done done) override;
  void remove(const std::string& chat, Done done) override;
  void remove_message(const std::string& chat, const std::string& message_id, bool from_me,
                      Wall sent_at, Done done) override;
  void save_contact(const std::string& chat, const std::string& first_name,
                    const std::string& last_name, bool in_phone_book, Done done) override;
  void remove_contact(const std::string& chat, Done done) override;

 private:
  /// A change that waits for its collection, or is on its way.
  struct Pending {
    std::vector<StateChange> changes;
    Done done;
    int rounds = 0;
  };
  struct Line {
    bool wanted = false;     ///< the server may have more
    bool complete = false;   ///< asked for as a whole since the start
    bool refreshed = false;  ///< a snapshot was asked for because it had drifted
    bool left_alone = false;
    int failures = 0;      ///< in a row
    Mono not_before;       ///< the next question about it
    std::string hindered;  ///< why it has to wait until then
    std::deque<Pending> pending;
  };
  /// One question and what came of it.
  struct Round;
  struct Answer;

  void want(const std::string& name);
  void want_all();
  void run_at(Mono when);
  void run_soon();
  void run();
  void begin(const std::string& name);
  Result<void> prepare(Round& round);
  void ask(std::shared_ptr<Round> round);
  void on_answer(std::shared_ptr<Round> round, Result<wire::Node> reply);
  void take_snapshot(std::shared_ptr<Round> round, ByteView reference);
  void add_snapshot(std::shared_ptr<Round> round);
  void take_patches(std::shared_ptr<Round> round);
  void take_external(std::shared_ptr<Round> round, const wire::ExternalBlob& blob);
  void on_no_file(std::shared_ptr<Round> round, const Error& why);
  void apply(std::shared_ptr<Round> round);
  void on_outcome(std::shared_ptr<Round> round, Result<void> result);
  void on_patches_done(const std::shared_ptr<Round>& round);
  void heal(std::shared_ptr<Round> round, const std::string& why);
  void finish(const std::shared_ptr<Round>& round);
  void try_later(const std::shared_ptr<Round>& round, const Error& why);
  void fail_pending(const std::string& name, const Error& why);
  Line& line(const std::string& name) { return lines_[name]; }
  [[nodiscard]] Result<void> ready(const Line& one) const;

  void change(const std::string& collection, Result<std::vector<StateChange>> changes, Done done);
  Result<std::vector<StateChange>> chat_changes(
      const std::string& chat,
      const std::function<std::vector<StateChange>(const std::string& jid)>& make);
  Result<std::string> named(const std::string& chat);

  const MessageContext& context_;
  ReceiveLane& lane_;
  Collections& collections_;
  store::SyncStore& store_;
  Keyring& keys_;
  BlobSource& blobs_;
  std::map<std::string, Line> lines_;
  std::shared_ptr<Round> round_;  ///< shared: answers come to the one they belong to
  Timer timer_;
  Mono quiet_until_;  ///< nothing begins by itself before that, unless a change has begun
};

}  // namespace posthorn::chat
