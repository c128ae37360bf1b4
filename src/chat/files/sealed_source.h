#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/base/media_cipher.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/worker.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"

namespace posthorn::chat {

/// A file out of the store as it will lie at a media host, made piece by piece: read and encrypted
/// on the Worker, 64 KiB at a time, so that memory does not grow with the file.
class SealedPieces {
 public:
  /// worker outlives this. info: media_group().info.
  SealedPieces(std::unique_ptr<files::Reader> reader, Worker& worker, ByteView key,
               std::string_view info);

  /// done: the next piece; empty: that was all. One at a time; not called when this has gone.
  void next(Once<void(Result<Bytes>)> done);
  /// SHA-256 of all of it; once, after the end.
  [[nodiscard]] crypto::Sha256 sealed_hash() { return sealer_->sealed_hash(); }
  [[nodiscard]] std::uint64_t sealed_size() const;

 private:
  void seal(Bytes plain, Once<void(Result<Bytes>)> done);

  std::unique_ptr<files::Reader> reader_;
  Worker& worker_;
  std::shared_ptr<crypto::MediaSealer> sealer_;  ///< shared: with the work on its way
  std::uint64_t read_ = 0;
  bool ended_ = false;
  Alive<SealedPieces> alive_{this};
};

/// What an upload has to name before it begins: where the file will lie, under its own hash.
struct SealedOutline {
  crypto::Sha256 enc_sha256;
  Bytes mac;
};

/// Encrypts the file once without keeping it. done: not called when *alive has gone.
void outline_of(std::shared_ptr<SealedPieces> pieces, Once<void(Result<SealedOutline>)> done);

/// The same bytes as the body of an upload.
class SealedSource final : public net::HttpSource {
 public:
  /// from: bytes that the host has already.
  SealedSource(std::unique_ptr<SealedPieces> pieces, std::uint64_t from)
      : pieces_(std::move(pieces)), skip_(from), size_(pieces_->sealed_size() - from) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void on_ready(std::function<void()> wake) override { wake_ = std::move(wake); }
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  void fetch();
  void on_piece(Result<Bytes> piece);

  std::unique_ptr<SealedPieces> pieces_;
  std::uint64_t skip_;
  std::uint64_t size_;
  Bytes piece_;
  std::size_t given_ = 0;  ///< of piece_
  bool fetching_ = false;
  std::optional<Error> failure_;
  std::function<void()> wake_;
  Alive<SealedSource> alive_{this};
};

}  // namespace posthorn::chat
