#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/receipts/receipts.h"
#include "receipts/intake.h"
#include "receipts/numbers.h"
#include "receipts/printer.h"
#include "receipts/render.h"
#include "receipts/shelf.h"
#include "receipts/tokens.h"
#include "receipts/whose.h"

namespace posthorn::receipts {

/// Where receipts lie until their customer is known.
///
///     job -> on disk -> rendered -> waiting -> claimed (on disk) -> in the outbox (on disk) ->
///     gone
class Desk final : public Receipts {
 public:
  Desk(Settings settings, std::vector<PrinterSettings> printers, Outside outside);
  ~Desk() override;
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  [[nodiscard]] std::size_t printers() const override { return printers_.size(); }
  void accept(std::size_t printer, std::unique_ptr<Stream> till) override;
  void accept_lpd(std::size_t printer, std::unique_ptr<Stream> till) override;
  void print_epos(std::string_view printer, std::string_view xml,
                  Once<void(std::string)> done) override;
  void stop() override;
  bool on_message(const std::string& chat, std::string_view text) override;
  [[nodiscard]] std::vector<Receipt> list() const override;
  [[nodiscard]] std::optional<Receipt> find(std::uint64_t number) const override;
  void show(std::uint64_t number, std::optional<Form> picture,
            Once<void(Result<Rendering>)> done) override;
  void raw(std::uint64_t number, Once<void(Result<Bytes>)> done) override;
  void send(std::uint64_t number, const std::string& chat, Once<void(Result<void>)> done) override;
  Result<void> forget(std::uint64_t number) override;
  Result<std::size_t> set_customers(std::string_view csv) override;
  [[nodiscard]] std::string customers_csv() const override;
  Result<void> set_logo(std::size_t width, ByteView bits) override;
  [[nodiscard]] std::vector<PrinterStatus> printer_status() const override;

 private:
  struct Entry {
    Record record;
    std::optional<Claim> claim;
    Mono due;   ///< when it goes
    Mono seen;  ///< printed then, or read from the disk
    std::optional<milliseconds> age_then = milliseconds(0);  ///< nullopt: not known
    std::uint64_t size = 0;                                  ///< on disk
    bool kept = false;                                       ///< it is on disk
    bool told = false;                                       ///< that it was printed
    bool told_kept = false;                                  ///< and that is on disk
    int tries = 0;                                           ///< to queue its message
    Mono again;                                              ///< not before
    bool working = false;  ///< its claim goes to the disk, or it is being made into a message
    std::string total, customer_id;
    std::size_t lines = 0;
    Once<void(Result<void>)> waiter;  ///< whoever asked for it to be sent
  };
  /// What one pass over a job's bytes tells.
  struct Look {
    bool printed = false;
    std::size_t lines = 0;
    std::string total, customer_id;
    std::optional<Customer> customer;
    std::string code_page, sample;
    bool guessed_page = false;
  };
  struct Message {
    Outgoing outgoing;
    Result<void> made = fail(Errc::io, "no memory for a receipt");
  };
  struct Newest {
    std::string code_page, sample;
    bool guessed_page = false;
  };

  // desk.cpp: jobs
  void on_loaded(Result<std::vector<Shelf::Kept>> kept);
  void on_job(std::size_t printer, TappedJob job);
  void on_kept(std::uint64_t number, const Result<void>& kept);
  /// One after the other, so that the bytes of one job at a time are in memory for it.
  void look_at_next();
  [[nodiscard]] bool may_keep(std::size_t size);
  void on_look(std::uint64_t number, Look found);
  [[nodiscard]] std::optional<Tap::Block> make_block(std::size_t printer, Language language,
                                                     const LetterState& letters);
  [[nodiscard]] Reading reading_of(const Record& record) const;
  [[nodiscard]] Receipt shown(const Entry& entry) const;
  [[nodiscard]] milliseconds life_of(const Entry& entry) const;
  void announce(std::uint64_t number, Entry& entry);
  void note_told();
  void drop(std::uint64_t number);
  [[nodiscard]] int worth_of(const Entry& entry) const;
  void make_room();
  void sweep();
  void arm_sweep();

  // desk_delivery.cpp: customers
  void deliver(std::uint64_t number, const std::string& chat, Way way);
  void make_message(std::uint64_t number);
  void on_message_made(std::uint64_t number, Message message);
  void on_queued(std::uint64_t number, const Result<std::string>& queued);
  void retry();
  void arm_retry();
  /// It cannot be sent, however often it is tried.
  void give_up(Entry& entry, const Error& error);
  [[nodiscard]] bool same_person(const std::string& chat, const std::string& other) const;
  void answer_unknown(const std::string& chat);
  void send_text(const std::string& chat, const std::string& text);
  [[nodiscard]] std::string caption_of(const Entry& entry);
  [[nodiscard]] std::string question_for(const Entry& entry);
  bool on_regular_word(const std::string& chat, std::string_view text);
  void save_customers();

  Settings settings_;
  Outside outside_;
  Shelf shelf_;
  std::vector<std::unique_ptr<Printer>> printers_;
  std::map<std::uint64_t, Entry> entries_;
  std::map<std::string, std::uint64_t, std::less<>> tokens_;
  std::vector<std::pair<std::size_t, TappedJob>> early_;  ///< before the shelf was read
  std::size_t early_bytes_ = 0;
  std::deque<std::uint64_t> to_look_;  ///< new ones first, then those of before the start
  bool looking_ = false;
  Intake intake_;
  std::optional<Mono> told_full_;
  bool loaded_ = false;
  bool stopped_ = false;
  Numbers numbers_{outside_.blobs};
  std::uint64_t kept_bytes_ = 0;
  Guesses guesses_;
  std::shared_ptr<const CustomerTable> customers_ =
      std::make_shared<CustomerTable>();  ///< shared: with work on threads
  /// How often a chat has scanned receipts of one customer's number, and who was asked.
  struct Regular {
    std::size_t scans = 0;
    std::optional<Mono> asked;
  };
  std::map<std::pair<std::string, std::string>, Regular> regulars_;
  std::shared_ptr<const Bitmap> logo_;  ///< shared: with work on threads
  std::map<std::string, Newest> newest_;
  Timer sweep_timer_{outside_.scheduler};
  Timer retry_timer_{outside_.scheduler};
  Alive<Desk> alive_{this};
};

/// {shop}, {total}, … in a template; a line whose names all stand for nothing is left out.
[[nodiscard]] std::string fill_in(std::string_view text,
                                  const std::map<std::string, std::string, std::less<>>& names);

}  // namespace posthorn::receipts
