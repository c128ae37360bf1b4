#include "daemon/file_fetcher.h"

#include <memory>
#include <utility>

#include "posthorn/chat/files.h"

namespace posthorn::daemon {
namespace {

constexpr seconds kTimeout{120};
constexpr int kRedirects = 5;

/// What comes goes into the store.
class StoreSink final : public net::HttpSink {
 public:
  explicit StoreSink(std::unique_ptr<files::Writer> writer) : writer_(std::move(writer)) {}

  void on_room(std::function<void()> wake) override { writer_->on_room(std::move(wake)); }
  Result<void> on_length(std::uint64_t bytes) override {
    if (bytes > chat::kLargestFile) return tl::unexpected(api::too_large_at_url(bytes));
    return {};
  }
  Result<bool> write(ByteView piece) override {
    const std::uint64_t come = writer_->size() + piece.size();
    if (come > chat::kLargestFile) return tl::unexpected(api::too_large_at_url(come));
    return writer_->append(as_text(piece));
  }
  std::unique_ptr<files::Writer> take() { return std::move(writer_); }

 private:
  std::unique_ptr<files::Writer> writer_;
};

}  // namespace

void FileFetcher::fetch(const std::string& url, Once<void(Result<api::FetchedFile>)> done,
                        const std::string& authorization) {
  auto writer = store_.begin(std::nullopt);
  if (!writer) return done(tl::unexpected(std::move(writer.error())));
  auto sink = std::make_shared<StoreSink>(std::move(*writer));  // shared: with the transfer
  net::HttpRequest request;
  request.url = url;
  request.timeout = kTimeout;
  if (!authorization.empty()) {
    request.headers.emplace_back("Authorization", authorization);
    request.headers.emplace_back("User-Agent", "posthorn");
  }
  request.redirects = kRedirects;
  request.sink = sink;
  request.public_only = !private_addresses_;
  http_.send(
      std::move(request), [sink, done = std::move(done)](Result<net::HttpResponse> answer) mutable {
        if (!answer) return done(tl::unexpected(std::move(answer.error())));
        if (answer->status != 200) {
          return done(fail(Errc::refused, "its server answered " + std::to_string(answer->status)));
        }
        auto whole = sink->take();
        files::Writer& last = *whole;
        last.finish([whole = std::move(whole), type = std::move(answer->content_type),
                     done = std::move(done)](Result<files::File> file) mutable {
          if (!file) return done(tl::unexpected(std::move(file.error())));
          done(api::FetchedFile{std::move(*file), std::move(type)});
        });
      });
}

}  // namespace posthorn::daemon
