#pragma once

#include <functional>
#include <memory>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"

namespace posthorn::cloud {

/// The body of an upload to the official API: fields, then the file as it is read, 64 KiB in
/// memory.
class MultipartSource final : public net::HttpSource {
 public:
  static constexpr const char* kBoundary = "posthorn-7f3a9c51d2e84b60";

  /// mime and name: clean, without quotes or line ends.
  MultipartSource(std::unique_ptr<files::Reader> reader, const std::string& mime,
                  const std::string& name);

  [[nodiscard]] std::uint64_t size() const override;
  void on_ready(std::function<void()> wake) override { wake_ = std::move(wake); }
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  void ask();

  std::unique_ptr<files::Reader> reader_;
  std::string head_, tail_;
  Bytes piece_;               ///< what is to be sent next
  std::size_t taken_ = 0;     ///< of it
  std::uint64_t offset_ = 0;  ///< of the file that was read
  bool asking_ = false;
  bool tail_given_ = false;
  std::optional<Error> fault_;
  std::function<void()> wake_;
  Alive<MultipartSource> alive_{this};
};

}  // namespace posthorn::cloud
