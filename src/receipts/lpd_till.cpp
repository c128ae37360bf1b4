#include "receipts/lpd_till.h"

#include <algorithm>
#include <charconv>

namespace posthorn::receipts {

namespace {

// Of RFC 1179, sections 5 and 6. A job's subcommands have the same numbers as others.
constexpr char kPrintWaiting = 1;
constexpr char kReceiveJob = 2;
constexpr char kShortState = 3;
constexpr char kLongState = 4;
constexpr char kRemove = 5;
constexpr char kAbort = 1;
constexpr char kControlFile = 2;
constexpr char kDataFile = 3;
constexpr std::uint8_t kTaken = 0;
constexpr std::uint8_t kRefused = 1;

}  // namespace

void LpdTill::start(Stream::Handler& handler) {
  handler_ = &handler;
  line_->start(*this);
}

void LpdTill::answer(std::uint8_t byte) { line_->write(Bytes{static_cast<std::byte>(byte)}); }

void LpdTill::refuse() {
  answer(kRefused);
  line_->end_writing();
  state_ = State::over;
}

void LpdTill::on_data(ByteView data) {
  while (!data.empty() && state_ != State::over) {
    if (state_ == State::command) {
      const char c = static_cast<char>(data.front());
      data = data.subspan(1);
      if (c == '\n' && !command_.empty()) {
        on_line();
      } else if (command_.size() < kLongestLine) {
        command_ += c;
      } else {
        refuse();
      }
      continue;
    }
    if (state_ == State::ends) {
      data = data.subspan(1);
      state_ = State::command;
      answer(kTaken);
      continue;
    }
    const std::size_t size =
        until_end_ ? data.size()
                   : static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
    const ByteView piece = data.first(size);
    data = data.subspan(size);
    if (!until_end_) left_ -= size;
    if (left_ == 0 && !until_end_) state_ = State::ends;
    if (is_data_ && !piece.empty()) handler_->on_data(piece);
  }
}

void LpdTill::on_line() {
  const char name = command_.front();
  if (in_job_) {
    if (name == kControlFile || name == kDataFile) return begin_file();
    command_.clear();
    return name == kAbort ? answer(kTaken) : refuse();
  }
  command_.clear();
  if (name == kReceiveJob) {
    in_job_ = true;
    return answer(kTaken);
  }
  if (name == kPrintWaiting || name == kRemove) {
    answer(kTaken);
  } else if (name == kShortState || name == kLongState) {
    line_->write(to_bytes(std::string_view("no entries\n")));
  } else {
    return refuse();
  }
  line_->end_writing();
  state_ = State::over;
}

/// "\2" or "\3", the file's size, a blank, its name.
void LpdTill::begin_file() {
  is_data_ = command_.front() == kDataFile;
  std::uint64_t size = 0;
  const char* const end = command_.data() + command_.size();
  const auto read = std::from_chars(command_.data() + 1, end, size);
  const bool whole = read.ec == std::errc{} && (read.ptr == end || *read.ptr == ' ');
  command_.clear();
  if (!whole || (!is_data_ && size > kLongestControl)) return refuse();
  // Some say 0 for a job whose end they do not know yet: it ends with the line.
  until_end_ = is_data_ && size == 0;
  left_ = size;
  state_ = size == 0 && !is_data_ ? State::ends : State::file;
  answer(kTaken);
}

}  // namespace posthorn::receipts
