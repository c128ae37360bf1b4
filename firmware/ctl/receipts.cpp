#include "ctl/receipts.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "ctl/commands.h"

namespace posthorn::ctl {

namespace {

std::string text_at(const json::Value& value, const char* key) {
  return json::text_of(json::at(value, key)).value_or("");
}

/// "14:05"; with the day where the clock alone would not tell.
std::string clock_of(std::int64_t unix_seconds) {
  constexpr std::int64_t kHalfADay = 12 * 3600;
  const std::time_t at = unix_seconds;
  std::tm parts{};
  localtime_r(&at, &parts);
  char out[16] = "";
  const bool near = std::abs(unix_seconds - std::time(nullptr)) < kHalfADay;
  const std::size_t size = std::strftime(out, sizeof out, near ? "%H:%M" : "%a %H:%M", &parts);
  return std::string(out, size);
}

void show_printer(const json::Value& one) {
  const std::string forward = text_at(one, "forward");
  std::printf("printer %s: tills print to port %s, which goes on to %s; QR code %s\n",
              text_at(one, "printer").c_str(), text_at(one, "port").c_str(),
              forward.empty() ? "no printer: the box answers itself" : forward.c_str(),
              text_at(one, "qr").c_str());
  if (const std::string trouble = text_at(one, "trouble"); !trouble.empty()) {
    std::printf("  it cannot be reached: %s\n", trouble.c_str());
  }
  if (json::bool_at(one, "codePageGuessed").value_or(false)) {
    std::printf("  its letters look like %s: %s\n  (wrong? set codepage in posthorn.toml)\n",
                text_at(one, "codePage").c_str(), text_at(one, "sample").c_str());
  }
}

}  // namespace

int show_receipts(const Client& client) {
  const auto printers = client.get("getReceiptPrinters");
  if (!printers) {
    if (printers.error().code != Errc::not_found) return complain(printers.error());
    std::printf("No printer is configured: [printer.1] in posthorn.toml makes one.\n");
    return 1;
  }
  for (const json::Value& one : *printers) show_printer(one);
  const auto list = client.get("getReceipts");
  if (!list) return complain(list.error());
  if (list->empty()) std::printf("Nothing was printed lately.\n");
  for (const json::Value& one : *list) {
    const std::string state = text_at(one, "state");
    const std::string when = clock_of(json::int_at(one, "timestamp").value_or(0));
    std::printf("%6s  %s  %10s  %s\n", text_at(one, "receiptId").c_str(), when.c_str(),
                text_at(one, "total").c_str(),
                state == "waiting"
                    ? ("waits until " + clock_of(json::int_at(one, "expires").value_or(0))).c_str()
                    : (state + " by " + text_at(one, "way")).c_str());
  }
  return 0;
}

int show_receipt(const Client& client, int number) {
  const auto shown = client.get("getReceipt", "receiptId=" + std::to_string(number));
  if (!shown) return complain(shown.error());
  std::printf("%s", text_at(*shown, "text").c_str());
  return 0;
}

int send_receipt(const Client& client, int number, const std::string& chat) {
  json::Value body(::Json::objectValue);
  body["receiptId"] = number;
  body["chatId"] = chat;
  const auto sent = client.post("sendReceipt", body);
  if (!sent) return complain(sent.error());
  std::printf("Receipt %d is on its way.\n", number);
  return 0;
}

}  // namespace posthorn::ctl
