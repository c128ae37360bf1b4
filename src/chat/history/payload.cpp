#include "chat/history/payload.h"

#include <algorithm>
#include <utility>

namespace posthorn::chat {
namespace {

/// Compressed bytes that are read in one turn of the loop.
constexpr std::size_t kPiece = 16384;

/// What came along with its announcement, on its way to whoever reads it.
struct Inline {
  std::shared_ptr<const HistoryNotification> news;  // shared: each turn hands it to the next
  std::size_t read = 0;
  std::function<Result<void>(ByteView)> take;
  std::function<void(Result<void>)> done;
};

void read_inline(Scheduler& scheduler, std::shared_ptr<bool> alive, std::unique_ptr<Inline> work) {
  if (!*alive) return;
  const ByteView all = as_bytes(work->news->initialhistbootstrapinlinepayload());
  const ByteView piece = all.subspan(work->read, std::min(kPiece, all.size() - work->read));
  if (piece.empty()) return work->done({});
  work->read += piece.size();
  if (auto taken = work->take(piece); !taken) return work->done(std::move(taken));
  scheduler.post([&scheduler, alive = std::move(alive), work = std::move(work)]() mutable {
    read_inline(scheduler, std::move(alive), std::move(work));
  });
}

}  // namespace

bool has_payload(const HistoryNotification& news) {
  return news.has_initialhistbootstrapinlinepayload() ||
         (news.has_directpath() && news.mediakey().size() == 32);
}

void read_payload(const MessageContext& context, BlobSource& blobs,
                  std::shared_ptr<const HistoryNotification> news, std::uint64_t most,
                  std::function<Result<void>(ByteView)> take,
                  std::function<void(Result<void>)> done) {
  if (news->has_initialhistbootstrapinlinepayload()) {
    return read_inline(
        context.scheduler, context.alive,
        std::make_unique<Inline>(Inline{std::move(news), 0, std::move(take), std::move(done)}));
  }
  BlobRef blob;
  blob.kind = BlobRef::Kind::history;
  blob.direct_path = news->directpath();
  blob.media_key = to_bytes(as_bytes(news->mediakey()));
  blob.sha256 = to_bytes(as_bytes(news->filesha256()));
  blob.enc_sha256 = to_bytes(as_bytes(news->fileencsha256()));
  blob.size = news->filelength();
  blobs.fetch(std::move(blob), most, std::move(take), std::move(done));
}

wire::Node build_history_receipt(const std::string& message_id, const session::Identity& self) {
  return wire::Node("receipt", {{"id", message_id}, {"to", self.pn.bare()}, {"type", "hist_sync"}});
}

}  // namespace posthorn::chat
