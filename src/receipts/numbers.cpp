#include "receipts/numbers.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "posthorn/base/log.h"

namespace posthorn::receipts {

namespace {

constexpr std::string_view kNumbersBlob = "receipts/numbers";
/// Its value may wait for the next commit (Store::Options::relaxed): what is told twice has the
/// same number.
constexpr std::string_view kToldBlob = "receipts/told";

std::optional<std::uint64_t> load(BlobStore& blobs, std::string_view name) {
  const auto blob = blobs.load(name);
  if (!blob || !*blob) return std::nullopt;
  const std::string_view text = as_text(**blob);
  std::uint64_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc{}) return std::nullopt;
  return out;
}

void save(BlobStore& blobs, std::string_view name, std::uint64_t number) {
  if (auto saved = blobs.save(name, as_bytes(std::to_string(number))); !saved) {
    log::warn("receipts", "a number is not kept", {{"name", name}, {"error", saved.error()}});
  }
}

}  // namespace

Numbers::Numbers(BlobStore& blobs) : blobs_(blobs) {
  const auto reserved = load(blobs_, kNumbersBlob);
  known_ = reserved.has_value();
  next_ = std::max<std::uint64_t>(reserved.value_or(1), 1);
  told_ = load(blobs_, kToldBlob).value_or(0);
}

void Numbers::found(std::uint64_t number) {
  next_ = std::max(next_, number + 1);
  // The release before told them and did not count.
  if (!known_) told_ = std::max(told_, number);
}

void Numbers::start() {
  if (!known_) save(blobs_, kToldBlob, told_);
  reserve();
}

std::uint64_t Numbers::next() {
  const std::uint64_t out = next_++;
  if (next_ + kStep / 2 > reserved_) reserve();
  return out;
}

void Numbers::reserve() {
  reserved_ = next_ + kStep;
  save(blobs_, kNumbersBlob, reserved_);
  blobs_.durable([](const Result<void>& durable) {
    if (durable || durable.error().code == Errc::cancelled) return;
    log::warn("receipts", "numbers may be given again after a power cut",
              {{"error", durable.error()}});
  });
}

void Numbers::stop() {
  if (reserved_ != 0) save(blobs_, kNumbersBlob, next_);
}

void Numbers::note_told(std::uint64_t number) {
  if (number <= told_) return;
  told_ = number;
  save(blobs_, kToldBlob, told_);
}

}  // namespace posthorn::receipts
