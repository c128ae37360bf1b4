#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/inbox.h"
#include "daemon/outbox.h"
#include "posthorn/api/api.h"
#include "posthorn/api/notification.h"
#include "posthorn/base/config.h"
#include "posthorn/chat/events.h"
#include "posthorn/files/store.h"
#include "posthorn/receipts/receipts.h"

namespace posthorn::daemon {

/// Where tills reach one printer.
struct PrinterPorts {
  std::uint16_t port = 0;  ///< 0: not listened on
  std::string trouble, lpd_trouble;
};

/// print: net -> receipts -> outbox. Joins the receipts to the box: their messages become jobs,
/// what happens to them notifications, and the API shows them.
class ReceiptDesk {
 public:
  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;
    Worker& worker;
    Dialer& printers;  ///< straight to the shop's own network
    std::shared_ptr<files::Disk> disk;
    BlobStore& blobs;
    files::Store& files;
    Outbox& outbox;
    Inbox& inbox;
    std::function<api::Instance()> instance;
    std::function<seconds(Wall)> utc_offset;
    hours job_life{24};
    /// Whose chatId it is (Identities::account_of); may be empty.
    std::function<std::string(const std::string& chat)> account_of = {};
  };

  /// Everything in `outside` outlives it. Errors: malformed (printer.NAME.codepage).
  [[nodiscard]] static Result<std::unique_ptr<ReceiptDesk>> open(const Config& config,
                                                                 Outside outside);
  ReceiptDesk(const ReceiptDesk&) = delete;
  ReceiptDesk& operator=(const ReceiptDesk&) = delete;

  /// A customer's message; what asks for a receipt is answered.
  void on_message(const chat::Message& message);
  void accept(std::size_t printer, std::unique_ptr<Stream> till) {
    receipts_->accept(printer, std::move(till));
  }
  void accept_lpd(std::size_t printer, std::unique_ptr<Stream> till) {
    receipts_->accept_lpd(printer, std::move(till));
  }
  /// Is the port listened on for that printer, or why not. lpd: the one on which tills speak LPD.
  void on_listening(std::size_t printer, bool lpd, std::uint16_t port,
                    const Result<void>& listening);
  /// One sentence for a person: which ports of printers cannot be had, and what to do; "": none.
  [[nodiscard]] std::string trouble() const;
  /// getReceipts and its sisters, "/receipts" and "/till".
  void add_to(api::Api& api);
  void stop() { receipts_->stop(); }

 private:
  explicit ReceiptDesk(Outside outside) : outside_(std::move(outside)) {}

  void queue(receipts::Outgoing message, Once<void(Result<std::string>)> done);
  void queue_file(receipts::Outgoing message, Once<void(Result<std::string>)> done);
  void accept_job(const receipts::Outgoing& message, Content::What what,
                  Once<void(Result<std::string>)> done);
  void tell(const receipts::Event& event);
  void announce(const receipts::Receipt& receipt, Once<void(Result<void>)> done);
  void append(json::Value notification, Once<void(Result<void>)> done);

  Outside outside_;
  std::unique_ptr<receipts::Receipts> receipts_;
  std::vector<PrinterPorts> ports_;
  Alive<ReceiptDesk> alive_{this};
};

/// The methods, all under /waInstance{id}/{method}/{token}:
///
/// - GET getReceipts?count=100: newest first. ageSeconds: since it was printed, whatever the clocks
///   of the box and of who asks say; null: before the box's start, and not known
/// - GET getReceipt?receiptId=N: as in getReceipts, with text, width, height (dots), language,
///   codePage, codePageGuessed and qrPayloads; &form=png|pdf|raw: the file itself
/// - POST sendReceipt {receiptId, chatId}: {idMessage}: queued as a message. 400: why not; 404: it
///   has gone; 507 (no room), 500: not queued yet, and tried again by itself while its state is
///   "sending"
/// - POST deleteReceipt {receiptId}
/// - GET getReceiptPrinters
/// - GET getReceiptCustomers, POST setReceiptCustomers {csv} (care)
/// - POST setReceiptLogo {width, bits} (care): rows of dots in base64, 1 is black; "" for none
///
/// receipts and ports outlive the routes.
[[nodiscard]] std::vector<api::Route> receipt_routes(receipts::Receipts& receipts,
                                                     const std::vector<PrinterPorts>& ports);

[[nodiscard]] json::Value receipt_json(const receipts::Receipt& receipt);

/// Whole HTML, which asks the API for what it shows. id_instance: of this box.
[[nodiscard]] std::string receipts_page(std::uint64_t id_instance);
[[nodiscard]] std::string till_page(std::uint64_t id_instance);

}  // namespace posthorn::daemon
