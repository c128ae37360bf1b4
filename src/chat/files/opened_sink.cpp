#include "chat/files/opened_sink.h"

#include <utility>

namespace posthorn::chat {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kMostWaiting = 4 * kPiece;

}  // namespace

OpenedSink::OpenedSink(std::unique_ptr<files::Writer> writer, files::Store& store, Worker& worker,
                       ByteView key, std::string_view info, std::uint64_t limit)
    : writer_(std::move(writer)),
      store_(store),
      worker_(worker),
      opener_(std::make_shared<crypto::MediaOpener>(key, info)),
      left_(limit) {
  writer_->on_room(alive_.bind([this] {
    writer_full_ = false;
    open_more();
  }));
}

void OpenedSink::on_room(std::function<void()> wake) { wake_ = std::move(wake); }

bool OpenedSink::has_room() const { return !writer_full_ && waiting_.size() < kMostWaiting; }

Result<bool> OpenedSink::write(ByteView piece) {
  if (piece.size() > left_) return fail(Errc::full, "the file is larger than 100 MB");
  left_ -= piece.size();
  append(waiting_, piece);
  if (waiting_.size() >= kPiece) open_more();
  said_no_ = !has_room();
  return !said_no_;
}

void OpenedSink::open_more() {
  if (opening_ || writer_full_) return;
  if (waiting_.empty()) {
    if (done_) end();
    return;
  }
  opening_ = true;
  run_on<Bytes>(
      worker_,
      [opener = opener_, sealed = std::exchange(waiting_, {})] { return opener->add(sealed); },
      alive_.bind([this](Bytes plain) { on_opened(std::move(plain)); }));
}

void OpenedSink::on_opened(Bytes plain) {
  opening_ = false;
  writer_full_ = !plain.empty() && !writer_->append(as_text(plain));
  if (waiting_.size() >= kPiece || done_) open_more();
  if (said_no_ && has_room()) {
    said_no_ = false;
    if (wake_) wake_();
  }
}

void OpenedSink::finish(Expected expected, Once<void(Result<files::File>)> done) {
  expected_ = std::move(expected);
  done_ = std::move(done);
  open_more();
}

void OpenedSink::end() {
  opening_ = true;
  run_on<Result<Bytes>>(
      worker_, [opener = opener_, hash = expected_.enc_sha256] { return opener->finish(hash); },
      alive_.bind([this](Result<Bytes> last) { on_last(std::move(last)); }));
}

void OpenedSink::on_last(Result<Bytes> last) {
  auto done = std::move(*done_);
  done_.reset();
  if (!last) return done(tl::unexpected(std::move(last.error())));
  if (!last->empty()) writer_->append(as_text(*last));
  writer_->finish([self = alive_.weak(), done = std::move(done)](Result<files::File> file) mutable {
    OpenedSink* me = self.get();
    if (!file || me == nullptr) return done(std::move(file));
    if (file->ref != me->expected_.ref) {
      // Rightly sealed by somebody who says another hash: not the file of that message.
      (void)me->store_.remove(file->ref);
      return done(fail(Errc::crypto, "another file than the message names"));
    }
    done(std::move(file));
  });
}

}  // namespace posthorn::chat
