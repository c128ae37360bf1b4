#pragma once

#include <memory>

#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "receipts/printer.h"
#include "receipts/virtual_printer.h"

namespace posthorn::receipts {

/// One till's connection, joined to the printer's.
///
///     dialing -> open -> draining (the till has closed, the printer still takes) -> over
class Passage {
 public:
  Passage(Printer& printer, std::unique_ptr<Stream> till);
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  void start();
  /// Another till waits: one that has said nothing for long has to go.
  void make_way();

 private:
  enum class State : std::uint8_t { dialing, open, draining, over };
  struct TillSide final : Stream::Handler {
    explicit TillSide(Passage& p) : passage(p) {}
    void on_data(ByteView data) override { passage.on_till_data(data); }
    bool on_end() override { return passage.on_till_end(); }
    void on_closed(Error) override { passage.on_till_gone(); }
    Passage& passage;
  };
  struct PrinterSide final : Stream::Handler {
    explicit PrinterSide(Passage& p) : passage(p) {}
    void on_data(ByteView data) override { passage.on_printer_data(data); }
    bool on_end() override {
      passage.printer_ended_ = passage.out_->unsent() == 0;
      return false;
    }
    void on_closed(Error why) override { passage.on_printer_gone(why); }
    Passage& passage;
  };

  void on_dialled(Result<std::unique_ptr<Stream>> stream);
  void on_till_data(ByteView data);
  bool on_till_end();
  void on_till_gone();
  void on_printer_data(ByteView data);
  void on_printer_gone(const Error& why);
  /// What the tap lets through.
  void forward(ByteView data);
  void finish_tap();
  void listen_for_silence(milliseconds after);
  void give_up(const char* why);
  void start_drain();
  void after_data();
  void to_printer(Bytes bytes);
  void watch_flow();
  /// Sides that are gone without a word, and printers that take nothing any more.
  void watch_sides();
  void drain();
  void end();

  Printer& printer_;
  std::unique_ptr<Stream> till_;
  std::unique_ptr<Stream> out_;  ///< to the printer; null while there is none
  std::unique_ptr<Dialer::Dial> dial_;
  std::unique_ptr<VirtualPrinter> self_;
  std::unique_ptr<Tap> tap_;  ///< null: nothing is kept of what this printer prints
  bool may_insert_ = false;
  State state_ = State::dialing;
  TillSide till_side_{*this};
  PrinterSide printer_side_{*this};
  bool printer_ended_ = false;  ///< in good order, and has taken everything
  bool till_paused_ = false, printer_paused_ = false;
  Mono quiet_since_;
  Mono heard_at_, taken_at_, drained_by_;
  std::size_t last_unsent_ = 0;
  Timer silence_{printer_.outside_.scheduler};
  Timer hold_{printer_.outside_.scheduler};
  Timer flow_{printer_.outside_.scheduler};
  Timer sides_{printer_.outside_.scheduler};
  Alive<Passage> alive_{this};
};

}  // namespace posthorn::receipts
