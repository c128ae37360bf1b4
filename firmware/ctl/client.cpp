#include "ctl/client.h"

#include <curl/curl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

namespace posthorn::ctl {

namespace {

struct CurlDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileClose>;

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
  return {status == 404 ? Errc::not_found : Errc::refused, why};
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

/// A file on its way here; what is no 200 is not written, since it is the box's words.
struct Download {
  CURL* curl;
  int fd;
  std::uint64_t bytes;
  std::string refusal;
};

std::size_t save(char* data, std::size_t size, std::size_t count, void* user) {
  auto& out = *static_cast<Download*>(user);
  long status = 0;
  curl_easy_getinfo(out.curl, CURLINFO_RESPONSE_CODE, &status);
  const std::size_t all = size * count;
  if (status != 200) {
    out.refusal.append(data, all);
    return all;
  }
  out.bytes += all;
  return ::write(out.fd, data, all) == static_cast<ssize_t>(all) ? all : 0;
}

}  // namespace

Result<Access> check_access(Access given) {
  if (given.url.find("://") == std::string::npos) given.url = "http://" + given.url;
  while (given.url.ends_with('/')) given.url.pop_back();
  if (given.id_instance != 0 && !(given.token.empty() && given.care.empty())) return given;
  return fail(Errc::malformed,
              "--url needs --id and --token (or --care) beside it: \"sudo posthornctl access\" on "
              "the box shows "
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
  access.care = json::string_at(parsed, "careToken").value_or("");
  if (access.url.empty() || access.token.empty()) {
    return fail(Errc::malformed, path + " is not what posthornd writes");
  }
  return access;
}

std::string Client::method_path(const std::string& method) const {
  // Where only the technician's right is known, the header alone shows it.
  return "/waInstance" + std::to_string(access_.id_instance) + "/" + method + "/" +
         (access_.token.empty() ? "-" : access_.token);
}

Result<json::Value> Client::get(const std::string& method, const std::string& query) const {
  return ask(method_path(method) + (query.empty() ? "" : "?" + query), nullptr);
}

Client Client::patient(std::chrono::seconds patience) const {
  Client other = *this;
  other.patience_ = patience;
  return other;
}

Result<json::Value> Client::post(const std::string& method, const json::Value& body) const {
  const std::string text = json::write(body);
  return ask(method_path(method), &text);
}

Result<json::Value> Client::page(const std::string& path) const { return ask(path, nullptr); }

Result<json::Value> Client::put_file(const std::string& method, const std::string& path) const {
  return send_bytes(method, path, nullptr, "");
}

Result<std::string> Client::upload(const std::string& path) const {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  TRY(const json::Value answer, send_bytes("uploadFile", path, "POST", "GA-Filename: " + name));
  return json::string_at(answer, "urlFile").value_or("");
}

/// verb: nullptr: PUT. header: one more, or "".
Result<json::Value> Client::send_bytes(const std::string& method, const std::string& path,
                                       const char* verb, const std::string& header) const {
  const File file(std::fopen(path.c_str(), "rb"));
  struct stat about {};
  if (!file || fstat(fileno(file.get()), &about) != 0 || !S_ISREG(about.st_mode)) {
    return fail(Errc::not_found, path + ": cannot be read");
  }
  if (about.st_size == 0) return fail(Errc::malformed, path + " is empty");
  const Curl curl = prepare(method_path(method));
  Answer answer;
  std::unique_ptr<curl_slist, CurlDeleter> headers;
  if (!header.empty()) headers.reset(curl_slist_append(nullptr, header.c_str()));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
  if (verb != nullptr) curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, verb);
  curl_easy_setopt(curl.get(), CURLOPT_READDATA, file.get());  // read by libcurl's own fread
  curl_easy_setopt(curl.get(), CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(about.st_size));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  TRY(answer.status, perform(curl.get()));
  return parse(answer);
}

Result<std::uint64_t> Client::get_file(const std::string& method, int fd) const {
  const Curl curl = prepare(method_path(method));
  Download out{curl.get(), fd, 0, {}};
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &save);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &out);
  TRY(const long status, perform(curl.get()));
  if (status != 200) return tl::unexpected(refusal(status, out.refusal));
  return out.bytes;
}

Result<json::Value> Client::ask(const std::string& path, const std::string* body,
                                const char* type) const {
  TRY(const Answer answer, exchange(path, body, type));
  return parse(answer);
}

Result<Client::Answer> Client::exchange(const std::string& path, const std::string* body,
                                        const char* type) const {
  const std::unique_ptr<curl_slist, CurlDeleter> headers(
      curl_slist_append(nullptr, (std::string("Content-Type: ") + type).c_str()));
  const Curl curl = prepare(path);
  Answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, static_cast<long>(patience_.count()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (body != nullptr) {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  }
  TRY(answer.status, perform(curl.get()));
  return answer;
}

/// What every request has; the URL and the secret are copied by libcurl.
Client::Curl Client::prepare(const std::string& path) const {
  Curl curl(curl_easy_init());
  // As password of HTTP Basic the box takes each of them: token, care token and page password.
  const std::string& secret = access_.care.empty() ? access_.token : access_.care;
  curl_easy_setopt(curl.get(), CURLOPT_URL, (access_.url + path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  curl_easy_setopt(curl.get(), CURLOPT_USERNAME, "posthornctl");
  curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, secret.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, static_cast<long>(patience_.count()));
  // Files take as long as they take, as long as they move.
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, static_cast<long>(patience_.count()));
  if (!ca_file_.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file_.c_str());
  return curl;
}

Result<long> Client::perform(void* curl) const {
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    return tl::unexpected(unreachable(access_.url, code));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

Result<json::Value> Client::parse(const Answer& answer) {
  auto parsed = answer.body.empty() ? Result<json::Value>(json::Value()) : json::parse(answer.body);
  if (answer.status == 200 && parsed) return parsed;
  return tl::unexpected(refusal(answer.status, answer.body));
}

void Client::Cleanup::operator()(void* curl) const { curl_easy_cleanup(curl); }

}  // namespace posthorn::ctl
