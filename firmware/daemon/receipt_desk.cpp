#include "daemon/receipt_desk.h"

#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

receipts::Settings settings_of(const ReceiptsConfig& config, hours job_life) {
  receipts::Settings out;
  out.shop = config.shop;
  out.form = config.form == "pdf"    ? receipts::Form::pdf
             : config.form == "text" ? receipts::Form::text
                                     : receipts::Form::png;
  out.keep = minutes(config.keep_minutes);
  out.token_life = hours(config.token_hours);
  out.sent_life = job_life + hours(1);  // until then its message may wait for the picture
  out.country = config.country;
  out.phone_pattern = config.phone_pattern;
  const auto take = [](const auto& given, auto& place) {
    if (given) place = *given;
  };
  take(config.caption, out.caption);
  take(config.unknown, out.unknown);
  take(config.above_qr, out.above_qr);
  take(config.below_qr, out.below_qr);
  take(config.regular_question, out.regular_question);
  take(config.regular_word, out.regular_word);
  take(config.regular_thanks, out.regular_thanks);
  take(config.tags, out.tags);
  take(config.customer_words, out.customer_words);
  return out;
}

std::vector<receipts::PrinterSettings> printers_of(const std::vector<PrinterConfig>& configs) {
  using Qr = receipts::PrinterSettings::Qr;
  std::vector<receipts::PrinterSettings> out;
  for (const PrinterConfig& config : configs) {
    receipts::PrinterSettings printer;
    printer.name = config.name;
    printer.host = config.forward_host;
    printer.port = config.forward_port;
    printer.receipts = config.receipts;
    printer.width = config.width;
    printer.language = config.language;
    printer.code_page = config.code_page;
    printer.epos = config.epos && config.trouble.empty();  // it would forward, too
    printer.qr = config.qr == "native" ? Qr::native : config.qr == "raster" ? Qr::raster : Qr::off;
    out.push_back(std::move(printer));
  }
  return out;
}

/// A picture of 576 by 3000 dots in base64, and room.
constexpr std::size_t kMostXml = std::size_t{512} << 10;

std::string digits_of(const std::string& wid) { return wid.substr(0, wid.find('@')); }

content::File file_of(const receipts::Outgoing& message, const files::File& stored) {
  content::File file;
  const bool picture = message.form == receipts::Form::png;
  file.kind = picture ? content::File::Kind::image : content::File::Kind::document;
  file.ref = stored.ref;
  file.size = stored.size;
  file.mime = picture ? "image/png" : "application/pdf";
  file.name = message.name;
  file.caption = message.text;
  file.width = picture ? static_cast<std::uint32_t>(message.width) : 0;
  file.height = picture ? static_cast<std::uint32_t>(message.height) : 0;
  return file;
}

}  // namespace

Result<std::unique_ptr<ReceiptDesk>> ReceiptDesk::open(const Config& config, Outside outside) {
  std::unique_ptr<ReceiptDesk> desk(new ReceiptDesk(std::move(outside)));
  ReceiptDesk* me = desk.get();
  Outside& out = desk->outside_;
  receipts::Receipts::Outside beside{out.scheduler, out.clock,    out.random, out.worker,
                                     out.blobs,     out.printers, out.disk};
  beside.utc_offset = out.utc_offset;
  beside.account_of = out.account_of;
  beside.shop_phone = [me] { return digits_of(me->outside_.instance().wid); };
  beside.new_message_id = [me] {
    return make_message_id(me->outside_.random, me->outside_.clock.now(),
                           digits_of(me->outside_.instance().wid));
  };
  beside.send = [me](receipts::Outgoing message, Once<void(Result<std::string>)> done) {
    me->queue(std::move(message), std::move(done));
  };
  beside.remove_file = [me](const std::string& file) { (void)me->outside_.files.remove(file); };
  beside.file_waits = [me](const std::string& file) { return me->outside_.files.is_held(file); };
  beside.announce = [me](const receipts::Receipt& receipt, Once<void(Result<void>)> done) {
    me->announce(receipt, std::move(done));
  };
  beside.tell = [me](const receipts::Event& event) { me->tell(event); };
  for (const PrinterConfig& printer : config.printers)
    desk->ports_.push_back({.port = 0, .trouble = printer.trouble, .lpd_trouble = {}});
  TRY(desk->receipts_, receipts::Receipts::open(settings_of(config.receipts, out.job_life),
                                                printers_of(config.printers), std::move(beside)));
  return desk;
}

void ReceiptDesk::on_listening(std::size_t printer, bool lpd, std::uint16_t port,
                               const Result<void>& listening) {
  PrinterPorts& ports = ports_[printer];
  std::string& trouble = lpd ? ports.lpd_trouble : ports.trouble;
  if (listening) {
    trouble.clear();
    if (!lpd) ports.port = port;
    return log::info("receipts", "tills may print", {{"port", port}});
  }
  const std::string why =
      "port " + std::to_string(port) + " cannot be listened on: " + listening.error().detail;
  // It is tried again and again; told once.
  if (std::exchange(trouble, why) != why) {
    log::error("receipts", "tills cannot print: the port cannot be had",
               {{"printer", receipts_->printer_status()[printer].settings.name},
                {"port", port},
                {"error", listening.error()}});
  }
}

std::string ReceiptDesk::trouble() const {
  std::string out;
  const auto all = receipts_->printer_status();
  for (std::size_t i = 0; i < ports_.size() && i < all.size(); ++i) {
    for (const std::string& why : {ports_[i].trouble, ports_[i].lpd_trouble}) {
      if (why.empty()) continue;
      out += (out.empty() ? "Tills cannot print: printer " : "; printer ") + all[i].settings.name +
             ": " + why;
    }
  }
  return out.empty() ? out : out + ". Give it another port or address in posthorn.toml.";
}

void ReceiptDesk::on_message(const chat::Message& message) {
  const auto* text = std::get_if<content::Text>(&message.content.what);
  if (text == nullptr || message.from_me) return;
  (void)receipts_->on_message(message.chat, text->body);
}

void ReceiptDesk::queue(receipts::Outgoing message, Once<void(Result<std::string>)> done) {
  if (message.form != receipts::Form::text) return queue_file(std::move(message), std::move(done));
  content::Text text{message.text, false, std::nullopt};
  accept_job(message, std::move(text), std::move(done));
}

void ReceiptDesk::queue_file(receipts::Outgoing message, Once<void(Result<std::string>)> done) {
  auto writer = outside_.files.begin(message.file.size());
  if (!writer) return done(tl::unexpected(writer.error()));
  // Shared: it lives until finish() has answered.
  std::shared_ptr<files::Writer> kept = std::move(*writer);
  kept->append(as_text(message.file));
  message.file = {};
  kept->finish([self = alive_.weak(), kept, message = std::move(message),
                done = std::move(done)](Result<files::File> stored) mutable {
    ReceiptDesk* me = self.get();
    if (!stored) return done(tl::unexpected(stored.error()));
    if (me == nullptr) return done(fail(Errc::cancelled, "the box is restarting"));
    me->accept_job(message, file_of(message, *stored), std::move(done));
  });
}

void ReceiptDesk::accept_job(const receipts::Outgoing& message, Content::What what,
                             Once<void(Result<std::string>)> done) {
  const auto* file = std::get_if<content::File>(&what);
  const std::string ref = file == nullptr ? std::string() : file->ref;
  Job job;
  job.id = message.message_id;
  job.chat = message.chat;
  job.content.what = std::move(what);
  job.consent = message.consent;
  job.accepted_at = outside_.clock.now();
  job.expires_at = job.accepted_at + outside_.job_life;
  // A customer with a phone in the hand waits for it.
  job.urgent = message.consent.empty();
  outside_.outbox.accept(std::move(job),
                         [ref, done = std::move(done)](Result<std::string> id) mutable {
                           if (!id) return done(tl::unexpected(id.error()));
                           done(ref);
                         });
}

void ReceiptDesk::append(json::Value notification, Once<void(Result<void>)> done) {
  const api::Instance instance = outside_.instance();
  notification["instanceData"]["idInstance"] = static_cast<::Json::UInt64>(instance.id);
  notification["instanceData"]["wid"] = instance.wid;
  notification["instanceData"]["typeInstance"] = "whatsapp";
  notification["timestamp"] = static_cast<::Json::Int64>(outside_.clock.now().unix_seconds());
  outside_.inbox.append({json::write(notification), api::NotificationKind::state, {}},
                        [done = std::move(done)](const Result<void>& stored) mutable {
                          if (!stored && stored.error().code != Errc::cancelled) {
                            log::warn("receipts", "event lost", {{"error", stored.error()}});
                          }
                          done(stored);
                        });
}

void ReceiptDesk::announce(const receipts::Receipt& receipt, Once<void(Result<void>)> done) {
  json::Value out(::Json::objectValue);
  out["typeWebhook"] = "receiptPrinted";
  out["receipt"] = receipt_json(receipt);
  append(std::move(out), std::move(done));
}

void ReceiptDesk::tell(const receipts::Event& event) {
  json::Value out(::Json::objectValue);
  if (const auto* sent = std::get_if<receipts::Sent>(&event)) {
    out["typeWebhook"] = "receiptQueued";
    out["receipt"] = receipt_json(sent->receipt);
  } else if (const auto* failed = std::get_if<receipts::NotQueued>(&event)) {
    out["typeWebhook"] = "receiptFailed";
    out["receipt"] = receipt_json(failed->receipt);
    out["description"] = failed->why;
  } else if (const auto* gone = std::get_if<receipts::Gone>(&event)) {
    out["typeWebhook"] = "receiptExpired";
    out["receiptId"] = static_cast<::Json::UInt64>(gone->number);
  } else if (const auto* drawer = std::get_if<receipts::DrawerOpened>(&event)) {
    out["typeWebhook"] = "drawerOpened";
    out["printer"] = drawer->printer;
    out["sale"] = false;
  }
  append(std::move(out), [](const Result<void>&) {});
}

void ReceiptDesk::add_to(api::Api& api) {
  for (api::Route& route : receipt_routes(*receipts_, ports_)) api.add(std::move(route));
  const auto serve = [&api](const char* path, std::string html) {
    api.add_page(path, api::Right::none,
                 [html = std::move(html)](const api::Request&, api::Reply reply) {
                   reply.send({.body = html,
                               .content_type = "text/html; charset=utf-8",
                               .headers = {{"Cache-Control", "no-store"},
                                           {"X-Content-Type-Options", "nosniff"},
                                           {"Referrer-Policy", "no-referrer"},
                                           {"Content-Security-Policy",
                                            "default-src 'none'; style-src 'unsafe-inline'; "
                                            "script-src 'unsafe-inline'; img-src blob:; "
                                            "connect-src 'self'; frame-ancestors 'none'"}}});
                 });
  };
  const auto all = receipts_->printer_status();
  if (std::any_of(all.begin(), all.end(), [](const auto& one) { return one.settings.epos; })) {
    api.add_open_post("/cgi-bin/epos/service.cgi", kMostXml,
                      [this](const api::Request& request, api::Reply reply) {
                        receipts_->print_epos(
                            request.query_value("devid"), request.body,
                            [reply = std::move(reply)](std::string xml) mutable {
                              reply.send({.body = std::move(xml),
                                          .content_type = "text/xml; charset=utf-8",
                                          .headers = {}});
                            });
                      });
  }
  const std::uint64_t id = outside_.instance().id;
  serve("/receipts", receipts_page(id));
  serve("/till", till_page(id));
}

}  // namespace posthorn::daemon
