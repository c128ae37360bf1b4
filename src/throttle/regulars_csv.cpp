#include "throttle/regulars_csv.h"

#include <array>
#include <charconv>
#include <chrono>

#include "posthorn/base/phone_number.h"

namespace posthorn::throttle {
namespace {

constexpr std::string_view kSeparators = ",;\t";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\"'";
  const std::size_t from = text.find_first_not_of(kAround);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kAround) + 1 - from);
}

bool has_digit(std::string_view text) {
  return text.find_first_of("0123456789") != std::string_view::npos;
}

Result<Wall> parse_date(std::string_view text) {
  const auto number = [text](std::size_t from, std::size_t length) {
    int value = -1;
    if (text.size() >= from + length)
      std::from_chars(text.data() + from, text.data() + from + length, value);
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const bool shaped = text.size() >= 10 && text[4] == '-' && text[7] == '-';
  if (!shaped || !date.ok() || number(0, 4) < 2009)
    return fail(Errc::malformed, "\"" + std::string(text) + "\" is no date such as 2026-03-31");
  return Wall::from_unix(std::chrono::duration_cast<std::chrono::seconds>(
                             std::chrono::sys_days(date).time_since_epoch())
                             .count());
}

}  // namespace

Result<std::optional<PastChat>> parse_regular(std::string_view line) {
  if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  const std::size_t end = line.find_first_of(kSeparators);
  const std::string_view number = trimmed(line.substr(0, end));
  if (!has_digit(number)) return std::optional<PastChat>();
  PastChat out;
  out.listed = true;
  if (number.find('@') != std::string_view::npos) {
    out.chat = std::string(number);
  } else {
    TRY(const std::string digits, parse_phone_number(number));
    out.chat = digits + "@c.us";
  }
  if (end == std::string_view::npos) return std::optional(std::move(out));
  const std::string_view rest = line.substr(end + 1);
  const std::string_view date = trimmed(rest.substr(0, rest.find_first_of(kSeparators)));
  if (date.empty()) return std::optional(std::move(out));
  TRY(const Wall last, parse_date(date));
  out.wrote = last;
  return std::optional(std::move(out));
}

}  // namespace posthorn::throttle
