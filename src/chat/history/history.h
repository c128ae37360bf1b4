#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "chat/history/payload.h"
#include "chat/history/progress.h"
#include "chat/history/reader.h"
#include "chat/lane/blob_source.h"
#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/people/tokens.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/store/history_store.h"
#include "posthorn/store/people_store.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// Takes from the phone's history what the shop needs on its first day: who wrote and when, who got
/// how much without an answer, names, which number is which LID, tokens. What was said is not kept.
///
/// An announced file is noted on disk with the message that announced it, so a power cut loses
/// none; files are read one after the other, and told to the phone as taken when all of it is
/// stored. Source: chapter 12 section 1.
class History {
 public:
  /// All outlive this.
  History(const MessageContext& context, ReceiveLane& lane, Tokens& tokens,
          store::HistoryStore& store, store::PeopleStore& people, BlobSource& blobs);

  /// An announcement; inside the lane's transaction.
  Result<void> announce(const std::string& message_id, const HistoryNotification& news);
  /// It is on disk.
  void on_announced(const HistoryNotification& news) {
    progress_.on_announced(news);
    wake(milliseconds(0));
  }
  void on_online();
  void on_offline();
  void on_logged_out() { progress_.on_logged_out(); }
  /// Percent of what the phone tells by itself. See PhoneHistory.
  [[nodiscard]] int progress() const { return progress_.percent(); }

 private:
  /// One file on its way: what came of it, and how much of that is stored.
  struct Work {
    std::string message_id;
    HistoryNotification news;
    HistoryReader reader;
    HistoryDigest digest;
    std::size_t same = 0, names = 0, conversations = 0;
    std::vector<PastChat> told;
  };

  void wake(milliseconds after);
  [[nodiscard]] bool waits();
  void start();
  void on_read(std::shared_ptr<Work> work, Result<void> result);
  void store_slice(std::shared_ptr<Work> work);
  Result<void> write_slice(Work& work);
  Result<void> write_conversation(Work& work, HistoryDigest::Conversation& conversation);
  Result<void> write_name(const HistoryDigest::Name& name);
  void tell(std::shared_ptr<Work> work);
  void finish(std::shared_ptr<Work> work, bool taken);

  const MessageContext& context_;
  ReceiveLane& lane_;
  Tokens& tokens_;
  store::HistoryStore& store_;
  store::PeopleStore& people_;
  BlobSource& blobs_;
  std::shared_ptr<Work> work_;  ///< shared: answers come to the one they belong to
  int failures_ = 0;            ///< of the file at the front
  Timer timer_;
  HistoryProgress progress_;
};

}  // namespace posthorn::chat
