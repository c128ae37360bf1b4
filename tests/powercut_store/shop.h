#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/store.h"
#include "powercut_store/power_disk.h"
#include "support/fakes.h"

namespace posthorn::store {

/// What a power cut at the shop does not touch: the server with what it has not delivered, and a
/// customer who reads everything that leaves the shop and never loses a key. Copied, to go on from
/// one cut in several ways. Problems are collected as text.
struct World {
  explicit World(int messages);

  /// The customer encrypts the next `count` messages to the shop, as the server would queue them.
  void customer_writes(int count);
  /// A retry receipt with keys: the customer begins anew and writes that message again.
  void customer_writes_again(std::size_t number, const signal::Bundle& bundle);
  /// A stanza leaves the shop: the customer must be able to read it, under a key not seen before.
  void leave(int number, const signal::Encrypted& message);
  /// The same for a group's message under the shop's sender key; the key as it stood before.
  void leave_group(ByteView distribution, const Bytes& sealed);
  [[nodiscard]] signal::Bundle customer_bundle();
  [[nodiscard]] bool all_done() const;

  struct Queued {
    signal::Encrypted message;
    bool acknowledged = false;
  };
  signal::MemoryKeyStore customer;
  test::SeededRandom random;
  std::optional<signal::Bundle> shop_bundle;  ///< published, durably
  bool bits_flip = false;  ///< then what was reported durable may be gone, as long as that is told
  std::vector<Queued> to_shop;
  std::size_t taken = 0;  ///< messages of the customer before these, acknowledged and forgotten
  void forget_acknowledged();
  std::vector<bool> left;  ///< by number of the shop's message
  /// Ratchet key and counter, to the ciphertext; the newest hundred thousand and those before.
  std::map<std::string, Bytes> keys_seen, keys_seen_before;
  int written_again = 0;  ///< messages of the customer that the shop could not read at first
  std::vector<std::string> problems;
};

/// Runs inline and says when it does: what happens meanwhile happens on the loop, beside the
/// worker.
class ObservedWorker final : public Worker {
 public:
  explicit ObservedWorker(Scheduler& scheduler) : inline_(scheduler) {}
  void run(Task work, Task done) override;
  [[nodiscard]] bool busy() const { return busy_; }

 private:
  test::InlineWorker inline_;
  bool busy_ = false;
};

/// The shop's side on a disk that may lose power: works through what the world still wants, in the
/// order that the design asks for (commit, durable, then tell the outside).
class Shop {
 public:
  Shop(PowerDisk& disk, World& world, int checkpoint_pages);
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;
  ~Shop();

  /// False: power went. Checks that what the world was told is there.
  bool open();
  void close();
  [[nodiscard]] bool stepped_back() const { return stepped_back_; }
  [[nodiscard]] bool opened() const { return store_ != nullptr; }
  /// Until all is done; false: power went. Anything else that fails is a problem.
  bool work();
  /// Something else is saved and synced; false: power went.
  bool log_in();
  /// The next `count` messages beyond those that left; false: power went.
  bool send_more(int count);
  /// What the customer wrote and was not acknowledged; false: power went.
  bool receive_all();
  /// A commit of no meaning; durable is never asked for.
  void scribble();
  /// The same, when the worker is busy.
  void scribble_beside_worker();
  [[nodiscard]] Store& store() { return *store_; }
  /// Failures of the disk are what the test is about: `io` and `full` are no problems.
  void expect_faults() { expects_faults_ = true; }
  void run_posted() { scheduler_.run_posted(); }

 private:
  bool publish();
  bool send(int number);
  bool receive(std::size_t number);
  bool durable();
  /// As a stanza leaves: with Store::leave.
  bool may_leave();
  /// False, and a problem unless power is off.
  bool failed(const std::string& what, const Error& error);

  PowerDisk& disk_;
  World& world_;
  int checkpoint_pages_;
  test::FakeScheduler scheduler_;
  ObservedWorker worker_{scheduler_};
  test::SeededRandom random_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<signal::Protocol> protocol_;
  bool stepped_back_ = false;
  int scribbles_ = 0;
  bool expects_faults_ = false;
};

}  // namespace posthorn::store
