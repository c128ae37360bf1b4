#include "chat/files/blob_fetch.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/media_cipher.h"
#include "posthorn/base/sha256_stream.h"

namespace posthorn::chat {
namespace {

/// A history of 60 MB over a slow line.
constexpr milliseconds kTimeout{600'000};

std::string_view info_of(BlobRef::Kind kind) {
  return kind == BlobRef::Kind::history ? "WhatsApp History Keys" : "WhatsApp App State Keys";
}

/// What the host sends, opened at once.
class BlobSink final : public net::HttpSink {
 public:
  BlobSink(const BlobRef& blob, std::uint64_t most, std::function<Result<void>(ByteView)> piece)
      : opener_(blob.media_key, info_of(blob.kind)), left_(most), piece_(std::move(piece)) {}

  void on_room(std::function<void()>) override {}  // there always is

  Result<bool> write(ByteView sealed) override {
    began_ = true;
    TRY(give(opener_.add(sealed)));
    return true;
  }

  Result<void> finish(const BlobRef& blob) {
    TRY(const Bytes last, opener_.finish(blob.enc_sha256));
    TRY(give(last));
    const auto hash = hash_.finish();
    if (blob.sha256.empty() || std::ranges::equal(hash, blob.sha256)) return {};
    return fail(Errc::crypto, "not the content that was announced");
  }

  [[nodiscard]] bool began() const { return began_; }

 private:
  Result<void> give(const Bytes& plain) {
    if (plain.empty()) return {};
    if (plain.size() > left_) return fail(Errc::full, "the file is larger than it may be");
    left_ -= plain.size();
    hash_.add(plain);
    return piece_(plain);
  }

  crypto::MediaOpener opener_;
  crypto::Sha256Stream hash_;
  std::uint64_t left_;
  std::function<Result<void>(ByteView)> piece_;
  bool began_ = false;
};

}  // namespace

struct BlobFetch::Work {
  BlobRef blob;
  std::uint64_t most = 0;
  std::function<Result<void>(ByteView)> piece;
  Once<void(Result<void>)> done;
  std::vector<std::string> hosts;
  std::size_t host = 0;
  std::shared_ptr<BlobSink> sink;  ///< shared with the request
};

void BlobFetch::fetch(BlobRef blob, std::uint64_t most, std::function<Result<void>(ByteView)> piece,
                      Once<void(Result<void>)> done) {
  if (!blob.direct_path.starts_with('/') || blob.media_key.size() != crypto::kMediaKeyBytes) {
    return done(fail(Errc::malformed, "a file without path or key"));
  }
  auto work = std::make_shared<Work>();  // shared: each answer hands it on
  work->blob = std::move(blob);
  work->most = most;
  work->piece = std::move(piece);
  work->done = std::move(done);
  hosts_.get([this, alive = context_.context.alive, work](Result<MediaConn> conn) {
    if (!*alive) return work->done(fail(Errc::cancelled, "file"));
    work->hosts = conn ? conn->hosts : MediaHosts::usual();
    ask(work);
  });
}

void BlobFetch::ask(std::shared_ptr<Work> work) {
  auto request = media_request(context_, work->hosts[work->host], work->blob.direct_path);
  work->sink = std::make_shared<BlobSink>(work->blob, work->most, work->piece);
  request.sink = work->sink;
  request.timeout = kTimeout;
  context_.outside.http.send(std::move(request), [this, alive = context_.context.alive,
                                                  work](Result<net::HttpResponse> answer) {
    if (!*alive) return work->done(fail(Errc::cancelled, "file"));
    on_answer(work, std::move(answer));
  });
}

void BlobFetch::on_answer(const std::shared_ptr<Work>& work, Result<net::HttpResponse> answer) {
  const int status = answer ? answer->status : 0;
  if (status >= 200 && status < 300) return work->done(work->sink->finish(work->blob));
  if (status == 403 || status == 404 || status == 410) {
    return work->done(fail(Errc::not_found, "WhatsApp has this file no longer"));
  }
  if (work->sink->began() || ++work->host >= work->hosts.size()) {
    if (!answer) return work->done(tl::unexpected(std::move(answer.error())));
    return work->done(fail(Errc::disconnected, "media host: status " + std::to_string(status)));
  }
  ask(work);
}

}  // namespace posthorn::chat
