#include "receipts/wide_reader.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace posthorn::receipts {

namespace {

const iconv_t kNone = reinterpret_cast<iconv_t>(-1);

/// null: it has none.
void* open_converter(CodePage page) {
  const iconv_t converter = iconv_open("UTF-32LE", std::string(name_of(page)).c_str());
  return converter == kNone ? nullptr : converter;
}

}  // namespace

WideReader::~WideReader() {
  if (converter_ != nullptr) iconv_close(converter_);
}

void WideReader::open(CodePage page) {
  if (page_ == page) return;
  if (converter_ != nullptr) iconv_close(converter_);
  converter_ = open_converter(page);
  page_ = page;
  size_ = 0;
}

std::optional<char32_t> WideReader::take(CodePage page, std::uint8_t byte) {
  open(page);
  if (size_ == 0 && byte < 0x80) return byte;
  if (converter_ == nullptr) return kReplacement;
  bytes_[size_++] = static_cast<char>(byte);
  char* from = bytes_.data();
  std::size_t left = size_;
  std::array<unsigned char, 8> out{};
  char* to = reinterpret_cast<char*>(out.data());
  std::size_t room = out.size();
  const std::size_t done = iconv(converter_, &from, &left, &to, &room);
  const bool incomplete = done == static_cast<std::size_t>(-1) && errno == EINVAL;
  if (incomplete && size_ < bytes_.size()) return std::nullopt;
  size_ = 0;
  iconv(converter_, nullptr, nullptr, nullptr, nullptr);
  if (done == static_cast<std::size_t>(-1) || room == out.size()) return kReplacement;
  return out[0] | static_cast<char32_t>(out[1]) << 8 | static_cast<char32_t>(out[2]) << 16;
}

bool can_read_wide(CodePage page) {
  void* const converter = open_converter(page);
  if (converter == nullptr) return false;
  iconv_close(converter);
  return true;
}

bool is_wide_letter(char32_t point) {
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
      {0xFE30, 0xFE4F}, {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6}, {0x20000, 0x3FFFD}};
  return std::any_of(std::begin(kRanges), std::end(kRanges), [point](const auto& range) {
    return point >= range.first && point <= range.second;
  });
}

}  // namespace posthorn::receipts
