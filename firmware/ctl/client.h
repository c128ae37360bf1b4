#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

namespace posthorn::ctl {

/// Where the box is and what opens it.
struct Access {
  std::string url;  ///< "http://127.0.0.1:8080"
  std::uint64_t id_instance = 0;
  std::string token;
  std::string care;  ///< the technician's right, if there: care token or page password
};

/// The command line's, completed: "box:8080/" -> "http://box:8080". Errors: malformed (an id or
/// token is missing), with where they are found.
[[nodiscard]] Result<Access> check_access(Access given);

/// Reads access.json, which posthornd writes into its data directory.
/// Errors: not_found ("is posthornd running?"), malformed.
[[nodiscard]] Result<Access> read_access(const std::string& path);

/// Asks the box, waiting for the answer.
class Client {
 public:
  /// ca_file: PEM that an https:// box must show; empty: the system's roots.
  explicit Client(Access access, std::string ca_file = "")
      : access_(std::move(access)), ca_file_(std::move(ca_file)) {}

  /// The same box, asked for what may take it so long; a minute is usual.
  [[nodiscard]] Client patient(std::chrono::seconds patience) const;

  /// query: "after=5&wait=20" or empty. Errors: disconnected, refused (with the box's own words).
  [[nodiscard]] Result<json::Value> get(const std::string& method,
                                        const std::string& query = "") const;
  [[nodiscard]] Result<json::Value> post(const std::string& method, const json::Value& body) const;
  /// A file there, of any size. Errors: not_found (it cannot be read), as above.
  [[nodiscard]] Result<json::Value> put_file(const std::string& method,
                                             const std::string& path) const;
  /// The same for Green-API's uploadFile, which wants a name beside the bytes; the file's link.
  [[nodiscard]] Result<std::string> upload(const std::string& path) const;
  /// A file back, into fd; its size.
  [[nodiscard]] Result<std::uint64_t> get_file(const std::string& method, int fd) const;
  /// A page outside the instance's methods, "/healthz".
  [[nodiscard]] Result<json::Value> page(const std::string& path) const;
  [[nodiscard]] const Access& access() const { return access_; }

 private:
  [[nodiscard]] Result<json::Value> send_bytes(const std::string& method, const std::string& path,
                                               const char* verb, const std::string& header) const;
  struct Answer {
    long status = 0;
    std::string body;
  };
  [[nodiscard]] Result<Answer> exchange(const std::string& path, const std::string* body,
                                        const char* type) const;
  [[nodiscard]] Result<json::Value> ask(const std::string& path, const std::string* body,
                                        const char* type = "application/json") const;
  struct Cleanup {
    void operator()(void* curl) const;
  };
  using Curl = std::unique_ptr<void, Cleanup>;
  [[nodiscard]] Curl prepare(const std::string& path) const;
  /// The status of the answer. Errors: disconnected.
  [[nodiscard]] Result<long> perform(void* curl) const;
  [[nodiscard]] static Result<json::Value> parse(const Answer& answer);
  [[nodiscard]] std::string method_path(const std::string& method) const;

  Access access_;
  std::string ca_file_;
  std::chrono::seconds patience_{60};
};

}  // namespace posthorn::ctl
