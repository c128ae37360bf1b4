#include "chat/files/sealed_source.h"

#include <algorithm>

namespace posthorn::chat {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;

/// One after the other until the end.
void outline_next(std::shared_ptr<SealedPieces> pieces, Bytes tail,
                  Once<void(Result<SealedOutline>)> done) {
  SealedPieces& from = *pieces;
  from.next([pieces = std::move(pieces), tail = std::move(tail),
             done = std::move(done)](Result<Bytes> piece) mutable {
    if (!piece) return done(tl::unexpected(std::move(piece.error())));
    if (piece->empty()) return done(SealedOutline{pieces->sealed_hash(), std::move(tail)});
    // The MAC may come in two pieces.
    append(tail, *piece);
    if (tail.size() > crypto::kMediaMacBytes) {
      tail.erase(tail.begin(), tail.end() - static_cast<std::ptrdiff_t>(crypto::kMediaMacBytes));
    }
    outline_next(std::move(pieces), std::move(tail), std::move(done));
  });
}

}  // namespace

SealedPieces::SealedPieces(std::unique_ptr<files::Reader> reader, Worker& worker, ByteView key,
                           std::string_view info)
    : reader_(std::move(reader)),
      worker_(worker),
      sealer_(std::make_shared<crypto::MediaSealer>(key, info)) {}

std::uint64_t SealedPieces::sealed_size() const {
  return crypto::sealed_media_size(reader_->about().size);
}

void SealedPieces::next(Once<void(Result<Bytes>)> done) {
  if (ended_) return done(Bytes());
  reader_->read(read_, kPiece,
                [self = alive_.weak(), done = std::move(done)](Result<Bytes> plain) mutable {
                  SealedPieces* me = self.get();
                  if (me == nullptr) return done(fail(Errc::cancelled, "given up"));
                  if (!plain) return done(tl::unexpected(std::move(plain.error())));
                  me->seal(std::move(*plain), std::move(done));
                });
}

void SealedPieces::seal(Bytes plain, Once<void(Result<Bytes>)> done) {
  read_ += plain.size();
  // A file that is shorter than it was has been damaged; the host's copy would not be the file.
  const bool last = plain.size() < kPiece;
  if (last && read_ != reader_->about().size) {
    return done(fail(Errc::io, "the file on the box is damaged"));
  }
  ended_ = last;
  run_on<Result<Bytes>>(
      worker_,
      [sealer = sealer_, plain = std::move(plain), last]() -> Result<Bytes> {
        Bytes out = sealer->add(plain);
        if (last) append(out, sealer->finish());
        return out;
      },
      std::move(done));
}

void outline_of(std::shared_ptr<SealedPieces> pieces, Once<void(Result<SealedOutline>)> done) {
  outline_next(std::move(pieces), {}, std::move(done));
}

Result<std::size_t> SealedSource::read(std::span<std::byte> out) {
  if (failure_) return tl::unexpected(*failure_);
  const std::size_t size = std::min(out.size(), piece_.size() - given_);
  std::copy_n(piece_.begin() + static_cast<std::ptrdiff_t>(given_), size, out.begin());
  given_ += size;
  if (given_ == piece_.size()) fetch();
  return size;
}

void SealedSource::fetch() {
  if (fetching_) return;
  fetching_ = true;
  pieces_->next(alive_.bind([this](Result<Bytes> piece) { on_piece(std::move(piece)); }));
}

void SealedSource::on_piece(Result<Bytes> piece) {
  fetching_ = false;
  if (!piece) {
    failure_ = std::move(piece.error());
  } else {
    const bool end = piece->empty();
    const auto skipped = std::min<std::uint64_t>(skip_, piece->size());
    skip_ -= skipped;
    piece_ = std::move(*piece);
    given_ = static_cast<std::size_t>(skipped);
    if (given_ == piece_.size() && !end) return fetch();
    if (end) return;
  }
  if (wake_) wake_();
}

}  // namespace posthorn::chat
