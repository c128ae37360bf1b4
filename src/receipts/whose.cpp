#include "receipts/whose.h"

#include <algorithm>
#include <array>

#include "posthorn/base/phone_number.h"

namespace posthorn::receipts {

namespace {

constexpr std::size_t kFewestDigits = 8;
constexpr std::size_t kMostCustomers = 50'000;

constexpr std::array<std::pair<Way, std::string_view>, 6> kWays{{{Way::scan, "scan"},
                                                                 {Way::till, "till"},
                                                                 {Way::tag, "tag"},
                                                                 {Way::payload, "payload"},
                                                                 {Way::table, "table"},
                                                                 {Way::pattern, "pattern"}}};

/// In small letters, as far as ASCII, Latin-1, Greek and Cyrillic go.
std::string folded(std::string_view text) {
  std::string out;
  Utf8Reader reader;
  for (const char c : text) {
    auto point = reader.take(static_cast<std::uint8_t>(c));
    if (!point) continue;
    char32_t p = *point;
    if ((p >= 'A' && p <= 'Z') || (p >= 0xC0 && p <= 0xDE && p != 0xD7) ||
        (p >= 0x391 && p <= 0x3A9) || (p >= 0x410 && p <= 0x42F)) {
      p += 0x20;
    } else if (p >= 0x400 && p <= 0x40F) {
      p += 0x50;
    }
    append_utf8(out, p);
  }
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\"");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\"") - begin + 1);
}

/// Behind one of the words, what looks like a number in the shop's books.
std::string id_behind(std::string_view line, std::string_view word) {
  const std::string small = folded(line);
  const std::string wanted = folded(word);
  std::size_t at = small.find(wanted);
  if (wanted.empty() || at == std::string::npos) return "";
  if (at > 0 && small[at - 1] != ' ') return "";
  at += wanted.size();
  while (at < small.size() && (small[at] == ' ' || small[at] == '.' || small[at] == ':' ||
                               small[at] == '#' || small[at] == '-')) {
    ++at;
  }
  std::size_t end = at;
  while (end < small.size() && (is_digit(small[end]) || (small[end] >= 'a' && small[end] <= 'z')))
    ++end;
  const std::string id = small.substr(at, end - at);
  return std::any_of(id.begin(), id.end(), is_digit) ? id : "";
}

/// "wa:4915…", "tel:+49…", "https://wa.me/49…"
std::optional<std::string> number_in_payload(const std::string& payload, const Settings& settings) {
  const std::string small = folded(payload);
  for (const std::string_view start :
       {"wa:", "tel:", "https://wa.me/", "http://wa.me/", "wa.me/"}) {
    if (!small.starts_with(start)) continue;
    std::string number = small.substr(start.size());
    number = number.substr(0, number.find_first_of("?/#"));
    if (auto complete = complete_number(number, settings.country)) return std::move(*complete);
  }
  return std::nullopt;
}

/// Without what some countries print in a mobile's number and WhatsApp may leave out: Brazil's
/// ninth digit, Mexico's 1, Argentina's 9 (base/identities.h).
std::string as_one_form(std::string_view digits) {
  std::string out(digits);
  if (out.size() == 13 && out.starts_with("55") && out[4] == '9') out.erase(4, 1);
  if (out.size() == 13 && (out.starts_with("521") || out.starts_with("549"))) out.erase(2, 1);
  return out;
}

std::optional<std::string> number_in_line(const std::string& line, const Settings& settings) {
  std::string run;
  for (const char c : line + "\n") {
    if (is_digit(c) || (c == '+' && run.empty()) ||
        (!run.empty() && (c == ' ' || c == '-' || c == '/'))) {
      run += c;
      continue;
    }
    const auto digits = static_cast<std::size_t>(std::count_if(run.begin(), run.end(), is_digit));
    const bool plausible =
        digits >= kFewestDigits && (run.starts_with('+') || run.starts_with('0'));
    if (plausible) {
      if (auto complete = complete_number(run, settings.country)) return std::move(*complete);
    }
    run.clear();
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Way way) {
  return std::find_if(kWays.begin(), kWays.end(),
                      [way](const auto& one) { return one.first == way; })
      ->second;
}

std::optional<Way> parse_way(std::string_view name) {
  const auto found = std::find_if(kWays.begin(), kWays.end(),
                                  [name](const auto& one) { return one.second == name; });
  return found == kWays.end() ? std::nullopt : std::optional(found->first);
}

Result<std::string> complete_number(std::string_view text, std::string_view country) {
  const std::string_view given = trimmed(text);
  std::string digits;
  std::copy_if(given.begin(), given.end(), std::back_inserter(digits), is_digit);
  const bool national = digits.starts_with('0') && !digits.starts_with("00") &&
                        given.find('+') == std::string_view::npos;
  if (digits.size() < kFewestDigits || digits.size() > 17) {
    return fail(Errc::malformed, "a phone number has 8 to 15 digits");
  }
  if (national && !country.empty())
    return parse_phone_number(std::string(country) + digits.substr(1));
  return parse_phone_number(given);
}

bool same_number(std::string_view a, std::string_view b) {
  return as_one_form(a) == as_one_form(b);
}

std::string find_customer_id(const Rendered& receipt, const Settings& settings) {
  for (const std::string& line : receipt.lines) {
    for (const std::string& word : settings.customer_words) {
      if (std::string id = id_behind(line, word); !id.empty()) return id;
    }
  }
  return "";
}

std::optional<Customer> find_customer(const Rendered& receipt, const Settings& settings,
                                      const CustomerTable& table, std::string_view shop_phone) {
  const auto taken = [&](std::optional<std::string> number, Way way) -> std::optional<Customer> {
    if (!number || number->empty() || same_number(*number, shop_phone)) return std::nullopt;
    return Customer{std::move(*number), way};
  };
  for (const std::string& line : receipt.tagged) {
    const std::size_t colon = line.find_first_of("0123456789+");
    if (colon == std::string::npos) continue;
    auto number = complete_number(line.substr(colon), settings.country);
    if (auto found = taken(number ? std::optional(std::move(*number)) : std::nullopt, Way::tag)) {
      return found;
    }
  }
  for (const std::string& payload : receipt.payloads) {
    if (auto found = taken(number_in_payload(payload, settings), Way::payload)) return found;
  }
  const auto entry = table.find(find_customer_id(receipt, settings));
  if (entry != table.end()) return taken(entry->second, Way::table);
  if (!settings.phone_pattern) return std::nullopt;
  const std::size_t edge = receipt.lines.size() / 4;
  for (std::size_t i = edge; i + edge < receipt.lines.size(); ++i) {
    if (auto found = taken(number_in_line(receipt.lines[i], settings), Way::pattern)) return found;
  }
  return std::nullopt;
}

std::string find_total(const std::vector<std::string>& lines) {
  // What shops write in front of their sum; found at the beginning of a word.
  static constexpr std::string_view kWords[] = {
      "total",  "summe",      "gesamt", "zu zahlen",     "totale",    "importe", "montant",
      "toplam", "итого",      "сумма",  "к оплате",      "всього",    "сума",    "suma",
      "razem",  "do zapłaty", "celkem", "spolu",         "jumlah",    "totaal",  "σύνολο",
      "συνολο", "összesen",   "ukupno", "valor a pagar", "amount due"};
  std::string found;
  for (const std::string& line : lines) {
    const std::string small = folded(line);
    if (small.find("sub") != std::string::npos || small.find("zwischen") != std::string::npos)
      continue;
    const bool says =
        std::any_of(std::begin(kWords), std::end(kWords), [&small](std::string_view word) {
          const std::size_t at = small.find(word);
          return at != std::string::npos &&
                 (at == 0 || small[at - 1] == ' ' || small[at - 1] == '*');
        });
    if (!says) continue;
    const std::size_t end = line.find_last_of("0123456789");
    if (end == std::string::npos) continue;
    std::size_t begin = end;
    while (begin > 0 && (is_digit(line[begin - 1]) || line[begin - 1] == '.' ||
                         line[begin - 1] == ',' || line[begin - 1] == '\'')) {
      --begin;
    }
    const std::string number = line.substr(begin, end - begin + 1);
    if (number.find_first_of(".,") != std::string::npos) found = number;
    if (found.empty()) found = number;
  }
  return found;
}

Result<CustomerTable> parse_customers(std::string_view csv, std::string_view country) {
  CustomerTable out;
  std::size_t number = 0;
  while (!csv.empty()) {
    const std::size_t end = std::min(csv.find('\n'), csv.size());
    const std::string_view line = trimmed(csv.substr(0, end));
    csv.remove_prefix(std::min(end + 1, csv.size()));
    ++number;
    if (line.empty()) continue;
    const std::size_t comma = line.find_first_of(",;\t");
    const std::string where = "line " + std::to_string(number) + ": ";
    if (comma == std::string_view::npos)
      return fail(Errc::malformed, where + "must be customer,number");
    const std::string customer = folded(trimmed(line.substr(0, comma)));
    const std::string_view phone = trimmed(line.substr(comma + 1));
    const auto complete = complete_number(phone, country);
    const bool is_head = number == 1 && std::none_of(phone.begin(), phone.end(), is_digit);
    if (is_head) continue;
    if (!complete) return fail(Errc::malformed, where + complete.error().detail);
    if (customer.empty() || customer.size() > 64) {
      return fail(Errc::malformed, where + "the customer has 1 to 64 characters");
    }
    if (out.size() >= kMostCustomers) return fail(Errc::full, "at most 50000 customers");
    out[customer] = *complete;
  }
  return out;
}

}  // namespace posthorn::receipts
