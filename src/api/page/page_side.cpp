#include "api/page/page_side.h"

#include "api/body.h"
#include "api/errors.h"

namespace posthorn::api {

namespace {

bool is_read(const Request& request) {
  return request.verb == Verb::get || request.verb == Verb::head;
}

Response json_answer(const json::Value& value) {
  return Response{.body = json::write(value), .headers = {{"Cache-Control", "no-store"}}};
}

}  // namespace

PageSide::PageSide(Outside outside, const Page& page)
    : outside_(outside),
      files_(page.files),
      password_({outside.context.outside.blobs, page.worker, outside.context.outside.random,
                 page.password_rounds},
                outside.context.options.page_password),
      login_({outside.context.outside.scheduler, outside.context.outside.clock, outside.credentials,
              outside.wrong, outside.sessions, password_}),
      plain_({outside.context, outside.sessions, password_, login_, !page.files.empty()}) {}

bool PageSide::takes(const Request& request) const {
  const std::string& path = request.path;
  return path == "/session" || path == "/sessions" || path == "/password" || path == "/plain" ||
         (is_read(request) && (path == "/" || files_.find(path) != nullptr));
}

void PageSide::refuse(const Request& request, Reply& reply, int status,
                      std::string_view message) const {
  reply.send(error_response(status, message, request.path, outside_.context.outside.clock.now()));
}

void PageSide::handle(Request request, Reply reply) {
  if (request.path == "/plain") return plain_.handle(request, std::move(reply));
  if (const PageFile* file = is_read(request) ? files_.find(request.path) : nullptr) {
    return reply.send(PageFiles::answer(*file, request));
  }
  if (request.path == "/") {
    return reply.send({.status = 302, .body = {}, .headers = {{"Location", "/plain"}}});
  }
  // A form or a script of another web page cannot send it.
  if (!is_read(request) && !request.from_page) {
    return refuse(request, reply, 403, "the header \"X-Posthorn: 1\" is missing");
  }
  if (request.body_too_large) return refuse(request, reply, 413, "Request Entity Too Large");
  if (request.path == "/session") return session(request, std::move(reply));
  if (request.path == "/sessions") return sessions(request, std::move(reply));
  password(request, std::move(reply));
}

void PageSide::send_session(Reply& reply, const std::string& cookie, bool in) const {
  json::Value out(::Json::objectValue);
  out["loggedIn"] = in;
  out["passwordSet"] = password_.is_set();
  out["passwordFixed"] = password_.is_fixed();
  out["firstPasswordSeconds"] = static_cast<::Json::Int64>(login_.first_password_for().count());
  if (in) {
    const ApiOptions& options = outside_.context.options;
    out["idInstance"] = static_cast<::Json::UInt64>(options.id_instance);
    out["version"] = options.version;
  }
  Response response = json_answer(out);
  if (!cookie.empty()) response.headers.emplace_back("Set-Cookie", cookie);
  reply.send(std::move(response));
}

void PageSide::session(const Request& request, Reply reply) {
  if (is_read(request)) {
    return send_session(reply, "", outside_.sessions.holds(request));
  }
  if (request.verb == Verb::del) {
    const std::string cookie = outside_.sessions.forget(request);
    outside_.sessions.close(request);
    return send_session(reply, cookie, false);
  }
  if (request.verb != Verb::post) return refuse(request, reply, 404, "Not Found");
  const auto body = parse_body(request.body);
  if (!body) return refuse(request, reply, 400, body.error().detail);
  if (!password_.is_set() && outside_.credentials.of_secret(
                                 json::string_at(*body, "password").value_or("")) != Right::care) {
    return refuse(request, reply, 409, "the box has no password yet; set one with POST /password");
  }
  login_.try_password(
      request, std::move(reply), json::string_at(*body, "password").value_or(""),
      error_response(401, "this is not the password", request.path,
                     outside_.context.outside.clock.now()),
      [this](Reply granted, const std::string& cookie) { send_session(granted, cookie, true); });
}

void PageSide::sessions(const Request& request, Reply reply) {
  if (!outside_.sessions.holds(request)) return refuse(request, reply, 401, "log in first");
  if (request.verb == Verb::del) {
    const std::string_view one = request.query_value("id");
    if (one.empty()) outside_.sessions.close_others(request);
    if (!one.empty() && !outside_.sessions.close(one)) {
      return refuse(request, reply, 404, "nobody is logged in under this id");
    }
  }
  json::Value out(::Json::arrayValue);
  for (const PageSessions::Shown& shown : outside_.sessions.list(request)) {
    json::Value one(::Json::objectValue);
    one["id"] = shown.handle;
    one["since"] = static_cast<::Json::Int64>(shown.since.unix_seconds());
    one["idleSeconds"] = static_cast<::Json::Int64>(shown.idle.count());
    one["from"] = shown.peer;
    one["own"] = shown.own;
    out.append(std::move(one));
  }
  reply.send(json_answer(out));
}

void PageSide::password(const Request& request, Reply reply) {
  if (request.verb != Verb::post) return refuse(request, reply, 404, "Not Found");
  const auto body = parse_body(request.body);
  if (!body) return refuse(request, reply, 400, body.error().detail);
  const auto granted = [this](Reply back, const std::string& cookie) {
    send_session(back, cookie, true);
  };
  std::string wanted = json::string_at(*body, "password").value_or("");
  if (!password_.is_set()) {
    return login_.set_first(request, std::move(reply), std::move(wanted), granted);
  }
  const bool care = outside_.credentials.of_header(request) == Right::care;
  if (!care && !outside_.sessions.holds(request)) {
    return refuse(request, reply, 401, "log in first");
  }
  login_.change(request, std::move(reply), json::string_at(*body, "current").value_or(""),
                std::move(wanted), granted);
}

}  // namespace posthorn::api
