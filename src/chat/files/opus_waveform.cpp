#include "chat/files/opus_waveform.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace posthorn::chat {
namespace {

constexpr std::size_t kSamples = 64;
constexpr std::size_t kHeaderPackets = 2;
/// An hour and more, in packets of 20 ms.
constexpr std::size_t kMostPackets = 200'000;
constexpr std::size_t kPageHead = 27;
constexpr std::size_t kSegmentsAt = 26;
constexpr std::uint8_t kGoesOn = 255;  ///< of a packet: so much, and more in the next segment

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Input = std::unique_ptr<std::FILE, FileClose>;

/// The sizes of the packets, page by page; the pages' bytes are passed over.
class Packets {
 public:
  explicit Packets(const std::string& path) : file_(std::fopen(path.c_str(), "rbe")) {}

  /// False: no more pages, or none that can be read.
  bool next_page(std::vector<std::uint32_t>& sizes) {
    std::array<unsigned char, kPageHead> head{};
    if (!file_ || std::fread(head.data(), 1, head.size(), file_.get()) != head.size()) return false;
    if (std::string_view(reinterpret_cast<const char*>(head.data()), 4) != "OggS") return false;
    std::array<std::uint8_t, 255> segments{};
    const std::size_t count = head[kSegmentsAt];
    if (std::fread(segments.data(), 1, count, file_.get()) != count) return false;
    long body = 0;
    for (std::size_t i = 0; i < count; ++i) {
      body += segments[i];
      open_ += segments[i];
      if (segments[i] == kGoesOn) continue;
      sizes.push_back(open_);
      open_ = 0;
    }
    return std::fseek(file_.get(), body, SEEK_CUR) == 0;
  }

 private:
  Input file_;
  std::uint32_t open_ = 0;  ///< bytes of a packet that goes on
};

std::array<double, kSamples> averages(const std::vector<std::uint32_t>& sizes) {
  std::array<double, kSamples> out{};
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::size_t from = i * sizes.size() / kSamples;
    const std::size_t to = std::max(from + 1, (i + 1) * sizes.size() / kSamples);
    double sum = 0;
    for (std::size_t at = from; at < to; ++at) sum += sizes[at];
    out.at(i) = sum / static_cast<double>(to - from);
  }
  return out;
}

}  // namespace

Bytes opus_waveform(const std::string& path) {
  Packets packets(path);
  std::vector<std::uint32_t> sizes;
  while (sizes.size() < kMostPackets && packets.next_page(sizes)) {
  }
  if (sizes.size() <= kHeaderPackets) return {};
  sizes.erase(sizes.begin(), sizes.begin() + kHeaderPackets);
  const auto levels = averages(sizes);
  const auto [low, high] = std::minmax_element(levels.begin(), levels.end());
  if (*high - *low < 1) return {};
  Bytes out;
  for (const double level : levels) {
    const double share = (level - *low) / (*high - *low);
    out.push_back(static_cast<std::byte>(static_cast<std::uint8_t>(share * 100 + 0.5)));
  }
  return out;
}

}  // namespace posthorn::chat
