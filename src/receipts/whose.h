#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"
#include "posthorn/receipts/settings.h"
#include "receipts/render.h"

namespace posthorn::receipts {

/// How it is known whose receipt it is. Stored by name.
enum class Way : std::uint8_t { scan, till, tag, payload, table, pattern };
[[nodiscard]] std::string_view to_string(Way way);
[[nodiscard]] std::optional<Way> parse_way(std::string_view name);

struct Customer {
  std::string number;  ///< digits with the country's
  Way way = Way::tag;

  bool operator==(const Customer&) const = default;
};

/// The shop's list: customer's number in the shop -> phone number.
using CustomerTable = std::map<std::string, std::string, std::less<>>;

/// A customer's phone number on the receipt itself: a tag line, a QR code with a number, a number
/// of the shop's own list; what only looks like a phone's when that is switched on, and never in
/// the first or last quarter of the receipt. Never the shop's own.
[[nodiscard]] std::optional<Customer> find_customer(const Rendered& receipt,
                                                    const Settings& settings,
                                                    const CustomerTable& table,
                                                    std::string_view shop_phone);

/// Digits with the country's: one phone, in whichever of the forms that its country prints.
[[nodiscard]] bool same_number(std::string_view a, std::string_view b);

/// "Kunde 1042" -> "1042"; empty: none of the words is on it.
[[nodiscard]] std::string find_customer_id(const Rendered& receipt, const Settings& settings);

/// The sum as it is printed: the last number of the last line that says so. Empty: no such line.
[[nodiscard]] std::string find_total(const std::vector<std::string>& lines);

/// Lines of "customer,number"; ';' and tab separate as well, a head line is left out. Errors:
/// malformed (which line, why).
[[nodiscard]] Result<CustomerTable> parse_customers(std::string_view csv, std::string_view country);

/// Digits with the country's in front, of what is written nationally too. Errors: malformed.
[[nodiscard]] Result<std::string> complete_number(std::string_view text, std::string_view country);

}  // namespace posthorn::receipts
