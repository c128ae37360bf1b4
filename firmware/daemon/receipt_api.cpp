#include <charconv>
#include <utility>

#include "daemon/receipt_desk.h"
#include "daemon/route.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/json.h"

namespace posthorn::daemon {

namespace {

using receipts::Form;
using receipts::Receipts;

constexpr std::size_t kCountDefault = 100;

json::Value number(std::uint64_t value) { return static_cast<::Json::UInt64>(value); }
json::Value seconds_of(Wall wall) { return static_cast<::Json::Int64>(wall.unix_seconds()); }

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// Of the query, or of the body.
std::optional<std::uint64_t> receipt_id(const api::Call& call) {
  if (const auto asked = read_number(call.request.query_value("receiptId"))) return asked;
  if (const auto id = json::int_of(json::at(call.body, "receiptId")); id && *id > 0) {
    return static_cast<std::uint64_t>(*id);
  }
  return std::nullopt;
}

void refuse(api::Call& call, const Error& error) {
  const int status = error.code == Errc::not_found                                  ? 404
                     : error.code == Errc::malformed || error.code == Errc::refused ? 400
                     : error.code == Errc::full                                     ? 507
                                                                                    : 500;
  call.refuse(status, error.detail);
}

void answer_result(api::Call& call) {
  json::Value out(::Json::objectValue);
  out["result"] = true;
  call.send(out);
}

void list_receipts(const Receipts& receipts, api::Call call) {
  const std::size_t most = read_number(call.request.query_value("count")).value_or(kCountDefault);
  json::Value out(::Json::arrayValue);
  for (const receipts::Receipt& receipt : receipts.list()) {
    if (out.size() >= most) break;
    out.append(receipt_json(receipt));
  }
  call.send(out);
}

void send_bytes(api::Call& call, const Bytes& bytes, const char* type) {
  call.reply.send(
      {.body = to_string(ByteView(bytes)),
       .content_type = type,
       .headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}}});
}

void show_receipt(Receipts& receipts, api::Call call) {
  const auto id = receipt_id(call);
  if (!id) return call.refuse(400, "receiptId is missing: the number that getReceipts tells");
  const std::string form(call.request.query_value("form"));
  if (form == "raw") {
    return receipts.raw(*id, [call = std::move(call)](Result<Bytes> raw) mutable {
      if (!raw) return refuse(call, raw.error());
      send_bytes(call, *raw, "application/octet-stream");
    });
  }
  if (!form.empty() && form != "png" && form != "pdf") {
    return call.refuse(400, "form must be png, pdf or raw, or be left out");
  }
  const auto picture = form == "png"   ? std::optional(Form::png)
                       : form == "pdf" ? std::optional(Form::pdf)
                                       : std::nullopt;
  const auto receipt = receipts.find(*id);
  if (!receipt) return call.refuse(404, "there is no such receipt");
  receipts.show(*id, picture,
                [picture, receipt = *receipt,
                 call = std::move(call)](Result<receipts::Rendering> shown) mutable {
                  if (!shown) return refuse(call, shown.error());
                  if (picture == Form::png) return send_bytes(call, shown->png, "image/png");
                  if (picture == Form::pdf) return send_bytes(call, shown->pdf, "application/pdf");
                  json::Value out = receipt_json(receipt);
                  out["text"] = shown->text;
                  out["width"] = number(shown->width);
                  out["height"] = number(shown->height);
                  out["language"] = shown->language;
                  out["codePage"] = shown->code_page;
                  out["codePageGuessed"] = shown->guessed_page;
                  out["qrPayloads"] = json::Value(::Json::arrayValue);
                  for (const std::string& one : shown->qr_payloads) out["qrPayloads"].append(one);
                  call.send(out);
                });
}

void send_receipt(Receipts& receipts, api::Call call) {
  const auto id = receipt_id(call);
  if (!id) return call.refuse(400, "receiptId is missing: the number that getReceipts tells");
  std::string whom = json::text_of(json::at(call.body, "chatId")).value_or("");
  if (whom.empty()) whom = json::text_of(json::at(call.body, "phoneNumber")).value_or("");
  const auto chat = api::parse_chat_id(whom);
  if (!chat) return refuse(call, chat.error());
  receipts.send(*id, *chat,
                [id = *id, &receipts, call = std::move(call)](const Result<void>& sent) mutable {
                  if (!sent) return refuse(call, sent.error());
                  json::Value out(::Json::objectValue);
                  if (const auto receipt = receipts.find(id))
                    out["idMessage"] = receipt->message_id;
                  call.send(out);
                });
}

const char* qr_name(receipts::PrinterSettings::Qr qr) {
  switch (qr) {
    case receipts::PrinterSettings::Qr::off:
      return "off";
    case receipts::PrinterSettings::Qr::native:
      return "native";
    case receipts::PrinterSettings::Qr::raster:
      return "raster";
  }
  return "off";
}

void list_printers(const Receipts& receipts, const std::vector<PrinterPorts>& ports,
                   api::Call call) {
  json::Value out(::Json::arrayValue);
  const auto all = receipts.printer_status();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Receipts::PrinterStatus& one = all[i];
    json::Value item(::Json::objectValue);
    item["printer"] = one.settings.name;
    item["port"] = number(i < ports.size() ? ports[i].port : 0);
    item["portTrouble"] = i < ports.size() ? ports[i].trouble : "";
    item["lpdTrouble"] = i < ports.size() ? ports[i].lpd_trouble : "";
    item["forward"] = one.settings.host.empty()
                          ? ""
                          : one.settings.host + ":" + std::to_string(one.settings.port);
    item["receipts"] = one.settings.receipts;
    item["width"] = number(one.settings.width);
    item["qr"] = qr_name(one.settings.qr);
    item["language"] = one.language;
    item["codePage"] = one.code_page;
    item["codePageGuessed"] = one.guessed_page;
    item["sample"] = one.sample;
    item["busy"] = one.busy;
    item["waiting"] = number(one.waiting);
    item["jobs"] = number(one.jobs);
    item["connections"] = number(one.connections);
    item["refused"] = number(one.refused);
    item["trouble"] = one.trouble;
    out.append(std::move(item));
  }
  call.send(out);
}

void set_customers(Receipts& receipts, api::Call call) {
  const auto csv = json::string_at(call.body, "csv");
  if (!csv) return call.refuse(400, "csv is missing: lines of customer,number");
  const auto count = receipts.set_customers(*csv);
  if (!count) return refuse(call, count.error());
  json::Value out(::Json::objectValue);
  out["count"] = number(*count);
  call.send(out);
}

void set_logo(Receipts& receipts, api::Call call) {
  const auto bits = base64_decode(json::string_at(call.body, "bits").value_or(""));
  const auto width = json::int_at(call.body, "width").value_or(0);
  if (!bits || width < 0) return call.refuse(400, "bits must be base64, width a number of dots");
  if (auto set = receipts.set_logo(static_cast<std::size_t>(width), *bits); !set) {
    return refuse(call, set.error());
  }
  answer_result(call);
}

}  // namespace

json::Value receipt_json(const receipts::Receipt& receipt) {
  using State = receipts::Receipt::State;
  json::Value out(::Json::objectValue);
  out["receiptId"] = number(receipt.number);
  out["printer"] = receipt.printer;
  out["timestamp"] = seconds_of(receipt.at);
  out["ageSeconds"] = json::Value();
  if (receipt.age) {
    out["ageSeconds"] =
        static_cast<::Json::Int64>(std::chrono::duration_cast<seconds>(*receipt.age).count());
  }
  out["expires"] = seconds_of(receipt.until);
  out["state"] = receipt.state == State::waiting   ? "waiting"
                 : receipt.state == State::sending ? "sending"
                                                   : "queued";
  out["qrPrinted"] = receipt.token;
  out["total"] = receipt.total;
  out["lines"] = number(receipt.lines);
  out["whole"] = !receipt.cut_short;
  out["chatId"] = receipt.chat;
  out["idMessage"] = receipt.message_id;
  out["way"] = receipt.way;
  return out;
}

std::vector<api::Route> receipt_routes(Receipts& receipts, const std::vector<PrinterPorts>& ports) {
  std::vector<api::Route> out;
  out.push_back(get("getReceipts",
                    [&receipts](api::Call call) { list_receipts(receipts, std::move(call)); }));
  out.push_back(
      get("getReceipt", [&receipts](api::Call call) { show_receipt(receipts, std::move(call)); }));
  out.push_back(post("sendReceipt",
                     [&receipts](api::Call call) { send_receipt(receipts, std::move(call)); }));
  out.push_back(post("deleteReceipt", [&receipts](api::Call call) {
    const auto id = receipt_id(call);
    if (!id) return call.refuse(400, "receiptId is missing: the number that getReceipts tells");
    if (auto gone = receipts.forget(*id); !gone) return refuse(call, gone.error());
    answer_result(call);
  }));
  out.push_back(get("getReceiptPrinters", [&receipts, &ports](api::Call call) {
    list_printers(receipts, ports, std::move(call));
  }));
  out.push_back(care(get("getReceiptCustomers", [&receipts](api::Call call) {
    json::Value answer(::Json::objectValue);
    answer["csv"] = receipts.customers_csv();
    call.send(answer);
  })));
  out.push_back(care(post("setReceiptCustomers", [&receipts](api::Call call) {
    set_customers(receipts, std::move(call));
  })));
  out.push_back(care(post("setReceiptLogo",
                          [&receipts](api::Call call) { set_logo(receipts, std::move(call)); })));
  return out;
}

}  // namespace posthorn::daemon
