#include "store/two_places.h"

#include <algorithm>

#include "posthorn/base/crypto.h"

namespace posthorn::store {

namespace {

constexpr std::string_view kMagic = "PHv1";
constexpr std::size_t kHead = 16;
constexpr std::size_t kDigest = 16;

Bytes little_endian(std::uint64_t value, std::size_t size) {
  Bytes out(size);
  for (std::byte& byte : out) {
    byte = static_cast<std::byte>(value & 0xFFU);
    value >>= 8;
  }
  return out;
}

std::uint64_t from_little_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

struct Place {
  std::uint64_t number = 0;
  Bytes value;
};

std::optional<Place> decode(ByteView place) {
  if (place.size() < kHead + kDigest) return std::nullopt;
  if (as_text(place.first(kMagic.size())) != kMagic) return std::nullopt;
  const std::uint64_t length = from_little_endian(place.subspan(4, 4));
  if (length > place.size() - kHead - kDigest) return std::nullopt;
  const auto size = static_cast<std::size_t>(length);
  const auto digest = crypto::sha256(place.first(kHead + size));
  if (!std::equal(digest.begin(), digest.begin() + kDigest,
                  place.begin() + static_cast<std::ptrdiff_t>(kHead + size))) {
    return std::nullopt;
  }
  return Place{from_little_endian(place.subspan(8, 8)), to_bytes(place.subspan(kHead, size))};
}

Bytes encode(std::uint64_t number, ByteView value) {
  Bytes out =
      concat({as_bytes(kMagic), little_endian(value.size(), 4), little_endian(number, 8), value});
  const auto digest = crypto::sha256(out);
  out.insert(out.end(), digest.begin(), digest.begin() + kDigest);
  return out;
}

}  // namespace

Result<std::unique_ptr<TwoPlaces>> TwoPlaces::open(const std::string& path, const char* vfs,
                                                   std::size_t place_bytes) {
  TRY(auto file, VfsFile::open(path, vfs, VfsFile::When::make));
  std::unique_ptr<TwoPlaces> opened(new TwoPlaces(std::move(file), place_bytes));
  TRY(opened->look());
  return opened;
}

Result<void> TwoPlaces::look() {
  for (const std::size_t which : {0U, 1U}) {
    TRY(const Bytes bytes, file_->read(which * place_bytes_, place_bytes_));
    auto place = decode(bytes);
    if (!place || (found_ && place->number < number_)) continue;
    number_ = place->number;
    found_ = std::move(place->value);
  }
  return {};
}

Result<void> TwoPlaces::write(ByteView value, Last last) {
  if (value.size() > place_bytes_ - kHead - kDigest) {
    return fail(Errc::unsupported, "too much to be kept beside the database");
  }
  const std::uint64_t next = number_ + 1;
  TRY(file_->write(static_cast<std::size_t>(next % 2) * place_bytes_, encode(next, value)));
  if (last == Last::on_disk) TRY(file_->sync());
  number_ = next;
  return {};
}

}  // namespace posthorn::store
