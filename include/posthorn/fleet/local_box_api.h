#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/fleet/box_api.h"

namespace posthorn::fleet {

/// The daemon's API over plain HTTP/1.1 on this machine, one connection a request. What comes back
/// is held to kAnswerAtMost.
class LocalBoxApi final : public BoxApi {
 public:
  /// watchEvents answers at most 256 KiB and one event, which has at most as much again.
  static constexpr std::size_t kAnswerAtMost = std::size_t{1} << 20;

  LocalBoxApi(Scheduler& scheduler, Dialer& dialer, BoxAccess access);
  LocalBoxApi(const LocalBoxApi&) = delete;
  LocalBoxApi& operator=(const LocalBoxApi&) = delete;
  /// What is open is answered with Errc::cancelled.
  ~LocalBoxApi() override;

  void call(BoxRequest request, Once<void(Result<BoxAnswer>)> done) override;
  [[nodiscard]] bool has_care() const override { return !access_.care_token.empty(); }
  void use_token(const std::string& token) override { access_.token = token; }
  [[nodiscard]] const BoxAccess& access() const { return access_; }

 private:
  class Exchange;
  void drop(Exchange* exchange);

  Scheduler& scheduler_;
  Dialer& dialer_;
  BoxAccess access_;
  std::vector<std::unique_ptr<Exchange>> open_;
  Alive<LocalBoxApi> alive_{this};
};

/// The request as it goes over the wire. Its path holds a token.
[[nodiscard]] std::string encode_request(const BoxAccess& access, const BoxRequest& request);

/// A whole HTTP/1.1 answer with Content-Length, or one that ends with the connection (`closed`).
/// nullopt: more has to come. Errors: malformed.
[[nodiscard]] Result<std::optional<BoxAnswer>> decode_answer(std::string_view bytes, bool closed);

}  // namespace posthorn::fleet
