#include <algorithm>
#include <array>
#include <ctime>

#include "api/byte_range.h"
#include "posthorn/api/file_bodies.h"
#include "posthorn/base/alive.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kReadAtOnce = std::size_t{64} << 10;

/// Part of a file while the client takes it: one piece in memory.
class FileSource final : public BodySource {
 public:
  FileSource(std::unique_ptr<files::Reader> reader, std::uint64_t from, std::uint64_t size)
      : reader_(std::move(reader)), at_(from), left_(size) {}

  void on_ready(std::function<void()> wake) override { wake_ = std::move(wake); }

  Piece read(std::span<char> out) override {
    if (failed_) return {More::failed, 0};
    if (taken_ == piece_.size()) {
      if (left_ == 0) return {More::end, 0};
      ask();
      return {More::later, 0};
    }
    const std::size_t size = std::min(out.size(), piece_.size() - taken_);
    as_text(piece_).copy(out.data(), size, taken_);
    taken_ += size;
    return {More::bytes, size};
  }

 private:
  void ask() {
    if (std::exchange(asking_, true)) return;
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kReadAtOnce));
    reader_->read(at_, size, alive_.bind([this](Result<Bytes> piece) {
      asking_ = false;
      // Shorter than it was: somebody has changed the card.
      failed_ = !piece || piece->empty();
      if (!failed_) {
        piece_ = std::move(*piece);
        taken_ = 0;
        at_ += piece_.size();
        left_ -= piece_.size();
      }
      if (wake_) wake_();
    }));
  }

  std::unique_ptr<files::Reader> reader_;
  std::uint64_t at_;
  std::uint64_t left_;
  Bytes piece_;
  std::size_t taken_ = 0;
  bool asking_ = false;
  bool failed_ = false;
  std::function<void()> wake_;
  Alive<FileSource> alive_{this};
};

/// What Green-API promises of a file; here one goes earlier when its room is needed. Its client for
/// C++ reads the date out of a HEAD.
constexpr std::int64_t kKeptSeconds = std::int64_t{15} * 24 * 3600;

/// "Sat, 28 Nov 2026 21:00:00 GMT"
std::string http_date(std::int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  std::array<char, 40> text{};
  if (gmtime_r(&time, &parts) == nullptr) return {};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text.data();
}

bool names(std::string_view header, std::string_view etag) {
  return header == "*" || header.find(etag) != std::string_view::npos;
}

}  // namespace

void send_file(files::Store& store, const std::string& ref, const Request& request,
               const std::string& save_as, Reply reply) {
  auto reader = store.read(ref);
  if (!reader) {
    return reply.send(Response{
        .status = 404, .body = R"({"statusCode":404,"message":"Not Found"})", .headers = {}});
  }
  const files::File& file = (*reader)->about();
  const std::string etag = "\"" + file.ref + "\"";
  Response out{.body = {}, .content_type = file.type, .headers = {}};
  out.headers = {{"ETag", etag},
                 {"Accept-Ranges", "bytes"},
                 {"X-Content-Type-Options", "nosniff"},
                 {"Content-Security-Policy", "sandbox"}};
  if (file.stored_at > 0) {
    out.headers.emplace_back("Last-Modified", http_date(file.stored_at));
    out.headers.emplace_back(
        "x-amz-expiration",
        "expiry-date=\"" + http_date(file.stored_at + kKeptSeconds) + "\", rule-id=\"posthorn\"");
  }
  if (!save_as.empty()) {
    out.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + save_as + "\"");
  }
  if (!request.if_none_match.empty() && names(request.if_none_match, etag)) {
    out.status = 304;
    return reply.send(std::move(out));
  }
  const bool part_wanted = request.if_range.empty() || request.if_range == etag;
  const RangeAnswer range = part_wanted ? parse_range(request.range, file.size) : RangeAnswer{};
  const std::string of = "/" + std::to_string(file.size);
  std::uint64_t from = 0;
  std::uint64_t size = file.size;
  if (range.kind == RangeKind::unsatisfiable) {
    out.status = 416;
    out.headers.emplace_back("Content-Range", "bytes *" + of);
    return reply.send(std::move(out));
  }
  if (range.kind == RangeKind::part) {
    out.status = 206;
    from = range.range.first;
    size = range.range.last - from + 1;
    out.headers.emplace_back("Content-Range", "bytes " + std::to_string(from) + "-" +
                                                  std::to_string(range.range.last) + of);
  }
  out.stream_size = size;
  out.stream = std::make_shared<FileSource>(std::move(*reader), from, size);
  reply.send(std::move(out));
}

}  // namespace posthorn::api
