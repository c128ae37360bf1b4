#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/bytes.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/base/worker.h"
#include "posthorn/files/disk.h"
#include "posthorn/receipts/settings.h"

/// A till that can only print. The box stands between till and printer: every byte passes, a copy
/// is kept as a receipt until its customer is known, and goes to WhatsApp.
///
///     till -> Printer -> printer        (always, first)
///                |-> Shelf (disk) -> render -> whose is it? -> Outside::send (outbox)
namespace posthorn::receipts {

/// One receipt as lists show it.
struct Receipt {
  enum class State : std::uint8_t {
    waiting,  ///< for its customer
    sending,  ///< its customer is known; not in the outbox yet
    queued,   ///< the outbox has it
  };
  std::uint64_t number = 0;
  std::string printer;
  Wall at, until;  ///< when it was printed, when it goes
  /// Since it was printed; nullopt: before the start, under a clock that was not set then or is not
  /// now.
  std::optional<milliseconds> age;
  State state = State::waiting;
  bool token = false;                 ///< a QR code was printed with it
  std::string total;                  ///< as printed; empty: none was found
  std::string chat, message_id, way;  ///< of whom it went to
  std::size_t lines = 0;
  bool cut_short = false;  ///< more was printed than is kept
};

/// A receipt as its customer gets it.
struct Rendering {
  std::string text;
  Bytes png, pdf;  ///< the one that was asked for
  std::size_t width = 0, height = 0;
  std::string language, code_page;
  bool guessed_page = false;
  std::vector<std::string> qr_payloads;
};

/// A message for the outbox.
struct Outgoing {
  std::string message_id, chat;
  Form form = Form::text;
  std::string text;  ///< of Form::text the message, else the caption
  Bytes file;        ///< of the others
  std::string name;  ///< of the file
  std::size_t width = 0, height = 0;
  std::string consent;  ///< "form", "spoken" or empty: the customer wrote first
};

/// What else has happened, for the till's notifications.
struct Sent {
  Receipt receipt;
};
struct NotQueued {
  Receipt receipt;  ///< waits again: somebody may say whose it is once more
  std::string why;  ///< it cannot be sent, however often it is tried
};
struct Gone {
  std::uint64_t number = 0;  ///< aged out, without a customer
};
struct DrawerOpened {
  std::string printer;  ///< without a sale
};
using Event = std::variant<Sent, NotQueued, Gone, DrawerOpened>;

class Receipts {
 public:
  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;
    Worker& worker;
    BlobStore& blobs;  ///< names begin with "receipts/"
    Dialer& dialer;    ///< to printers: straight, through no proxy
    std::shared_ptr<files::Disk> disk;
    /// Digits of the shop's own number; empty while no phone is linked.
    std::function<std::string()> shop_phone = {};
    std::function<std::string()> new_message_id = {};
    /// done: it is in the outbox, on disk; gives the name of its file, empty without one. The same
    /// message may come again after a power cut.
    std::function<void(Outgoing message, Once<void(Result<std::string>)> done)> send = {};
    /// The receipt is gone, and so is to be the file that was made of it, once no message in the
    /// outbox waits for it.
    std::function<void(const std::string& file)> remove_file = {};
    /// Whether one does.
    std::function<bool(const std::string& file)> file_waits = {};
    /// Printed, for the till's notifications. done: on disk; one for which that was not said is
    /// announced again at the next start, under the same number.
    std::function<void(const Receipt& receipt, Once<void(Result<void>)> done)> announce = {};
    std::function<void(const Event& event)> tell = {};
    /// Seconds the shop's clock is ahead of UTC, for {date}.
    std::function<seconds(Wall)> utc_offset = {};
    /// Whose chatId it is (Identities::account_of); may be empty.
    std::function<std::string(const std::string& chat)> account_of = {};
    std::size_t most_kept = 2000;  ///< receipts that the disk is given room for
  };
  static constexpr std::uint64_t kMostBytes = std::uint64_t{128} << 20;

  /// Everything in `outside` outlives it. Errors: malformed (a code page that is not known).
  [[nodiscard]] static Result<std::unique_ptr<Receipts>> open(Settings settings,
                                                              std::vector<PrinterSettings> printers,
                                                              Outside outside);
  virtual ~Receipts() = default;

  [[nodiscard]] virtual std::size_t printers() const = 0;
  /// A till has connected to the listener of that printer.
  virtual void accept(std::size_t printer, std::unique_ptr<Stream> till) = 0;
  /// The same on a port on which tills speak LPD.
  virtual void accept_lpd(std::size_t printer, std::unique_ptr<Stream> till) = 0;
  /// A job that comes as ePOS-Print XML (Odoo, web tills). printer: its name; any other name: the
  /// first that takes such jobs. done: the answer's XML, when the printer has taken it or refused.
  virtual void print_epos(std::string_view printer, std::string_view xml,
                          Once<void(std::string)> done) = 0;
  virtual void stop() = 0;

  /// A customer has written. True: it is a token of ours, right or wrong.
  virtual bool on_message(const std::string& chat, std::string_view text) = 0;

  /// Newest first.
  [[nodiscard]] virtual std::vector<Receipt> list() const = 0;
  [[nodiscard]] virtual std::optional<Receipt> find(std::uint64_t number) const = 0;
  /// Errors: not_found, io.
  virtual void show(std::uint64_t number, std::optional<Form> picture,
                    Once<void(Result<Rendering>)> done) = 0;
  virtual void raw(std::uint64_t number, Once<void(Result<Bytes>)> done) = 0;
  /// Somebody says whose it is. done: queued. Errors: not_found (there is none, or it has gone),
  /// refused (it went to somebody already, or is not whole); full, busy, io, cancelled: not queued
  /// yet. It is tried again by itself while find() tells State::sending; where it tells
  /// State::waiting, the disk could not keep whose it is, or it cannot be sent (any other error,
  /// and NotQueued tells it), and it must be said again.
  virtual void send(std::uint64_t number, const std::string& chat,
                    Once<void(Result<void>)> done) = 0;
  /// Gone from the disk. Errors: not_found.
  virtual Result<void> forget(std::uint64_t number) = 0;

  /// The shop's list of customers, "customer,number" a line; takes the place of the one before.
  /// Gives how many. Errors: malformed (which line), full.
  virtual Result<std::size_t> set_customers(std::string_view csv) = 0;
  [[nodiscard]] virtual std::string customers_csv() const = 0;
  /// The picture for the printer's own logo: rows of 1-bit dots, 1 is black. width: dots, 8 .. 576.
  /// Empty bits: none. Errors: malformed.
  virtual Result<void> set_logo(std::size_t width, ByteView bits) = 0;

  struct PrinterStatus {
    PrinterSettings settings;
    bool busy = false;
    std::size_t waiting = 0;
    std::uint64_t jobs = 0, connections = 0, refused = 0;
    std::string trouble;    ///< why the printer could not be reached last
    std::string language;   ///< in force: "escpos" or "star"
    std::string code_page;  ///< of the newest receipt
    bool guessed_page = false;
    std::string sample;  ///< a line of it with letters beyond ASCII
  };
  [[nodiscard]] virtual std::vector<PrinterStatus> printer_status() const = 0;
};

/// Whether settings may name it so: "auto", or one of the names. Errors: malformed (what is
/// allowed, or that this system's C library does not have its letters of two bytes).
[[nodiscard]] Result<void> check_code_page(std::string_view name);

}  // namespace posthorn::receipts
