#include "ctl/client.h"

#include <curl/curl.h>

#include <fstream>
#include <memory>
#include <sstream>

namespace posthorn::ctl {

namespace {

constexpr long kTimeoutSeconds = 60;

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t collect(char* data, std::size_t size, std::size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

/// The box's own words, when it has some.
Error refusal(long status, const std::string& body) {
  std::string why = "the box answered " + std::to_string(status);
  if (const auto parsed = json::parse(body)) {
    for (const char* key : {"message", "description"}) {
      if (const auto text = json::string_at(*parsed, key)) why += ": " + *text;
    }
  }
  if (status == 401 || status == 403 || status == 404) {
    why +=
        ". Is it this box's idInstance and token? \"sudo posthornctl access\" on the box shows "
        "them";
  }
  return {Errc::refused, why};
}

/// What curl says, and what it usually comes from.
Error unreachable(const std::string& url, CURLcode code) {
  std::string why = url + ": " + curl_easy_strerror(code);
  if (code == CURLE_COULDNT_CONNECT) why += ". Is posthornd running, and is this its address?";
  if (code == CURLE_COULDNT_RESOLVE_HOST) why += ". The box's address from the router works too";
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    why += ". Fetch the box's certificate over http://, /certificate.pem, and name it with --ca";
  }
  return {Errc::disconnected, why};
}

}  // namespace

Result<Access> check_access(Access given) {
  if (given.url.find("://") == std::string::npos) given.url = "http://" + given.url;
  while (given.url.ends_with('/')) given.url.pop_back();
  if (given.id_instance != 0 && !given.token.empty()) return given;
  return fail(
      Errc::malformed,
      "--url needs --id and --token beside it: \"sudo posthornctl access\" on the box shows "
      "them, and on a card of ours the file posthorn-result.txt");
}

Result<Access> read_access(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return fail(Errc::not_found,
                path +
                    " cannot be read: is posthornd running here, and are you allowed to (sudo)? "
                    "For another machine's box: --url, --id and --token");
  }
  std::ostringstream text;
  text << file.rdbuf();
  TRY(const json::Value parsed, json::parse(text.str()));
  Access access;
  access.url = json::string_at(parsed, "url").value_or("");
  access.id_instance = static_cast<std::uint64_t>(json::int_at(parsed, "idInstance").value_or(0));
  access.token = json::string_at(parsed, "apiTokenInstance").value_or("");
  if (access.url.empty() || access.token.empty()) {
    return fail(Errc::malformed, path + " is not what posthornd writes");
  }
  return access;
}

std::string Client::method_path(const std::string& method) const {
  return "/waInstance" + std::to_string(access_.id_instance) + "/" + method + "/" + access_.token;
}

Result<json::Value> Client::get(const std::string& method, const std::string& query) const {
  return ask(method_path(method) + (query.empty() ? "" : "?" + query), nullptr);
}

Result<json::Value> Client::post(const std::string& method, const json::Value& body) const {
  const std::string text = json::write(body);
  return ask(method_path(method), &text);
}

Result<json::Value> Client::page(const std::string& path) const { return ask(path, nullptr); }

Result<json::Value> Client::post_bytes(const std::string& method, const std::string& query,
                                       const std::string& bytes) const {
  return ask(method_path(method) + "?" + query, &bytes, "application/octet-stream");
}

Result<std::string> Client::get_bytes(const std::string& method, const std::string& query) const {
  TRY(Answer answer, exchange(method_path(method) + "?" + query, nullptr, ""));
  if (answer.status != 200) return tl::unexpected(refusal(answer.status, answer.body));
  return std::move(answer.body);
}

Result<json::Value> Client::ask(const std::string& path, const std::string* body,
                                const char* type) const {
  TRY(const Answer answer, exchange(path, body, type));
  auto parsed = answer.body.empty() ? Result<json::Value>(json::Value()) : json::parse(answer.body);
  if (answer.status == 200 && parsed) return parsed;
  return tl::unexpected(refusal(answer.status, answer.body));
}

Result<Client::Answer> Client::exchange(const std::string& path, const std::string* body,
                                        const char* type) const {
  const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  std::unique_ptr<curl_slist, CurlDeleter> headers(
      curl_slist_append(nullptr, (std::string("Content-Type: ") + type).c_str()));
  // Pieces are answered at once; waiting for "100 Continue" would cost a second each.
  curl_slist_append(headers.get(), "Expect:");
  const std::string url = access_.url + path;
  Answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  if (!ca_file_.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file_.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (body != nullptr) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return tl::unexpected(unreachable(access_.url, code));
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace posthorn::ctl
