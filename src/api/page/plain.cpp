#include "api/page/plain.h"

#include "api/origin.h"
#include "api/page/escape_html.h"
#include "api/page/files.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/api/form.h"

namespace posthorn::api {

namespace {

constexpr const char* kPageTop = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Posthorn</title></head><body>
<h1>Posthorn</h1>
<p>This box sends the till's messages over the shop's own WhatsApp.</p>
)";

std::string paragraph(const std::string& text) { return "<p>" + escape_html(text) + "</p>\n"; }

std::string row(const char* name, const std::string& value) {
  return std::string("<tr><th scope=\"row\" align=\"left\">") + name + "</th><td>" +
         escape_html(value) + "</td></tr>\n";
}

std::string password_field(const char* label, const char* autocomplete) {
  return std::string("<p><label>") + label +
         "<br><input type=\"password\" name=\"password\" required minlength=\"8\" "
         "maxlength=\"128\" autocomplete=\"" +
         autocomplete + "\"></label></p>\n";
}

const char* words(Status::Link link) {
  switch (link) {
    case Status::Link::starting:
      return "is starting";
    case Status::Link::not_linked:
      return "no phone is linked";
    case Status::Link::online:
      return "connected";
    case Status::Link::reconnecting:
      return "no contact with WhatsApp, trying again";
    case Status::Link::paused:
      return "has stopped, a person is needed";
    case Status::Link::blocked:
      return "WhatsApp has blocked this number";
  }
  return "";
}

const char* words(Status::Throttle throttle) {
  switch (throttle) {
    case Status::Throttle::green:
      return "at the ordinary pace";
    case Status::Throttle::amber:
      return "more slowly than usual";
    case Status::Throttle::yellow:
      return "not to new customers: WhatsApp restricts this number";
    case Status::Throttle::red:
      return "has stopped";
    case Status::Throttle::black:
      return "has stopped: WhatsApp has banned this number";
  }
  return "";
}

Response see_plain(const std::string& cookie) {
  return {.status = 303, .body = {}, .headers = {{"Location", "/plain"}, {"Set-Cookie", cookie}}};
}

}  // namespace

void PlainPage::handle(const Request& request, Reply reply) {
  const bool logged_in = outside_.sessions.holds_plain(request);
  if (request.verb == Verb::get || request.verb == Verb::head) {
    return reply.send(show(request, logged_in, ""));
  }
  if (request.verb != Verb::post || !names_no_other_origin(request) || request.body_too_large) {
    Response refusal = show(request, false, "This form does not come from this box.");
    refusal.status = 403;
    return reply.send(std::move(refusal));
  }
  const Fields fields = parse_form(request.body);
  if (!logged_in) return log_in(request, fields, std::move(reply));
  on_form(request, fields, std::move(reply));
}

void PlainPage::log_in(const Request& request, const Fields& fields, Reply reply) {
  const auto given = fields.find("password");
  const std::string password = given == fields.end() ? "" : given->second;
  const auto granted = [](Reply back, const std::string& cookie) { back.send(see_plain(cookie)); };
  if (!outside_.password.is_set()) {
    return outside_.login.set_first(request, std::move(reply), password, granted);
  }
  Response refusal = show(request, false, "That is not the password.");
  refusal.status = 401;
  outside_.login.try_password(request, std::move(reply), password, std::move(refusal), granted);
}

void PlainPage::on_form(const Request& request, const Fields& fields, Reply reply) {
  const auto field = [&fields](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  if (field("form") != outside_.sessions.form_token(request)) {
    Response refusal = show(request, true, "This form is an old one; try again.");
    refusal.status = 403;
    return reply.send(std::move(refusal));
  }
  if (field("do") == "code") return link_by_code(request, field("number"), std::move(reply));
  if (field("do") == "leave") {
    const std::string cookie = outside_.sessions.forget(request);
    outside_.sessions.close(request);
    return reply.send(see_plain(cookie));
  }
  reply.send(show(request, true, ""));
}

void PlainPage::link_by_code(const Request& request, const std::string& number, Reply reply) {
  const auto phone = parse_phone(number);
  if (!phone) return reply.send(show(request, true, phone.error().detail));
  outside_.context.outside.link.request_link_code(
      *phone, [this, self = alive_.weak(), request,
               reply = std::move(reply)](const Result<std::string>& code) mutable {
        // The box stops: the reply says so by itself.
        if (self.get() == nullptr) return;
        const std::string said =
            code ? "Type this code on the phone, under Settings, Linked devices, Link a device, "
                   "Link with phone number: " +
                       *code
                 : "No code: " + code.error().detail;
        reply.send(show(request, true, said));
      });
}

std::string PlainPage::form(const Request& request, const std::string& what,
                            const std::string& inside, const std::string& button) const {
  return "<form method=\"post\" action=\"/plain\"><input type=\"hidden\" name=\"do\" value=\"" +
         what + "\"><input type=\"hidden\" name=\"form\" value=\"" +
         outside_.sessions.form_token(request) + "\">\n" + inside + "<p><button>" + button +
         "</button></p></form>\n";
}

std::string PlainPage::doors() const {
  if (outside_.password.is_set()) {
    return "<h2>Log in</h2>\n<form method=\"post\" action=\"/plain\">" +
           password_field("Password of this page", "current-password") +
           "<p><button>Log in</button></p></form>\n";
  }
  if (outside_.login.first_password_for() > seconds(0)) {
    return "<h2>Set a password</h2>\n<p>Whoever has it may do everything with this box. 8 to 128 "
           "characters.</p>\n<form method=\"post\" action=\"/plain\">" +
           password_field("New password", "new-password") +
           "<p><button>Set it</button></p></form>\n";
  }
  return "<h2>Set a password</h2>\n<p>The first password is set within 30 minutes after the start "
         "of the box. Press the button on the box, or pull its plug and put it in again, then load "
         "this page anew.</p>\n";
}

std::string PlainPage::linking(const Request& request) const {
  Context& context = outside_.context;
  if (!context.outside.link.account().phone.empty()) return "";
  std::string out =
      "<h2>Link the shop's phone</h2>\n<p>On the phone: Settings, Linked devices, Link a device. "
      "Scan this code. It is good for 20 seconds: <a href=\"/plain\">show a new one</a>.</p>\n";
  const auto now = context.qr_wait.current();
  if (now && json::string_at(*now, "type") == "qrCode") {
    out +=
        "<p><img width=\"264\" height=\"264\" alt=\"QR code; without a picture use the 8 "
        "characters below\" src=\"data:image/png;base64," +
        json::string_at(*now, "message").value_or("") + "\"></p>\n";
  } else {
    out += paragraph(now ? json::string_at(*now, "message").value_or("")
                         : "WhatsApp has sent no code yet; wait a few seconds.");
  }
  return out + "<h2>Or with 8 characters</h2>\n" +
         form(request, "code",
              "<p><label>The phone's number, with the country code<br><input name=\"number\" "
              "type=\"tel\" required autocomplete=\"off\"></label></p>\n",
              "Show 8 characters");
}

std::string PlainPage::state(const Request& request) const {
  const Context& context = outside_.context;
  const Status status = context.outside.status();
  const std::string phone = context.outside.link.account().phone;
  std::string out = "<h2>How it is</h2>\n";
  if (!status.what_to_do.empty()) out += paragraph("To do: " + status.what_to_do);
  out += "<table>\n" + row("WhatsApp", words(status.link)) +
         row("Sending", words(status.throttle)) +
         row("Number", phone.empty() ? "none" : "+" + phone) +
         row("Waiting to be sent", std::to_string(status.outbox_jobs)) +
         row("Storage", status.storage_ok ? "works" : "cannot be written") +
         row("idInstance", std::to_string(context.options.id_instance)) +
         row("Version", context.options.version) + "</table>\n";
  return out + form(request, "leave", "", "Log out");
}

Response PlainPage::show(const Request& request, bool logged_in, const std::string& said) const {
  std::string body = kPageTop;
  if (!said.empty()) body += "<p><strong>" + escape_html(said) + "</strong></p>\n";
  body += logged_in ? linking(request) + state(request) : doors();
  if (outside_.has_page) {
    body += "<p><a href=\"/\">The page with pictures</a> needs a browser with JavaScript.</p>\n";
  }
  Response out{.body = body + "</body></html>\n",
               .content_type = "text/html; charset=utf-8",
               .headers = {{"Cache-Control", "no-store"}}};
  add_page_headers(out);
  return out;
}

}  // namespace posthorn::api
