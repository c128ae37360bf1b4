#pragma once

#include <array>
#include <memory>
#include <string>

#include "posthorn/base/stream.h"

namespace posthorn::receipts {

/// A till that prints by LPD: takes the protocol off, so that what is inside arrives as from any
/// till. Reading begins when the printer has been reached, so a printer that refuses refuses here
/// too; a job is acknowledged when its last byte has been handed on.
/// Source: RFC 1179 (commands 1 to 5; control files are read and dropped, what the printer answers
/// goes nowhere).
class LpdTill final : public Stream, private Stream::Handler {
 public:
  static constexpr std::size_t kLongestLine = 256;
  static constexpr std::uint64_t kLongestControl = 64U << 10;

  explicit LpdTill(std::unique_ptr<Stream> line) : line_(std::move(line)) {}

  void start(Stream::Handler& handler) override;
  void write(Bytes) override {}
  [[nodiscard]] std::size_t unsent() const override { return line_->unsent(); }
  void pause_reading(bool paused) override { line_->pause_reading(paused); }
  void close() override { line_->close(); }
  void end_writing() override { line_->end_writing(); }
  void reset() override { line_->reset(); }

 private:
  /// Of what comes: `ends` is the zero byte behind a file; `over`: refused or answered, and nothing
  /// more is read.
  enum class State : std::uint8_t { command, file, ends, over };

  void on_data(ByteView data) override;
  bool on_end() override { return handler_->on_end(); }
  void on_closed(Error why) override { handler_->on_closed(std::move(why)); }

  void on_line();
  void begin_file();
  void answer(std::uint8_t byte);
  void refuse();

  std::unique_ptr<Stream> line_;
  Stream::Handler* handler_ = nullptr;
  State state_ = State::command;
  std::string command_;
  bool in_job_ = false;     ///< behind "receive a job": subcommands follow
  bool is_data_ = false;    ///< the file is the job, not what is said about it
  bool until_end_ = false;  ///< its size was not told
  std::uint64_t left_ = 0;
};

}  // namespace posthorn::receipts
