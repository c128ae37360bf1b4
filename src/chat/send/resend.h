#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "chat/send/flow.h"
#include "chat/send/group_desk.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// A <receipt type="retry">: somebody could not read a message of ours.
struct RetryRequest {
  std::string message_id;
  std::uint32_t count = 1;
  std::string t;
  wire::Jid from;  ///< verbatim
  std::optional<wire::Jid> participant;
  std::optional<wire::Jid> recipient;
  wire::Jid requester;  ///< the device
  std::optional<std::uint32_t> registration_id;
  std::optional<KeyBundle> keys;
};

/// Errors: malformed (no <retry>, no id).
[[nodiscard]] Result<RetryRequest> parse_retry_request(const wire::Node& receipt);

/// Sends messages again to devices that ask. One at a time. Source: chapter 06 section 8.2.
class Resends {
 public:
  /// groups outlives this. unsure: jobs that may have been sent and whose rows a power cut may have
  /// taken (store/lease.h); asked for, they are built anew.
  Resends(SendTools tools, GroupDesk& groups, std::span<const Job> unsure);
  ~Resends();

  /// done: answered, refused or given up: the receipt may be acked.
  void add(RetryRequest request, Once<void()> done);
  void forget_waiting();

 private:
  struct Entry {
    RetryRequest request;
    Once<void()> done;
    wa::Message message;
    wire::Jid chat;
    Bytes tctoken;
    std::optional<signal::Encrypted> encrypted;
  };
  void next();
  void begin();
  [[nodiscard]] bool may_ask(const RetryRequest& request);
  [[nodiscard]] Result<bool> find_message();
  [[nodiscard]] Result<bool> read_row();
  [[nodiscard]] Result<bool> build_anew();
  void on_member(Result<bool> may_read);
  void prepare();
  Result<void> prepare_session();
  void on_prepared(Result<void> result);
  Result<void> encrypt();
  void on_encrypted(Result<void> result);
  void on_may_leave(Result<void> result);
  void finish(std::string_view why);
  template <class F>
  auto later(F member);

  SendTools tools_;
  GroupDesk& groups_;
  std::map<std::string, Job> unsure_;  ///< by message id
  std::deque<Entry> waiting_;
  std::optional<Entry> current_;
  std::uint64_t turn_ = 0;
  std::map<std::string, std::uint32_t> asked_;  ///< "device|id" -> requests so far
  std::deque<std::string> asked_order_;
  std::map<std::string, Bytes> base_keys_;  ///< "device|id" -> session at count 2
  std::shared_ptr<Resends*> self_;          ///< shared with callbacks that may come after us
};

}  // namespace posthorn::chat
