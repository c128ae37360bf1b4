#include "media_http.h"

#include <algorithm>
#include <array>

namespace posthorn::scenario {

struct MediaHttp::Transfer {
  net::HttpRequest request;
  Once<void(Result<net::HttpResponse>)> done;
  Bytes body;
  net::HttpResponse response;
  std::shared_ptr<const Bytes> bytes;
  std::size_t sent = 0;
  std::size_t until = 0;
  bool ended = false;

  void end(Result<net::HttpResponse> result) {
    if (std::exchange(ended, true)) return;
    done(std::move(result));
  }
};

void MediaHttp::send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) {
  requests.push_back(request);
  requests.back().sink.reset();
  requests.back().source.reset();
  auto transfer = std::make_shared<Transfer>();
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  const std::weak_ptr<Transfer> weak = transfer;
  if (transfer->request.source) {
    transfer->request.source->on_ready([this, weak] {
      if (const auto open = weak.lock()) pump(open);
    });
  }
  if (transfer->request.sink) {
    transfer->request.sink->on_room([this, weak] {
      if (const auto open = weak.lock()) deliver(open);
    });
  }
  scheduler_.post([this, transfer] { pump(transfer); });
}

/// Until its own time is over.
void MediaHttp::wait(const std::shared_ptr<Transfer>& transfer) {
  scheduler_.call_at(scheduler_.now() + transfer->request.timeout,
                     [transfer] { transfer->end(fail(Errc::timeout, "it never answered")); });
}

/// Takes the request's body.
void MediaHttp::pump(const std::shared_ptr<Transfer>& transfer) {
  if (transfer->ended || transfer->bytes) return;
  auto& source = transfer->request.source;
  while (source && transfer->body.size() < source->size()) {
    std::array<std::byte, 10'000> piece{};
    const auto read = source->read(piece);
    if (!read) return transfer->end(tl::unexpected(read.error()));
    if (*read == 0) {
      // Who has nothing yet calls again; it keeps nobody, so the transfer keeps itself.
      scheduler_.call_at(scheduler_.now() + milliseconds(1), [this, transfer] { pump(transfer); });
      return;
    }
    append(transfer->body, ByteView(piece).first(*read));
  }
  answer(transfer);
}

void MediaHttp::answer(const std::shared_ptr<Transfer>& transfer) {
  if (transfer->ended) return;
  const net::HttpRequest& request = transfer->request;
  const std::size_t path = request.url.find('/', request.url.find("://") + 3);
  const std::string target = path == std::string::npos ? "/" : request.url.substr(path);
  asked.push_back(request.method + " " + target.substr(0, target.find('?')));
  if (never.contains(request.url)) return wait(transfer);
  if (down) return transfer->end(fail(Errc::refused, "nobody listens"));
  if (const auto page = pages.find(request.url); page != pages.end()) {
    transfer->response.status = page->second.status;
    transfer->response.content_type = page->second.type;
    transfer->bytes = std::make_shared<const Bytes>(to_bytes(page->second.body));
    transfer->until = transfer->bytes->size();
  } else if (request.url.starts_with("https://127.0.0.1")) {
    auto said = world_.media(request.method, target, std::move(transfer->body));
    if (!said.bytes && said.cut_after) {
      return transfer->end(fail(Errc::disconnected, "the connection broke"));
    }
    transfer->response.status = said.status;
    transfer->bytes = said.bytes ? said.bytes : std::make_shared<const Bytes>(to_bytes(said.text));
    transfer->until = static_cast<std::size_t>(std::min<std::uint64_t>(
        said.cut_after.value_or(transfer->bytes->size()), transfer->bytes->size()));
  } else {
    return transfer->end(fail(Errc::refused, "nobody listens"));
  }
  deliver(transfer);
}

void MediaHttp::deliver(const std::shared_ptr<Transfer>& transfer) {
  if (transfer->ended || !transfer->bytes) return;
  const bool to_sink = transfer->request.sink && transfer->response.status == 200;
  if (!to_sink) {
    transfer->response.body = to_string(*transfer->bytes);
    return transfer->end(std::move(transfer->response));
  }
  while (transfer->sent < transfer->until) {
    constexpr std::size_t kPiece = 16'384;
    const std::size_t size = std::min(kPiece, transfer->until - transfer->sent);
    const auto taken =
        transfer->request.sink->write(ByteView(*transfer->bytes).subspan(transfer->sent, size));
    if (!taken) return transfer->end(tl::unexpected(taken.error()));
    transfer->sent += size;
    if (!*taken) {
      scheduler_.call_at(scheduler_.now() + milliseconds(1),
                         [this, transfer] { deliver(transfer); });
      return;
    }
  }
  if (transfer->until < transfer->bytes->size()) {
    return transfer->end(fail(Errc::disconnected, "the connection broke"));
  }
  transfer->end(std::move(transfer->response));
}

}  // namespace posthorn::scenario
