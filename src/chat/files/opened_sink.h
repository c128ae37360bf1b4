#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/base/media_cipher.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/worker.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"

namespace posthorn::chat {

/// What a media host sends, decrypted on the Worker while it comes and written into the store. The
/// file is there only when MAC and hashes were right; dropped before, it leaves nothing.
class OpenedSink final : public net::HttpSink {
 public:
  struct Expected {
    std::string ref;   ///< SHA-256 of the file in hex
    Bytes enc_sha256;  ///< empty: not looked at
  };

  /// worker and store outlive this. limit: sealed bytes at most.
  OpenedSink(std::unique_ptr<files::Writer> writer, files::Store& store, Worker& worker,
             ByteView key, std::string_view info, std::uint64_t limit);

  void on_room(std::function<void()> wake) override;
  Result<bool> write(ByteView piece) override;
  /// After the last piece. done: checked and on disk. Errors: crypto (not the bytes that the
  /// message names), full, io. Not called when this has gone.
  void finish(Expected expected, Once<void(Result<files::File>)> done);

 private:
  void open_more();
  void on_opened(Bytes plain);
  void end();
  void on_last(Result<Bytes> last);
  [[nodiscard]] bool has_room() const;

  std::unique_ptr<files::Writer> writer_;
  files::Store& store_;
  Worker& worker_;
  std::shared_ptr<crypto::MediaOpener> opener_;  ///< shared: with the work on its way
  std::uint64_t left_;
  Bytes waiting_;
  bool opening_ = false;
  bool writer_full_ = false;
  bool said_no_ = false;
  Expected expected_;
  std::optional<Once<void(Result<files::File>)>> done_;
  std::function<void()> wake_;
  Alive<OpenedSink> alive_{this};
};

}  // namespace posthorn::chat
