#include "receipts/code_page.h"

#include <algorithm>
#include <array>
#include <vector>

#include "receipts/tables/tables.h"

namespace posthorn::receipts {

namespace {

struct Numbered {
  std::uint8_t number;
  std::string_view page;
};

constexpr Numbered kEscpos[] = {
    {0, "CP437"},   {1, "KATAKANA"},   {2, "CP850"},       {3, "CP860"},       {4, "CP863"},
    {5, "CP865"},   {11, "CP851"},     {13, "CP857"},      {14, "CP737"},      {15, "ISO8859-7"},
    {16, "CP1252"}, {17, "CP866"},     {18, "CP852"},      {19, "CP858"},      {20, "CP874"},
    {21, "CP874"},  {26, "CP874"},     {30, "TCVN5712-1"}, {31, "TCVN5712-1"}, {32, "CP720"},
    {33, "CP775"},  {34, "CP855"},     {35, "CP861"},      {36, "CP862"},      {37, "CP864"},
    {38, "CP869"},  {39, "ISO8859-2"}, {40, "ISO8859-15"}, {42, "CP774"},      {43, "CP772"},
    {44, "CP1125"}, {45, "CP1250"},    {46, "CP1251"},     {47, "CP1253"},     {48, "CP1254"},
    {49, "CP1255"}, {50, "CP1256"},    {51, "CP1257"},     {52, "CP1258"},     {53, "RK1048"},
};
constexpr Numbered kStar[] = {
    {0, "CP437"},   {1, "CP437"},  {2, "KATAKANA"}, {3, "CP437"},      {4, "CP858"},
    {5, "CP852"},   {6, "CP860"},  {7, "CP861"},    {8, "CP863"},      {9, "CP865"},
    {10, "CP866"},  {11, "CP855"}, {12, "CP857"},   {13, "CP862"},     {14, "CP864"},
    {15, "CP737"},  {16, "CP851"}, {17, "CP869"},   {18, "ISO8859-7"}, {19, "CP772"},
    {20, "CP774"},  {21, "CP874"}, {32, "CP1252"},  {33, "CP1250"},    {34, "CP1251"},
    {128, "UTF-8"},
};

constexpr std::string_view kUtf8Name = "UTF-8";
/// Which of them a printer has is its model's: no command tells, so they are named in the settings.
constexpr std::string_view kWidePages[] = {"GB18030", "BIG5", "SHIFT_JIS", "EUC-KR"};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper(x) == upper(y); });
}

bool is_letter(char32_t point) {
  return (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z') ||
         (point >= 0xC0 && point <= 0x24F && point != 0xD7 && point != 0xF7) ||
         (point >= 0x386 && point <= 0x3CE) || (point >= 0x401 && point <= 0x491) ||
         (point >= 0x5D0 && point <= 0x64A) || (point >= 0xE01 && point <= 0xE3A);
}

bool is_small(char32_t point) {
  return (point >= 'a' && point <= 'z') || (point >= 0xDF && point <= 0xFF) ||
         (point >= 0x3AC && point <= 0x3CE) || (point >= 0x430 && point <= 0x45F);
}

/// Alphabets do not mix inside a word.
int script_of(char32_t point) {
  return point < 0x370 ? 0 : point < 0x400 ? 1 : point < 0x500 ? 2 : 3;
}

bool is_line_drawing(char32_t point) { return point >= 0x2500 && point <= 0x259F; }

int score_pair(char32_t before, char32_t now) {
  if (is_line_drawing(now)) return before == now ? 2 : is_letter(before) ? -2 : 0;
  if (!is_letter(now)) return is_letter(before) ? -1 : 0;
  if (!is_letter(before)) return 1;
  if (script_of(before) != script_of(now)) return -3;
  // Latin words have few accents, and hardly two in a row.
  if (now >= 0x80 && before >= 0x80 && script_of(now) == 0) return -1;
  return is_small(before) && !is_small(now) ? -1 : 3;
}

int score(CodePage page, ByteView text) {
  int out = 0;
  char32_t before = ' ';
  bool before_high = false;
  for (const std::byte one : text) {
    const auto byte = std::to_integer<std::uint8_t>(one);
    const bool high = byte >= 0x80;
    const char32_t now = high ? to_code_point(page, byte) : byte;
    if (high && now == 0) out -= 4;
    if (high && now >= 0x80 && now < 0xA0) out -= 4;
    if (high || before_high) out += score_pair(before, now);
    if (now == 0x20AC) out += 2;
    before = now;
    before_high = high;
  }
  return out;
}

bool is_utf8(ByteView text) {
  Utf8Reader reader;
  bool whole = true;
  for (const std::byte one : text) {
    const auto point = reader.take(std::to_integer<std::uint8_t>(one));
    if (point == kReplacement) return false;
    whole = point.has_value();
  }
  return whole;
}

template <std::size_t N>
std::optional<CodePage> by_number(const Numbered (&list)[N], std::uint8_t number) {
  const auto found = std::find_if(std::begin(list), std::end(list),
                                  [number](const Numbered& one) { return one.number == number; });
  return found == std::end(list) ? std::nullopt : find_code_page(found->page);
}

}  // namespace

std::optional<CodePage> find_code_page(std::string_view name) {
  if (same_name(name, kUtf8Name)) return CodePage{CodePage::kUtf8};
  if (same_name(name, "GBK")) name = kWidePages[0];  // a part of it
  for (std::size_t i = 0; i < std::size(kWidePages); ++i) {
    if (same_name(name, kWidePages[i])) return CodePage{CodePage::kWide + i};
  }
  for (std::size_t i = 0; i < tables::kPageCount; ++i) {
    if (same_name(name, tables::kPageNames[i])) return CodePage{i};
  }
  return std::nullopt;
}

std::string_view name_of(CodePage page) {
  if (page.is_wide()) return kWidePages[page.index - CodePage::kWide];
  return page.index == CodePage::kUtf8 ? kUtf8Name : tables::kPageNames[page.index];
}

std::string code_page_names() {
  std::string out;
  for (std::size_t i = 0; i < tables::kPageCount; ++i) {
    out += std::string(tables::kPageNames[i]) + ", ";
  }
  for (const std::string_view name : kWidePages) out += std::string(name) + ", ";
  return out + std::string(kUtf8Name);
}

std::optional<CodePage> code_page_by_number(Language language, std::uint8_t number) {
  return language == Language::escpos ? by_number(kEscpos, number) : by_number(kStar, number);
}

char32_t to_code_point(CodePage page, std::uint8_t byte) {
  if (byte < 0x80) return byte;
  if (page.index >= tables::kPageCount) return 0;
  return tables::unpacked().pages[page.index * 128 + (byte - 0x80U)];
}

CodePage guess_code_page(ByteView text) {
  constexpr std::string_view kCandidates[] = {"CP437",  "CP858",  "CP1252", "CP866",
                                              "CP1251", "CP1254", "CP737",  "CP852"};
  const bool plain = std::none_of(text.begin(), text.end(), [](std::byte one) {
    return std::to_integer<std::uint8_t>(one) >= 0x80;
  });
  if (!plain && is_utf8(text)) return {CodePage::kUtf8};
  CodePage best = *find_code_page(kCandidates[0]);
  int most = plain ? 0 : score(best, text);
  for (const std::string_view name : kCandidates) {
    const CodePage page = *find_code_page(name);
    const int points = plain ? 0 : score(page, text);
    if (points > most) {
      most = points;
      best = page;
    }
  }
  return best;
}

void append_utf8(std::string& out, char32_t point) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | (point >> 6));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

std::optional<char32_t> Utf8Reader::take(std::uint8_t byte) {
  if (left_ > 0 && (byte & 0xC0) == 0x80) {
    point_ = (point_ << 6) | (byte & 0x3FU);
    if (--left_ > 0) return std::nullopt;
    const bool bad = point_ < 0x80 || (point_ >= 0xD800 && point_ < 0xE000) || point_ > 0x10FFFF;
    return bad ? kReplacement : point_;
  }
  if (left_ > 0) {  // cut short: what comes now is looked at for itself next time
    left_ = 0;
    if (byte < 0x80) return byte;
    return kReplacement;
  }
  if (byte < 0x80) return byte;
  left_ = byte >= 0xF0 && byte < 0xF5   ? 3
          : byte >= 0xE0 && byte < 0xF0 ? 2
          : byte >= 0xC2 && byte < 0xE0 ? 1
                                        : 0;
  if (left_ == 0) return kReplacement;
  point_ = byte & (0x3FU >> left_);
  return std::nullopt;
}

}  // namespace posthorn::receipts
