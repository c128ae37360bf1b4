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

}  // namespace

Result<Access> read_access(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return fail(Errc::not_found,
                path + " cannot be read: is posthornd running, and are you allowed to (sudo)?");
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

Result<json::Value> Client::ask(const std::string& path, const std::string* body) const {
  const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  const std::unique_ptr<curl_slist, CurlDeleter> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"));
  const std::string url = access_.url + path;
  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  if (body != nullptr) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return fail(Errc::disconnected, access_.url + ": " + curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  auto parsed = answer.empty() ? Result<json::Value>(json::Value()) : json::parse(answer);
  if (status == 200 && parsed) return parsed;
  std::string why = "the box answered " + std::to_string(status);
  if (parsed) {
    for (const char* key : {"message", "description"}) {
      if (const auto text = json::string_at(*parsed, key)) why += ": " + *text;
    }
  }
  return fail(Errc::refused, why);
}

}  // namespace posthorn::ctl
